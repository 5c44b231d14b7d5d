//! Lists of images and of sets: `@images.txt`.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::directory::read_file;
use super::error::{DataSetError, ImageError};
use super::several::Several;
use super::source::{Kept, Source};
use super::survey::names_image;
use super::{DataSet, DataSetKind, Reading};
use crate::interrupt::Interrupt;
use crate::regular;

/// Longest line that can be a path.
const LONGEST: u64 = 1 << 16;

/// The file of a list, where a path names one: what stands behind the `@`.
pub(super) fn file(path: &Path) -> Option<PathBuf> {
    path.to_str()?.strip_prefix('@').filter(|rest| !rest.is_empty()).map(PathBuf::from)
}

/// What a list names, in its order: a path a line, relative to the folder of the list. Empty lines and those that begin with `#` are
/// passed over.
///
/// # Errors
/// [`DataSetError`] when the list cannot be read, or names nothing.
fn read(list: &Path, interrupt: &Interrupt) -> Result<Vec<PathBuf>, DataSetError> {
    let failure = |source| DataSetError::Io { path: list.to_owned(), source };
    let file = regular::open(list).map_err(failure)?;
    let folder = list.parent().unwrap_or(Path::new(""));
    let (mut reader, mut paths) = (BufReader::new(file), Vec::new());
    for number in 1_u64.. {
        if interrupt.is_requested() {
            return Err(DataSetError::Interrupted { path: list.to_owned() });
        }
        let mut line = Vec::new();
        reader.by_ref().take(LONGEST).read_until(b'\n', &mut line).map_err(failure)?;
        if line.is_empty() {
            break;
        }
        let malformed = |reason: &'static str| DataSetError::List { path: list.to_owned(), line: number, reason };
        if line.len() as u64 == LONGEST || line.contains(&0) {
            return Err(malformed("this is no path: a list has a path a line"));
        }
        let text = std::str::from_utf8(&line).map_err(|_| malformed("this is not UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_end_matches(['\r', '\n']);
        if !text.trim().is_empty() && !text.starts_with('#') {
            paths.push(folder.join(text));
        }
    }
    if paths.is_empty() {
        return Err(DataSetError::EmptyList { path: list.to_owned() });
    }
    Ok(paths)
}

/// Opens what a list names: images by their extension, sets of any kind otherwise.
///
/// # Errors
/// As of [`read`], and of opening a set. An image that is not there fails to load.
pub(super) fn open(list: &Path, reading: &Reading, interrupt: &Interrupt) -> Result<Several, DataSetError> {
    let (mut sets, mut files) = (Vec::new(), Vec::new());
    let folder = list.parent().unwrap_or(Path::new(""));
    let close = |files: &mut Vec<PathBuf>, sets: &mut Vec<DataSet>| {
        if !files.is_empty() {
            let source = Box::new(Files::new(folder, std::mem::take(files)));
            sets.push(DataSet { path: list.to_owned(), kind: DataSetKind::List, source });
        }
    };
    for path in read(list, interrupt)? {
        if names_image(&path) {
            files.push(path);
        } else {
            close(&mut files, &mut sets);
            sets.push(DataSet::open_whole(&path, reading, interrupt)?);
        }
    }
    close(&mut files, &mut sets);
    Ok(Several::new(sets))
}

/// Image files by their paths.
#[derive(Debug)]
struct Files {
    /// As the list has them.
    names: Vec<String>,
    paths: Vec<PathBuf>,
}

impl Files {
    /// Files, named relative to a folder.
    fn new(folder: &Path, paths: Vec<PathBuf>) -> Self {
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
