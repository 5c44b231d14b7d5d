//! The operations, each with its derivative written in operations.

mod activation;
mod arithmetic;
mod batch_norm;
mod conv;
mod embedding;
mod layer_norm;
mod matmul;
mod reduce;
mod scalar;
mod shape;
mod upsample;

pub use batch_norm::{BatchMoments, BatchNorm};
pub use conv::ConvOptions;
pub use scalar::ScalarFunction;

use super::tape::Var;

/// The derivatives of an operation with one input.
fn one<T: super::real::Real>(derivative: Var<T>) -> Vec<Option<Var<T>>> {
    vec![Some(derivative)]
}
