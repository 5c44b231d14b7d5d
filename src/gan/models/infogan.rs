//! InfoGAN: what the generator is told can be read off its images.

use super::{Tells, Wish, dcgan, game};
use crate::gan::error::GanError;
use crate::gan::objectives::MutualInformation;
use crate::gan::systems::{Condition, System};
use crate::gan::train::TrainConfig;

/// Numbers of the code beside its category, as for the digits of the paper.
const NUMBERS: usize = 2;

/// The generator is given a category and two numbers, which the discriminator tells from the image by a head of its own
/// (Chen et al. 2016, with the networks of DCGAN).
pub(super) fn make(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    let categories = config.networks.classes;
    let condition = Condition::Code { categories, numbers: NUMBERS };
    let wish = Wish { condition, judges_condition: false, tells: Tells::Code { numbers: NUMBERS }, ..Wish::default() };
    game(config, dcgan::pair, &wish, |game| Box::new(MutualInformation::new(game, categories, NUMBERS)))
}
