//! Decompression into an anonymous temporary file: compressed data cannot be read by offset.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::Path;

use super::error::DataSetError;
use super::watched::was_stopped;
use crate::output::spare_bytes;

/// Copies all of `content` to a file that vanishes when it is closed, and is read from its beginning. Content may inflate to a thousand times its length,
/// so it may take half of what is free where temporary files are, and no more: whatever else needs the disk finds as much.
pub(super) fn spill(path: &Path, compression: &str, content: impl Read) -> Result<File, DataSetError> {
    let folder = std::env::temp_dir();
    match spare_bytes(&folder) {
        Ok(spare) => spill_within(spare, path, compression, content),
        Err(source) => Err(DataSetError::TemporaryFile { path: path.to_owned(), folder, source }),
    }
}

fn spill_within(bound: u64, path: &Path, compression: &str, mut content: impl Read) -> Result<File, DataSetError> {
    let folder = std::env::temp_dir;
    let temporary = |source| DataSetError::TemporaryFile { path: path.to_owned(), folder: folder(), source };
    let mut file = tempfile::tempfile().map_err(temporary)?;
    let mut buffer = vec![0; 1 << 16];
    let mut written = 0;
    loop {
        match content.read(&mut buffer) {
            Ok(0) => {
                file.rewind().map_err(temporary)?;
                return Ok(file);
            }
            Ok(count) => {
                written += count as u64;
                if written > bound {
                    return Err(DataSetError::Inflated { path: path.to_owned(), folder: folder(), bound });
                }
                file.write_all(&buffer[..count]).map_err(temporary)?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failure(path, compression, &error)),
        }
    }
}

/// Why compressed data could not be read to its end.
pub(super) fn failure(path: &Path, compression: &str, error: &io::Error) -> DataSetError {
    match was_stopped(error) {
        true => DataSetError::Interrupted { path: path.to_owned() },
        false => {
            let reason = match error.kind() {
                ErrorKind::UnexpectedEof => format!("its {compression} data is cut off"),
                _ => format!("its {compression} data is damaged, or something else follows it ({error})"),
            };
            DataSetError::CorruptArchive { path: path.to_owned(), reason }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::watched::Watched;
    use super::*;
    use crate::interrupt::Interrupt;

    #[test]
    fn content_up_to_the_bound_is_copied_and_more_is_refused() {
        let path = Path::new("x.tar.gz");
        let file = spill_within(100_000, path, "gzip", io::repeat(7).take(100_000)).unwrap();
        assert_eq!(io::read_to_string(file).unwrap().len(), 100_000);
        let error = spill_within(100_000, path, "gzip", io::repeat(7)).unwrap_err().to_string();
        assert!(error.contains("`x.tar.gz` inflates to more than 100000 bytes"), "{error}");
        assert!(error.contains("TMPDIR"), "{error}");
    }

    #[test]
    fn endless_content_can_be_stopped() {
        let interrupt = Interrupt::new();
        interrupt.request();
        let content = Watched::new(io::repeat(0), &interrupt);
        let error = spill(Path::new("x.tar.gz"), "gzip", content).unwrap_err();
        assert!(matches!(error, DataSetError::Interrupted { .. }));
    }
}
