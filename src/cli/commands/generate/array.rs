//! NumPy arrays of images, written as they come.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::Result;
use crate::output::OutputError;

use super::pixels::interleaved;

/// What an array of images holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Number of images.
    pub images: usize,
    /// 1 or 3.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Shape {
    /// So many square images.
    pub fn squares(images: usize, channels: usize, side: usize) -> Self {
        Self { images, channels, height: side, width: side }
    }

    /// Samples of an image.
    pub fn image_len(self) -> usize {
        self.channels * self.height * self.width
    }

    /// The head of a `.npy` file, version 1.0: bytes, images×height×width×channels, padded to a multiple of 64.
    pub fn npy_header(self) -> Vec<u8> {
        let Self { images, channels, height, width } = self;
        let mut dictionary =
            format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({images}, {height}, {width}, {channels}), }}");
        // Magic, version and length take ten bytes, the line break one.
        let padding = (64 - (10 + dictionary.len() + 1) % 64) % 64;
        dictionary.extend(std::iter::repeat_n(' ', padding));
        dictionary.push('\n');
        let length = u16::try_from(dictionary.len()).expect("four numbers are short");
        [b"\x93NUMPY\x01\x00".as_slice(), &length.to_le_bytes(), dictionary.as_bytes()].concat()
    }
}

/// A `.npy` file in the making.
pub struct ArrayFile<'a> {
    shape: Shape,
    to: &'a mut dyn Write,
    path: &'a Path,
}

impl<'a> ArrayFile<'a> {
    /// Writes a file into a folder of temporaries; `fill` pushes every image.
    pub fn write(path: &Path, shape: Shape, fill: impl FnOnce(&mut ArrayFile<'_>) -> Result<()>) -> Result<()> {
        let failure = |source| OutputError::at(path, source);
        let mut file = BufWriter::new(File::create_new(path).map_err(failure)?);
        fill(&mut ArrayFile::begin(path, shape, &mut file)?)?;
        Ok(file.flush().map_err(failure)?)
    }

    /// Begins an array in what is being written to `path`.
    pub(super) fn begin(path: &'a Path, shape: Shape, to: &'a mut dyn Write) -> Result<Self> {
        to.write_all(&shape.npy_header()).map_err(|source| OutputError::at(path, source))?;
        Ok(Self { shape, to, path })
    }

    /// Appends planar images.
    pub fn push(&mut self, images: &[u8]) -> Result<()> {
        for image in images.chunks_exact(self.shape.image_len()) {
            let written = self.to.write_all(&interleaved(image, self.shape.channels));
            written.map_err(|source| OutputError::at(self.path, source))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_read_back_with_the_channel_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let shape = Shape::squares(2, 3, 1);
        ArrayFile::write(&path, shape, |file| file.push(&[1, 2, 3, 4, 5, 6])).unwrap();
        assert_eq!(shape.npy_header().len() % 64, 0);
        let array: ndarray::Array4<u8> = ndarray_npy::read_npy(&path).unwrap();
        assert_eq!((array.shape(), array.as_slice().unwrap()), (&[2, 1, 1, 3][..], &[1, 2, 3, 4, 5, 6][..]));
    }
}
