use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

use crate::gan::tensor::Tensor;

/// Numbers that tell one time from another at every scale (Vaswani et al. 2017; Ho, Jain and Abbeel 2020): for a time t,
/// sin(t·fᵢ) and then cos(t·fᵢ) with frequencies fᵢ = 10000^(−i/(h−1)), i = 0 … h−1, where h is half of the channels. Takes
/// N×1 times, which nothing is differentiated by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeEmbedding {
    /// Numbers that come out, even, at least 4.
    pub channels: usize,
}

impl Definition for TimeEmbedding {
    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        if self.channels < 4 || !self.channels.is_multiple_of(2) {
            return Err(GanError::setting("the length of a time embedding", self.channels, "even, at least 4"));
        }
        match inputs[0] == [1] {
            true => Ok(vec![self.channels]),
            false => Err(GanError::shape("time_embedding", format!("it takes one time a sample, not {:?}", inputs[0]))),
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let times = call.input().value();
        let half = self.channels / 2;
        let value = Tensor::from_fn(&[times.len(), self.channels], |i| {
            let (row, column) = (i / self.channels, i % self.channels);
            let frequency = 10_000.0_f64.powf(-((column % half) as f64) / (half - 1) as f64);
            let (sine, cosine) = (times.data()[row].to_f64() * frequency).sin_cos();
            T::of(if column < half { sine } else { cosine })
        });
        Ok(Var::constant(value))
    }

    /// No generator has this layer: images come from many passes.
    #[cfg(feature = "inference")]
    fn onnx(&self, _: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        None
    }
}
