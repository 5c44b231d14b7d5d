//! What holds the images of a set.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::chosen::Choice;
use super::error::{DataSetError, ImageError};
use crate::image::RgbImage;
use crate::image::decode::{DecodeError, Encoding, decode};
use crate::image::source::digest_of_levels;
use crate::interrupt::Interrupt;

/// A container of images, in an order that depends on nothing but its content. The path is that of the set.
pub(super) trait Source: Debug + Send + Sync {
    /// Number of images, at least 1.
    fn len(&self) -> usize;

    /// What an image is called in the set.
    ///
    /// # Panics
    /// When there is no such image.
    fn name(&self, path: &Path, index: usize) -> Cow<'_, str>;

    /// Where an image is, for messages.
    fn described(&self, path: &Path, index: usize) -> String {
        format!("{}/{}", path.display(), self.name(path, index))
    }

    /// An image as it is kept; `image` is where it is, for messages.
    fn read(&self, index: usize, image: &str) -> Result<Kept, ImageError>;

    /// The class of each image, where the container tells.
    fn labels(&self) -> Option<&[String]> {
        None
    }

    /// Why the container does not tell the classes of its images, where it looks as if it should.
    fn untold_classes(&self) -> Option<&str> {
        None
    }

    /// Images that are not decoded, counted by format.
    fn passed_over(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }

    /// The array of an archive of arrays that holds the images.
    fn array(&self) -> Option<&str> {
        None
    }

    /// How many of its files hold statistics beside their images that nobody looks at.
    fn unused_statistics(&self) -> usize {
        0
    }

    /// Whether it is a file with statistics beside the images.
    fn has_statistics_beside(&self) -> bool {
        false
    }

    /// Whether its images are floating-point numbers.
    fn is_float(&self) -> bool {
        false
    }

    /// Which images these are, and of how many, where they were chosen.
    fn choice(&self) -> Option<(Choice, usize)> {
        None
    }

    /// Holds the bytes of an array against the sum that its archive has of them.
    fn verify(&self, _path: &Path, _interrupt: &Interrupt) -> Result<(), DataSetError> {
        Ok(())
    }
}

/// An image as it is kept.
pub(super) enum Kept {
    /// A file or entry.
    Encoded(Vec<u8>),
    /// Height, width and channels, and the levels in that order.
    Levels([usize; 3], Vec<u8>),
}

impl Kept {
    pub(super) fn decoded(self, image: String) -> Result<RgbImage, ImageError> {
        let decoded = match self {
            Kept::Encoded(bytes) => decode(&bytes),
            Kept::Levels([height, width, 1], gray) => {
                RgbImage::from_gray(width as u32, height as u32, &gray).map_err(DecodeError::Image)
            }
            Kept::Levels([height, width, _], levels) => {
                RgbImage::new(width as u32, height as u32, levels).map_err(DecodeError::Image)
            }
        };
        decoded.map_err(|source| ImageError::Decode { image, source })
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        match self {
            Kept::Encoded(bytes) => Sha256::digest(bytes).into(),
            Kept::Levels(shape, levels) => digest_of_levels(*shape, levels),
        }
    }

    pub(super) fn encoding(&self) -> Encoding {
        match self {
            Kept::Encoded(bytes) => Encoding::of(bytes),
            Kept::Levels(..) => Encoding::Levels,
        }
    }
}
