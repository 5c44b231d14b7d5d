//! Semi-supervised classification by a GAN, and the same classifier without one.

use super::{CriticNormalization, ModelSpec, PixelRange, Wanted, Wish, alone, dcgan, heads, refuse_settings_of_games};
use crate::gan::error::GanError;
use crate::gan::layers::{Activation, Dropout, Initializer, Layer, Linear, Reshape};
use crate::gan::networks::{Graph, name};
use crate::gan::objectives::CriticKind;
use crate::gan::optim::Rule;
use crate::gan::systems::{Classifier, Condition, Labelling, SemiSupervised, System};
use crate::gan::train::TrainConfig;

/// Of Salimans et al. (2016), for images of natural scenes.
const RULE: Rule = Rule::adam(3e-4, 0.5, 0.999);

/// What drops out of images and of maps, as in their networks for images of natural scenes: few labels are learnt by heart without.
const OF_PIXELS: Dropout = Dropout { p: 0.2 };
const OF_MAPS: Dropout = Dropout { p: 0.5 };

/// The features, which the generator matches.
const FEATURES: usize = 128;

const RANGE: PixelRange = PixelRange::Symmetric;

/// Convolutions as in DCGAN's discriminator, whose last map goes through a layer of features to the logits of classes; dropout before
/// all but the last. Nothing normalises where nothing is said: moments of batches, each of labelled, unlabelled or generated images,
/// would hide how they differ from each other.
fn discriminator(config: &TrainConfig) -> Result<Graph, GanError> {
    let spec = &config.networks;
    let normalization = spec.critic_normalization.unwrap_or(CriticNormalization::None);
    let wanted = Wanted { wish: &Wish::default(), critic: CriticKind::Classes, normalization };
    let plan = dcgan::plan(spec.size)?;
    let mut graph = Graph::builder(Initializer::Dcgan);
    graph.spectral_norm(normalization == CriticNormalization::Spectral);
    let images = graph.input(name::IMAGES, &spec.image());
    let mut map = graph.node(OF_PIXELS, &[images]);
    let (mut channels, mut side) = (spec.channels, spec.size);
    for halving in 0..plan.doublings {
        let width = spec.of_discriminator() << halving;
        side /= 2;
        // The images themselves are not normalised.
        let normalised = (halving > 0).then(|| wanted.normalisation(&[width, side, side])).flatten();
        let convolution: Layer = dcgan::reduce(channels, width);
        map = graph.chain(map, std::iter::once(convolution).chain(normalised).chain([SLOPE.into(), OF_MAPS.into()]));
        channels = width;
    }
    let length = channels * side * side;
    let row = [Reshape { shape: vec![length] }.into(), Linear::new(length, FEATURES).into(), SLOPE.into()];
    let features = graph.chain(map, row);
    let features = heads::features(&mut graph, features, FEATURES, spec);
    heads::finish(&mut graph, features, None, spec, &wanted);
    graph.build()
}

const SLOPE: Activation = Activation::LeakyRelu(0.2);

fn labelling(config: &TrainConfig) -> Labelling {
    Labelling { classes: config.networks.classes, labels: config.networks.labels }
}

/// With unlabelled and generated images (Salimans et al. 2016).
pub(super) fn game(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    refuse_settings_of_games(config)?;
    let spec = &config.networks;
    let generator = dcgan::generator(spec, dcgan::plan(spec.size)?, Condition::None)?;
    let networks = [generator, discriminator(config)?];
    Ok(Box::new(SemiSupervised::new(spec.model.clone(), networks, RANGE, labelling(config), RULE)?))
}

/// Whether there is a classifier of these sizes.
pub(super) fn check_classifier(spec: &ModelSpec) -> Result<(), GanError> {
    alone::check_no_latent(spec)?;
    dcgan::check(spec)
}

/// With labelled images alone.
pub(super) fn classifier(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    refuse_settings_of_games(config)?;
    alone::check_normal(config)?;
    let title = config.networks.model.clone();
    Ok(Box::new(Classifier::new(title, discriminator(config)?, RANGE, labelling(config), RULE)?))
}
