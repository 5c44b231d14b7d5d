//! DCGAN at several resolutions.

use super::{CriticNormalization, ModelSpec, PixelRange, Wanted, heads};
use crate::gan::error::GanError;
use crate::gan::layers::{
    Activation, BatchNorm, Bias, Concat, Conv2d, ConvTranspose2d, Initializer, Layer, Linear, Reshape, Spread,
};
use crate::gan::networks::{Graph, GraphBuilder, Source, name};
use crate::gan::objectives::CriticKind;
use crate::gan::systems::{Condition, Pair};

/// Resolutions of a DCGAN: a first map of `start`×`start`, doubled `doublings` times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub start: usize,
    pub doublings: u32,
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

/// Whether there is a DCGAN of these sizes.
pub(super) fn check(spec: &ModelSpec) -> Result<(), GanError> {
    plan(spec.size).map(|_| ())
}

/// Kernel 4, stride 2, padding 1: halves or doubles the resolution exactly.
const KERNEL: usize = 4;
const STRIDE: usize = 2;
const PADDING: usize = 1;

fn enlarge(inputs: usize, outputs: usize) -> Layer {
    let (kernel, stride, padding) = (KERNEL, STRIDE, PADDING);
    ConvTranspose2d { inputs, outputs, kernel, stride, padding, output_padding: 0, bias: Bias::No }.into()
}

/// A convolution that halves a map.
pub(super) fn reduce(inputs: usize, outputs: usize) -> Layer {
    Conv2d { inputs, outputs, kernel: KERNEL, stride: STRIDE, padding: PADDING, bias: Bias::No }.into()
}

/// Batch normalisation everywhere but at the generator's output and the discriminator's input, ReLU and tanh in the
/// generator, LeakyReLU(0.2) in the discriminator, no bias, no fully connected hidden layer (Radford, Metz and Chintala
/// 2016). As an autoencoder the discriminator ends in a code, from which a generator of its width makes an image.
pub(super) fn pair(spec: &ModelSpec, wanted: &Wanted<'_>) -> Result<Pair, GanError> {
    let plan = plan(spec.size)?;
    let condition = wanted.wish.condition;
    Ok(Pair {
        generator: generator(spec, plan, condition)?,
        discriminator: discriminator(spec, plan, wanted)?,
        condition,
        range: PixelRange::Symmetric,
    })
}

/// From z, and a condition where there is one, to images.
pub(super) fn generator(spec: &ModelSpec, plan: Plan, condition: Condition) -> Result<Graph, GanError> {
    let inputs = spec.latent + condition.len();
    let layers = decoder(plan, inputs, spec.width, spec.channels);
    if condition.is_empty() {
        return Graph::chain((name::Z, &[inputs, 1, 1]), layers, name::IMAGES, Initializer::Dcgan);
    }
    let mut graph = Graph::builder(Initializer::Dcgan);
    let (z, given) = (graph.input(name::Z, &[spec.latent]), graph.input(name::LABELS, &[condition.len()]));
    let both = graph.node(Concat, &[z, given]);
    let map = graph.node(Reshape { shape: vec![inputs, 1, 1] }, &[both]);
    let images = graph.chain(map, layers);
    graph.output(name::IMAGES, images);
    graph.build()
}

fn discriminator(spec: &ModelSpec, plan: Plan, wanted: &Wanted<'_>) -> Result<Graph, GanError> {
    let mut graph = Graph::builder(Initializer::Dcgan);
    graph.spectral_norm(wanted.normalization == CriticNormalization::Spectral);
    let (mut x, mut channels) = (graph.input(name::IMAGES, &spec.image()), spec.channels);
    if wanted.wish.judges_condition {
        let given = graph.input(name::LABELS, &[wanted.wish.condition.len()]);
        let maps = graph.node(Spread { side: spec.size }, &[given]);
        x = graph.node(Concat, &[x, maps]);
        channels += wanted.wish.condition.len();
    }
    let (map, width) = encoder(&mut graph, x, channels, plan, spec, wanted);
    let length = width * plan.start * plan.start;
    let flat = |graph: &mut GraphBuilder| graph.node(Reshape { shape: vec![length] }, &[map]);
    match wanted.critic {
        CriticKind::Autoencoder => {
            let flat = flat(&mut graph);
            let code = graph.node(Linear::new(length, heads::CODE), &[flat]);
            let map = graph.node(Reshape { shape: vec![heads::CODE, 1, 1] }, &[code]);
            let image = graph.chain(map, decoder(plan, heads::CODE, spec.of_discriminator(), spec.channels));
            graph.output(name::RECONSTRUCTION, image).output(name::CODE, code);
        }
        CriticKind::Logit | CriticKind::Classes => {
            // As the paper has it, the verdict is a convolution; what else is told stands on the same numbers in a row.
            let by_convolution = wanted.critic == CriticKind::Logit && spec.minibatch_statistic.is_none();
            let logit = by_convolution.then(|| {
                let (kernel, stride, padding) = (plan.start, 1, 0);
                graph.node(Conv2d { inputs: width, outputs: 1, kernel, stride, padding, bias: Bias::No }, &[map])
            });
            let flat = flat(&mut graph);
            let features = heads::features(&mut graph, flat, length, spec);
            heads::finish(&mut graph, features, logit, spec, wanted);
        }
    }
    graph.build()
}

/// From a vector, as a map of one pixel, to an image.
fn decoder(plan: Plan, inputs: usize, width: usize, channels: usize) -> Vec<Layer> {
    let mut current = width << (plan.doublings - 1);
    let (kernel, stride, padding) = (plan.start, 1, 0);
    let first =
        ConvTranspose2d { inputs, outputs: current, kernel, stride, padding, output_padding: 0, bias: Bias::No };
    let hidden = |channels| -> [Layer; 2] { [BatchNorm { channels }.into(), Activation::Relu.into()] };
    let mut layers = vec![first.into()];
    layers.extend(hidden(current));
    for _ in 1..plan.doublings {
        layers.push(enlarge(current, current / 2));
        current /= 2;
        layers.extend(hidden(current));
    }
    layers.extend([enlarge(current, channels), Activation::Tanh.into()]);
    layers
}

/// From images to the last map, which has as many channels as told.
fn encoder(
    graph: &mut GraphBuilder,
    x: Source,
    channels: usize,
    plan: Plan,
    spec: &ModelSpec,
    wanted: &Wanted<'_>,
) -> (Source, usize) {
    let mut width = spec.of_discriminator();
    let mut side = spec.size / 2;
    let mut map = graph.chain(x, [reduce(channels, width), Activation::LeakyRelu(0.2).into()]);
    for _ in 1..plan.doublings {
        (width, side) = (2 * width, side / 2);
        let normalised = wanted.normalisation(&[width, side, side]);
        let layers = std::iter::once(reduce(width / 2, width)).chain(normalised);
        map = graph.chain(map, layers.chain([Activation::LeakyRelu(0.2).into()]));
    }
    (map, width)
}
