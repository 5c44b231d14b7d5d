//! Images: decoding, data sets, and the resizers of the reference implementations.
//!
//! A score is only comparable when the network saw the same pixels. Three things happen before it sees any, and each of
//! them is matched to the reference implementations bit by bit, or within a stated bound:
//!
//! 1. [`DataSet`] lists the images of a folder, an archive or an array file, in an order that never changes;
//! 2. [`decode()`] turns an encoded file into the 8-bit RGB that Pillow's `Image.open(file).convert("RGB")` gives;
//! 3. [`Resizer`] brings it to the network's input size the way a named implementation does.
//!
//! ```
//! use gan_metrics::image::{ResizeMode, Resizer, RgbImage};
//!
//! let gray = RgbImage::new(2, 2, vec![128; 12])?;
//! let mut resizer = Resizer::new(ResizeMode::Tf1, 299, 299)?;
//! let mut planes = vec![0.0; 3 * 299 * 299];
//! resizer.resize(&gray, &mut planes)?;
//! assert!(planes.iter().all(|&value| value == 128.0));
//! # Ok::<(), gan_metrics::Error>(())
//! ```

pub mod dataset;
pub mod decode;
mod encoded;
pub(crate) mod png;
pub mod resize;
mod rgb;
mod source;

pub(crate) use dataset::would_hold;
pub use dataset::{Choice, DataSet, DataSetError, DataSetKind, ImageError, Reading, Unreadable};
pub use decode::{DecodeError, Encoding, Format, JpegEncoding, Subsampling, decode};
pub use encoded::EncodedImages;
pub use png::PngError;
pub use resize::{ResizeError, ResizeMode, Resizer};
pub use rgb::{RgbImage, RgbImageError};
pub use source::{ImageArray, ImageArrayError, ImageSource, Origin, level};
