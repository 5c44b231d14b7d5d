//! Semi-supervised classification by a GAN, and the same classifier without one.

use super::{CriticNormalization, ModelSpec, Wanted, Wish, alone, dcgan, refuse_settings_of_games};
use crate::gan::error::GanError;
use crate::gan::objectives::CriticKind;
use crate::gan::optim::Rule;
use crate::gan::systems::{Classifier, Labelling, Pair, SemiSupervised, System};
use crate::gan::train::TrainConfig;

/// Of Salimans et al. (2016), for images of natural scenes.
const RULE: Rule = Rule::adam(3e-4, 0.5, 0.999);

/// The networks of DCGAN, whose discriminator gives logits of classes.
fn pair(config: &TrainConfig) -> Result<Pair, GanError> {
    refuse_settings_of_games(config)?;
    let normalization = config.networks.critic_normalization.unwrap_or(CriticNormalization::Batch);
    dcgan::pair(&config.networks, &Wanted { wish: &Wish::default(), critic: CriticKind::Classes, normalization })
}

fn labelling(config: &TrainConfig) -> Labelling {
    Labelling { classes: config.networks.classes, labels: config.networks.labels }
}

/// With unlabelled and generated images (Salimans et al. 2016).
pub(super) fn game(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    let Pair { generator, discriminator, range, .. } = pair(config)?;
    let title = config.networks.model.clone();
    Ok(Box::new(SemiSupervised::new(title, [generator, discriminator], range, labelling(config), RULE)?))
}

/// Whether there is a classifier of these sizes.
pub(super) fn check_classifier(spec: &ModelSpec) -> Result<(), GanError> {
    alone::check_no_latent(spec)?;
    dcgan::check(spec)
}

/// With labelled images alone.
pub(super) fn classifier(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    alone::check_normal(config)?;
    let Pair { discriminator, range, .. } = pair(config)?;
    let title = config.networks.model.clone();
    Ok(Box::new(Classifier::new(title, discriminator, range, labelling(config), RULE)?))
}
