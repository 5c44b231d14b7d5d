//! What images were made of, kept beside them.

use std::io;
use std::path::{Path, PathBuf};

use ndarray::Array2;

use crate::Result;
use crate::error::{Blame, Blamed};
use crate::gan::GanError;
use crate::gan::systems::System;
use crate::gan::train::{Drawn, ImageSampler};
use crate::output::{Output, Outputs};
use crate::stats::archive::ArrayArchiveWriter;

/// A name that says another kind of file.
#[derive(Debug, thiserror::Error)]
#[error("--save-latents {}: two arrays go into a .npz file, name one", .0.display())]
struct NotNpz(PathBuf);

impl Blamed for NotNpz {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// z and conditions, gathered as images come; nothing where they were not asked for.
pub struct Latents(Option<Gathered>);

struct Gathered {
    file: Output,
    z: Rows,
    condition: Rows,
}

/// Rows of one length, one after the other.
#[derive(Default)]
struct Rows {
    length: usize,
    numbers: Vec<f32>,
}

impl Rows {
    fn array(self) -> Array2<f32> {
        let rows = self.numbers.len() / self.length.max(1);
        Array2::from_shape_vec((rows, self.length), self.numbers).expect("whole rows")
    }
}

impl Latents {
    /// Claims the file, where there is one.
    pub fn claim(path: Option<&Path>, outputs: &mut Outputs) -> Result<Self> {
        let Some(path) = path else { return Ok(Latents(None)) };
        if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("npz")) {
            return Err(NotNpz(path.into()).into());
        }
        Ok(Latents(Some(Gathered { file: outputs.claim(path)?, z: Rows::default(), condition: Rows::default() })))
    }

    /// Refuses a system that has none, where they were asked for.
    pub fn check(&self, system: &dyn System) -> Result<(), GanError> {
        match (&self.0, system.latent()) {
            (Some(_), None) => Err(GanError::Unable { system: system.title(), action: "save latents: it has no z" }),
            _ => Ok(()),
        }
    }

    /// The next images as bytes.
    pub fn keep(&mut self, sampler: &mut ImageSampler, count: usize) -> Result<Vec<u8>> {
        let drawn = sampler.draw(count)?;
        let range = sampler.trained().system.pixel_range();
        let bytes = drawn.values.data().iter().map(|&value| range.to_byte(value)).collect();
        self.take(&drawn);
        Ok(bytes)
    }

    /// Takes note of what samples were made of.
    pub fn take(&mut self, drawn: &Drawn) {
        if let (Some(gathered), Some(start)) = (&mut self.0, &drawn.start) {
            for (rows, tensor) in
                [(&mut gathered.z, Some(&start.z)), (&mut gathered.condition, start.condition.as_ref())]
            {
                if let Some(tensor) = tensor {
                    rows.length = tensor.shape()[1];
                    rows.numbers.extend_from_slice(tensor.data());
                }
            }
        }
    }

    /// Writes the file.
    pub fn write(self) -> Result<()> {
        let Some(Gathered { file, z, condition }) = self.0 else { return Ok(()) };
        Ok(file.fill(|file| -> io::Result<()> {
            let mut archive = ArrayArchiveWriter::new(file);
            archive.array("z", &z.array())?;
            if !condition.numbers.is_empty() {
                archive.array("condition", &condition.array())?;
            }
            archive.finish().map(|_| ())
        })?)
    }
}
