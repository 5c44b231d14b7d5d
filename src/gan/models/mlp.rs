//! Fully connected networks.

use super::{CriticNormalization, ModelSpec, PixelRange, Wanted, heads};
use crate::gan::error::GanError;
use crate::gan::layers::{Activation, Concat, Initializer, Layer, Linear, Reshape};
use crate::gan::networks::{Graph, name};
use crate::gan::objectives::CriticKind;
use crate::gan::systems::{Condition, Pair};

/// A generator z → hidden → pixels with ReLU and sigmoid, a discriminator pixels → hidden → logit with LeakyReLU
/// (Goodfellow et al. 2014, with one hidden layer each); as an autoencoder, pixels → hidden → code → hidden → pixels. A
/// condition stands beside z and, where it is judged, beside the pixels.
pub(super) fn pair(spec: &ModelSpec, wanted: &Wanted<'_>) -> Result<Pair, GanError> {
    let condition = wanted.wish.condition;
    Ok(Pair {
        generator: generator(spec, condition)?,
        discriminator: discriminator(spec, wanted)?,
        condition,
        range: PixelRange::Unit,
    })
}

const INITIALIZER: Initializer = Initializer::XavierUniform;

/// From a row of numbers to an image.
fn decoder(spec: &ModelSpec, inputs: usize) -> [Layer; 5] {
    let (image, hidden) = (spec.image(), spec.width);
    [
        Linear::new(inputs, hidden).into(),
        Activation::Relu.into(),
        Linear::new(hidden, image.iter().product()).into(),
        Activation::Sigmoid.into(),
        Reshape { shape: image.to_vec() }.into(),
    ]
}

fn generator(spec: &ModelSpec, condition: Condition) -> Result<Graph, GanError> {
    let mut graph = Graph::builder(INITIALIZER);
    let mut x = graph.input(name::Z, &[spec.latent]);
    if !condition.is_empty() {
        let given = graph.input(name::LABELS, &[condition.len()]);
        x = graph.node(Concat, &[x, given]);
    }
    let images = graph.chain(x, decoder(spec, spec.latent + condition.len()));
    graph.output(name::IMAGES, images);
    graph.build()
}

fn discriminator(spec: &ModelSpec, wanted: &Wanted<'_>) -> Result<Graph, GanError> {
    let (pixels, hidden) = (spec.image().iter().product(), spec.of_discriminator());
    let mut graph = Graph::builder(INITIALIZER);
    graph.spectral_norm(wanted.normalization == CriticNormalization::Spectral);
    let x = graph.input(name::IMAGES, &spec.image());
    let (mut row, mut length) = (graph.node(Reshape { shape: vec![pixels] }, &[x]), pixels);
    if wanted.wish.judges_condition {
        let given = graph.input(name::LABELS, &[wanted.wish.condition.len()]);
        row = graph.node(Concat, &[row, given]);
        length += wanted.wish.condition.len();
    }
    let linear: Layer = Linear::new(length, hidden).into();
    let normalised = wanted.normalisation_asked_for(spec, &[hidden]);
    let flat = graph.chain(row, std::iter::once(linear).chain(normalised).chain([Activation::LeakyRelu(0.2).into()]));
    if wanted.critic == CriticKind::Autoencoder {
        let code = graph.node(Linear::new(hidden, heads::CODE), &[flat]);
        let image = graph.chain(code, decoder(spec, heads::CODE));
        graph.output(name::RECONSTRUCTION, image).output(name::CODE, code);
    } else {
        let features = heads::features(&mut graph, flat, hidden, spec);
        heads::finish(&mut graph, features, None, spec, wanted);
    }
    graph.build()
}
