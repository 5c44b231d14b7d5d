//! Encoded files to 8-bit RGB: the same values as Pillow's `Image.open(file).convert("RGB")`, which is how
//! torch-fidelity, pytorch-fid and clean-fid read images.
//!
//! The format is recognised by content, never by the file's extension. What becomes of the colours:
//!
//! | stored as | becomes |
//! |---|---|
//! | gray of 1, 2, 4 bits | scaled to 0–255, repeated in the three channels |
//! | gray of 16 bits | **clipped** at 255, not scaled (Pillow's mode `I;16`): all but the darkest are white |
//! | 16 bits per channel, RGB, RGBA or gray with alpha | the high byte |
//! | palette | looked up |
//! | alpha channel, transparent palette entry, transparent colour | dropped; nothing is composited onto a background |
//! | CMYK, YCCK (JPEG: stored inverted, as Adobe does) | `(255 − K) − C·(255 − K)/255`, rounded |
//! | an ICC profile, a gamma | ignored |
//! | EXIF orientation | ignored, but for TIFF, where Pillow applies it |
//! | an animation | the first frame |
//! | PNM with a largest value other than 255 | scaled to 255 and rounded; gray of more than 8 bits to 65535, then clipped |
//! | PFM, gray | the whole part, clipped to 0–255 |
//!
//! # JPEG
//! The standard leaves decoders a freedom that shows in the scores. Pillow decodes with libjpeg-turbo, and so does this
//! module by way of mozjpeg, which is libjpeg-turbo with another encoder: equal in every value for every subsampling,
//! baseline and progressive. Measured on 20 synthetic photographs of 512×512 in 4:2:0 at quality 75, 90 and 95, against
//! Pillow 13.0 (libjpeg-turbo 3.2):
//!
//! | decoder | values that differ | largest difference |
//! |---|---|---|
//! | mozjpeg 0.10 | 0 of 15,728,640 | 0 |
//! | zune-jpeg 0.5 | 27.4 % | 5 |
//!
//! mozjpeg is built without its assembler routines, so that no assembler is needed. It reports errors by unwinding out
//! of its C code: a program built with `panic = "abort"` would end at a corrupt JPEG.
//!
//! # What is refused
//! An image of more than [`MAX_PIXELS`] pixels, before any memory is taken for it; a file that ends too early, as Pillow
//! does; and the rare encodings for which equality with Pillow is not established (JPEG inside TIFF, palettes or
//! separate planes in TIFF, arithmetic coding in JPEG, 16 bits per pixel in BMP). None of these is ever approximated.

mod bmp;
mod encoding;
pub(crate) mod foreign;
mod gif;
mod jpeg;
mod jpeg_encoding;
mod png;
mod pnm;
mod tiff;
mod turn;
mod webp;

use std::fmt;

pub use encoding::Encoding;
pub use jpeg_encoding::{JpegEncoding, Subsampling};
pub(crate) use turn::in_turn;

use super::{RgbImage, RgbImageError};
use crate::error::{Blame, Blamed};

/// Images of more pixels are refused: the size from which Pillow suspects a decompression bomb and raises an error.
pub const MAX_PIXELS: u64 = 178_956_970;

/// So many leading bytes are enough for [`Format::sniff`].
pub const SNIFF_LEN: usize = 32;

/// The encodings that [`decode`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Portable Network Graphics.
    Png,
    /// JPEG, baseline or progressive.
    Jpeg,
    /// WebP, lossy or lossless.
    WebP,
    /// Windows bitmap.
    Bmp,
    /// GIF; the first frame counts.
    Gif,
    /// TIFF; the first page counts.
    Tiff,
    /// Portable anymap: PBM, PGM, PPM or PFM.
    Pnm,
}

impl Format {
    /// The format whose signature the first [`SNIFF_LEN`] bytes of a file carry.
    pub fn sniff(head: &[u8]) -> Option<Format> {
        match head {
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Format::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Format::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Format::WebP),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Format::Gif),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Format::Tiff),
            // Two letters alone would claim text files: the length of the second header is known, too.
            [b'B', b'M', _, _, _, _, _, _, _, _, _, _, _, _, 12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0, ..] => {
                Some(Format::Bmp)
            }
            head if pnm::recognise(head) => Some(Format::Pnm),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Format::Png => "PNG",
            Format::Jpeg => "JPEG",
            Format::WebP => "WebP",
            Format::Bmp => "BMP",
            Format::Gif => "GIF",
            Format::Tiff => "TIFF",
            Format::Pnm => "PNM",
        })
    }
}

/// Why bytes could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There are no bytes.
    #[error("the file is empty (was its writer interrupted?)")]
    Empty,
    /// The bytes carry no known signature.
    #[error("not a PNG, JPEG, WebP, BMP, GIF, TIFF or PNM file: it {}begins with {head}", kind.map_or(String::new(), |kind| format!("is {kind}, and ")))]
    UnknownFormat {
        /// The first bytes, in hexadecimal.
        head: String,
        /// What it is, where that is known.
        kind: Option<&'static str>,
    },
    /// The header announces an image too large to be genuine.
    #[error("{width}×{height} pixels are more than the {MAX_PIXELS} that are taken to be genuine")]
    TooLarge {
        /// Width in pixels as the header says.
        width: u32,
        /// Height in pixels as the header says.
        height: u32,
    },
    /// The file ends before the image does.
    #[error("the {format} file is truncated: it ends before the image does")]
    Truncated {
        /// What it was recognised as.
        format: Format,
    },
    /// The decoder rejects the content.
    #[error("the {format} file is corrupt: {reason}")]
    Corrupt {
        /// What it was recognised as.
        format: Format,
        /// The decoder's words.
        reason: String,
    },
    /// A valid file in an encoding that is not decoded, since equality with Pillow is not established.
    #[error("{format} with {feature} is not supported: convert the file to PNG")]
    Unsupported {
        /// What it was recognised as.
        format: Format,
        /// What stands in the way.
        feature: String,
    },
    /// The decoded image is not a valid one.
    #[error(transparent)]
    Image(#[from] RgbImageError),
}

impl Blamed for DecodeError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Decodes a whole file held in memory.
///
/// # Errors
/// [`DecodeError`] when the content is not an image of a known [`Format`], is corrupt or truncated, is larger than
/// [`MAX_PIXELS`], or uses an encoding that is not supported. No input makes it panic.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    in_turn(|| decode_now(bytes))
}

fn decode_now(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    match Format::sniff(bytes) {
        Some(Format::Png) => png::decode(bytes),
        Some(Format::Jpeg) => jpeg::decode(bytes),
        Some(Format::WebP) => webp::decode(bytes),
        Some(Format::Bmp) => bmp::decode(bytes),
        Some(Format::Gif) => gif::decode(bytes),
        Some(Format::Tiff) => tiff::decode(bytes),
        Some(Format::Pnm) => pnm::decode(bytes),
        None if bytes.is_empty() => Err(DecodeError::Empty),
        None => Err(DecodeError::UnknownFormat { head: hexadecimal(bytes), kind: foreign::content(bytes) }),
    }
}

/// The first eight bytes for a message.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}

/// Refuses what the header announces before memory is taken for it, and waits until there is room for it beside what other threads decode;
/// returns the number of pixels.
fn checked_area(width: u32, height: u32) -> Result<usize, DecodeError> {
    let area = u64::from(width) * u64::from(height);
    if width == 0 || height == 0 {
        return Err(RgbImageError::Empty { width, height }.into());
    }
    let pixels = usize::try_from(area).ok().filter(|_| area <= MAX_PIXELS);
    let pixels = pixels.ok_or(DecodeError::TooLarge { width, height })?;
    turn::take(area);
    Ok(pixels)
}

/// The first three of every `channels` samples, or the first one repeated where there are fewer than three.
fn drop_alpha(samples: &[u8], channels: usize) -> Vec<u8> {
    let pixels = samples.chunks_exact(channels);
    match channels {
        1 | 2 => pixels.flat_map(|pixel| [pixel[0]; 3]).collect(),
        _ => pixels.flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect(),
    }
}

/// Pillow's conversion of 16-bit gray: clipped, not scaled.
fn clip_gray16(value: u16) -> u8 {
    value.min(255) as u8
}

/// Pillow's conversion of an ink quadruple, 255 being full ink.
fn cmyk_to_rgb([c, m, y, k]: [u8; 4]) -> [u8; 3] {
    let white = u32::from(255 - k);
    [c, m, y].map(|ink| {
        let product = u32::from(ink) * white + 128;
        (white - ((product + (product >> 8)) >> 8)) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_to_light() {
        assert_eq!(cmyk_to_rgb([0, 0, 0, 0]), [255; 3]);
        assert_eq!(cmyk_to_rgb([255, 0, 0, 0]), [0, 255, 255]);
        assert_eq!(cmyk_to_rgb([0, 255, 128, 255]), [0; 3]);
        // Against the formula in real numbers: the rounded quotient is exact for every product of two bytes.
        for ink in 0..=255u8 {
            for k in 0..=255u8 {
                let white = f64::from(255 - k);
                let expected = white - (f64::from(ink) * white / 255.0).round();
                assert_eq!(f64::from(cmyk_to_rgb([ink, 0, 0, k])[0]), expected, "ink {ink}, black {k}");
            }
        }
    }

    #[test]
    fn signatures_are_recognised_and_text_is_not() {
        assert_eq!(Format::sniff(b"\x89PNG\r\n\x1a\n"), Some(Format::Png));
        assert_eq!(Format::sniff(b"\xff\xd8\xff\xdb"), Some(Format::Jpeg));
        assert_eq!(Format::sniff(b"RIFF\0\0\0\0WEBPVP8 "), Some(Format::WebP));
        assert_eq!(Format::sniff(b"GIF89a"), Some(Format::Gif));
        assert_eq!(Format::sniff(b"MM\0*"), Some(Format::Tiff));
        assert_eq!(Format::sniff(b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"), Some(Format::Bmp));
        assert_eq!(Format::sniff(b"BMW cars of the twenties\n"), None);
        assert_eq!(Format::sniff(b"RIFF\0\0\0\0WAVEfmt "), None);
        assert_eq!(Format::sniff(b"P6\n# made by hand\n2 2 255 "), Some(Format::Pnm));
        assert_eq!(Format::sniff(b"P5 is the fifth parameter"), None);
        assert_eq!(Format::sniff(b""), None);
    }

    #[test]
    fn what_is_no_image_is_named_by_its_first_bytes() {
        assert_eq!(decode(b"").unwrap_err(), DecodeError::Empty);
        let error = decode(b"hello, world").unwrap_err();
        assert_eq!(
            error.to_string(),
            "not a PNG, JPEG, WebP, BMP, GIF, TIFF or PNM file: it begins with 68 65 6c 6c 6f 2c 20 77"
        );
        let error = decode(b"\0\0\0\x20ftypavif\0\0").unwrap_err().to_string();
        assert!(error.ends_with("it is AVIF, and begins with 00 00 00 20 66 74 79 70"), "{error}");
        let error = decode(b"version https://git-lfs.github.com/spec/v1").unwrap_err().to_string();
        assert!(error.contains("it is a Git LFS pointer without its content"), "{error}");
    }

    #[test]
    fn bombs_are_refused_by_their_header() {
        assert_eq!(checked_area(65_000, 65_000).unwrap_err(), DecodeError::TooLarge { width: 65_000, height: 65_000 });
        assert_eq!(
            checked_area(u32::MAX, u32::MAX).unwrap_err(),
            DecodeError::TooLarge { width: u32::MAX, height: u32::MAX }
        );
        assert_eq!(checked_area(640, 480), Ok(307_200));
    }
}
