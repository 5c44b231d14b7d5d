use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition, squares_shape};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// The mean of every square of pixels, whose side the map's sides are multiples of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AveragePool {
    /// Side of the squares.
    pub side: usize,
}

impl Definition for AveragePool {
    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        squares_shape("average pool", inputs[0], self.side)
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        call.input().avg_pool2d(self.side)
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        let (x, window) = (node.input(), node.window(self.side, self.side, 0));
        Some(node.graph.average_pool(&node.name, &x, window))
    }
}
