//! Windows bitmaps.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::{ImageDecoder, ImageError};

use super::{DecodeError, Format, checked_area, drop_alpha};
use crate::image::RgbImage;

pub(super) fn decode(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    let decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(failure)?;
    let (width, height) = decoder.dimensions();
    let channels = usize::from(decoder.color_type().channel_count());
    let mut samples = vec![0; channels * checked_area(width, height)?];
    decoder.read_image(&mut samples).map_err(failure)?;
    Ok(RgbImage::new(width, height, drop_alpha(&samples, channels))?)
}

fn failure(error: ImageError) -> DecodeError {
    match error {
        ImageError::IoError(_) => DecodeError::Truncated { format: Format::Bmp },
        other => DecodeError::Corrupt { format: Format::Bmp, reason: other.to_string() },
    }
}
