//! Tensors: element types, and writing strided views out in row-major order.

use std::fmt;

use half::{bf16, f16};

use super::PthError;
use super::pickle::{Heap, TensorView};

/// Element type of a tensor in a checkpoint, under PyTorch's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DType {
    /// `torch.float16`.
    Float16,
    /// `torch.bfloat16`.
    BFloat16,
    /// `torch.float32`.
    Float32,
    /// `torch.float64`.
    Float64,
    /// `torch.int64`.
    Int64,
    /// `torch.int32`.
    Int32,
    /// `torch.int16`.
    Int16,
    /// `torch.int8`.
    Int8,
    /// `torch.uint8`.
    UInt8,
    /// `torch.bool`.
    Bool,
}

impl DType {
    /// Bytes per element.
    pub fn size(self) -> usize {
        match self {
            DType::Float64 | DType::Int64 => 8,
            DType::Float32 | DType::Int32 => 4,
            DType::Float16 | DType::BFloat16 | DType::Int16 => 2,
            DType::Int8 | DType::UInt8 | DType::Bool => 1,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DType::Float16 => "float16",
            DType::BFloat16 => "bfloat16",
            DType::Float32 => "float32",
            DType::Float64 => "float64",
            DType::Int64 => "int64",
            DType::Int32 => "int32",
            DType::Int16 => "int16",
            DType::Int8 => "int8",
            DType::UInt8 => "uint8",
            DType::Bool => "bool",
        })
    }
}

/// A dense tensor, row-major, as `f32`.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTensor {
    shape: Vec<usize>,
    data: Vec<f32>,
    dtype: DType,
}

impl StoredTensor {
    /// A `float32` tensor of row-major `data`; `None` unless `data` has as many elements as `shape`.
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Option<Self> {
        (element_count(&shape)? == data.len()).then_some(Self { shape, data, dtype: DType::Float32 })
    }

    /// The tensor with everything under one index of the first axis multiplied by one factor: in `f64`, rounded once.
    pub(in crate::extractor::weights) fn scale_rows(&self, factors: impl ExactSizeIterator<Item = f64>) -> Self {
        let row = self.data.len() / factors.len().max(1);
        let scaled = self.data.chunks_exact(row.max(1)).zip(factors);
        let data = scaled.flat_map(|(row, factor)| row.iter().map(move |&value| (f64::from(value) * factor) as f32));
        Self { shape: self.shape.clone(), data: data.collect(), dtype: DType::Float32 }
    }

    /// Length of every axis; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements, row-major.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// Element type in the checkpoint, before the conversion to `f32`.
    pub fn dtype(&self) -> DType {
        self.dtype
    }
}

/// Product of the axes; `None` when it overflows.
pub(super) fn element_count(shape: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1usize, |count, &length| count.checked_mul(length))
}

/// Writes the view out as a dense tensor. `stored` are the bytes of its storage; the caller has bounded the view's
/// element count.
pub(super) fn materialise(name: &str, view: &TensorView, heap: &Heap, stored: &[u8]) -> Result<StoredTensor, PthError> {
    let storage = heap.storage(view.storage);
    if !view.fits(storage.elements) {
        let (name, shape) = (name.to_owned(), view.shape.clone());
        return Err(PthError::OutOfStorage { name, shape, elements: storage.elements });
    }
    let data = match storage.dtype {
        DType::Float32 => gather(view, stored.as_chunks().0, |&bytes| f32::from_le_bytes(bytes)),
        DType::Float16 => gather(view, stored.as_chunks().0, |&bytes| f16::from_le_bytes(bytes).to_f32()),
        DType::BFloat16 => gather(view, stored.as_chunks().0, |&bytes| bf16::from_le_bytes(bytes).to_f32()),
        DType::Float64 => gather(view, stored.as_chunks().0, |&bytes| f64::from_le_bytes(bytes) as f32),
        DType::Int16 => gather(view, stored.as_chunks().0, |&bytes| f32::from(i16::from_le_bytes(bytes))),
        DType::Int8 => gather(view, stored.as_chunks().0, |&bytes| f32::from(i8::from_le_bytes(bytes))),
        DType::UInt8 => gather(view, stored.as_chunks().0, |&bytes| f32::from(u8::from_le_bytes(bytes))),
        DType::Int64 if name.ends_with("num_batches_tracked") => {
            gather(view, stored.as_chunks().0, |&bytes| i64::from_le_bytes(bytes) as f32)
        }
        dtype => return Err(PthError::DType { name: name.to_owned(), dtype }),
    };
    Ok(StoredTensor { shape: view.shape.clone(), data, dtype: storage.dtype })
}

/// Visits the view's elements in row-major order.
fn gather<const N: usize>(view: &TensorView, stored: &[[u8; N]], decode: impl Fn(&[u8; N]) -> f32) -> Vec<f32> {
    let count = element_count(&view.shape).unwrap_or(0);
    let mut data = Vec::with_capacity(count);
    let mut index = vec![0; view.shape.len()];
    let mut at = view.offset;
    for _ in 0..count {
        data.push(decode(&stored[at]));
        for axis in (0..index.len()).rev() {
            index[axis] += 1;
            at += view.strides[axis];
            if index[axis] < view.shape[axis] {
                break;
            }
            at -= view.strides[axis] * view.shape[axis];
            index[axis] = 0;
        }
    }
    data
}
