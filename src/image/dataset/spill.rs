//! Decompression into an anonymous temporary file: compressed data cannot be read by offset.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use super::error::DataSetError;

/// Copies all of `content` to a file that vanishes when it is closed.
pub(super) fn spill(path: &Path, mut content: impl Read) -> Result<File, DataSetError> {
    let temporary =
        |source| DataSetError::TemporaryFile { path: path.to_owned(), folder: std::env::temp_dir(), source };
    let mut file = tempfile::tempfile().map_err(temporary)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(file),
            Ok(count) => file.write_all(&buffer[..count]).map_err(temporary)?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(DataSetError::CorruptArchive { path: path.to_owned(), reason: error.to_string() });
            }
        }
    }
}
