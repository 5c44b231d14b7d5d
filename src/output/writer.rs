//! What the content of an output is written to.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

/// Takes the content of an [`Output`](super::Output), buffered; what was written can be gone back to.
///
/// The first failure ends the output whatever becomes of the error on its way: it is what
/// [`Output::write`](super::Output::write) returns. Writes after it are dropped, so that an archive that completes itself when
/// it is dropped does so without a word on standard error.
#[derive(Debug)]
pub struct OutputWriter<'a>(BufWriter<Remembering<&'a File>>);

impl<'a> OutputWriter<'a> {
    /// Writes from the beginning of a new file.
    pub(super) fn new(file: &'a File) -> Self {
        Self(BufWriter::new(Remembering { inner: file, failure: None, position: 0, end: 0 }))
    }

    /// Hands over what is in the buffer. The first failure, if there was one, takes the place of what was `made` of it.
    pub(super) fn finish<E: From<io::Error>>(mut self, made: Result<(), E>) -> Result<(), E> {
        let flushed = if made.is_ok() { self.0.flush() } else { Ok(()) };
        match self.0.get_mut().failure.take() {
            Some(failure) => Err(failure.into()),
            None => made.and(flushed.map_err(E::from)),
        }
    }
}

impl Write for OutputWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for OutputWriter<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// Fails once, and keeps the error; then only keeps count of where it would be.
#[derive(Debug)]
struct Remembering<W> {
    inner: W,
    failure: Option<io::Error>,
    position: u64,
    end: u64,
}

impl<W> Remembering<W> {
    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                return error; // To be tried again.
            }
            let told = match error.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(error.kind(), error.to_string()),
            };
            self.failure = Some(error);
            told
        })
    }
}

impl<W: Write> Write for Remembering<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match self.failure {
            Some(_) => bytes.len(),
            None => {
                let result = self.inner.write(bytes);
                self.note(result)?
            }
        };
        self.position += written as u64;
        self.end = self.end.max(self.position);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.failure {
            Some(_) => Ok(()),
            None => {
                let result = self.inner.flush();
                self.note(result)
            }
        }
    }
}

impl<W: Seek> Seek for Remembering<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match self.failure {
            Some(_) => match to {
                SeekFrom::Start(position) => position,
                SeekFrom::Current(offset) => self.position.saturating_add_signed(offset),
                SeekFrom::End(offset) => self.end.saturating_add_signed(offset),
            },
            None => {
                let result = self.inner.seek(to);
                self.note(result)?
            }
        };
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A disk of so many bytes.
    struct Small(Cursor<Vec<u8>>, usize);

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.1 - self.0.get_ref().len();
            match bytes.len().min(room) {
                0 => Err(io::ErrorKind::StorageFull.into()),
                fits => self.0.write(&bytes[..fits]),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Small {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn the_first_failure_is_told_once_and_kept() {
        let disk = Small(Cursor::new(Vec::new()), 6);
        let mut file = Remembering { inner: disk, failure: None, position: 0, end: 0 };
        assert_eq!(file.write_all(b"12345678").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(file.stream_position().unwrap(), 6);
        file.write_all(b"789").unwrap();
        file.flush().unwrap();
        let places = [SeekFrom::Start(1), SeekFrom::Current(3), SeekFrom::End(-2)].map(|to| file.seek(to).unwrap());
        assert_eq!(places, [1, 4, 7]);
        assert_eq!(file.failure.unwrap().kind(), io::ErrorKind::StorageFull);
        assert_eq!(file.inner.0.get_ref(), b"123456");
    }
}
