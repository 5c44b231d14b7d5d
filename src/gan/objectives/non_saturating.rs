//! The game of Goodfellow et al. 2014 as they play it.

use super::spec::Named;
use super::{Defaults, Game, Objective, WITHOUT_DOUBT};
use crate::gan::error::GanError;
use crate::gan::optim::Rule;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// The critic minimises −E ln σ(v(x)) − E ln(1 − σ(v(G(z)))); the generator −E ln σ(v(G(z))), which has gradients while it
/// is losing (Goodfellow et al. 2014, section 3).
#[derive(Debug, Clone, Copy)]
pub struct NonSaturating;

impl Named for NonSaturating {
    const NAME: &'static str = "non-saturating";
    const ABOUT: &'static str = "cross entropy; the generator maximises ln D(G(z))";
    const PAPER: &'static str = "Goodfellow et al. 2014, section 3";
    const DEFAULTS: Defaults = Defaults::both(Rule::DCGAN, 1);

    fn read(parameter: Option<&str>) -> Result<Option<Self>, GanError> {
        Ok(parameter.is_none().then_some(NonSaturating))
    }
}

impl<T: Real> Objective<T> for NonSaturating {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        cross_entropy(game)
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        Ok(game.fake.logit()?.neg().softplus().mean())
    }

    fn has_probabilities(&self) -> bool {
        true
    }

    fn won_below(&self) -> Option<f64> {
        Some(WITHOUT_DOUBT)
    }
}

/// Cross entropy with the label t of real images: −t·ln σ(v) − (1−t)·ln(1−σ(v)), and −ln(1−σ(v)) of generated ones.
pub(super) fn cross_entropy<T: Real>(game: &Game<'_, T>) -> Result<Var<T>, GanError> {
    let [real, fake] = game.logits()?;
    let accepted = real.neg().softplus().mean().scale(T::of(game.real_label));
    let of_real = match game.real_label < 1.0 {
        true => accepted.add(&real.softplus().mean().scale(T::of(1.0 - game.real_label)))?,
        false => accepted,
    };
    of_real.add(&fake.softplus().mean())
}
