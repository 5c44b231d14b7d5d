//! GIF: the first frame on its canvas.

use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};

use super::{DecodeError, Format, MAX_PIXELS, checked_area};
use crate::image::RgbImage;

pub(super) fn decode(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(MemoryLimit::Bytes(const { std::num::NonZeroU64::new(MAX_PIXELS).unwrap() }));
    let mut decoder = options.read_info(bytes).map_err(failure)?;
    let screen = (decoder.width(), decoder.height());
    let frame = decoder.next_frame_info().map_err(failure)?.ok_or_else(|| corrupt("it holds no frame"))?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (columns, rows) = (usize::from(frame.width), usize::from(frame.height));
    // What the frame leaves uncovered shows the transparent entry, or else the first: Pillow never uses the background.
    let uncovered = frame.transparent.unwrap_or(0);
    checked_area(u32::from(frame.width), u32::from(frame.height))?;
    // A frame that reaches over the screen enlarges it.
    let width = usize::from(screen.0).max(left + columns);
    let height = usize::from(screen.1).max(top + rows);
    let area = checked_area(width as u32, height as u32)?;

    let mut indices = vec![0; columns * rows];
    decoder.read_into_buffer(&mut indices).map_err(failure)?;
    let mut canvas = vec![uncovered; area];
    for (y, row) in indices.chunks_exact(columns).enumerate() {
        let start = (top + y) * width + left;
        canvas[start..start + columns].copy_from_slice(row);
    }
    let palette = decoder.palette().map_err(failure)?;
    let colour = |index: &u8| {
        let entry = palette.get(3 * usize::from(*index)..3 * usize::from(*index) + 3);
        entry.map_or([0; 3], |entry| [entry[0], entry[1], entry[2]])
    };
    Ok(RgbImage::new(width as u32, height as u32, canvas.iter().flat_map(colour).collect())?)
}

fn corrupt(reason: impl ToString) -> DecodeError {
    DecodeError::Corrupt { format: Format::Gif, reason: reason.to_string() }
}

fn failure(error: DecodingError) -> DecodeError {
    match error {
        DecodingError::Io(_) | DecodingError::UnexpectedEof => DecodeError::Truncated { format: Format::Gif },
        other => corrupt(other),
    }
}
