//! Image files that are named one by one.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::directory::read_file;
use super::error::ImageError;
use super::source::{Kept, Source};

/// Image files by their paths.
#[derive(Debug)]
pub(super) struct Files {
    /// As the list has them.
    names: Vec<String>,
    paths: Vec<PathBuf>,
}

impl Files {
    /// Files, named relative to a folder.
    pub(super) fn new(folder: &Path, paths: Vec<PathBuf>) -> Self {
        let name = |path: &PathBuf| path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned();
        Self { names: paths.iter().map(name).collect(), paths }
    }
}

impl Source for Files {
    fn len(&self) -> usize {
        self.paths.len()
    }

    fn name(&self, _: &Path, index: usize) -> Cow<'_, str> {
        self.names[index].as_str().into()
    }

    fn described(&self, _: &Path, index: usize) -> String {
        self.paths[index].display().to_string()
    }

    fn read(&self, index: usize, image: &str) -> Result<Kept, ImageError> {
        read_file(&self.paths[index], image)
    }
}
