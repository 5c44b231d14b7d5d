//! Images as Python hands them over: arrays that are looked at where they lie, encoded bytes, pixels of several sizes, or a path.

use std::path::PathBuf;

use gan_metrics::image::{Choice, DataSet, EncodedImages, ImageArray, ImageSource, Reading, RgbImage, Unreadable};
use gan_metrics::ndarray::{ArrayView3, ArrayView4};
use gan_metrics::{Interrupt, Result};
use numpy::{PyReadonlyArray3, PyReadonlyArray4};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

/// Images that Python owns. The first word of the tuple that they come as says what they are.
pub enum Images<'py> {
    /// `("bytes", u8 array, "NHWC" | "NCHW")`
    Bytes(PyReadonlyArray4<'py, u8>, Axes),
    /// `("floats", f32 array, "NHWC" | "NCHW", (black, white))`
    Floats(PyReadonlyArray4<'py, f32>, Axes, [f32; 2]),
    /// `("encoded", list of bytes)`
    Encoded(Vec<PyBackedBytes>),
    /// `("pixels", list of u8 arrays height×width×channels)`
    Pixels(Vec<PyReadonlyArray3<'py, u8>>),
    /// `("path", path, options)`
    Path(PathBuf, Reading),
}

/// The order of the axes of an array.
#[derive(Clone, Copy)]
pub enum Axes {
    Nhwc,
    Nchw,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Axes {
    type Error = PyErr;

    fn extract(order: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match order.extract::<&str>()? {
            "NHWC" => Ok(Axes::Nhwc),
            "NCHW" => Ok(Axes::Nchw),
            other => Err(crate::blame::input(order.py(), format!("layout is `{other}`: it must be NHWC or NCHW"))),
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Images<'py> {
    type Error = PyErr;

    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let given = given.to_owned();
        let kind: String = given.get_item(0)?.extract()?;
        let part = |index: usize| given.get_item(index);
        Ok(match kind.as_str() {
            "bytes" => Images::Bytes(part(1)?.extract()?, part(2)?.extract()?),
            "floats" => {
                let (black, white): (f32, f32) = part(3)?.extract()?;
                Images::Floats(part(1)?.extract()?, part(2)?.extract()?, [black, white])
            }
            "encoded" => Images::Encoded(part(1)?.extract()?),
            "pixels" => Images::Pixels(part(1)?.extract()?),
            _ => {
                let (array, range, choice) = part(2)?.extract()?;
                Images::Path(part(1)?.extract()?, reading(array, range, choice))
            }
        })
    }
}

/// What the path of a set does not tell.
pub fn reading(array: Option<String>, range: Option<(f32, f32)>, choice: Option<(usize, u32)>) -> Reading {
    let pixel_range = range.map(|(black, white)| [black, white]);
    let choice = choice.map(|(images, seed)| Choice { images, seed });
    Reading { array, pixel_range, unreadable: Unreadable::Refused, choice }
}

/// The same without Python, to be opened on another thread.
pub enum Lent<'a> {
    Bytes(ArrayView4<'a, u8>, Axes),
    Floats(ArrayView4<'a, f32>, Axes, [f32; 2]),
    Encoded(Vec<&'a [u8]>),
    Pixels(Vec<ArrayView3<'a, u8>>),
    Path(&'a PathBuf, &'a Reading),
}

impl Images<'_> {
    /// Looks at the images where they lie.
    pub fn lend(&self) -> Lent<'_> {
        match self {
            Images::Bytes(array, axes) => Lent::Bytes(array.as_array(), *axes),
            Images::Floats(array, axes, range) => Lent::Floats(array.as_array(), *axes, *range),
            Images::Encoded(files) => Lent::Encoded(files.iter().map(|file| &**file).collect()),
            Images::Pixels(arrays) => Lent::Pixels(arrays.iter().map(|array| array.as_array()).collect()),
            Images::Path(path, reading) => Lent::Path(path, reading),
        }
    }
}

impl<'a> Lent<'a> {
    /// The images as the library sees them.
    pub fn open(self, interrupt: &Interrupt) -> Result<Box<dyn ImageSource + 'a>> {
        Ok(match self {
            Lent::Bytes(view, Axes::Nhwc) => Box::new(ImageArray::nhwc(view)?),
            Lent::Bytes(view, Axes::Nchw) => Box::new(ImageArray::nchw(view)?),
            Lent::Floats(view, Axes::Nhwc, range) => Box::new(ImageArray::nhwc_f32(view, range)?),
            Lent::Floats(view, Axes::Nchw, range) => Box::new(ImageArray::nchw_f32(view, range)?),
            Lent::Encoded(files) => Box::new(EncodedImages::new(files)),
            Lent::Pixels(arrays) => Box::new(arrays.into_iter().map(image).collect::<Result<Vec<RgbImage>>>()?),
            Lent::Path(path, reading) => Box::new(DataSet::open_as(path, reading, interrupt)?),
        })
    }
}

/// An image of one channel or three, whose sides and channels the caller has checked.
fn image(pixels: ArrayView3<'_, u8>) -> Result<RgbImage> {
    let (height, width, channels) = pixels.dim();
    let levels: Vec<u8> = pixels.iter().copied().collect();
    let (width, height) = (width as u32, height as u32);
    Ok(if channels == 1 { RgbImage::from_gray(width, height, &levels)? } else { RgbImage::new(width, height, levels)? })
}
