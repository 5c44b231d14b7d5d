use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition, ParameterSpec, Role, expect_channels};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Multiplies every channel by a number that is learnt, 1 at first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelScale {
    /// Channels.
    pub channels: usize,
}

impl Definition for ChannelScale {
    fn parameters(&self) -> Vec<ParameterSpec> {
        vec![ParameterSpec { name: "weight", shape: vec![self.channels], role: Role::Scale }]
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        expect_channels("channel_scale", inputs[0], self.channels)?;
        Ok(inputs[0].to_vec())
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let x = call.input();
        let mut shape = vec![1; x.shape().len() - 1];
        shape[0] = self.channels;
        x.mul(&call.parameters[0].reshape(&shape)?)
    }

    /// No generator has this layer.
    #[cfg(feature = "inference")]
    fn onnx(&self, _: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        None
    }
}
