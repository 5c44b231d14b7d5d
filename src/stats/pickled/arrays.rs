//! The arrays and numbers of NumPy, as pickles have them: calls whose arguments are all that they need.

use std::borrow::Cow;

use ndarray::ArrayD;

use super::Document;
use crate::numpy::Header;
use crate::pickle::{Global, Value};

/// The names that pickles of statistics may refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// `_reconstruct(ndarray, (0,), b'b')`: an array, to which its state gives everything.
    Reconstruct,
    /// `_frombuffer(buffer, dtype, shape, order)`, of protocol 5.
    FromBuffer,
    /// `scalar(dtype, bytes)`.
    Scalar,
    NdArray,
    /// `dtype('f8', align, copy)`, to which its state gives the order of bytes.
    DType,
    /// `encode(text, 'latin1')`: bytes, which protocol 2 does not have.
    Encode,
    /// A class of dicts.
    Dict,
}

impl Known {
    pub fn of(global: Global<'_>) -> Option<Self> {
        Some(match (global.module, global.name) {
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => Known::Reconstruct,
            ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Known::FromBuffer,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Known::Scalar,
            ("numpy", "ndarray") => Known::NdArray,
            ("numpy", "dtype") => Known::DType,
            ("_codecs", "encode") => Known::Encode,
            ("collections", "OrderedDict") | ("dnnlib" | "dnnlib.util", "EasyDict") => Known::Dict,
            _ => return None,
        })
    }
}

/// An array in parts, as a pickle has it.
struct Parts<'a> {
    shape: &'a [Value<'a>],
    dtype: Value<'a>,
    fortran: bool,
    buffer: Value<'a>,
}

impl<'a> Document<'a> {
    /// The numbers of an array, or a single one, as f64.
    pub(super) fn array(&self, value: Value<'a>) -> Result<ArrayD<f64>, String> {
        let parts = self.parts(value)?;
        let dtype = self.dtype(parts.dtype).ok_or("its type of numbers cannot be read")?;
        let axis = |&axis: &Value<'_>| match axis {
            Value::Int(axis) => u64::try_from(axis).ok(),
            _ => None,
        };
        let shape =
            parts.shape.iter().map(axis).collect::<Option<_>>().ok_or("its shape is not one of whole numbers")?;
        let header = Header { dtype, fortran: parts.fortran, shape, start: 0 };
        let Some(number) = header.number() else {
            return Err(format!("it holds values of type `{}`, not real numbers", header.dtype));
        };
        let bytes = self.bytes(parts.buffer).ok_or("its values are not bytes")?;
        match header.bytes() {
            Some(announced) if announced == bytes.len() as u128 => {
                number.read(&header, &bytes[..], |value| value).map_err(|error| error.to_string())
            }
            announced => Err(format!(
                "its shape and type announce {} bytes of numbers, but there are {}",
                announced.unwrap_or_default(),
                bytes.len()
            )),
        }
    }

    /// A number of images.
    pub(super) fn count(&self, value: Value<'a>) -> Option<u64> {
        let number = match value {
            Value::Int(number) => return u64::try_from(number).ok(),
            Value::Float(number) => number,
            value => *self.array(value).ok().filter(|array| array.ndim() == 0)?.first()?,
        };
        // What is beyond is no exact count either.
        (number >= 0.0 && number.fract() == 0.0 && number < (1_u64 << 53) as f64).then_some(number as u64)
    }

    /// The only item of an array of Python objects, by which `numpy.save` keeps a dict.
    pub(super) fn only_item(&self, value: Value<'a>) -> Option<Value<'a>> {
        match self.parts(value).ok()?.buffer {
            Value::List(items) => match self.heap.sequence(items) {
                &[item] => Some(item),
                _ => None,
            },
            _ => None,
        }
    }

    fn parts(&self, value: Value<'a>) -> Result<Parts<'_>, String> {
        let none = || format!("it is {} and not an array of NumPy", value.describe());
        let object = self.object(value).ok_or_else(none)?;
        let (function, arguments) = self.call(object).ok_or_else(none)?;
        let state = match object.state {
            Some(Value::Tuple(state)) => self.heap.sequence(state),
            _ => &[],
        };
        match (Known::of(function), arguments, state) {
            (
                Some(Known::Reconstruct),
                &[Value::Global(class), ..],
                &[Value::Int(_), Value::Tuple(shape), dtype, Value::Bool(fortran), buffer],
            ) if Known::of(self.heap.global(class)) == Some(Known::NdArray) => {
                Ok(Parts { shape: self.heap.sequence(shape), dtype, fortran, buffer })
            }
            (
                Some(Known::FromBuffer),
                &[buffer, dtype, Value::Tuple(shape), Value::Str(order @ ("C" | "F")), ..],
                [],
            ) => Ok(Parts { shape: self.heap.sequence(shape), dtype, fortran: order == "F", buffer }),
            (Some(Known::Scalar), &[dtype, buffer], []) => Ok(Parts { shape: &[], dtype, fortran: false, buffer }),
            _ => Err("it is not an array as NumPy writes it".to_owned()),
        }
    }

    /// The name of a type, such as `<f8`.
    fn dtype(&self, value: Value<'a>) -> Option<String> {
        let object = self.object(value)?;
        let (function, arguments) = self.call(object)?;
        let (Some(Known::DType), &[Value::Str(name), ..]) = (Known::of(function), arguments) else { return None };
        let order = match object.state {
            Some(Value::Tuple(state)) => match self.heap.sequence(state) {
                &[_, Value::Str(order @ ("<" | ">" | "|" | "=")), ..] => order,
                _ => return None,
            },
            Some(_) => return None,
            None => "",
        };
        Some(format!("{order}{name}"))
    }

    fn bytes(&self, value: Value<'a>) -> Option<Cow<'a, [u8]>> {
        match value {
            Value::Bytes(bytes) => Some(bytes.into()),
            // The strings of Python 2 that may as well be text.
            Value::Str(text) => Some(text.as_bytes().into()),
            value => {
                let (function, arguments) = self.call(self.object(value)?)?;
                match (Known::of(function), arguments) {
                    (Some(Known::Encode), &[Value::Str(text), Value::Str("latin1")]) => {
                        let bytes = text.chars().map(|character| u8::try_from(character).ok());
                        bytes.collect::<Option<Vec<_>>>().map(Cow::from)
                    }
                    _ => None,
                }
            }
        }
    }
}
