//! Lists of images and of sets: `@images.txt`.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::error::DataSetError;
use crate::interrupt::Interrupt;
use crate::regular;

/// Longest line that can be a path.
const LONGEST: u64 = 1 << 16;

/// Most bytes that a file system lets the name of a file or folder have.
const LONGEST_NAME: usize = 255;

/// Characters of a name that is too long that are shown.
const SHOWN: usize = 40;

/// The file of a list, where a path names one: what stands behind the `@`.
pub(super) fn file(path: &Path) -> Option<PathBuf> {
    path.to_str()?.strip_prefix('@').filter(|rest| !rest.is_empty()).map(PathBuf::from)
}

/// A path that a list names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Number of the line, from 1.
    pub(super) number: u64,
    /// The path.
    pub(super) path: PathBuf,
}

/// What a list names, in its order: a path a line, relative to the folder of the list. Empty lines and those that begin with `#` are
/// passed over.
///
/// # Errors
/// [`DataSetError`] when the list cannot be read, or names nothing.
pub(super) fn read(list: &Path, interrupt: &Interrupt) -> Result<Vec<Line>, DataSetError> {
    let failure = |source| DataSetError::Io { path: list.to_owned(), source };
    let file = regular::open(list).map_err(failure)?;
    let folder = list.parent().unwrap_or(Path::new(""));
    let (mut reader, mut lines) = (BufReader::new(file), Vec::new());
    for number in 1_u64.. {
        if interrupt.is_requested() {
            return Err(DataSetError::Interrupted { path: list.to_owned() });
        }
        let mut line = Vec::new();
        reader.by_ref().take(LONGEST).read_until(b'\n', &mut line).map_err(failure)?;
        if line.is_empty() {
            break;
        }
        let malformed =
            |reason: &str| DataSetError::List { path: list.to_owned(), line: number, reason: reason.into() };
        if line.len() as u64 == LONGEST || line.contains(&0) {
            return Err(malformed("this is not a path: a list has a path a line"));
        }
        let text = std::str::from_utf8(&line).map_err(|_| malformed("this is not UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_end_matches(['\r', '\n']);
        if text.starts_with('@') {
            return Err(malformed("a list names images and sets, not other lists"));
        }
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        if text.split(['/', std::path::MAIN_SEPARATOR]).any(|part| part.len() > LONGEST_NAME) {
            let begin: String = text.chars().take(SHOWN).collect();
            return Err(malformed(&format!(
                "`{begin}…` has a name of more than {LONGEST_NAME} bytes, which no file has: a list has a path a line"
            )));
        }
        lines.push(Line { number, path: folder.join(text) });
    }
    if lines.is_empty() {
        return Err(DataSetError::EmptyList { path: list.to_owned() });
    }
    Ok(lines)
}
