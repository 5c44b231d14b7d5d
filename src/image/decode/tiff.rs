//! TIFF: the first page, for the encodings whose equality with Pillow is established.

use std::io::Cursor;

use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};

use super::{DecodeError, Format, checked_area, clip_gray16, cmyk_to_rgb, drop_alpha};
use crate::image::RgbImage;

type Reader<'a> = Decoder<Cursor<&'a [u8]>>;

pub(super) fn decode(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    let mut reader = Decoder::new(Cursor::new(bytes)).map_err(failure)?;
    let (width, height) = reader.dimensions().map_err(failure)?;
    let area = checked_area(width, height)?;
    let mut limits = Limits::default();
    // Eight bytes a pixel are the most that the colour types below take.
    limits.decoding_buffer_size = 8 * area;
    reader = reader.with_limits(limits);
    let colour = reader.colortype().map_err(failure)?;
    refuse_what_is_not_established(&mut reader, colour)?;
    let orientation: u16 = tag(&mut reader, Tag::Orientation)?.unwrap_or(1);

    let samples = reader.read_image().map_err(failure)?;
    let pixels = match (colour, samples) {
        (ColorType::Gray(bits @ (1 | 2 | 4)), DecodingResult::U8(packed)) => {
            drop_alpha(&unpack(&packed, width as usize, bits), 1)
        }
        (ColorType::Gray(8), DecodingResult::U8(samples)) => drop_alpha(&samples, 1),
        // Gray with one sample more, which the crate does not call alpha.
        (ColorType::Multiband { bit_depth: 8, num_samples: 2 }, DecodingResult::U8(samples)) => drop_alpha(&samples, 2),
        (ColorType::RGB(8), DecodingResult::U8(samples)) => samples,
        (ColorType::RGBA(8), DecodingResult::U8(samples)) => drop_alpha(&samples, 4),
        (ColorType::CMYK(8), DecodingResult::U8(samples)) => {
            samples.chunks_exact(4).flat_map(|inks| cmyk_to_rgb([inks[0], inks[1], inks[2], inks[3]])).collect()
        }
        (ColorType::Gray(16), DecodingResult::U16(samples)) => {
            samples.into_iter().flat_map(|value| [clip_gray16(value); 3]).collect()
        }
        (ColorType::RGB(16), DecodingResult::U16(samples)) => high_bytes(&samples, 3),
        (ColorType::RGBA(16), DecodingResult::U16(samples)) => high_bytes(&samples, 4),
        _ => return Err(unsupported(format!("colours of type {colour:?}"))),
    };
    orient(RgbImage::new(width, height, pixels)?, orientation)
}

/// Whether the first page holds gray of 16 bits.
pub(super) fn is_gray16(bytes: &[u8]) -> bool {
    let colour = Decoder::new(Cursor::new(bytes)).and_then(|mut reader| reader.colortype());
    matches!(colour, Ok(ColorType::Gray(16)))
}

/// Stops at what Pillow reads in another way than the `tiff` crate, or at what was never compared.
fn refuse_what_is_not_established(reader: &mut Reader<'_>, colour: ColorType) -> Result<(), DecodeError> {
    const WHITE_IS_ZERO: u16 = 0;
    const PREMULTIPLIED: u16 = 1;
    let compression: u16 = tag(reader, Tag::Compression)?.unwrap_or(1);
    if matches!(compression, 6 | 7) {
        return Err(unsupported("JPEG compression"));
    }
    if tag::<u16>(reader, Tag::PlanarConfiguration)?.is_some_and(|planar| planar != 1) {
        return Err(unsupported("separate planes"));
    }
    if tag::<u16>(reader, Tag::FillOrder)?.is_some_and(|order| order != 1) {
        return Err(unsupported("reversed bits"));
    }
    let inverted = tag::<u16>(reader, Tag::PhotometricInterpretation)? == Some(WHITE_IS_ZERO);
    if inverted && !matches!(colour, ColorType::Gray(1 | 8)) {
        return Err(unsupported(format!("zero for white in {colour:?}")));
    }
    let extra = reader.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).map_err(failure)?;
    if extra.is_some_and(|extra| extra.contains(&PREMULTIPLIED)) {
        return Err(unsupported("premultiplied alpha"));
    }
    Ok(())
}

fn tag<T: TryFrom<u64>>(reader: &mut Reader<'_>, tag: Tag) -> Result<Option<T>, DecodeError> {
    reader.find_tag_unsigned(tag).map_err(failure)
}

/// Rows of `width` samples of fewer than 8 bits, each row filled up to whole bytes, scaled to 0–255.
fn unpack(packed: &[u8], width: usize, bits: u8) -> Vec<u8> {
    let bits = usize::from(bits);
    let largest = (1u8 << bits) - 1;
    let rows = packed.chunks_exact((width * bits).div_ceil(8));
    rows.flat_map(|row| {
        (0..width).map(move |x| {
            let shift = 8 - bits - x * bits % 8;
            (row[x * bits / 8] >> shift & largest) * (255 / largest)
        })
    })
    .collect()
}

fn high_bytes(samples: &[u16], channels: usize) -> Vec<u8> {
    samples
        .chunks_exact(channels)
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]].map(|value| (value >> 8) as u8))
        .collect()
}

/// Turns the stored rows and columns into the visual ones, by the values of the orientation tag.
fn orient(stored: RgbImage, orientation: u16) -> Result<RgbImage, DecodeError> {
    if !(2..=8).contains(&orientation) {
        return Ok(stored);
    }
    let (width, height) = (stored.width() as usize, stored.height() as usize);
    let transposed = orientation >= 5;
    let (columns, rows) = if transposed { (height, width) } else { (width, height) };
    let mut pixels = Vec::with_capacity(stored.pixels().len());
    for y in 0..rows {
        for x in 0..columns {
            let (along, down) = if transposed { (y, x) } else { (x, y) };
            let x = if matches!(orientation, 2 | 3 | 7 | 8) { width - 1 - along } else { along };
            let y = if matches!(orientation, 3 | 4 | 6 | 7) { height - 1 - down } else { down };
            pixels.extend_from_slice(&stored.pixels()[3 * (y * width + x)..][..3]);
        }
    }
    Ok(RgbImage::new(columns as u32, rows as u32, pixels)?)
}

fn unsupported(feature: impl Into<String>) -> DecodeError {
    DecodeError::Unsupported { format: Format::Tiff, feature: feature.into() }
}

fn failure(error: TiffError) -> DecodeError {
    match error {
        TiffError::IoError(_) => DecodeError::Truncated { format: Format::Tiff },
        // The crate ends some of its phrases with the same words as the message.
        TiffError::UnsupportedError(feature) => unsupported(feature.to_string().trim_end_matches(" is unsupported")),
        other => DecodeError::Corrupt { format: Format::Tiff, reason: other.to_string() },
    }
}
