//! Points from a checkpoint, as an array.

use std::io;
use std::path::PathBuf;

use ndarray::Array2;
use ndarray_npy::WriteNpyExt;

use super::GenerateArgs;
use super::latents::Latents;
use super::sink::Sink;
use crate::Result;
use crate::cli::exit::Outcome;
use crate::cli::{output, progress};
use crate::error::{Blame, Blamed};
use crate::gan::train::{ImageSampler, Trained};
use crate::stats::archive::ArrayArchiveWriter;

/// A name that says a kind of file which points are not written to.
#[derive(Debug, thiserror::Error)]
#[error("cannot write points to {}: name a .npy or .npz file", .0.display())]
struct UnknownForm(PathBuf);

impl Blamed for UnknownForm {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Writes points, N×numbers.
pub fn run(args: &GenerateArgs, trained: Trained, sink: Sink, mut latents: Latents) -> Result<Outcome> {
    let (file, is_archive) = match sink {
        Sink::Npy(file) => (file, false),
        Sink::Npz(file) => (file, true),
        Sink::Zip(_) | Sink::Folder(_) => return Err(UnknownForm(args.output.clone()).into()),
    };
    let (step, total, dimensions) = (trained.step, args.images as usize, trained.config.networks.dimensions);
    let mut sampler = ImageSampler::new(trained, args.seed);
    if let Some(class) = args.class {
        sampler = sampler.of_class(class.into())?;
    }
    let mut points: Vec<f32> = Vec::new();
    while points.len() < total * dimensions {
        progress::interrupt().check()?;
        let drawn = sampler.draw((total - points.len() / dimensions).min(args.batch_size.into()))?;
        latents.take(&drawn);
        points.extend_from_slice(drawn.values.data());
    }
    let points = Array2::from_shape_vec((total, dimensions), points).expect("as many as were asked for");
    file.fill(|file| -> io::Result<()> {
        if !is_archive {
            return points.write_npy(file).map_err(io::Error::other);
        }
        let mut archive = ArrayArchiveWriter::new(file);
        archive.array("arr_0", &points)?;
        archive.finish().map(|_| ())
    })?;
    latents.write()?;
    if !args.quiet {
        output::to_stdout(&format!("{}: {total} points of step {step}, seed {}\n", args.output.display(), args.seed))?;
    }
    Ok(Outcome::Success)
}
