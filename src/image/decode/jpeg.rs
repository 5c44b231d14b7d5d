//! JPEG by mozjpeg, whose decoder is libjpeg-turbo's.
//!
//! libjpeg leaves its C code on an error by unwinding, so the whole decode runs behind a barrier that turns an unwind
//! into an error; the C code is compiled for it. At the end of the data libjpeg invents an end-of-image marker and fills
//! the rest with gray: whether that happened before the last row was out is what tells a truncated file.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use mozjpeg::{ColorSpace, Decompress};

use super::{DecodeError, Format, checked_area, cmyk_to_rgb};
use crate::image::RgbImage;

/// A slice that notes when the decoder asks for more than there is.
struct Source<'a> {
    rest: &'a [u8],
    exhausted: &'a Cell<bool>,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.rest.read(buffer)
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest.is_empty() {
            self.exhausted.set(true);
        }
        Ok(self.rest)
    }

    fn consume(&mut self, amount: usize) {
        self.rest.consume(amount);
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    let exhausted = Cell::new(false);
    let source = Source { rest: bytes, exhausted: &exhausted };
    // What the closure captures is dropped with the unwind or read-only, so no broken state can be observed.
    let outcome = catch_unwind(AssertUnwindSafe(|| rows(source)));
    if exhausted.get() && !matches!(outcome, Ok(Err(DecodeError::TooLarge { .. }))) {
        return Err(DecodeError::Truncated { format: Format::Jpeg });
    }
    outcome.unwrap_or_else(|payload| {
        let reason = payload.downcast_ref::<String>().map_or("libjpeg gave no reason", String::as_str);
        Err(corrupt(reason))
    })
}

fn rows(source: Source<'_>) -> Result<RgbImage, DecodeError> {
    let header = Decompress::builder().from_reader(source).map_err(corrupt)?;
    let (width, height) = (header.width() as u32, header.height() as u32);
    checked_area(width, height)?;
    match header.color_space() {
        ColorSpace::JCS_GRAYSCALE => {
            let gray: Vec<u8> = header.grayscale().and_then(|mut rows| rows.read_scanlines()).map_err(corrupt)?;
            Ok(RgbImage::from_gray(width, height, &gray)?)
        }
        ColorSpace::JCS_RGB | ColorSpace::JCS_YCbCr => {
            let pixels = header.rgb().and_then(|mut rows| rows.read_scanlines()).map_err(corrupt)?;
            Ok(RgbImage::new(width, height, pixels)?)
        }
        ColorSpace::JCS_CMYK | ColorSpace::JCS_YCCK => {
            let inks = header.to_colorspace(ColorSpace::JCS_CMYK).and_then(|mut rows| rows.read_scanlines::<[u8; 4]>());
            // Four-component files come from Adobe's programs, which store the inks inverted; Pillow assumes so always.
            let pixels = inks.map_err(corrupt)?.into_iter().flat_map(|inks| cmyk_to_rgb(inks.map(|ink| 255 - ink)));
            Ok(RgbImage::new(width, height, pixels.collect())?)
        }
        _ => {
            let feature = format!("{} components of unknown meaning", header.components().len());
            Err(DecodeError::Unsupported { format: Format::Jpeg, feature })
        }
    }
}

fn corrupt(reason: impl ToString) -> DecodeError {
    DecodeError::Corrupt { format: Format::Jpeg, reason: reason.to_string() }
}
