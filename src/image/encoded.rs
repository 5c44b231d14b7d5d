//! Images that are encoded in memory, as those of a database or of a column of a table are.

use sha2::{Digest, Sha256};

use super::dataset::ImageError;
use super::decode::{Encoding, decode};
use super::source::Origin;
use super::{ImageSource, RgbImage};

/// Encoded images in memory: PNG, JPEG or any other [`Format`](super::Format) each.
///
/// ```
/// use gan_metrics::image::{EncodedImages, ImageSource, RgbImage};
///
/// let png = RgbImage::new(1, 1, vec![1, 2, 3])?.to_png()?;
/// let images = EncodedImages::new(vec![&png, &png]);
/// assert_eq!((images.len(), images.load(1)?.pixels()), (2, &[1, 2, 3][..]));
/// # Ok::<(), gan_metrics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct EncodedImages<'a>(Vec<&'a [u8]>);

impl<'a> EncodedImages<'a> {
    /// Images of which each is a whole file.
    pub fn new(files: Vec<&'a (impl AsRef<[u8]> + ?Sized)>) -> Self {
        Self(files.into_iter().map(AsRef::as_ref).collect())
    }

    fn file(&self, index: usize) -> Result<&'a [u8], ImageError> {
        self.0.get(index).copied().ok_or(ImageError::OutOfRange { index, len: self.0.len() })
    }
}

impl ImageSource for EncodedImages<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn load(&self, index: usize) -> Result<RgbImage, ImageError> {
        decode(self.file(index)?).map_err(|source| ImageError::Decode { image: self.name(index).into_owned(), source })
    }

    fn load_with_origin(&self, index: usize) -> Result<(RgbImage, Origin), ImageError> {
        let file = self.file(index)?;
        let origin = Origin { encoding: Encoding::of(file), digest: Sha256::digest(file).into() };
        Ok((self.load(index)?, origin))
    }

    fn digest(&self, index: usize) -> Result<[u8; 32], ImageError> {
        Ok(Sha256::digest(self.file(index)?).into())
    }
}
