//! Fully connected networks.

use crate::gan::layers::{Activation, Bias, Layer};

fn linear(inputs: usize, outputs: usize) -> Layer {
    Layer::Linear { inputs, outputs, bias: Bias::Yes }
}

pub(super) fn generator(size: usize, channels: usize, latent: usize, hidden: usize) -> Vec<Layer> {
    vec![
        linear(latent, hidden),
        Layer::Activation(Activation::Relu),
        linear(hidden, channels * size * size),
        Layer::Activation(Activation::Sigmoid),
        Layer::Reshape { shape: vec![channels, size, size] },
    ]
}

pub(super) fn discriminator(size: usize, channels: usize, hidden: usize) -> Vec<Layer> {
    let pixels = channels * size * size;
    vec![
        Layer::Reshape { shape: vec![pixels] },
        linear(pixels, hidden),
        Layer::Activation(Activation::LeakyRelu(0.2)),
        linear(hidden, 1),
    ]
}
