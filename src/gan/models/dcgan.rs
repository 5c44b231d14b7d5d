//! DCGAN at several resolutions.

use crate::gan::error::GanError;
use crate::gan::layers::{Activation, Bias, Layer};

/// Resolutions of a DCGAN: a first map of `start`×`start`, doubled `doublings` times.
pub(super) struct Plan {
    start: usize,
    doublings: u32,
}

/// How an image size is reached.
pub(super) fn plan(size: usize) -> Result<Plan, GanError> {
    let (start, doublings) = match size {
        16 => (4, 2),
        28 => (7, 2),
        32 => (4, 3),
        64 => (4, 4),
        128 => (4, 5),
        _ => return Err(GanError::setting("the image size", size, "16, 28, 32, 64 or 128 for this model")),
    };
    Ok(Plan { start, doublings })
}

/// Kernel 4, stride 2, padding 1: halves or doubles the resolution exactly.
const KERNEL: usize = 4;
const STRIDE: usize = 2;
const PADDING: usize = 1;

fn enlarge(inputs: usize, outputs: usize) -> Layer {
    let (kernel, stride, padding) = (KERNEL, STRIDE, PADDING);
    Layer::ConvTranspose2d { inputs, outputs, kernel, stride, padding, output_padding: 0, bias: Bias::No }
}

fn reduce(inputs: usize, outputs: usize) -> Layer {
    Layer::Conv2d { inputs, outputs, kernel: KERNEL, stride: STRIDE, padding: PADDING, bias: Bias::No }
}

pub(super) fn generator(plan: &Plan, channels: usize, latent: usize, width: usize) -> Vec<Layer> {
    let mut current = width << (plan.doublings - 1);
    let first = Layer::ConvTranspose2d {
        inputs: latent,
        outputs: current,
        kernel: plan.start,
        stride: 1,
        padding: 0,
        output_padding: 0,
        bias: Bias::No,
    };
    let hidden = |channels| [Layer::BatchNorm { channels }, Layer::Activation(Activation::Relu)];
    let mut layers = vec![first];
    layers.extend(hidden(current));
    for _ in 1..plan.doublings {
        layers.push(enlarge(current, current / 2));
        current /= 2;
        layers.extend(hidden(current));
    }
    layers.extend([enlarge(current, channels), Layer::Activation(Activation::Tanh)]);
    layers
}

pub(super) fn discriminator(plan: &Plan, channels: usize, width: usize) -> Vec<Layer> {
    let leaky = Layer::Activation(Activation::LeakyRelu(0.2));
    let mut current = width;
    let mut layers = vec![reduce(channels, current), leaky.clone()];
    for _ in 1..plan.doublings {
        layers.extend([reduce(current, 2 * current), Layer::BatchNorm { channels: 2 * current }, leaky.clone()]);
        current *= 2;
    }
    let (kernel, stride, padding) = (plan.start, 1, 0);
    layers.push(Layer::Conv2d { inputs: current, outputs: 1, kernel, stride, padding, bias: Bias::No });
    layers
}
