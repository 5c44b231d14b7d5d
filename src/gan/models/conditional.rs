//! Images of a class that one asks for.

use super::{Tells, Wish, dcgan, game};
use crate::gan::error::GanError;
use crate::gan::objectives::AuxiliaryClassifier;
use crate::gan::systems::{Condition, System};
use crate::gan::train::TrainConfig;

/// Both networks are given the class: beside z, and as constant maps beside the image (Mirza and Osindero 2014, with the
/// networks of DCGAN).
pub(super) fn of_both(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    let condition = Condition::Class { classes: config.networks.classes };
    game(
        config,
        dcgan::pair,
        &Wish { condition, judges_condition: true, tells: Tells::Nothing, ..Wish::default() },
        |game| game,
    )
}

/// The generator is given the class, the discriminator tells it (Odena, Olah and Shlens 2017, with the networks of DCGAN).
pub(super) fn auxiliary(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    let condition = Condition::Class { classes: config.networks.classes };
    let wish = Wish { condition, judges_condition: false, tells: Tells::Class, ..Wish::default() };
    game(config, dcgan::pair, &wish, |game| Box::new(AuxiliaryClassifier::new(game)))
}
