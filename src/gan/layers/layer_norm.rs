use serde::{Deserialize, Serialize};

use super::NORMALIZATION_EPSILON;
use super::definition::{Call, Definition, ParameterSpec};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Normalisation of every sample by itself (ε = 1e-5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerNorm {
    /// Shape of a sample.
    pub shape: Vec<usize>,
}

impl Definition for LayerNorm {
    fn parameters(&self) -> Vec<ParameterSpec> {
        ParameterSpec::normalising(&self.shape)
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match inputs[0] == self.shape {
            true => Ok(self.shape.clone()),
            false => {
                let problem = format!("it takes samples of {:?}, the input is {:?}", self.shape, inputs[0]);
                Err(GanError::shape("layer_norm", problem))
            }
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        call.input().layer_norm(&call.parameters[0], &call.parameters[1], T::of(NORMALIZATION_EPSILON))
    }

    /// Operators of the version that is written have no such node, and no generator has this layer.
    #[cfg(feature = "inference")]
    fn onnx(&self, _: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        None
    }
}
