//! Encoders and decoders.

use super::super::dcgan::{self, Plan};
use super::super::{ModelSpec, alone};
use super::Autoencoder;
use crate::gan::error::GanError;
use crate::gan::layers::{Activation, Bias, Conv2d, ConvTranspose2d, Initializer, Layer, Linear, Reshape};
use crate::gan::networks::{Graph, GraphBuilder, Source, name};

/// Ends an encoder: mean and ln σ² of every number of the code. The latter starts at 0 for every image, so that no first step
/// is far too long.
fn finish_encoder(mut graph: GraphBuilder, hidden: Source, units: usize, latent: usize) -> Result<Graph, GanError> {
    let mean = graph.node(Linear::new(units, latent), &[hidden]);
    graph.initialized(Some(Initializer::Zero));
    let log_variance = graph.node(Linear::new(units, latent), &[hidden]);
    graph.output(name::MEAN, mean).output(name::LOG_VARIANCE, log_variance);
    graph.build()
}

/// Begins a decoder with z, and ends it with the logits of pixels and the probabilities that belong to them.
fn decoder(latent: usize, layers: impl IntoIterator<Item = Layer>) -> Result<Graph, GanError> {
    let mut graph = Graph::builder(Initializer::XavierUniform);
    let z = graph.input(name::Z, &[latent]);
    let logits = graph.chain(z, layers);
    let images = graph.node(Activation::Sigmoid, &[logits]);
    graph.output(name::IMAGES, images).output(name::LOGITS, logits);
    graph.build()
}

/// One hidden layer with ReLU on both sides.
pub(in crate::gan::models) fn fully_connected(spec: &ModelSpec) -> Result<Autoencoder, GanError> {
    let (image, hidden) = (spec.image(), spec.width);
    let pixels = image.iter().product();
    let mut encoder = Graph::builder(Initializer::XavierUniform);
    let x = encoder.input(name::IMAGES, &image);
    let features = encoder.chain(
        x,
        [Reshape { shape: vec![pixels] }.into(), Linear::new(pixels, hidden).into(), Activation::Relu.into()],
    );
    let encoder = finish_encoder(encoder, features, hidden, spec.latent)?;
    let layers = [
        Linear::new(spec.latent, hidden).into(),
        Activation::Relu.into(),
        Linear::new(hidden, pixels).into(),
        Reshape { shape: image.to_vec() }.into(),
    ];
    Ok(Autoencoder { encoder, decoder: decoder(spec.latent, layers)? })
}

/// Whether there is a convolutional one of these sizes.
pub(in crate::gan::models) fn check_convolutional(spec: &ModelSpec) -> Result<(), GanError> {
    dcgan::check(spec)?;
    alone::check(spec)
}

/// Convolutions of stride 2 with ReLU, of which each has twice the channels of the one before, and their mirror image. Maps
/// that are still large at the end (7×7 of 28×28) go through a hidden layer of four times the first channels.
pub(in crate::gan::models) fn convolutional(spec: &ModelSpec) -> Result<Autoencoder, GanError> {
    const KERNEL: usize = 4;
    const STRIDE: usize = 2;
    const PADDING: usize = 1;
    let Plan { start, doublings } = dcgan::plan(spec.size)?;
    // Channels of the maps, from the image on.
    let mut channels = vec![spec.channels];
    channels.extend((0..doublings).map(|halving| spec.width << halving));
    let deepest = channels[channels.len() - 1];
    let units = deepest * start * start;
    let hidden = (doublings == 2).then_some(4 * spec.width);

    let mut encoder = Graph::builder(Initializer::XavierUniform);
    let mut x = encoder.input(name::IMAGES, &spec.image());
    for pair in channels.windows(2) {
        let (kernel, stride, padding) = (KERNEL, STRIDE, PADDING);
        let reduce = Conv2d { inputs: pair[0], outputs: pair[1], kernel, stride, padding, bias: Bias::Yes };
        x = encoder.chain(x, [reduce.into(), Activation::Relu.into()]);
    }
    x = encoder.node(Reshape { shape: vec![units] }, &[x]);
    if let Some(hidden) = hidden {
        x = encoder.chain(x, [Linear::new(units, hidden).into(), Activation::Relu.into()]);
    }
    let encoder = finish_encoder(encoder, x, hidden.unwrap_or(units), spec.latent)?;

    let mut layers: Vec<Layer> = Vec::new();
    if let Some(hidden) = hidden {
        layers.extend([Linear::new(spec.latent, hidden).into(), Activation::Relu.into()]);
    }
    layers.push(Linear::new(hidden.unwrap_or(spec.latent), units).into());
    layers.push(Reshape { shape: vec![deepest, start, start] }.into());
    for pair in channels.windows(2).rev() {
        let (kernel, stride, padding) = (KERNEL, STRIDE, PADDING);
        let enlarge = ConvTranspose2d {
            inputs: pair[1],
            outputs: pair[0],
            kernel,
            stride,
            padding,
            output_padding: 0,
            bias: Bias::Yes,
        };
        layers.extend([Activation::Relu.into(), enlarge.into()]);
    }
    Ok(Autoencoder { encoder, decoder: decoder(spec.latent, layers)? })
}
