//! Windows bitmaps.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::{ImageDecoder, ImageError};

use super::{DecodeError, Format, checked_area, drop_alpha};
use crate::image::RgbImage;

pub(super) fn decode(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    if bits_per_pixel(bytes) == Some(16) {
        // The two scale five bits to eight with other roundings.
        return Err(DecodeError::Unsupported { format: Format::Bmp, feature: "16 bits per pixel".into() });
    }
    let decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(failure)?;
    let (width, height) = decoder.dimensions();
    let channels = usize::from(decoder.color_type().channel_count());
    let mut samples = vec![0; channels * checked_area(width, height)?];
    decoder.read_image(&mut samples).map_err(failure)?;
    Ok(RgbImage::new(width, height, drop_alpha(&samples, channels))?)
}

/// The field of the header that Windows 3 introduced; older headers are shorter, and know no 16 bits.
fn bits_per_pixel(bytes: &[u8]) -> Option<u16> {
    const HEADER_LENGTH: usize = 14;
    const BITS: usize = 28;
    const WINDOWS_3: u32 = 40;
    let length = u32::from_le_bytes(bytes.get(HEADER_LENGTH..HEADER_LENGTH + 4)?.try_into().ok()?);
    let bits = bytes.get(BITS..BITS + 2)?.try_into().ok()?;
    (length >= WINDOWS_3).then(|| u16::from_le_bytes(bits))
}

fn failure(error: ImageError) -> DecodeError {
    match error {
        ImageError::IoError(_) => DecodeError::Truncated { format: Format::Bmp },
        other => DecodeError::Corrupt { format: Format::Bmp, reason: other.to_string() },
    }
}
