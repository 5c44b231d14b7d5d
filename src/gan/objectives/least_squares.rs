//! Least squares instead of cross entropy.

use super::spec::Named;
use super::{Defaults, Game, Objective, WITHOUT_DOUBT};
use crate::gan::error::GanError;
use crate::gan::optim::Rule;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// The critic minimises ½E(v(x) − 1)² + ½E v(G(z))², the generator ½E(v(G(z)) − 1)² (Mao et al. 2017).
#[derive(Debug, Clone, Copy)]
pub struct LeastSquares;

impl Named for LeastSquares {
    const NAME: &'static str = "least-squares";
    const ABOUT: &'static str = "squared distances of the critic's output from 1 (real) and 0 (generated)";
    const PAPER: &'static str = "Mao et al. 2017";
    const DEFAULTS: Defaults = Defaults::both(Rule::DCGAN, 1);

    fn read(parameter: Option<&str>) -> Result<Option<Self>, GanError> {
        Ok(parameter.is_none().then_some(LeastSquares))
    }
}

impl<T: Real> Objective<T> for LeastSquares {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let ([real, fake], half) = (game.logits()?, T::of(0.5));
        real.shift(-T::ONE).square().mean().scale(half).add(&fake.square().mean().scale(half))
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        Ok(game.fake.logit()?.shift(-T::ONE).square().mean().scale(T::of(0.5)))
    }

    fn won_below(&self) -> Option<f64> {
        Some(WITHOUT_DOUBT / 2.0)
    }
}
