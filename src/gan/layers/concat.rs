use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Puts values beside each other along their first axis after the batch: rows, or channels of maps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Concat;

impl Definition for Concat {
    fn arity(&self) -> RangeInclusive<usize> {
        2..=usize::MAX
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        let rest = |shape: &[usize]| shape.get(1..).map(<[usize]>::to_vec);
        let channels: Option<usize> = inputs.iter().map(|shape| shape.first().copied()).sum();
        match (channels, rest(inputs[0])) {
            (Some(channels), Some(tail)) if inputs.iter().all(|shape| rest(shape) == Some(tail.clone())) => {
                Ok([vec![channels], tail].concat())
            }
            _ => Err(GanError::shape("concat", format!("{inputs:?} do not fit beside each other"))),
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let parts: Vec<&Var<T>> = call.inputs.iter().collect();
        Var::concat(&parts, 1)
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        Some(node.graph.concat(&node.name, node.inputs))
    }
}
