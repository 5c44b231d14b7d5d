//! CatGAN: a discriminator that sorts.

use super::{Wish, adversarial, dcgan};
use crate::gan::error::GanError;
use crate::gan::objectives::{Categorical, Defaults};
use crate::gan::optim::Rule;
use crate::gan::systems::System;
use crate::gan::train::TrainConfig;

/// The networks of DCGAN, whose discriminator gives logits of classes (Springenberg 2016).
pub(super) fn make(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    let objective = Box::new(Categorical::default());
    adversarial(config, dcgan::pair, &Wish::default(), objective, Defaults::both(Rule::DCGAN, 1))
}
