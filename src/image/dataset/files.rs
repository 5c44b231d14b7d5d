//! Image files that are named one by one, by a list or a pattern.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::directory::read_file;
use super::error::ImageError;
use super::source::{Kept, Source};

/// An image file that is named.
#[derive(Debug)]
pub(super) struct NamedFile {
    /// What it is called in the set.
    pub(super) name: String,
    /// Its path.
    pub(super) path: PathBuf,
    /// What names it, for messages: a line of a list.
    pub(super) by: Option<String>,
}

/// Image files by their paths.
#[derive(Debug)]
pub(super) struct Files(pub(super) Vec<NamedFile>);

impl Source for Files {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn name(&self, _: &Path, index: usize) -> Cow<'_, str> {
        self.0[index].name.as_str().into()
    }

    fn described(&self, _: &Path, index: usize) -> String {
        let NamedFile { path, by, .. } = &self.0[index];
        let by = by.as_ref().map_or(String::new(), |by| format!(" ({by})"));
        format!("{}{by}", path.display())
    }

    fn read(&self, index: usize, image: &str) -> Result<Kept, ImageError> {
        read_file(&self.0[index].path, image)
    }
}
