//! The game of Goodfellow et al. 2014 as they analyse it.

use super::non_saturating::cross_entropy;
use super::spec::Named;
use super::{Defaults, Game, Objective, WITHOUT_DOUBT};
use crate::gan::error::GanError;
use crate::gan::optim::Rule;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// E ln σ(v(x)) + E ln(1 − σ(v(G(z)))), maximised by the critic and minimised by the generator (Goodfellow et al. 2014,
/// equation 1).
#[derive(Debug, Clone, Copy)]
pub struct Minimax;

impl Named for Minimax {
    const NAME: &'static str = "minimax";
    const ABOUT: &'static str =
        "cross entropy; the generator minimises ln(1 − D(G(z))), whose gradient vanishes while D wins";
    const PAPER: &'static str = "Goodfellow et al. 2014, equation 1";
    const DEFAULTS: Defaults = Defaults::both(Rule::DCGAN, 1);

    fn read(parameter: Option<&str>) -> Result<Option<Self>, GanError> {
        Ok(parameter.is_none().then_some(Minimax))
    }
}

impl<T: Real> Objective<T> for Minimax {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        cross_entropy(game)
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        Ok(game.fake.logit()?.softplus().mean().neg())
    }

    fn has_probabilities(&self) -> bool {
        true
    }

    fn won_below(&self) -> Option<f64> {
        Some(WITHOUT_DOUBT)
    }
}
