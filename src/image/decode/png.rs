//! PNG.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, DecodingError, Transformations};

use super::{DecodeError, Format, checked_area, clip_gray16, drop_alpha};
use crate::image::RgbImage;

/// The chunk that ends a file.
const END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";

pub(super) fn decode(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    match decode_ended(bytes) {
        // Pillow does without the last chunk where the pixels are complete.
        Err(DecodeError::Truncated { .. }) if !bytes.ends_with(END) => {
            decode_ended(&[bytes, END].concat()).map_err(|_| DecodeError::Truncated { format: Format::Png })
        }
        outcome => outcome,
    }
}

/// Whether the header announces gray of 16 bits.
pub(super) fn is_gray16(bytes: &[u8]) -> bool {
    // Behind the signature, the length and name of the first chunk, width and height.
    matches!(bytes.get(24..26), Some([16, 0]))
}

fn decode_ended(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    let mut decoder = Decoder::new(Cursor::new(bytes));
    // Palettes are looked up and 1, 2 and 4 bits scaled to 8; 16 bits stay.
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let (width, height) = decoder.read_header_info().map_err(failure)?.size();
    checked_area(width, height)?;

    let mut reader = decoder.read_info().map_err(failure)?;
    let length = reader.output_buffer_size().ok_or(DecodeError::TooLarge { width, height })?;
    let mut samples = vec![0; length];
    let info = reader.next_frame(&mut samples).map_err(failure)?;
    let channels = info.color_type.samples();
    let samples = match info.bit_depth {
        BitDepth::Sixteen => {
            // A transparent colour adds an alpha channel, but leaves the stored type: gray is clipped all the same.
            let gray = reader.info().color_type == ColorType::Grayscale;
            let wide = samples.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            wide.map(|value| if gray { clip_gray16(value) } else { (value >> 8) as u8 }).collect()
        }
        _ => samples,
    };
    Ok(RgbImage::new(width, height, drop_alpha(&samples, channels))?)
}

fn failure(error: DecodingError) -> DecodeError {
    match error {
        DecodingError::IoError(_) => DecodeError::Truncated { format: Format::Png },
        other => DecodeError::Corrupt { format: Format::Png, reason: other.to_string() },
    }
}
