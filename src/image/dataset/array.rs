//! Images as one array of numbers: what is common to npy, npz and IDX.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use flate2::Crc;

use super::classes::Classes;
use super::error::{DataSetError, ImageError};
use super::positioned::read_exact_at;
use super::source::{Kept, Source};
use super::watched::{Watched, was_stopped};
use crate::image::RgbImageError;
use crate::image::decode::MAX_PIXELS;
use crate::image::source::level;
use crate::interrupt::Interrupt;
use crate::numpy::Number;

/// A part of a file.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) file: File,
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// Where the channels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// N×height×width×channels.
    Last,
    /// N×channels×height×width.
    First,
}

/// How values become levels.
#[derive(Debug, Clone, Copy)]
pub(super) enum Levels {
    /// They are.
    Bytes,
    /// By the values of black and white.
    Floats(Number, [f32; 2]),
}

impl Levels {
    fn size(self) -> usize {
        match self {
            Levels::Bytes => 1,
            Levels::Floats(number, _) => number.size(),
        }
    }
}

/// What an archive says of bytes that it holds.
#[derive(Debug)]
pub(super) struct Sum {
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) crc: u32,
}

/// The images of an array in a file, of one channel or three.
#[derive(Debug)]
pub(super) struct PixelArray {
    file: File,
    offset: u64,
    count: usize,
    height: u32,
    width: u32,
    channels: usize,
    order: Order,
    levels: Levels,
    /// The array, where the file has several.
    name: Option<String>,
    classes: Classes,
    sum: Option<Sum>,
    has_statistics_beside: bool,
}

impl PixelArray {
    /// Takes the data at the start of `data`, whose axes are `shape`; `name` is what the array is called in its file.
    pub(super) fn new(
        path: &Path,
        name: Option<&str>,
        shape: Vec<u64>,
        levels: Levels,
        data: Segment,
    ) -> Result<Self, DataSetError> {
        let reject = |shape, hint| {
            Err(DataSetError::ArrayShape { path: path.to_owned(), array: name.map(str::to_owned), shape, hint })
        };
        let (count, height, width, channels, order) = match shape[..] {
            [_, _, 3] => return reject(shape, " (one image alone needs an axis N in front: `a[None]`)"),
            [3, _, _] => {
                let hint = " (one image with its channels in front is `a[None]`, three gray images are `a[..., None]`)";
                return reject(shape, hint);
            }
            [count, height, width] => (count, height, width, 1, Order::Last),
            [count, height, width, channels @ (1 | 3)] => (count, height, width, channels, Order::Last),
            [count, channels @ (1 | 3), height, width] => (count, height, width, channels, Order::First),
            [_, _, _, 4] => return reject(shape, " (drop the alpha channel: `a[..., :3]`)"),
            _ => return reject(shape, ""),
        };
        if count == 0 || height == 0 || width == 0 {
            return reject(shape, " with no side of zero");
        }
        if height.checked_mul(width).is_none_or(|area| area > MAX_PIXELS) {
            return reject(shape, " with no more pixels than any genuine image has");
        }
        let announced = (height * width * channels * levels.size() as u64).checked_mul(count);
        if announced.is_none_or(|bytes| bytes > data.length) {
            let reason = format!("shape {shape:?} takes more than the {} bytes that are there", data.length);
            return Err(DataSetError::CorruptArray { path: path.to_owned(), array: name.map(str::to_owned), reason });
        }
        Ok(Self {
            file: data.file,
            offset: data.offset,
            count: count as usize,
            height: height as u32,
            width: width as u32,
            channels: channels as usize,
            order,
            levels,
            name: name.map(str::to_owned),
            classes: Classes::default(),
            sum: None,
            has_statistics_beside: false,
        })
    }

    /// Adds the class of each image.
    pub(super) fn with_classes(self, classes: Classes) -> Self {
        Self { classes, ..self }
    }

    /// Says whether the file has statistics, too.
    pub(super) fn beside_statistics(self, has_statistics_beside: bool) -> Self {
        Self { has_statistics_beside, ..self }
    }

    /// Adds what the bytes are to be held against.
    pub(super) fn with_sum(self, sum: Sum) -> Self {
        Self { sum: Some(sum), ..self }
    }

    /// Height, width and channels of an image.
    fn shape_of_image(&self) -> [usize; 3] {
        [self.height as usize, self.width as usize, self.channels]
    }

    /// The levels of an image, height×width×channels.
    fn levels(&self, index: usize, image: &str) -> Result<Vec<u8>, ImageError> {
        let values: usize = self.shape_of_image().iter().product();
        let mut bytes = vec![0; values * self.levels.size()];
        let offset = self.offset + index as u64 * bytes.len() as u64;
        read_exact_at(&self.file, &mut bytes, offset)
            .map_err(|source| ImageError::Read { image: image.to_owned(), source })?;
        let levels = match self.levels {
            Levels::Bytes => bytes,
            Levels::Floats(number, range) => {
                let levels = number.decode(&bytes).enumerate().map(|(place, value)| match value.is_finite() {
                    true => Ok(level(value as f32, range)),
                    false => Err(self.not_finite(place, value, image)),
                });
                levels.collect::<Result<_, _>>()?
            }
        };
        Ok(match (self.order, self.channels) {
            (Order::First, 2..) => {
                let plane = values / self.channels;
                (0..values).map(|place| levels[place % self.channels * plane + place / self.channels]).collect()
            }
            _ => levels,
        })
    }

    fn not_finite(&self, place: usize, value: f64, image: &str) -> ImageError {
        let [height, width, channels] = self.shape_of_image();
        let (row, column, channel) = match self.order {
            Order::Last => (place / channels / width, place / channels % width, place % channels),
            Order::First => (place / width % height, place % width, place / width / height),
        };
        let source = RgbImageError::NotFinite { row, column, channel, value: value.to_string() };
        ImageError::Decode { image: image.to_owned(), source: source.into() }
    }
}

impl Source for PixelArray {
    fn len(&self) -> usize {
        self.count
    }

    fn name(&self, path: &Path, index: usize) -> Cow<'_, str> {
        assert!(index < self.count, "image {index} of a set of {}", self.count);
        format!("{}[{index}]", path.file_name().unwrap_or_default().to_string_lossy()).into()
    }

    fn described(&self, path: &Path, index: usize) -> String {
        format!("{}[{index}]", path.display())
    }

    fn read(&self, index: usize, image: &str) -> Result<Kept, ImageError> {
        Ok(Kept::Levels(self.shape_of_image(), self.levels(index, image)?))
    }

    fn labels(&self) -> Option<&[String]> {
        self.classes.labels.as_deref()
    }

    fn untold_classes(&self) -> Option<&str> {
        self.classes.untold.as_deref()
    }

    fn array(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn has_statistics_beside(&self) -> bool {
        self.has_statistics_beside
    }

    fn is_float(&self) -> bool {
        matches!(self.levels, Levels::Floats(..))
    }

    fn verify(&self, path: &Path, interrupt: &Interrupt) -> Result<(), DataSetError> {
        let Some(Sum { offset, length, crc: expected }) = self.sum else { return Ok(()) };
        let failure = |source: std::io::Error| match was_stopped(&source) {
            true => DataSetError::Interrupted { path: path.to_owned() },
            false => DataSetError::Io { path: path.to_owned(), source },
        };
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset)).map_err(failure)?;
        let mut content = Watched::new(file.take(length), interrupt);
        let (mut sum, mut buffer) = (Crc::new(), vec![0; 1 << 20]);
        loop {
            match content.read(&mut buffer).map_err(failure)? {
                0 => break,
                count => sum.update(&buffer[..count]),
            }
        }
        check_sum(path, self.array(), &sum, expected)
    }
}

/// Refuses bytes that are not those that an archive has the sum of.
pub(super) fn check_sum(path: &Path, array: Option<&str>, sum: &Crc, expected: u32) -> Result<(), DataSetError> {
    if sum.sum() == expected {
        return Ok(());
    }
    let reason = format!("its CRC-32 is {:08x}, the archive says {expected:08x}", sum.sum());
    Err(DataSetError::CorruptArray { path: path.to_owned(), array: array.map(str::to_owned), reason })
}
