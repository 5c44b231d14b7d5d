//! How an image was encoded: two sets that differ in it do not compare generators alone.

use std::fmt;

use super::jpeg_encoding::JpegEncoding;
use super::{Format, png, pnm, tiff};

/// How an image was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Not at all: levels in an array.
    Levels,
    /// In a file of this format, of which no more is known.
    File(Format),
    /// In a file of this format, which may lose what this file does not.
    Lossless(Format),
    /// In a file of this format that holds gray of 16 bits, of which all levels above 255 are white.
    Gray16(Format),
    /// In a JPEG file, as its header says.
    Jpeg(JpegEncoding),
    /// In a file that no decoder here knows.
    Unknown,
}

impl Encoding {
    /// The encoding of a whole file.
    pub fn of(bytes: &[u8]) -> Self {
        match Format::sniff(bytes) {
            Some(Format::Jpeg) => JpegEncoding::of(bytes).map_or(Encoding::File(Format::Jpeg), Encoding::Jpeg),
            Some(format @ Format::Png) if png::is_gray16(bytes) => Encoding::Gray16(format),
            Some(format @ Format::Pnm) if pnm::is_gray16(bytes) => Encoding::Gray16(format),
            Some(format @ Format::WebP) if bytes.get(12..16) == Some(b"VP8L") => Encoding::Lossless(format),
            Some(format @ Format::Tiff) if tiff::is_gray16(bytes) => Encoding::Gray16(format),
            Some(format) => Encoding::File(format),
            None => Encoding::Unknown,
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Encoding::Levels => f.pad("levels"),
            Encoding::File(format) => format.fmt(f),
            Encoding::Lossless(format) => write!(f, "{format} without loss"),
            Encoding::Gray16(format) => write!(f, "{format} of 16-bit gray"),
            Encoding::Jpeg(jpeg) => jpeg.fmt(f),
            Encoding::Unknown => f.pad("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn encodings_are_named_as_reports_show_them() {
        let of = |file: &str| {
            let bytes = fs::read(format!("tests/fixtures/image/decode/{file}")).unwrap();
            Encoding::of(&bytes).to_string()
        };
        assert_eq!(of("420.jpg"), "JPEG quality 80 4:2:0");
        assert_eq!(of("truncated_header.jpg"), "JPEG");
        assert_eq!(of("photo.png"), "PNG");
        assert_eq!(of("gray16.png"), "PNG of 16-bit gray");
        assert_eq!(of("gray.tif"), "TIFF");
        assert_eq!(Encoding::of(b"hello").to_string(), "unknown");
        assert_eq!(Encoding::Levels.to_string(), "levels");
    }
}
