//! BiGAN: fully connected networks.

use super::{CriticNormalization, ModelSpec, PixelRange, Wanted, Wish, left_alone, refuse_other_games, regularized};
use crate::gan::error::GanError;
use crate::gan::layers::{Activation, BatchNorm, Concat, Initializer, Layer, Linear, Reshape};
use crate::gan::networks::{Graph, name};
use crate::gan::objectives::CriticKind;
use crate::gan::optim::Rule;
use crate::gan::systems::{Bidirectional, System, Trio};
use crate::gan::train::TrainConfig;

const INITIALIZER: Initializer = Initializer::XavierUniform;
const SLOPE: Activation = Activation::LeakyRelu(0.2);

/// Two hidden layers in each network, batch normalisation in all but the first ones of encoder and discriminator (Donahue,
/// Krähenbühl and Darrell 2017, whose layers have 1024 units).
pub(super) fn make(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    let spec = &config.networks;
    refuse_other_games(config)?;
    if let Some(statistic) = spec.minibatch_statistic {
        return Err(left_alone("the minibatch statistic", statistic));
    }
    let wish = Wish::default();
    let (regularizers, normalization) = regularized(config, config.regularizers.clone(), &wish)?;
    let wanted = Wanted { wish: &wish, critic: CriticKind::Logit, normalization };
    let trio = Trio {
        generator: generator(spec)?,
        encoder: encoder(spec)?,
        discriminator: discriminator(spec, &wanted)?,
        range: PixelRange::Unit,
    };
    Ok(Box::new(Bidirectional::new(spec.model.clone(), trio, regularizers, Rule::DCGAN)?))
}

fn pixels(spec: &ModelSpec) -> usize {
    spec.image().iter().product()
}

fn generator(spec: &ModelSpec) -> Result<Graph, GanError> {
    let width = spec.width;
    let hidden = |inputs| -> [Layer; 3] {
        [Linear::new(inputs, width).into(), BatchNorm { channels: width }.into(), Activation::Relu.into()]
    };
    let last: [Layer; 3] = [
        Linear::new(width, pixels(spec)).into(),
        Activation::Sigmoid.into(),
        Reshape { shape: spec.image().to_vec() }.into(),
    ];
    let layers = hidden(spec.latent).into_iter().chain(hidden(width)).chain(last);
    Graph::chain((name::Z, &[spec.latent]), layers, name::IMAGES, INITIALIZER)
}

/// Two hidden layers of a network that takes rows.
fn trunk(inputs: usize, width: usize, normalization: Option<Layer>, outputs: usize) -> impl Iterator<Item = Layer> {
    let before: [Layer; 3] = [Linear::new(inputs, width).into(), SLOPE.into(), Linear::new(width, width).into()];
    let after: [Layer; 2] = [SLOPE.into(), Linear::new(width, outputs).into()];
    before.into_iter().chain(normalization).chain(after)
}

fn encoder(spec: &ModelSpec) -> Result<Graph, GanError> {
    let row: Layer = Reshape { shape: vec![pixels(spec)] }.into();
    let normalization = BatchNorm { channels: spec.width }.into();
    let layers = std::iter::once(row).chain(trunk(pixels(spec), spec.width, Some(normalization), spec.latent));
    Graph::chain((name::IMAGES, &spec.image()), layers, name::CODE, INITIALIZER)
}

fn discriminator(spec: &ModelSpec, wanted: &Wanted<'_>) -> Result<Graph, GanError> {
    let (inputs, width) = (pixels(spec) + spec.latent, spec.of_discriminator());
    let mut graph = Graph::builder(INITIALIZER);
    graph.spectral_norm(wanted.normalization == CriticNormalization::Spectral);
    let (x, z) = (graph.input(name::IMAGES, &spec.image()), graph.input(name::Z, &[spec.latent]));
    let row = graph.node(Reshape { shape: vec![pixels(spec)] }, &[x]);
    let both = graph.node(Concat, &[row, z]);
    let logit = graph.chain(both, trunk(inputs, width, wanted.normalisation(&[width]), 1));
    graph.output(name::LOGIT, logit);
    graph.build()
}
