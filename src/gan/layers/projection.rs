use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// The inner product of two rows, one number: how well an image fits a class in the discriminator of Miyato and Koyama (2018).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Projection;

impl Definition for Projection {
    fn arity(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match inputs[0] == inputs[1] && inputs[0].len() == 1 {
            true => Ok(vec![1]),
            false => {
                let problem = format!("it takes two rows of one length, the inputs are {:?} and {:?}", inputs[0], inputs[1]);
                Err(GanError::shape("projection", problem))
            }
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let products = call.inputs[0].mul(&call.inputs[1])?;
        products.sum_rows()?.reshape(&[products.shape()[0], 1])
    }

    /// Critics alone have it.
    #[cfg(feature = "inference")]
    fn onnx(&self, _: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        None
    }
}
