//! A margin for the critic.

use super::spec::Named;
use super::{Defaults, Game, Objective, WITHOUT_DOUBT};
use crate::gan::error::GanError;
use crate::gan::optim::Rule;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// The critic minimises E max(0, 1 − v(x)) + E max(0, 1 + v(G(z))), the generator −E v(G(z)) (Lim and Ye 2017).
#[derive(Debug, Clone, Copy)]
pub struct Hinge;

impl Named for Hinge {
    const NAME: &'static str = "hinge";
    const ABOUT: &'static str = "the critic wants a margin of 1 on both sides, the generator its output";
    const PAPER: &'static str = "Lim and Ye 2017; optimizer of Miyato et al. 2018";
    const DEFAULTS: Defaults = Defaults::both(Rule::adam(2e-4, 0.0, 0.9), 1);

    fn read(parameter: Option<&str>) -> Result<Option<Self>, GanError> {
        Ok(parameter.is_none().then_some(Hinge))
    }
}

impl<T: Real> Objective<T> for Hinge {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let [real, fake] = game.logits()?;
        real.neg().shift(T::ONE).relu().mean().add(&fake.shift(T::ONE).relu().mean())
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        Ok(game.fake.logit()?.mean().neg())
    }

    fn won_below(&self) -> Option<f64> {
        Some(WITHOUT_DOUBT)
    }
}
