//! Where images come from: a data set on a disk, or arrays in memory.

use std::borrow::Cow;
use std::fmt;

use ndarray::{ArrayView3, ArrayView4, Axis};
use sha2::{Digest, Sha256};

use super::dataset::ImageError;
use super::decode::{DecodeError, Encoding};
use super::{RgbImage, RgbImageError};
use crate::error::{Blame, Blamed};

/// Images, known by their index. Any number of threads may load at once.
///
/// [`DataSet`](super::DataSet) reads them from a disk, [`ImageArray`] finds them in an array, and a vector of [`RgbImage`] holds
/// them. One of your own says how many there are and gives each:
///
/// ```
/// use gan_metrics::image::{ImageError, ImageSource, RgbImage};
///
/// /// Squares of one colour.
/// struct Swatches(Vec<[u8; 3]>);
///
/// impl ImageSource for Swatches {
///     fn len(&self) -> usize {
///         self.0.len()
///     }
///
///     fn load(&self, index: usize) -> Result<RgbImage, ImageError> {
///         Ok(RgbImage::new(8, 8, self.0[index].repeat(64)).expect("3·8·8 samples"))
///     }
/// }
///
/// let swatches = Swatches(vec![[255, 0, 0], [0, 0, 255]]);
/// assert_eq!(swatches.load(1)?.pixels()[..3], [0, 0, 255]);
/// # Ok::<(), ImageError>(())
/// ```
pub trait ImageSource: Sync {
    /// Number of images.
    fn len(&self) -> usize;

    /// Whether it is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the whole is called, for people.
    fn title(&self) -> Cow<'_, str> {
        "images in memory".into()
    }

    /// What an image is called, for people: names need not tell images apart.
    fn name(&self, index: usize) -> Cow<'_, str> {
        format!("[{index}]").into()
    }

    /// The class of an image, where the source tells of all of its images; otherwise it is the folder in its [name](Self::name), if
    /// there is one.
    fn label(&self, _index: usize) -> Option<Cow<'_, str>> {
        None
    }

    /// Gives an image.
    ///
    /// # Errors
    /// [`ImageError`], which names the image, when it cannot be read or decoded.
    fn load(&self, index: usize) -> Result<RgbImage, ImageError>;

    /// Gives an image with how it was kept; for one that was not encoded, its levels.
    ///
    /// # Errors
    /// As [`Self::load`].
    fn load_with_origin(&self, index: usize) -> Result<(RgbImage, Origin), ImageError> {
        let image = self.load(index)?;
        let shape = [image.height() as usize, image.width() as usize, 3];
        let origin = Origin { encoding: Encoding::Levels, digest: digest_of_levels(shape, image.pixels()) };
        Ok((image, origin))
    }

    /// SHA-256 of an image as it is kept: that of [`Self::load_with_origin`], without decoding where that can be spared.
    ///
    /// # Errors
    /// As [`Self::load`].
    fn digest(&self, index: usize) -> Result<[u8; 32], ImageError> {
        Ok(self.load_with_origin(index)?.1.digest)
    }
}

/// How an image was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// How it was encoded.
    pub encoding: Encoding,
    /// SHA-256 of the encoded bytes, or of the shape and the levels of an image that was not encoded: images of one digest
    /// are the same image.
    pub digest: [u8; 32],
}

/// SHA-256 of an image of height×width×channels levels.
pub(super) fn digest_of_levels(shape: [usize; 3], levels: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(format!("array of {shape:?} levels\n"));
    hasher.update(levels);
    hasher.finalize().into()
}

impl ImageSource for Vec<RgbImage> {
    fn len(&self) -> usize {
        self.len()
    }

    fn load(&self, index: usize) -> Result<RgbImage, ImageError> {
        self.get(index).cloned().ok_or(ImageError::OutOfRange { index, len: self.len() })
    }
}

/// Why an array holds no images.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageArrayError {
    /// Its axes are not those of images.
    #[error("an array of shape {shape:?} in the order {order} has images of {channels} channels: they have 1 or 3{}", hint(*.likely))]
    Channels {
        /// Shape of the array.
        shape: Vec<usize>,
        /// The order of its axes, as it was said to be.
        order: &'static str,
        /// What that makes of the channels.
        channels: usize,
        /// The other order, where that would make images of it.
        likely: Option<&'static str>,
    },
    /// An image would have no pixels, or more than any image has.
    #[error("images of {height}×{width} pixels: both sides are from 1 to {}", u32::MAX)]
    Sides {
        /// Rows of an image.
        height: usize,
        /// Columns of an image.
        width: usize,
    },
    /// Black and white are the same value, or none.
    #[error("values from {black} for black to {white} for white: both are finite and differ")]
    Range {
        /// Value of black.
        black: f32,
        /// Value of white.
        white: f32,
    },
}

fn hint(likely: Option<&str>) -> String {
    likely.map_or(String::new(), |order| format!(" (are the axes in the order {order}?)"))
}

impl Blamed for ImageArrayError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Images in an array, which is looked at where it lies: nothing is copied but one image at a time.
///
/// Images have three channels, or one that is repeated. Bytes are levels; f32 has a stated range, since nothing tells 0…1 from
/// −1…1 when an image is dark:
///
/// ```text
/// level = round(255·(x − black)/(white − black)), clipped to 0…255
/// ```
///
/// as `torchvision.utils.save_image` writes a file, so that a score of the array is the score of the files. (torchmetrics with
/// `normalize=True` cuts the fraction off instead: convert to bytes as it does, and hand those over, to have its number.)
///
/// ```
/// use gan_metrics::image::{ImageArray, ImageSource};
/// use ndarray::Array4;
///
/// let batch = Array4::<f32>::zeros((16, 3, 32, 32)); // as a generator with tanh gives it
/// let images = ImageArray::nchw_f32(batch.view(), [-1.0, 1.0])?;
/// assert_eq!((images.len(), images.load(0)?.pixels()[0]), (16, 128));
/// # Ok::<(), gan_metrics::Error>(())
/// ```
#[derive(Clone)]
pub struct ImageArray<'a> {
    values: Values<'a>,
}

/// N×height×width×channels, whatever the order in memory.
#[derive(Clone)]
enum Values<'a> {
    Bytes(ArrayView4<'a, u8>),
    Floats(ArrayView4<'a, f32>, [f32; 2]),
}

impl fmt::Debug for ImageArray<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shape, kind) = match &self.values {
            Values::Bytes(view) => (view.shape(), "u8"),
            Values::Floats(view, _) => (view.shape(), "f32"),
        };
        write!(f, "ImageArray({shape:?} of {kind})")
    }
}

/// The orders of axes.
const NHWC: &str = "N×height×width×channels";
const NCHW: &str = "N×channels×height×width";

impl<'a> ImageArray<'a> {
    /// Levels in the order N×height×width×channels, as NumPy and TensorFlow have images.
    ///
    /// # Errors
    /// As all constructors: [`ImageArrayError`] when the axes are not those of images or the range is none.
    pub fn nhwc(levels: ArrayView4<'a, u8>) -> Result<Self, ImageArrayError> {
        check_axes(levels.shape(), NHWC)?;
        Ok(Self { values: Values::Bytes(levels) })
    }

    /// Levels in the order N×channels×height×width, as PyTorch has images.
    ///
    /// # Errors
    /// As [`Self::nhwc`].
    pub fn nchw(levels: ArrayView4<'a, u8>) -> Result<Self, ImageArrayError> {
        check_axes(levels.shape(), NCHW)?;
        Ok(Self { values: Values::Bytes(levels.permuted_axes([0, 2, 3, 1])) })
    }

    /// Values in the order N×height×width×channels, of which `range` gives black and white.
    ///
    /// # Errors
    /// As [`Self::nhwc`].
    pub fn nhwc_f32(values: ArrayView4<'a, f32>, range: [f32; 2]) -> Result<Self, ImageArrayError> {
        check_axes(values.shape(), NHWC)?;
        Ok(Self { values: Values::Floats(values, checked_range(range)?) })
    }

    /// Values in the order N×channels×height×width, of which `range` gives black and white.
    ///
    /// # Errors
    /// As [`Self::nhwc`].
    pub fn nchw_f32(values: ArrayView4<'a, f32>, range: [f32; 2]) -> Result<Self, ImageArrayError> {
        check_axes(values.shape(), NCHW)?;
        Ok(Self { values: Values::Floats(values.permuted_axes([0, 2, 3, 1]), checked_range(range)?) })
    }

    /// Shape of an image: height, width, channels.
    fn shape(&self) -> [usize; 3] {
        let shape = match &self.values {
            Values::Bytes(view) => view.shape(),
            Values::Floats(view, _) => view.shape(),
        };
        [shape[1], shape[2], shape[3]]
    }

    /// The levels of an image, height×width×channels.
    fn levels(&self, index: usize) -> Result<Vec<u8>, ImageError> {
        if index >= self.len() {
            return Err(ImageError::OutOfRange { index, len: self.len() });
        }
        match &self.values {
            Values::Bytes(view) => Ok(view.index_axis(Axis(0), index).iter().copied().collect()),
            Values::Floats(view, range) => levels_of(view.index_axis(Axis(0), index), *range)
                .map_err(|source| ImageError::Decode { image: self.name(index).into_owned(), source }),
        }
    }

    fn image(&self, levels: Vec<u8>) -> RgbImage {
        let [height, width, channels] = self.shape();
        let (width, height) = (width as u32, height as u32);
        let image = match channels {
            1 => RgbImage::from_gray(width, height, &levels),
            _ => RgbImage::new(width, height, levels),
        };
        image.expect("the axes were checked")
    }
}

impl ImageSource for ImageArray<'_> {
    fn len(&self) -> usize {
        match &self.values {
            Values::Bytes(view) => view.len_of(Axis(0)),
            Values::Floats(view, _) => view.len_of(Axis(0)),
        }
    }

    fn load(&self, index: usize) -> Result<RgbImage, ImageError> {
        Ok(self.image(self.levels(index)?))
    }

    /// The digest is that of the same levels in an array file.
    fn load_with_origin(&self, index: usize) -> Result<(RgbImage, Origin), ImageError> {
        let levels = self.levels(index)?;
        let origin = Origin { encoding: Encoding::Levels, digest: digest_of_levels(self.shape(), &levels) };
        Ok((self.image(levels), origin))
    }
}

fn check_axes(shape: &[usize], order: &'static str) -> Result<(), ImageArrayError> {
    let [_, a, b, c] = *shape else { unreachable!("an array of four axes") };
    let ((height, width, channels), other, others) = match order {
        NHWC => ((a, b, c), NCHW, a),
        _ => ((b, c, a), NHWC, c),
    };
    if ![1, 3].contains(&channels) {
        let likely = [1, 3].contains(&others).then_some(other);
        return Err(ImageArrayError::Channels { shape: shape.to_vec(), order, channels, likely });
    }
    let fits = |side: usize| side > 0 && u32::try_from(side).is_ok();
    if fits(height) && fits(width) { Ok(()) } else { Err(ImageArrayError::Sides { height, width }) }
}

fn checked_range([black, white]: [f32; 2]) -> Result<[f32; 2], ImageArrayError> {
    let usable = black.is_finite() && white.is_finite() && black != white;
    if usable { Ok([black, white]) } else { Err(ImageArrayError::Range { black, white }) }
}

fn levels_of(image: ArrayView3<'_, f32>, range: [f32; 2]) -> Result<Vec<u8>, DecodeError> {
    let level = |((row, column, channel), &value): ((usize, usize, usize), &f32)| match value.is_finite() {
        true => Ok(level(value, range)),
        false => Err(RgbImageError::NotFinite { row, column, channel, value: value.to_string() }.into()),
    };
    image.indexed_iter().map(level).collect()
}

/// The level of a value: black is 0 and white 255, rounded to the nearest, what lies outside clipped.
pub fn level(value: f32, [black, white]: [f32; 2]) -> u8 {
    // `as` saturates.
    ((value - black) * (255.0 / (white - black))).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array4, array};

    #[test]
    fn the_order_of_the_axes_changes_no_image() {
        let nhwc = Array4::from_shape_fn((2, 3, 4, 3), |(n, y, x, c)| (100 * n + 30 * y + 5 * x + c) as u8);
        let nchw = nhwc.view().permuted_axes([0, 3, 1, 2]).as_standard_layout().into_owned();
        let floats = nchw.mapv(|level| f32::from(level) / 127.5 - 1.0);
        let (a, b) = (ImageArray::nhwc(nhwc.view()).unwrap(), ImageArray::nchw(nchw.view()).unwrap());
        let c = ImageArray::nchw_f32(floats.view(), [-1.0, 1.0]).unwrap();
        for index in 0..2 {
            let expected = a.load_with_origin(index).unwrap();
            assert_eq!(expected.0.pixels(), nhwc.index_axis(Axis(0), index).as_slice().unwrap());
            assert_eq!(b.load_with_origin(index).unwrap(), expected);
            assert_eq!(c.load_with_origin(index).unwrap(), expected);
        }
        assert!(matches!(a.load(2), Err(ImageError::OutOfRange { index: 2, len: 2 })));
    }

    #[test]
    fn one_channel_is_repeated_and_rounding_is_that_of_files() {
        let gray = array![[[[0.0_f32], [0.5]], [[2.0], [-1.0]]]];
        let images = ImageArray::nhwc_f32(gray.view(), [0.0, 1.0]).unwrap();
        assert_eq!(images.load(0).unwrap().pixels(), [[0; 3], [128; 3], [255; 3], [0; 3]].concat());
        assert_eq!(level(1.0, [1.0, 0.0]), 0, "a range may fall");
    }

    #[test]
    fn what_is_no_image_is_refused_with_the_likely_order() {
        let bytes = Array4::<u8>::zeros((2, 3, 8, 8));
        let error = ImageArray::nhwc(bytes.view()).unwrap_err().to_string();
        assert!(error.ends_with(
            "has images of 8 channels: they have 1 or 3 (are the axes in the order N×channels×height×width?)"
        ));
        assert!(matches!(ImageArray::nchw(Array4::zeros((2, 1, 0, 8)).view()), Err(ImageArrayError::Sides { .. })));
        let floats = Array4::from_elem((1, 1, 1, 1), f32::NAN);
        assert!(matches!(ImageArray::nchw_f32(floats.view(), [1.0, 1.0]), Err(ImageArrayError::Range { .. })));
        let images = ImageArray::nchw_f32(floats.view(), [0.0, 1.0]).unwrap();
        assert_eq!(
            images.load(0).unwrap_err().to_string(),
            "cannot decode `[0]`: row 0, column 0, channel 0 is NaN: values must be finite"
        );
    }
}
