//! BiGAN: fully connected networks.

use super::{ModelSpec, PixelRange, refuse_settings_of_games};
use crate::gan::error::GanError;
use crate::gan::layers::{Activation, BatchNorm, Concat, Initializer, Layer, Linear, Reshape};
use crate::gan::networks::{Graph, name};
use crate::gan::optim::Rule;
use crate::gan::systems::{Bidirectional, System, Trio};
use crate::gan::train::TrainConfig;

const INITIALIZER: Initializer = Initializer::XavierUniform;
const SLOPE: Activation = Activation::LeakyRelu(0.2);

/// Two hidden layers in each network, batch normalisation in all but the first ones of encoder and discriminator (Donahue,
/// Krähenbühl and Darrell 2017, whose layers have 1024 units).
pub(super) fn make(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    let spec = &config.networks;
    refuse_settings_of_games(config)?;
    if spec.critic_normalization.is_some() || spec.minibatch_discrimination {
        let requirement = "that of the paper, without minibatch discrimination, for this model";
        return Err(GanError::setting("the discriminator's normalisation", "another", requirement));
    }
    let trio = Trio {
        generator: generator(spec)?,
        encoder: encoder(spec)?,
        discriminator: discriminator(spec)?,
        range: PixelRange::Unit,
    };
    Ok(Box::new(Bidirectional::new(spec.model.clone(), trio, Rule::DCGAN)?))
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
fn trunk(inputs: usize, width: usize, outputs: usize) -> [Layer; 6] {
    [
        Linear::new(inputs, width).into(),
        SLOPE.into(),
        Linear::new(width, width).into(),
        BatchNorm { channels: width }.into(),
        SLOPE.into(),
        Linear::new(width, outputs).into(),
    ]
}

fn encoder(spec: &ModelSpec) -> Result<Graph, GanError> {
    let row: Layer = Reshape { shape: vec![pixels(spec)] }.into();
    let layers = std::iter::once(row).chain(trunk(pixels(spec), spec.width, spec.latent));
    Graph::chain((name::IMAGES, &spec.image()), layers, name::CODE, INITIALIZER)
}

fn discriminator(spec: &ModelSpec) -> Result<Graph, GanError> {
    let mut graph = Graph::builder(INITIALIZER);
    let (x, z) = (graph.input(name::IMAGES, &spec.image()), graph.input(name::Z, &[spec.latent]));
    let row = graph.node(Reshape { shape: vec![pixels(spec)] }, &[x]);
    let both = graph.node(Concat, &[row, z]);
    let logit = graph.chain(both, trunk(pixels(spec) + spec.latent, spec.of_discriminator(), 1));
    graph.output(name::LOGIT, logit);
    graph.build()
}
