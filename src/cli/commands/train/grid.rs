//! Images side by side.

use std::io;

use crate::cli::commands::generate::Shape;
use crate::cli::commands::generate::pixels::{encode, interleaved};

/// Images of a grid.
pub const IMAGES: usize = COLUMNS * COLUMNS;
const COLUMNS: usize = 8;
/// Black pixels between images.
const GAP: usize = 2;

/// The grid of planar images as a PNG.
pub fn png(images: &[u8], channels: usize, size: usize) -> io::Result<Vec<u8>> {
    let side = COLUMNS * size + (COLUMNS - 1) * GAP;
    let mut canvas = vec![0; side * side * channels];
    for (i, image) in images.chunks_exact(channels * size * size).enumerate() {
        let (top, left) = (i / COLUMNS * (size + GAP), i % COLUMNS * (size + GAP));
        let row_len = size * channels;
        for (y, row) in interleaved(image, channels).chunks_exact(row_len).enumerate() {
            canvas[((top + y) * side + left) * channels..][..row_len].copy_from_slice(row);
        }
    }
    encode(&canvas, Shape::squares(1, channels, side))
}
