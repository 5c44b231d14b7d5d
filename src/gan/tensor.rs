//! Dense arrays in row-major order.

use std::fmt;
use std::sync::Arc;

use super::buffer::Buffer;
use super::error::GanError;
use super::kernels::maximum::largest_along;
use super::real::Real;

/// A dense array of any number of axes, row-major and contiguous. Images are N×C×H×W.
///
/// A clone shares the values; writing to a shared tensor copies them first.
#[derive(Clone)]
pub struct Tensor<T: Real = f32> {
    shape: Vec<usize>,
    data: Arc<Buffer<T>>,
}

impl<T: Real> Tensor<T> {
    /// Takes values in row-major order.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the number of values is not the product of the shape.
    pub fn new(shape: &[usize], values: Vec<T>) -> Result<Self, GanError> {
        if shape.iter().product::<usize>() != values.len() {
            let problem =
                format!("shape {shape:?} holds {} values, got {}", shape.iter().product::<usize>(), values.len());
            return Err(GanError::shape("tensor", problem));
        }
        Ok(Self::from_buffer(shape, values.into()))
    }

    pub(crate) fn from_buffer(shape: &[usize], data: Buffer<T>) -> Self {
        debug_assert_eq!(shape.iter().product::<usize>(), data.len());
        Tensor { shape: shape.to_vec(), data: Arc::new(data) }
    }

    /// One value everywhere.
    pub fn full(shape: &[usize], value: T) -> Self {
        Self::from_buffer(shape, Buffer::full(shape.iter().product(), value))
    }

    /// Zeros.
    pub fn zeros(shape: &[usize]) -> Self {
        Self::full(shape, T::ZERO)
    }

    /// A single value: a tensor without axes.
    pub fn scalar(value: T) -> Self {
        Self::full(&[], value)
    }

    /// Values made one after the other, in row-major order.
    pub fn from_fn(shape: &[usize], mut value: impl FnMut(usize) -> T) -> Self {
        let mut data = Buffer::stale(shape.iter().product());
        data.iter_mut().enumerate().for_each(|(i, slot)| *slot = value(i));
        Self::from_buffer(shape, data)
    }

    /// Length of every axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether an axis has length 0.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The values, row-major.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// The values, to be changed; copies them first when a clone shares them.
    pub fn data_mut(&mut self) -> &mut [T] {
        let buffer: &mut Buffer<T> = Arc::make_mut(&mut self.data);
        buffer
    }

    /// The only value of a tensor that has one.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there is not exactly one.
    pub fn item(&self) -> Result<T, GanError> {
        match self.data() {
            [value] => Ok(*value),
            _ => Err(GanError::shape("item", format!("expected a single value, got shape {:?}", self.shape))),
        }
    }

    /// The same values under another shape.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the number of values differs.
    pub fn reshape(&self, shape: &[usize]) -> Result<Self, GanError> {
        if shape.iter().product::<usize>() != self.len() {
            let problem = format!("{:?} has {} values and cannot become {shape:?}", self.shape, self.len());
            return Err(GanError::shape("reshape", problem));
        }
        Ok(Tensor { shape: shape.to_vec(), data: Arc::clone(&self.data) })
    }

    /// The same values in another precision.
    pub fn cast<U: Real>(&self) -> Tensor<U> {
        Tensor::from_fn(&self.shape, |i| U::of(self.data[i].to_f64()))
    }

    /// Place of the largest value of every row, along the last axis, as PyTorch's `argmax(-1)`: the first of equal ones, and
    /// what is not a number counts as largest. Without an axis, or where rows are empty, there is none.
    ///
    /// ```
    /// use gan_metrics::gan::Tensor;
    ///
    /// let logits = Tensor::new(&[2, 3], vec![0.1_f32, 0.7, 0.2, 0.9, 0.0, 0.9])?;
    /// assert_eq!(logits.argmax_of_rows(), [1, 0]);
    /// # Ok::<(), gan_metrics::gan::GanError>(())
    /// ```
    pub fn argmax_of_rows(&self) -> Vec<usize> {
        match self.shape.last() {
            None | Some(0) => Vec::new(),
            Some(&width) => {
                let places = largest_along(self.data(), [self.len() / width, width, 1]);
                places.into_iter().map(|place| place % width).collect()
            }
        }
    }

    /// Euclidean norm, accumulated in f64.
    pub fn norm(&self) -> f64 {
        self.data.iter().map(|value| value.to_f64().powi(2)).sum::<f64>().sqrt()
    }
}

impl<T: Real> PartialEq for Tensor<T> {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.data() == other.data()
    }
}

impl<T: Real> fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let more = if self.len() > SHOWN { ", …" } else { "" };
        write!(f, "Tensor{:?} {:?}{more}", self.shape, &self.data[..self.len().min(SHOWN)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_until_written() {
        let first = Tensor::new(&[2, 2], vec![1.0_f32, 2.0, 3.0, 4.0]).unwrap();
        let mut second = first.clone();
        assert_eq!(first.data().as_ptr(), second.data().as_ptr());
        second.data_mut()[0] = 9.0;
        assert_eq!((first.data()[0], second.data()[0]), (1.0, 9.0));
        let address = second.data().as_ptr();
        second.data_mut()[1] = 8.0;
        assert_eq!(second.data().as_ptr(), address, "an unshared tensor is changed in place");
    }

    #[test]
    fn the_number_of_values_is_checked() {
        let error = Tensor::new(&[2, 3], vec![0.0_f32; 5]).unwrap_err();
        assert_eq!(error.to_string(), "tensor: shape [2, 3] holds 6 values, got 5");
        assert!(Tensor::<f32>::zeros(&[4]).reshape(&[3]).is_err());
        assert!(Tensor::<f32>::zeros(&[2]).item().is_err());
        assert_eq!(Tensor::scalar(2.5_f64).item().unwrap(), 2.5);
    }
}
