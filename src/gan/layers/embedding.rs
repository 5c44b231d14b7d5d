use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition, ParameterSpec, Role};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// A row of a table for each class, which is given one-hot; the weight is classes×length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Embedding {
    /// Rows of the table.
    pub classes: usize,
    /// Values of a row.
    pub length: usize,
}

impl Definition for Embedding {
    fn parameters(&self) -> Vec<ParameterSpec> {
        vec![ParameterSpec { name: "weight", shape: vec![self.classes, self.length], role: Role::Weight }]
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match inputs[0] == [self.classes] {
            true => Ok(vec![self.length]),
            false => {
                let problem = format!("it takes one of {} classes, one-hot, the input is {:?}", self.classes, inputs[0]);
                Err(GanError::shape("embedding", problem))
            }
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        call.input().matmul(&call.parameters[0])
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        let (x, table) = (node.input(), node.tensor("weight"));
        Some(node.graph.rows(&node.name, &x, &table))
    }
}
