use serde::{Deserialize, Serialize};

use super::definition::{Bias, Call, Definition, ParameterSpec};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// x·Wᵀ + b; the weight is outputs×inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// Values of an input row.
    pub inputs: usize,
    /// Values of an output row.
    pub outputs: usize,
    /// Whether b is there.
    pub bias: Bias,
}

impl Linear {
    /// With b.
    pub fn new(inputs: usize, outputs: usize) -> Self {
        Linear { inputs, outputs, bias: Bias::Yes }
    }
}

impl Definition for Linear {
    fn parameters(&self) -> Vec<ParameterSpec> {
        ParameterSpec::weighted(vec![self.outputs, self.inputs], self.outputs, self.bias)
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match inputs[0] == [self.inputs] {
            true => Ok(vec![self.outputs]),
            false => {
                let problem = format!("it takes rows of {} values, the input is {:?}", self.inputs, inputs[0]);
                Err(GanError::shape("linear", problem))
            }
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        call.input().linear(&call.parameters[0], call.parameters.get(1))
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        let (x, weight) = (node.input(), node.tensor("weight"));
        Some(match self.bias {
            Bias::No => node.graph.linear(&node.name, &x, &weight),
            Bias::Yes => {
                let product = node.graph.linear(&format!("{}.product", node.name), &x, &weight);
                let bias = node.values("bias");
                node.graph.add_bias(&node.name, &product, &bias)
            }
        })
    }
}
