//! The one pixel type that everything downstream of decoding sees.

use std::path::Path;

use super::png::{self, PngError, Samples};
use crate::error::{Blame, Blamed};
use crate::output::Output;

/// Why a buffer of samples is not an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RgbImageError {
    /// A side of the image is zero.
    #[error("an image of {width}×{height} has no pixels: both sides must be at least 1")]
    Empty {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The buffer does not hold three samples for every pixel.
    #[error("an RGB image of {width}×{height} takes 3·{width}·{height} samples, got {samples}")]
    Samples {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Length of the rejected buffer.
        samples: usize,
    },
    /// A value that should become a level is NaN or infinite.
    #[error("row {row}, column {column}, channel {channel} is {value}: values must be finite")]
    NotFinite {
        /// Row of the value.
        row: usize,
        /// Column of the value.
        column: usize,
        /// Channel of the value.
        channel: usize,
        /// The value.
        value: String,
    },
}

impl Blamed for RgbImageError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// An image of 8-bit RGB samples, at least 1×1: rows from top to bottom, pixels from left to right, channels
/// interleaved (height×width×3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbImage {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl RgbImage {
    /// Takes `3·width·height` interleaved samples.
    ///
    /// # Errors
    /// [`RgbImageError`] when a side is zero or the number of samples is another one.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self, RgbImageError> {
        if width == 0 || height == 0 {
            return Err(RgbImageError::Empty { width, height });
        }
        if 3 * u128::from(width) * u128::from(height) != pixels.len() as u128 {
            return Err(RgbImageError::Samples { width, height, samples: pixels.len() });
        }
        Ok(Self { width, height, pixels })
    }

    /// Takes `width·height` gray samples and repeats each in the three channels.
    ///
    /// # Errors
    /// [`RgbImageError`] as for [`RgbImage::new`].
    pub fn from_gray(width: u32, height: u32, gray: &[u8]) -> Result<Self, RgbImageError> {
        Self::new(width, height, gray.iter().flat_map(|&value| [value; 3]).collect())
    }

    /// The image in gray, as Pillow's `convert("L")` makes it: (19595·R + 38470·G + 7471·B + 32768) >> 16 in all three channels.
    pub fn to_gray(&self) -> Self {
        let luma = |pixel: &[u8]| {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
            [((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16) as u8; 3]
        };
        Self { pixels: self.pixels.chunks_exact(3).flat_map(luma).collect(), ..*self }
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The samples, interleaved: `pixels()[3·(y·width + x) + channel]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Gives the samples back.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// The bytes of a PNG file of 8-bit RGB with these pixels.
    ///
    /// # Errors
    /// [`PngError::Encode`] when a side is too long for the format.
    pub fn to_png(&self) -> Result<Vec<u8>, PngError> {
        png::encode(&self.pixels, self.width, self.height, Samples::Rgb)
    }

    /// Writes [`Self::to_png`] to a file, which appears whole or not at all.
    ///
    /// ```
    /// use gan_metrics::image::{RgbImage, decode};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("red.png");
    /// let red = RgbImage::new(2, 1, vec![255, 0, 0, 255, 0, 0])?;
    /// red.write_png(&path)?;
    /// assert_eq!(decode(&std::fs::read(&path)?)?, red);
    /// # Ok::<(), gan_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`PngError`] when the image cannot be encoded or the file cannot be written.
    pub fn write_png(&self, path: &Path) -> Result<(), PngError> {
        Ok(Output::claim(path)?.write_all(&self.to_png()?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::decode;

    #[test]
    fn gray_is_pillows_and_keeps_gray() {
        // Pillow 13.0: Image.fromarray(…).convert("L").
        for (rgb, gray) in
            [([255, 0, 0], 76), ([0, 255, 0], 150), ([0, 0, 255], 29), ([1, 2, 3], 2), ([200, 100, 50], 124)]
        {
            assert_eq!(RgbImage::new(1, 1, rgb.to_vec()).unwrap().to_gray().pixels(), [gray; 3], "{rgb:?}");
        }
        for level in 0..=255 {
            assert_eq!(RgbImage::new(1, 1, vec![level; 3]).unwrap().to_gray().pixels(), [level; 3]);
        }
    }

    #[test]
    fn a_png_file_holds_the_same_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        let image = RgbImage::new(5, 3, (0..45).map(|value| value * 5).collect()).unwrap();
        image.write_png(&path).unwrap();
        assert_eq!(decode(&std::fs::read(&path).unwrap()).unwrap(), image);
        let error = image.write_png(folder.path()).unwrap_err();
        assert!(matches!(error, PngError::Output(_)) && error.blame() == Blame::Input);
        let wide = RgbImage { width: u32::MAX, height: 1, pixels: Vec::new() };
        assert!(matches!(wide.to_png(), Err(PngError::Encode { width: u32::MAX, .. })));
    }

    #[test]
    fn an_image_has_three_samples_per_pixel_and_at_least_one_pixel() {
        let image = RgbImage::new(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!((image.width(), image.height(), image.pixels()[3]), (2, 1, 4));
        assert_eq!(RgbImage::new(0, 4, vec![]).unwrap_err(), RgbImageError::Empty { width: 0, height: 4 });
        let short = RgbImage::new(2, 2, vec![0; 11]).unwrap_err();
        assert_eq!(short, RgbImageError::Samples { width: 2, height: 2, samples: 11 });
        // The product of these sides does not fit 64 bits once multiplied by three.
        assert!(RgbImage::new(u32::MAX, u32::MAX, vec![0; 3]).is_err());
    }

    #[test]
    fn gray_samples_are_repeated_in_every_channel() {
        let image = RgbImage::from_gray(2, 1, &[7, 9]).unwrap();
        assert_eq!(image.pixels(), [7, 7, 7, 9, 9, 9]);
    }
}
