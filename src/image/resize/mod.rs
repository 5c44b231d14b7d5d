//! The resizers of the reference implementations, matched by name.
//!
//! "Bilinear" means several different things, and each of them moves the FID by more than most papers' improvements:
//! a published number belongs to one of these modes and to no other.

mod antialiased;
mod bilinear;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::RgbImage;
use crate::error::{Blame, Blamed};
use antialiased::{Antialiased, Filter, Order};

/// Which implementation's resize is reproduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResizeMode {
    /// TensorFlow 1's `resize_bilinear` as the original FID code and torch-fidelity run it: bilinear, no half-pixel
    /// centres, no antialiasing, in f32. Bit-exact with torch-fidelity's `interpolate_bilinear_2d_like_tensorflow1x`.
    #[default]
    Tf1,
    /// PyTorch's `interpolate(mode="bilinear", align_corners=False)` as pytorch-fid runs it: bilinear, half-pixel
    /// centres, no antialiasing. Within 2.4·10⁻⁷ of PyTorch on a scale of 0–1: two units in the last place.
    Torch,
    /// Pillow's bicubic filter on float channels as clean-fid runs it: antialiased when it shrinks, clipped to 0–255,
    /// never rounded to integers. Bit-exact with Pillow up to version 12 on x86-64, with which all published figures were made.
    Clean,
    /// The same as Pillow 13 and later do it: the vertical pass comes first for an image that loses more than twice as many rows as
    /// columns, which moves values of portraits by up to 3·10⁻⁵ on the 0–255 scale. Bit-exact with Pillow 13 on x86-64.
    #[serde(rename = "clean-pillow13")]
    CleanPillow13,
    /// PyTorch's `interpolate(mode="bilinear", align_corners=False, antialias=True)` as torchmetrics runs it since 1.8: bilinear,
    /// half-pixel centres, antialiased when it shrinks. Within 6.1·10⁻⁵ of PyTorch on the 0–255 scale: four units in the last place.
    #[serde(rename = "torch-antialias")]
    TorchAntialias,
}

impl ResizeMode {
    /// Every mode, in the order of their documentation.
    pub const ALL: [ResizeMode; 5] =
        [ResizeMode::Tf1, ResizeMode::Torch, ResizeMode::Clean, ResizeMode::CleanPillow13, ResizeMode::TorchAntialias];
}

impl fmt::Display for ResizeMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ResizeMode::Tf1 => "tf1",
            ResizeMode::Torch => "torch",
            ResizeMode::Clean => "clean",
            ResizeMode::CleanPillow13 => "clean-pillow13",
            ResizeMode::TorchAntialias => "torch-antialias",
        })
    }
}

impl FromStr for ResizeMode {
    type Err = ResizeError;

    fn from_str(name: &str) -> Result<Self, ResizeError> {
        let known = ResizeMode::ALL.into_iter().find(|mode| mode.to_string() == name);
        known.ok_or_else(|| ResizeError::UnknownMode { name: name.to_owned() })
    }
}

/// Why an image cannot be resized.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResizeError {
    /// No mode has this name.
    #[error(
        "`{name}` is not a resize mode: choose `tf1` (torch-fidelity), `torch` (pytorch-fid), `clean` (clean-fid), \
         `clean-pillow13` (clean-fid with Pillow 13 and later) or `torch-antialias` (torchmetrics)"
    )]
    UnknownMode {
        /// The name as given.
        name: String,
    },
    /// The size to resize to has no pixels.
    #[error("cannot resize to {width}×{height}: both sides must be at least 1")]
    Empty {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The output buffer does not fit the resizer.
    #[error("the output of a resize takes {expected} values (3 planes), the buffer holds {found}")]
    OutputLength {
        /// `3·width·height` of the resizer.
        expected: usize,
        /// Length of the buffer.
        found: usize,
    },
}

impl Blamed for ResizeError {
    fn blame(&self) -> Blame {
        match self {
            ResizeError::UnknownMode { .. } | ResizeError::Empty { .. } => Blame::Input,
            ResizeError::OutputLength { .. } => Blame::Bug,
        }
    }
}

/// Resizes images to one size in one [`ResizeMode`].
///
/// Tables and buffers are kept from one image to the next and rebuilt when the size of the images changes, so one
/// resizer per thread costs nothing for a data set of equal sizes: clone it for every thread.
#[derive(Debug, Clone)]
pub struct Resizer {
    mode: ResizeMode,
    width: u32,
    height: u32,
    kernel: Kernel,
}

/// The tables of a mode for the size of image seen last.
#[derive(Debug, Clone)]
enum Kernel {
    Bilinear(bilinear::Bilinear),
    Antialiased(Antialiased),
}

impl Resizer {
    /// A resizer to `width`×`height`.
    ///
    /// # Errors
    /// [`ResizeError::Empty`] when a side is zero.
    pub fn new(mode: ResizeMode, width: u32, height: u32) -> Result<Self, ResizeError> {
        if width == 0 || height == 0 {
            return Err(ResizeError::Empty { width, height });
        }
        let size = (width as usize, height as usize);
        let antialiased = |filter, order| Kernel::Antialiased(Antialiased::new(filter, size, order));
        let kernel = match mode {
            ResizeMode::Tf1 => Kernel::Bilinear(bilinear::Bilinear::new(bilinear::Centres::Corner, size)),
            ResizeMode::Torch => Kernel::Bilinear(bilinear::Bilinear::new(bilinear::Centres::HalfPixel, size)),
            ResizeMode::Clean => antialiased(Filter::Cubic, Order::HorizontalFirst),
            ResizeMode::CleanPillow13 => antialiased(Filter::Cubic, Order::LessWorkFirst),
            ResizeMode::TorchAntialias => antialiased(Filter::Linear, Order::HorizontalFirst),
        };
        Ok(Self { mode, width, height, kernel })
    }

    /// The mode it was made for.
    pub fn mode(&self) -> ResizeMode {
        self.mode
    }

    /// Width of the output in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height of the output in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Number of values that [`Resizer::resize`] writes: `3·width·height`.
    pub fn output_len(&self) -> usize {
        3 * self.width as usize * self.height as usize
    }

    /// Resizes `image` into `out`: three planes R, G, B of `height` rows of `width` values, on the **0–255 scale in
    /// every mode** and not rounded. What a network subtracts and divides by is the network's affair.
    ///
    /// # Errors
    /// [`ResizeError::OutputLength`] when `out` does not hold [`Resizer::output_len`] values.
    pub fn resize(&mut self, image: &RgbImage, out: &mut [f32]) -> Result<(), ResizeError> {
        if out.len() != self.output_len() {
            return Err(ResizeError::OutputLength { expected: self.output_len(), found: out.len() });
        }
        match &mut self.kernel {
            Kernel::Bilinear(kernel) => kernel.resize(image, out),
            Kernel::Antialiased(kernel) => kernel.resize(image, out),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resized(mode: ResizeMode, image: &RgbImage, width: u32, height: u32) -> Vec<f32> {
        let mut resizer = Resizer::new(mode, width, height).unwrap();
        let mut out = vec![f32::NAN; resizer.output_len()];
        resizer.resize(image, &mut out).unwrap();
        out
    }

    fn noise(width: u32, height: u32) -> RgbImage {
        let mut state = 1u32;
        let samples = (0..3 * width * height).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        RgbImage::new(width, height, samples.collect()).unwrap()
    }

    #[test]
    fn modes_are_known_by_their_names() {
        for mode in ResizeMode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
            assert_eq!(serde_json::to_string(&mode).unwrap(), format!("\"{mode}\""));
        }
        assert_eq!("TF1".parse::<ResizeMode>(), Err(ResizeError::UnknownMode { name: "TF1".into() }));
    }

    #[test]
    fn sizes_and_buffers_are_checked() {
        assert_eq!(Resizer::new(ResizeMode::Tf1, 0, 3).unwrap_err(), ResizeError::Empty { width: 0, height: 3 });
        let mut resizer = Resizer::new(ResizeMode::Clean, 2, 2).unwrap();
        let error = resizer.resize(&noise(3, 3), &mut [0.0; 11]).unwrap_err();
        assert_eq!(error, ResizeError::OutputLength { expected: 12, found: 11 });
    }

    #[test]
    fn equal_size_is_the_identity() {
        let image = noise(13, 7);
        let planes: Vec<f32> = (0..3)
            .flat_map(|channel| image.pixels().iter().skip(channel).step_by(3).map(|&value| f32::from(value)))
            .collect();
        for mode in ResizeMode::ALL {
            assert_eq!(resized(mode, &image, 13, 7), planes, "{mode}");
        }
    }

    #[test]
    fn a_constant_image_stays_constant() {
        for value in [0, 1, 127, 255] {
            let image = RgbImage::new(9, 5, vec![value; 9 * 5 * 3]).unwrap();
            for mode in ResizeMode::ALL {
                for (width, height) in [(1, 1), (4, 3), (9, 17), (40, 5)] {
                    let out = resized(mode, &image, width, height);
                    // Weights that are normalised by a division are a rounding away from 1: those of Pillow in f64, those of PyTorch in f32.
                    let tolerance = if mode == ResizeMode::TorchAntialias { 6.2e-5 } else { 1.6e-5 };
                    let worst = out.iter().map(|&o| (o - f32::from(value)).abs()).fold(0.0, f32::max);
                    assert!(worst <= tolerance, "{mode} {width}×{height}: {worst}");
                }
            }
        }
    }

    #[test]
    fn transposing_the_image_transposes_the_result() {
        // Separable filters in exact arithmetic commute with a transposition; in f32 only up to rounding.
        const ROUNDING: f32 = 1e-4;
        let image = noise(6, 11);
        let transposed: Vec<u8> = (0..6)
            .flat_map(|x| (0..11).map(move |y| 3 * (y * 6 + x)))
            .flat_map(|i| image.pixels()[i..i + 3].to_vec())
            .collect();
        let transposed = RgbImage::new(11, 6, transposed).unwrap();
        for mode in ResizeMode::ALL {
            let (wide, tall) = (resized(mode, &image, 17, 4), resized(mode, &transposed, 4, 17));
            for (i, &value) in wide.iter().enumerate() {
                let (channel, y, x) = (i / 68, i % 68 / 17, i % 17);
                assert!((value - tall[channel * 68 + x * 4 + y]).abs() <= ROUNDING, "{mode} at {channel},{y},{x}");
            }
        }
    }

    #[test]
    fn a_resizer_serves_images_of_changing_sizes() {
        for mode in ResizeMode::ALL {
            let mut resizer = Resizer::new(mode, 8, 8).unwrap();
            let mut out = vec![0.0; resizer.output_len()];
            for (width, height) in [(5, 9), (30, 2), (8, 8), (5, 9)] {
                let image = noise(width, height);
                resizer.resize(&image, &mut out).unwrap();
                assert_eq!(out, resized(mode, &image, 8, 8), "{mode} {width}×{height}");
            }
        }
    }
}
