use serde::{Deserialize, Serialize};

use super::NORMALIZATION_EPSILON;
use super::definition::{Call, Definition, ParameterSpec, expect_channels};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Normalisation of every group of neighbouring channels of every sample by itself (Wu and He 2018; ε = 1e-5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupNorm {
    /// Groups, which divide the channels.
    pub groups: usize,
    /// Channels.
    pub channels: usize,
}

impl Definition for GroupNorm {
    fn parameters(&self) -> Vec<ParameterSpec> {
        ParameterSpec::normalising(&[self.channels])
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        expect_channels("group_norm", inputs[0], self.channels)?;
        match self.groups > 0 && self.channels.is_multiple_of(self.groups) {
            true => Ok(inputs[0].to_vec()),
            false => {
                let problem = format!("{} channels cannot be divided into {} groups", self.channels, self.groups);
                Err(GanError::shape("group_norm", problem))
            }
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        call.input().group_norm(self.groups, &call.parameters[0], &call.parameters[1], NORMALIZATION_EPSILON)
    }

    /// Operators of the version that is written have no such node, and no generator has this layer.
    #[cfg(feature = "inference")]
    fn onnx(&self, _: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        None
    }
}
