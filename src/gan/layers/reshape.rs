use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Gives every sample another shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reshape {
    /// Shape of a sample.
    pub shape: Vec<usize>,
}

impl Definition for Reshape {
    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        let numbers = |shape: &[usize]| shape.iter().map(|&length| length as u128).product::<u128>();
        match numbers(inputs[0]) == numbers(&self.shape) {
            true => Ok(self.shape.clone()),
            false => {
                Err(GanError::shape("reshape", format!("{:?} does not hold the values of {:?}", self.shape, inputs[0])))
            }
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let x = call.input();
        let batch = x.shape().first().copied().unwrap_or_default();
        x.reshape(&[&[batch], self.shape.as_slice()].concat())
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        let x = node.input();
        Some(node.graph.reshape(&node.name, &x, &self.shape))
    }
}
