use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// The sum of every map over its pixels: C×H×W to C.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpaceSum;

impl Definition for SpaceSum {
    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match inputs[0] {
            &[channels, _, _] => Ok(vec![channels]),
            other => {
                Err(GanError::shape("sum over space", format!("it takes channels×height×width, the input is {other:?}")))
            }
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        call.input().sum_axes(&[2, 3])
    }

    /// Critics alone have it.
    #[cfg(feature = "inference")]
    fn onnx(&self, _: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        None
    }
}
