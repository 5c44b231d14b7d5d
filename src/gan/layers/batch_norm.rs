use serde::{Deserialize, Serialize};

use super::NORMALIZATION_EPSILON;
use super::definition::{BufferSpec, Call, Definition, Initial, Mode, ParameterSpec, expect_channels};
use crate::gan::error::GanError;
use crate::gan::networks::Parameter;
use crate::gan::ops::BatchMoments;
use crate::gan::real::Real;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;

/// Share of a batch in the running moments, PyTorch's default.
const MOMENTUM: f64 = 0.1;

/// Batch normalisation of every channel, with running moments for evaluation (momentum 0.1, ε = 1e-5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchNorm {
    /// Channels.
    pub channels: usize,
}

impl Definition for BatchNorm {
    fn parameters(&self) -> Vec<ParameterSpec> {
        ParameterSpec::normalising(&[self.channels])
    }

    fn buffers(&self) -> Vec<BufferSpec> {
        running_moments(self.channels)
    }

    fn normalises_by_batch(&self) -> bool {
        true
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        expect_channels("batch_norm", inputs[0], self.channels)?;
        Ok(inputs[0].to_vec())
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let [gamma, beta] = [0, 1].map(|i| &call.parameters[i]);
        match call.mode {
            Mode::Training { buffers, .. } => {
                let normalised = call.inputs[0].batch_norm(gamma, beta, NORMALIZATION_EPSILON)?;
                update_running(buffers, &normalised.moments);
                Ok(normalised.output)
            }
            Mode::Evaluation { buffers } => {
                let [scale, shift] = affine(gamma.value(), beta.value(), buffers);
                call.inputs[0].channel_affine(&scale, &shift)
            }
        }
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        let parameters = ["weight", "bias", "running_mean", "running_var"].map(|part| node.values(part));
        let (x, parameters) = (node.input(), parameters.each_ref().map(Vec::as_slice));
        Some(node.graph.batch_norm(&node.name, &x, parameters, NORMALIZATION_EPSILON as f32))
    }
}

/// Running mean and variance of channels.
pub(super) fn running_moments(channels: usize) -> Vec<BufferSpec> {
    let moment = |name, value| BufferSpec { name, shape: vec![channels], initial: Initial::Full(value) };
    vec![moment("running_mean", 0.0), moment("running_var", 1.0)]
}

/// Normalisation with the running moments, as a scale and a shift of every channel.
pub(super) fn affine<T: Real>(gamma: &Tensor<T>, beta: &Tensor<T>, moments: &[Parameter<T>]) -> [Var<T>; 2] {
    let [mean, variance] = [0, 1].map(|i| moments[i].value.data());
    let scale = |i: usize| gamma.data()[i].to_f64() / (variance[i].to_f64() + NORMALIZATION_EPSILON).sqrt();
    let shape = [mean.len()];
    let shift = Tensor::from_fn(&shape, |i| T::of(beta.data()[i].to_f64() - mean[i].to_f64() * scale(i)));
    [Tensor::from_fn(&shape, |i| T::of(scale(i))), shift].map(Var::constant)
}

/// PyTorch's rule: the running variance takes the unbiased variance of the batch.
pub(super) fn update_running<T: Real>(running: &mut [Parameter<T>], moments: &BatchMoments) {
    let [mean, variance] = running else { unreachable!("running moments are a mean and a variance") };
    let n = moments.n as f64;
    let unbiased = n / (n - 1.0);
    let blend = |running: &mut T, value: f64| *running = T::of((1.0 - MOMENTUM) * running.to_f64() + MOMENTUM * value);
    for (running, &value) in mean.value.data_mut().iter_mut().zip(&moments.mean) {
        blend(running, value);
    }
    for (running, &value) in variance.value.data_mut().iter_mut().zip(&moments.variance) {
        blend(running, value * unbiased);
    }
}
