//! PNG files in memory, and in the text of a page.

use std::io::Cursor;

use crate::error::{Blame, Blamed};
use image::{ImageError, ImageFormat, RgbImage};

/// The encoder failed on a picture in memory.
#[derive(Debug, thiserror::Error)]
#[error("cannot encode the picture: {0}; please report this")]
pub struct EncodeError(#[from] ImageError);

impl Blamed for EncodeError {
    fn blame(&self) -> Blame {
        Blame::Bug
    }
}

/// The bytes of a PNG file.
pub fn encode(picture: &RgbImage) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

/// An address that holds the file itself (RFC 2397, base64).
pub fn data_uri(png: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("data:image/png;base64,");
    for bytes in png.chunks(3) {
        let word = bytes.iter().fold(0_u32, |word, &byte| word << 8 | u32::from(byte)) << (8 * (3 - bytes.len()));
        for digit in 0..4 {
            let index = (word >> (18 - 6 * digit)) as usize % 64;
            text.push(if digit <= bytes.len() { char::from(DIGITS[index]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_every_remainder() {
        // The vectors of RFC 4648.
        for (bytes, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(data_uri(bytes.as_bytes()), format!("data:image/png;base64,{expected}"));
        }
    }

    #[test]
    fn pictures_come_back_as_they_were() {
        let picture = RgbImage::from_fn(5, 3, |x, y| image::Rgb([x as u8 * 50, y as u8 * 100, 7]));
        let read = image::load_from_memory(&encode(&picture).unwrap()).unwrap().into_rgb8();
        assert_eq!(read, picture);
    }
}
