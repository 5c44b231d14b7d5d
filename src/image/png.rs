//! PNG files, written. [`decode`](super::decode()) reads them.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};

use crate::error::{Blame, Blamed};
use crate::output::OutputError;

/// Why an image cannot be written as a PNG file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PngError {
    /// The image cannot be encoded: a side has more pixels than the format can express.
    #[error("cannot encode an image of {width}×{height} as PNG: {source}")]
    Encode {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// What the encoder said.
        source: EncodingError,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl Blamed for PngError {
    fn blame(&self) -> Blame {
        match self {
            PngError::Encode { .. } => Blame::Input,
            PngError::Output(error) => error.blame(),
        }
    }
}

/// What the samples of a pixel are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Samples {
    /// One level of gray.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "the program alone writes gray files"))]
    Gray,
    /// Red, green and blue.
    Rgb,
}

/// The bytes of a PNG file of 8-bit samples, interleaved. Compressed quickly: 10,000 images may be written at once.
///
/// # Errors
/// [`PngError::Encode`].
pub(crate) fn encode(pixels: &[u8], width: u32, height: u32, samples: Samples) -> Result<Vec<u8>, PngError> {
    let encoded = || -> Result<Vec<u8>, EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, width, height);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_color(match samples {
            Samples::Gray => ColorType::Grayscale,
            Samples::Rgb => ColorType::Rgb,
        });
        encoder.set_compression(Compression::Fast);
        encoder.set_filter(Filter::Adaptive);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(pixels)?;
        writer.finish()?;
        Ok(bytes)
    };
    encoded().map_err(|source| PngError::Encode { width, height, source })
}
