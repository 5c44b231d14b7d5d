//! Fully connected networks for points: samples of a few numbers, which can be drawn and whose distribution is known.

use super::{CriticNormalization, ModelSpec, PixelRange, Wanted, Wish, adversarial, heads};
use crate::gan::error::GanError;
use crate::gan::layers::{Activation, Initializer, Layer, Linear};
use crate::gan::networks::{Graph, name};
use crate::gan::objectives::Defaults;
use crate::gan::optim::Rule;
use crate::gan::systems::{Pair, System};
use crate::gan::train::TrainConfig;

/// Small networks on data of two numbers bear a larger step than those of images.
const RULE: Rule = Rule::adam(1e-3, 0.5, 0.9);

/// The game of the configuration. An objective that steps as DCGAN does steps by [`RULE`] here; the others as in their paper.
pub(super) fn system(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    let defaults = config.objective.entry().defaults();
    let defaults = match (defaults.generator, defaults.critic) {
        (Rule::DCGAN, Rule::DCGAN) => Defaults::both(RULE, defaults.critic_steps),
        _ => defaults,
    };
    adversarial(
        config,
        pair,
        &Wish { reconstructs: false, ..Wish::default() },
        config.objective.make::<f32>(),
        defaults,
    )
}

/// z → hidden → hidden → point with ReLU, against point → hidden → hidden → logit with LeakyReLU(0.2), no normalisation unless it is
/// asked for (the networks of Metz et al. 2017 in shape).
fn pair(spec: &ModelSpec, wanted: &Wanted<'_>) -> Result<Pair, GanError> {
    let generator = rows([spec.latent, spec.width, spec.dimensions], Activation::Relu, |_| None);
    Ok(Pair {
        generator: Graph::chain((name::Z, &[spec.latent]), generator, name::IMAGES, INITIALIZER)?,
        discriminator: discriminator(spec, wanted)?,
        condition: wanted.wish.condition,
        range: PixelRange::Unbounded,
    })
}

/// Biases that differ from unit to unit give a discriminator of two numbers bends away from the origin from the first step on.
const INITIALIZER: Initializer = Initializer::FanInUniform;

/// Two hidden layers and what a last one makes of them.
fn rows(
    [inputs, width, outputs]: [usize; 3],
    activation: Activation,
    normalisation: impl Fn(&[usize]) -> Option<Layer>,
) -> Vec<Layer> {
    let hidden = |inputs| {
        let linear: Layer = Linear::new(inputs, width).into();
        std::iter::once(linear).chain(normalisation(&[width])).chain([activation.into()])
    };
    let last = (outputs > 0).then(|| Linear::new(width, outputs).into());
    hidden(inputs).chain(hidden(width)).chain(last).collect()
}

fn discriminator(spec: &ModelSpec, wanted: &Wanted<'_>) -> Result<Graph, GanError> {
    let width = spec.of_discriminator();
    let mut graph = Graph::builder(INITIALIZER);
    graph.spectral_norm(wanted.normalization == CriticNormalization::Spectral);
    let x = graph.input(name::IMAGES, &[spec.dimensions]);
    // Points need no normalisation, and batches of them tell what it would hide: how far they are spread.
    let normalisation = |map: &[usize]| wanted.normalisation_asked_for(spec, map);
    let hidden = rows([spec.dimensions, width, 0], Activation::LeakyRelu(0.2), normalisation);
    let flat = graph.chain(x, hidden);
    let features = heads::features(&mut graph, flat, width, spec);
    heads::finish(&mut graph, features, None, spec, wanted);
    graph.build()
}
