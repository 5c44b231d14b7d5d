//! The operations, each with its derivative written in operations.

mod activation;
mod arithmetic;
mod batch_norm;
mod concat;
mod conv;
mod embedding;
mod layer_norm;
mod matmul;
mod maximum;
mod pairwise;
mod permute;
mod piecewise;
mod pool;
mod reduce;
mod scalar;
mod shape;
mod softmax;
mod translate;
mod upsample;

pub use batch_norm::{BatchMoments, BatchNormOutput};
pub use conv::ConvOptions;
pub use scalar::ScalarFunction;

use super::error::GanError;
use super::real::Real;
use super::tape::Var;

type Derivatives<T> = Result<Vec<Option<Var<T>>>, GanError>;

/// The derivatives of an operation with one input.
fn one<T: Real>(derivative: Var<T>) -> Vec<Option<Var<T>>> {
    vec![Some(derivative)]
}

/// How many values lie in front of an axis, on it and behind it.
fn split_at_axis(op: &'static str, shape: &[usize], axis: usize) -> Result<[usize; 3], GanError> {
    match shape.get(axis) {
        Some(&length) => Ok([shape[..axis].iter().product(), length, shape[axis + 1..].iter().product()]),
        None => Err(GanError::shape(op, format!("there is no axis {axis} in shape {shape:?}"))),
    }
}

/// The same for an operation that makes no sense on nothing.
fn split_at_filled_axis(op: &'static str, shape: &[usize], axis: usize) -> Result<[usize; 3], GanError> {
    match split_at_axis(op, shape, axis)? {
        [_, 0, _] => Err(GanError::shape(op, format!("axis {axis} of shape {shape:?} is empty"))),
        split => Ok(split),
    }
}

/// A shape without one of its axes.
fn without_axis(shape: &[usize], axis: usize) -> Vec<usize> {
    [&shape[..axis], &shape[axis + 1..]].concat()
}

/// Batch, channels, height and width of images.
fn images<T: Real>(op: &'static str, x: &Var<T>) -> Result<[usize; 4], GanError> {
    conv::four(op, "images", x)
}

/// The same of images that can be cut into squares of a side.
fn images_of_squares<T: Real>(op: &'static str, x: &Var<T>, side: usize) -> Result<[usize; 4], GanError> {
    let [batch, channels, height, width] = images(op, x)?;
    if side == 0 {
        return Err(GanError::shape(op, "the factor must be at least 1"));
    }
    if height % side != 0 || width % side != 0 {
        let problem = format!("images of {height}×{width} cannot be cut into squares of {side}×{side}");
        return Err(GanError::shape(op, problem));
    }
    Ok([batch, channels, height, width])
}
