use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition, map_shape};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Repeats every pixel in both directions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upsample {
    /// How many times.
    pub factor: usize,
}

impl Definition for Upsample {
    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        let channels = inputs[0].first().copied().unwrap_or(1);
        map_shape("upsample", inputs[0], channels, |side| side.checked_mul(self.factor))
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        call.input().upsample(self.factor)
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        let x = node.input();
        Some(node.graph.upsample(&node.name, &x, self.factor))
    }
}
