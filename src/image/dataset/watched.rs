//! Reading that stops when it is asked to.

use std::io::{self, Read, Seek, SeekFrom};

use crate::interrupt::{Interrupt, Interrupted};

/// A reader that asks an [`Interrupt`] before every read, so that whatever works through it stops soon: indexing an
/// archive of a million files, inflating a large one.
pub(super) struct Watched<'a, R> {
    reader: R,
    interrupt: &'a Interrupt,
}

impl<'a, R> Watched<'a, R> {
    pub(super) fn new(reader: R, interrupt: &'a Interrupt) -> Self {
        Self { reader, interrupt }
    }
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Not of the kind `Interrupted`, which is read again.
        self.interrupt.check().map_err(io::Error::other)?;
        self.reader.read(buffer)
    }
}

impl<R: Seek> Seek for Watched<'_, R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.reader.seek(position)
    }
}

/// Whether reading failed because it was asked to stop, and not by a fault of the file.
pub(super) fn was_stopped(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Interrupted>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_until_it_is_asked_to_stop() {
        let interrupt = Interrupt::new();
        let mut reader = Watched::new(&b"abcdef"[..], &interrupt);
        let mut buffer = [0; 3];
        reader.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"abc");
        interrupt.request();
        assert!(was_stopped(&reader.read_exact(&mut buffer).unwrap_err()));
        assert!(!was_stopped(&io::Error::other("else")));
    }
}
