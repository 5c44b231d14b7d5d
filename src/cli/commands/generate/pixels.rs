//! Planes to pixels, and pixels to PNG.

use std::io;

use super::array::Shape;
use crate::image::png::{self, Samples};

/// Planar samples (channel, row, column) as pixels with interleaved channels.
pub fn interleaved(image: &[u8], channels: usize) -> Vec<u8> {
    let plane = image.len() / channels;
    (0..image.len()).map(|i| image[i % channels * plane + i / channels]).collect()
}

/// An image of interleaved samples, one of those of a shape, as a PNG, gray or RGB.
pub fn encode(pixels: &[u8], shape: Shape) -> io::Result<Vec<u8>> {
    let samples = if shape.channels == 1 { Samples::Gray } else { Samples::Rgb };
    let side = |side: usize| u32::try_from(side).map_err(io::Error::other);
    png::encode(pixels, side(shape.width)?, side(shape.height)?, samples).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_interleaved() {
        assert_eq!(interleaved(&[1, 2, 3, 4, 5, 6], 3), [1, 3, 5, 2, 4, 6]);
        assert_eq!(interleaved(&[1, 2, 3], 1), [1, 2, 3]);
    }
}
