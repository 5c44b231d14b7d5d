//! Images as one array of bytes: what is common to npy, npz and IDX.

use std::fs::File;
use std::path::Path;

use super::error::{DataSetError, ImageError};
use super::positioned::read_exact_at;
use crate::image::decode::MAX_PIXELS;

/// A part of a file.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) file: File,
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// The images of an array in a file: N×height×width×channels bytes, one channel or three.
#[derive(Debug)]
pub(super) struct PixelArray {
    file: File,
    offset: u64,
    count: usize,
    height: u32,
    width: u32,
    channels: usize,
}

impl PixelArray {
    /// Takes the data at the start of `data`, whose axes are `shape`.
    pub(super) fn new(path: &Path, shape: Vec<u64>, data: Segment) -> Result<Self, DataSetError> {
        let reject = |shape, hint| Err(DataSetError::ArrayShape { path: path.to_owned(), shape, hint });
        let (count, height, width, channels) = match shape[..] {
            [_, _, 3] => return reject(shape, " (one image alone needs an axis N in front)"),
            [count, height, width] => (count, height, width, 1),
            [count, height, width, channels @ (1 | 3)] => (count, height, width, channels),
            [_, 1 | 3, _, _] => return reject(shape, " (move the channels to the end: `a.transpose(0, 2, 3, 1)`)"),
            [_, _, _, 4] => return reject(shape, " (drop the alpha channel: `a[..., :3]`)"),
            _ => return reject(shape, ""),
        };
        if count == 0 || height == 0 || width == 0 {
            return reject(shape, " with no side of zero");
        }
        if height.checked_mul(width).is_none_or(|area| area > MAX_PIXELS) {
            return reject(shape, " with no more pixels than any genuine image has");
        }
        let announced = (height * width * channels).checked_mul(count);
        if announced.is_none_or(|bytes| bytes > data.length) {
            let reason = format!("shape {shape:?} takes more than the {} bytes that are there", data.length);
            return Err(DataSetError::CorruptArray { path: path.to_owned(), reason });
        }
        Ok(Self {
            file: data.file,
            offset: data.offset,
            count: count as usize,
            height: height as u32,
            width: width as u32,
            channels: channels as usize,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Height, width and channels of an image.
    pub(super) fn shape_of_image(&self) -> [usize; 3] {
        [self.height as usize, self.width as usize, self.channels]
    }

    /// The levels of an image as they are kept.
    pub(super) fn read(&self, index: usize, image: &str) -> Result<Vec<u8>, ImageError> {
        let bytes: usize = self.shape_of_image().iter().product();
        let mut samples = vec![0; bytes];
        let offset = self.offset + index as u64 * bytes as u64;
        read_exact_at(&self.file, &mut samples, offset)
            .map_err(|source| ImageError::Read { image: image.to_owned(), source })?;
        Ok(samples)
    }
}
