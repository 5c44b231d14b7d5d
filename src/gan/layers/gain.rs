use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition, ParameterSpec, Role};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// γ·x with one number γ that is learnt and starts at 0: what follows begins without x.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gain;

impl Definition for Gain {
    fn parameters(&self) -> Vec<ParameterSpec> {
        vec![ParameterSpec { name: "gain", shape: vec![1], role: Role::Shift }]
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        Ok(inputs[0].to_vec())
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        call.input().mul(&call.parameters[0])
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        let (x, gain) = (node.input(), node.values("gain")[0]);
        Some(node.graph.scale(&node.name, &x, gain))
    }
}
