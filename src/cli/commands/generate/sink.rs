//! Where generated images go.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Blame, Blamed};
use crate::output::{Output, OutputError, OutputFolder, Outputs};
use crate::{Error, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::array::{ArrayFile, Shape};
use super::pixels::{encode, interleaved};

/// A name that says a kind of file which images are not written to.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot write images to {}: name a .zip (of PNGs), .npz or .npy file, or a folder; with a dot in its name, a folder has \
     a `/` at the end",
    .0.display()
)]
struct UnknownForm(PathBuf);

impl Blamed for UnknownForm {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Gives batches of planar images until there are no more.
type Next<'a> = dyn FnMut() -> Result<Option<Vec<u8>>> + 'a;

/// What images are written to, in the form that its name says; whole or not at all.
pub enum Sink {
    /// One array.
    Npy(Output),
    /// One array, `arr_0`.
    Npz(Output),
    /// A PNG an image.
    Zip(Output),
    /// A PNG an image.
    Folder(OutputFolder),
}

impl Sink {
    /// Makes sure that a path can be written, which must be none of the others of the command.
    pub fn claim(path: &Path, outputs: &mut Outputs) -> Result<Self> {
        let mut file = || outputs.claim(path);
        let is_folder = path.is_dir() || path.to_string_lossy().ends_with(std::path::is_separator);
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        Ok(match extension.as_deref().filter(|_| !is_folder) {
            Some("npy") => Sink::Npy(file()?),
            Some("npz") => Sink::Npz(file()?),
            Some("zip") => Sink::Zip(file()?),
            // A version or step at the end of a name is not an extension: `samples-1.5`.
            Some(other) if other.starts_with(char::is_alphabetic) => return Err(UnknownForm(path.into()).into()),
            _ => Sink::Folder(OutputFolder::claim(path)?),
        })
    }

    /// Writes all batches.
    pub fn write(self, shape: Shape, next: &mut Next<'_>) -> Result<()> {
        let path = match &self {
            Sink::Npy(file) | Sink::Npz(file) | Sink::Zip(file) => file.path(),
            Sink::Folder(folder) => folder.path(),
        };
        let path = path.to_owned();
        let written = match self {
            Sink::Npy(file) => {
                file.write(|file| -> Result<(), Failure> { push_all(ArrayFile::begin(&path, shape, file)?, next) })
            }
            Sink::Npz(file) => file.write(|file| {
                let mut archive = ZipWriter::new(file);
                archive.start_file("arr_0.npy", options()).map_err(io::Error::from)?;
                push_all(ArrayFile::begin(&path, shape, &mut archive)?, next)?;
                archive.finish().map_err(io::Error::from)?;
                Ok(())
            }),
            Sink::Zip(file) => file.write(|file| {
                let mut archive = ZipWriter::new(file);
                each_png(shape, next, |name, png| {
                    archive.start_file(name, options()).map_err(io::Error::from)?;
                    archive.write_all(png)
                })?;
                archive.finish().map_err(io::Error::from)?;
                Ok(())
            }),
            Sink::Folder(folder) => {
                folder.write(|folder| each_png(shape, next, |name, png| fs::write(folder.join(name), png)))
            }
        };
        written.map_err(|failure| failure.at(&path))
    }
}

/// A failure of the disk, or of whoever makes the images.
enum Failure {
    Io(io::Error),
    Other(Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Other(error)
    }
}

impl Failure {
    /// The error of what is written to `path`.
    fn at(self, path: &Path) -> Error {
        match self {
            Failure::Io(source) => OutputError::at(path, source).into(),
            Failure::Other(error) => error,
        }
    }
}

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true)
}

fn push_all(mut file: ArrayFile<'_>, next: &mut Next<'_>) -> Result<(), Failure> {
    while let Some(images) = next()? {
        file.push(&images)?;
    }
    Ok(())
}

/// Calls `take(name, PNG)` for every image.
fn each_png(
    shape: Shape,
    next: &mut Next<'_>,
    mut take: impl FnMut(&str, &[u8]) -> io::Result<()>,
) -> Result<(), Failure> {
    let digits = (shape.images - 1).to_string().len().max(5);
    let mut index = 0;
    while let Some(images) = next()? {
        for image in images.chunks_exact(shape.image_len()) {
            let png = encode(&interleaved(image, shape.channels), shape)?;
            take(&format!("{index:0digits$}.png"), &png)?;
            index += 1;
        }
    }
    Ok(())
}
