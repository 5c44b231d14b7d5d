//! DCGAN at several resolutions.

use super::{ModelSpec, PixelRange, Wanted};
use crate::gan::error::GanError;
use crate::gan::layers::{Activation, BatchNorm, Bias, Conv2d, ConvTranspose2d, Initializer, Layer, Linear, Reshape};
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

fn reduce(inputs: usize, outputs: usize) -> Layer {
    Conv2d { inputs, outputs, kernel: KERNEL, stride: STRIDE, padding: PADDING, bias: Bias::No }.into()
}

/// Batch normalisation everywhere but at the generator's output and the discriminator's input, ReLU and tanh in the
/// generator, LeakyReLU(0.2) in the discriminator, no bias, no fully connected hidden layer (Radford, Metz and Chintala
/// 2016). As an autoencoder the discriminator ends in a code, from which a generator of its width makes an image.
pub(super) fn pair(spec: &ModelSpec, wanted: Wanted) -> Result<Pair, GanError> {
    let plan = plan(spec.size)?;
    let initializer = Initializer::Dcgan;
    let layers = decoder(plan, spec.latent, spec.width, spec.channels);
    let generator = Graph::chain((name::Z, &[spec.latent, 1, 1]), layers, name::IMAGES, initializer)?;
    let mut discriminator = Graph::builder(initializer);
    let x = discriminator.input(name::IMAGES, &spec.image());
    let (map, width) = encoder(&mut discriminator, x, plan, spec, wanted);
    match wanted.critic {
        CriticKind::Logit => {
            let (kernel, stride, padding) = (plan.start, 1, 0);
            let last = Conv2d { inputs: width, outputs: 1, kernel, stride, padding, bias: Bias::No };
            let logit = discriminator.node(last, &[map]);
            let features = discriminator.node(Reshape { shape: vec![width * plan.start * plan.start] }, &[map]);
            discriminator.output(name::LOGIT, logit).output(name::FEATURES, features);
        }
        CriticKind::Autoencoder => {
            /// Length of a code: far fewer than pixels, so that not everything passes.
            const CODE: usize = 32;
            let area = plan.start * plan.start;
            let flat = discriminator.node(Reshape { shape: vec![width * area] }, &[map]);
            let code = discriminator.node(Linear::new(width * area, CODE), &[flat]);
            let map = discriminator.node(Reshape { shape: vec![CODE, 1, 1] }, &[code]);
            let image = discriminator.chain(map, decoder(plan, CODE, spec.of_discriminator(), spec.channels));
            discriminator.output(name::RECONSTRUCTION, image).output(name::CODE, code);
        }
    }
    Ok(Pair {
        generator,
        discriminator: discriminator.build()?,
        condition: Condition::None,
        range: PixelRange::Symmetric,
    })
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
fn encoder(graph: &mut GraphBuilder, x: Source, plan: Plan, spec: &ModelSpec, wanted: Wanted) -> (Source, usize) {
    let mut width = spec.of_discriminator();
    let mut side = spec.size / 2;
    let mut map = graph.chain(x, [reduce(spec.channels, width), Activation::LeakyRelu(0.2).into()]);
    for _ in 1..plan.doublings {
        (width, side) = (2 * width, side / 2);
        let normalised = wanted.normalisation(&[width, side, side]);
        map = graph.chain(map, [reduce(width / 2, width), normalised, Activation::LeakyRelu(0.2).into()]);
    }
    (map, width)
}
