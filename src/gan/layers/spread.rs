use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Makes a constant map of every number of a row: K to K×side×side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Side of the maps.
    pub side: usize,
}

impl Definition for Spread {
    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match inputs[0] {
            &[channels] => Ok(vec![channels, self.side, self.side]),
            other => Err(GanError::shape("spread", format!("it takes rows of numbers, the input is {other:?}"))),
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let x = call.input();
        let (batch, channels) = (x.shape()[0], x.shape()[1]);
        x.reshape(&[batch, channels, 1, 1])?.broadcast_to(&[batch, channels, self.side, self.side])
    }

    /// Critics alone have it.
    #[cfg(feature = "inference")]
    fn onnx(&self, _: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        None
    }
}
