//! SAGAN: residual networks with self-attention.

use super::residual::{attention, down, first, up};
use super::{CriticNormalization, ModelSpec, PixelRange, Wanted, Wish, adversarial, dcgan, heads};
use crate::gan::error::GanError;
use crate::gan::layers::{
    Activation, BatchNorm, Conv2d, Embedding, Initializer, Linear, Projection, Reshape, SpaceSum, Sum,
};
use crate::gan::networks::{Graph, name};
use crate::gan::objectives::Defaults;
use crate::gan::optim::Rule;
use crate::gan::systems::{Condition, Pair, System};
use crate::gan::train::TrainConfig;

/// The critic learns four times as fast as the generator (Heusel et al. 2017).
const DEFAULTS: Defaults =
    Defaults { generator: Rule::adam(1e-4, 0.0, 0.9), critic: Rule::adam(4e-4, 0.0, 0.9), critic_steps: 1 };

/// Weights of both networks are divided by their largest singular values (Zhang, Goodfellow, Metaxas and Odena 2019).
pub(super) fn plain(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    make(config, &Wish { normalization: CriticNormalization::Spectral, ..Wish::default() })
}

/// With classes: batch normalisation of the generator has a scale and a shift for each, and the critic adds the inner product of
/// its features with a row for the class (Miyato and Koyama 2018).
pub(super) fn of_class(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    let condition = Condition::Class { classes: config.networks.classes };
    let normalization = CriticNormalization::Spectral;
    make(config, &Wish { condition, judges_condition: true, normalization, ..Wish::default() })
}

fn make(config: &TrainConfig, wish: &Wish) -> Result<Box<dyn System>, GanError> {
    let wish = &Wish { reconstructs: false, ..*wish };
    let objective = config.objective.make::<f32>();
    let defaults = Defaults { critic_steps: config.objective.entry().defaults().critic_steps, ..DEFAULTS };
    adversarial(config, pair, wish, objective, defaults)
}

fn pair(spec: &ModelSpec, wanted: &Wanted<'_>) -> Result<Pair, GanError> {
    let condition = wanted.wish.condition;
    let (generator, discriminator) = (generator(spec, condition)?, discriminator(spec, wanted)?);
    Ok(Pair { generator, discriminator, condition, range: PixelRange::Symmetric })
}

/// Side of the maps whose positions see each other: half that of the images, and at most 32, beyond which the products of all
/// positions take more than the convolutions.
fn attended(size: usize) -> usize {
    (size / 2).min(32)
}

/// The side below which the critic's maps are not halved any more.
const SMALLEST: usize = 8;

fn generator(spec: &ModelSpec, condition: Condition) -> Result<Graph, GanError> {
    let (plan, channels) = (dcgan::plan(spec.size)?, spec.width);
    let mut graph = Graph::builder(Initializer::XavierUniform);
    graph.spectral_norm(true);
    let z = graph.input(name::Z, &[spec.latent]);
    let classes = (!condition.is_empty()).then(|| (graph.input(name::LABELS, &[condition.len()]), condition.len()));
    let mut side = plan.start;
    let shape = vec![channels, side, side];
    let mut map = graph.chain(z, [Linear::new(spec.latent, shape.iter().product()).into(), Reshape { shape }.into()]);
    for _ in 0..plan.doublings {
        map = up(&mut graph, map, channels, classes);
        side *= 2;
        if side == attended(spec.size) {
            map = attention(&mut graph, map, channels, side);
        }
    }
    let last = [
        BatchNorm { channels }.into(),
        Activation::Relu.into(),
        Conv2d::same(channels, spec.channels, 3).into(),
        Activation::Tanh.into(),
    ];
    let images = graph.chain(map, last);
    graph.output(name::IMAGES, images);
    graph.build()
}

fn discriminator(spec: &ModelSpec, wanted: &Wanted<'_>) -> Result<Graph, GanError> {
    let (channels, condition) = (spec.of_discriminator(), wanted.wish.condition);
    let mut graph = Graph::builder(Initializer::XavierUniform);
    graph.spectral_norm(wanted.normalization == CriticNormalization::Spectral);
    let images = graph.input(name::IMAGES, &spec.image());
    let labels = wanted.wish.judges_condition.then(|| graph.input(name::LABELS, &[condition.len()]));
    let mut map = first(&mut graph, images, [spec.channels, channels, spec.size], wanted);
    let mut side = spec.size / 2;
    loop {
        if side == attended(spec.size) {
            map = attention(&mut graph, map, channels, side);
        }
        if side <= SMALLEST {
            break;
        }
        map = down(&mut graph, map, [channels, side], true, wanted);
        side /= 2;
    }
    for _ in 0..2 {
        map = down(&mut graph, map, [channels, side], false, wanted);
    }
    let row = graph.chain(map, [Activation::Relu.into(), SpaceSum.into()]);
    let (features, length) = heads::features(&mut graph, row, channels, spec);
    let logit = labels.map(|labels| {
        let plain = graph.node(Linear::new(length, 1), &[features]);
        let of_class = graph.node(Embedding { classes: condition.len(), length }, &[labels]);
        let fit = graph.node(Projection, &[features, of_class]);
        graph.node(Sum, &[plain, fit])
    });
    heads::finish(&mut graph, (features, length), logit, spec, wanted);
    graph.build()
}
