//! The images of a failed test, where people can look at them.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::image::ImageSource;
use crate::output::OutputError;

/// Every image is kept under a name of this form, by which a later test finds it.
const PREFIX: &str = "sample-";
const SUFFIX: &str = ".png";

/// A folder of images.
#[derive(Debug)]
pub struct Samples<'a> {
    folder: &'a Path,
}

/// What was kept.
#[derive(Debug)]
pub struct Kept {
    folder: PathBuf,
    images: usize,
    of: usize,
    /// The first image that could not be kept, and why.
    failed: Option<String>,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of the {} images are in {}", self.images, self.of, self.folder.display())?;
        self.failed.as_ref().map_or(Ok(()), |failed| write!(f, " ({failed})"))
    }
}

impl<'a> Samples<'a> {
    /// The images in a folder, which need not exist.
    pub fn of(folder: &'a Path) -> Self {
        Self { folder }
    }

    /// Removes the images that an earlier test kept.
    pub fn remove(&self) -> Result<(), OutputError> {
        let at = |error| OutputError::at(self.folder, error);
        let entries = match fs::read_dir(self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(at)?,
        };
        for entry in entries {
            let entry = entry.map_err(at)?;
            if entry.file_name().to_str().is_some_and(is_sample) {
                fs::remove_file(entry.path()).map_err(|error| OutputError::at(&entry.path(), error))?;
            }
        }
        Ok(())
    }

    /// Keeps the first `most` images.
    pub fn keep(&self, images: &dyn ImageSource, most: usize) -> Result<Kept, OutputError> {
        fs::create_dir_all(self.folder).map_err(|error| OutputError::at(self.folder, error))?;
        let mut kept = Kept { folder: self.folder.into(), images: 0, of: images.len(), failed: None };
        for index in 0..most.min(images.len()) {
            let path = self.folder.join(format!("{PREFIX}{index:05}{SUFFIX}"));
            let written = images.load(index).map_err(|error| error.to_string());
            match written.and_then(|image| image.write_png(&path).map_err(|error| error.to_string())) {
                Ok(()) => kept.images += 1,
                Err(error) => drop(kept.failed.get_or_insert(error)),
            }
        }
        Ok(kept)
    }
}

fn is_sample(name: &str) -> bool {
    let index = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    index.is_some_and(|index| !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()))
}
