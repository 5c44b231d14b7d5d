//! Compressions of whole files: the one list of those that are read.

use std::io::{self, Read};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;

use super::xz;

/// Content, compressed or not.
pub(super) type Content<'a> = Box<dyn Read + 'a>;

/// A compression of a whole file.
pub(super) struct Compression {
    /// What it is called, for people.
    pub(super) name: &'static str,
    /// Extensions of compressed files, and what a compressed tar archive is called for short.
    pub(super) extensions: [&'static str; 2],
    /// Whether content begins so.
    recognise: fn(&[u8]) -> bool,
    /// The content of all its parts: each of these compressions may be written in several, one behind the other.
    decoder: fn(Content<'_>) -> io::Result<Content<'_>>,
}

/// All of them.
pub(super) const COMPRESSIONS: [Compression; 4] = [
    Compression {
        name: "gzip",
        extensions: ["gz", "tgz"],
        recognise: |head| head.starts_with(b"\x1f\x8b"),
        decoder: |content| Ok(Box::new(MultiGzDecoder::new(content))),
    },
    Compression {
        name: "bzip2",
        extensions: ["bz2", "tbz2"],
        recognise: |head| matches!(head, [b'B', b'Z', b'h', b'1'..=b'9', ..]),
        decoder: |content| Ok(Box::new(MultiBzDecoder::new(content))),
    },
    Compression {
        name: "xz",
        extensions: ["xz", "txz"],
        recognise: |head| head.starts_with(b"\xfd7zXZ\0"),
        decoder: xz::decoder,
    },
    Compression {
        name: "Zstandard",
        extensions: ["zst", "tzst"],
        // A frame, or what pzstd writes before each: one that is skipped.
        recognise: |head| matches!(head, [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]),
        decoder: |content| Ok(Box::new(zstd::Decoder::new(content)?)),
    },
];

impl Compression {
    /// The compression that content of this beginning is in.
    pub(super) fn recognise(head: &[u8]) -> Option<&'static Self> {
        COMPRESSIONS.iter().find(|compression| (compression.recognise)(head))
    }

    /// What the compressed content is. It fails where that is damaged or cut off, or followed by something else.
    pub(super) fn decoder<'a>(&self, content: impl Read + 'a) -> io::Result<Content<'a>> {
        (self.decoder)(Box::new(content))
    }
}

#[cfg(test)]
mod tests {
    use super::super::watched::{Watched, was_stopped};
    use super::*;
    use crate::interrupt::Interrupt;

    /// The same text by Python's `gzip`, `bz2` and `lzma`, and by `zstandard`.
    const TEXTS: [&str; 4] = ["text.gz", "text.bz2", "text.xz", "text.zst"];

    fn compressed(name: &str) -> Vec<u8> {
        std::fs::read(format!("tests/fixtures/image/compressed/{name}")).unwrap()
    }

    fn content(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        Compression::recognise(bytes).unwrap().decoder(bytes)?.read_to_end(&mut content)?;
        Ok(content)
    }

    /// What `python_ref/make_compressed_fixtures.py` compresses.
    fn text() -> Vec<u8> {
        (0..2000).flat_map(|number| format!("{}\n", number * number).into_bytes()).collect()
    }

    #[test]
    fn what_others_compress_is_read_in_one_part_or_several() {
        for name in TEXTS {
            let bytes = compressed(name);
            assert_eq!(content(&bytes).unwrap(), text(), "{name}");
            assert_eq!(content(&[&bytes[..], &bytes].concat()).unwrap(), [text(), text()].concat(), "{name}");
        }
        // Of several streams, with padding behind the last.
        assert_eq!(content(&compressed("streams.xz")).unwrap(), text().repeat(8));
        // A frame that is skipped, as pzstd writes it before each.
        let skipped = b"\x50\x2a\x4d\x18\x04\0\0\0\x01\x02\x03\x04";
        assert_eq!(content(&[&skipped[..], &compressed("text.zst")].concat()).unwrap(), text());
    }

    #[test]
    fn what_is_cut_off_damaged_or_followed_by_something_else_is_refused() {
        for name in TEXTS {
            let bytes = compressed(name);
            for length in (12..bytes.len()).step_by(7).chain([bytes.len() - 1]) {
                assert!(content(&bytes[..length]).is_err(), "{name}, {length} of {} bytes", bytes.len());
            }
            let mut damaged = bytes.clone();
            damaged[bytes.len() / 2] ^= 0x55;
            assert!(content(&damaged).is_err(), "{name}");
            assert!(content(&[&bytes[..], b"more"].concat()).is_err(), "{name}");
        }
    }

    #[test]
    fn all_can_be_stopped() {
        let interrupt = Interrupt::new();
        interrupt.request();
        for name in TEXTS {
            let bytes = compressed(name);
            let stopped = Compression::recognise(&bytes).unwrap().decoder(Watched::new(&*bytes, &interrupt));
            let stopped = stopped.and_then(|mut content| content.read_to_end(&mut Vec::new()));
            assert!(was_stopped(&stopped.unwrap_err()), "{name}");
        }
    }
}
