//! The content of xz files.

use std::io::{self, BufRead, BufReader, Read};

use lzma_rust2::XzReader;

use super::compression::Content;

/// Largest dictionary that is taken memory for: sixteen times that of `xz -9`.
const MOST_MEMORY: u64 = 1 << 30;

/// What the compressed content of one or more streams is.
///
/// # Errors
/// Of reading; of a dictionary that takes more memory than any file of a set is worth.
pub(super) fn decoder(content: Content<'_>) -> io::Result<Content<'_>> {
    let mut content = BufReader::new(content);
    // The reader takes the memory at once, whatever is behind the header. All blocks of the usual writers have one size.
    match dictionary(content.fill_buf()?) {
        Some(bytes) if bytes > MOST_MEMORY => {
            Err(io::Error::other(format!("its dictionary of {bytes} bytes takes too much memory")))
        }
        _ => Ok(Box::new(XzReader::new(Filled(content), true))),
    }
}

/// The length of the dictionary that the first block of a file says it needs; `None` where there is none, or no such header.
fn dictionary(head: &[u8]) -> Option<u64> {
    const STREAM_HEADER: usize = 12;
    const LZMA2: u64 = 0x21;
    let mut block = head.get(STREAM_HEADER..)?;
    let flags = *block.get(1)?;
    block = &block[2..];
    // The lengths of the block, compressed and not, where they are told.
    for flag in [0x40, 0x80] {
        if flags & flag != 0 {
            number(&mut block)?;
        }
    }
    for _ in 0..=flags & 3 {
        let (filter, length) = (number(&mut block)?, number(&mut block)?);
        let (properties, rest) = block.split_at_checked(length.try_into().ok()?)?;
        block = rest;
        if filter == LZMA2 {
            let code = u64::from(*properties.first()?);
            return match code {
                0..40 => Some((2 | (code & 1)) << (code / 2 + 11)),
                _ => Some(u32::MAX.into()),
            };
        }
    }
    None
}

/// The next number of up to nine groups of seven bits, the lowest first.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for group in 0..9 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * group);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Gives as much as is asked for, but for the end. The reader takes a short read for the end of the file in some places.
struct Filled<R>(R);

impl<R: Read> Read for Filled<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.0.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_that_no_memory_holds_is_refused_by_its_header() {
        let bytes = std::fs::read("tests/fixtures/image/compressed/text.xz").unwrap();
        // Python's usual level is 6, of 8 MiB.
        assert_eq!(dictionary(&bytes), Some(8 << 20));
        assert_eq!(dictionary(&bytes[..13]), None);
        let mut large = bytes.clone();
        let place = 12 + 4;
        assert_eq!(large[place], 22, "the code of 8 MiB");
        for (code, bytes) in [(36, 1 << 30), (37, 3 << 29), (40, u64::from(u32::MAX))] {
            large[place] = code;
            assert_eq!(dictionary(&large), Some(bytes));
            let opened = decoder(Box::new(&large[..]));
            assert_eq!(opened.is_ok(), bytes <= MOST_MEMORY, "{bytes}");
        }
    }

    #[test]
    fn short_reads_are_filled() {
        /// Gives a byte at a time.
        struct Slow<'a>(&'a [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = buffer.len().min(1);
                self.0.read(&mut buffer[..count])
            }
        }
        let bytes = std::fs::read("tests/fixtures/image/compressed/streams.xz").unwrap();
        let mut content = Vec::new();
        decoder(Box::new(Slow(&bytes))).unwrap().read_to_end(&mut content).unwrap();
        let mut expected = Vec::new();
        decoder(Box::new(&bytes[..])).unwrap().read_to_end(&mut expected).unwrap();
        assert!(content == expected && !content.is_empty());
    }
}
