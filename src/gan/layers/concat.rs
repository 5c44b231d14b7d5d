use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Puts the channels of two values, or the numbers of two rows, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Concat;

impl Definition for Concat {
    fn arity(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match (inputs[0], inputs[1]) {
            ([first, others @ ..], [second, same @ ..]) if others == same => Ok([&[first + second], others].concat()),
            (first, second) => Err(GanError::shape("concat", format!("{first:?} and {second:?} differ in their pixels"))),
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        Var::concat(&[&call.inputs[0], &call.inputs[1]], 1)
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::Value> {
        Some(node.graph.concat(&node.name, node.inputs))
    }
}
