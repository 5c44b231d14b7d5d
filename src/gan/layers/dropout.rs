use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition, Mode};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;

/// Sets values to zero with probability `p` in training and scales the others by 1/(1−p).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dropout {
    /// Probability, in \[0, 1).
    pub p: f64,
}

impl Definition for Dropout {
    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match (0.0..1.0).contains(&self.p) {
            true => Ok(inputs[0].to_vec()),
            false => Err(GanError::setting("the probability of a dropout", self.p, "in [0, 1)")),
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let x = call.input().clone();
        match call.mode {
            Mode::Training { random, .. } if self.p > 0.0 => {
                let kept = T::of(1.0 / (1.0 - self.p));
                let mask = Tensor::from_fn(x.shape(), |_| if random.uniform() < self.p { T::ZERO } else { kept });
                x.mul(&Var::constant(mask))
            }
            _ => Ok(x),
        }
    }

    /// Nothing drops out in evaluation.
    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        Some(node.input())
    }
}
