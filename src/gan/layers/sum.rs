use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Adds two values of one shape, as where a residual block ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sum;

impl Definition for Sum {
    fn arity(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match inputs[0] == inputs[1] {
            true => Ok(inputs[0].to_vec()),
            false => Err(GanError::shape("sum", format!("{:?} and {:?} differ", inputs[0], inputs[1]))),
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        call.inputs[0].add(&call.inputs[1])
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        Some(node.graph.add(&node.name, &node.inputs[0], &node.inputs[1]))
    }
}
