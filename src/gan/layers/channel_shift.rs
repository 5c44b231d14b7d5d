use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Adds a row of numbers, one a channel, to every pixel of a map: what a network is told besides images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelShift;

impl Definition for ChannelShift {
    fn arity(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match (inputs[0], inputs[1]) {
            (&[channels, _, _], &[numbers]) if channels == numbers => Ok(inputs[0].to_vec()),
            (map, row) => {
                Err(GanError::shape("channel_shift", format!("{row:?} is not a row of a number for each channel of {map:?}")))
            }
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let row = &call.inputs[1];
        call.input().add(&row.reshape(&[row.shape(), &[1, 1]].concat())?)
    }

    /// No generator has this layer.
    #[cfg(feature = "inference")]
    fn onnx(&self, _: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        None
    }
}
