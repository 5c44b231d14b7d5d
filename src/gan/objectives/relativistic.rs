//! Relativistic average games: is a real image more real than generated ones are on average?

use super::spec::Named;
use super::{Defaults, Game, Objective, WITHOUT_DOUBT};
use crate::gan::error::GanError;
use crate::gan::optim::Rule;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// With r = v(x) − E v(G(z)) and f = v(G(z)) − E v(x), the critic minimises ½E softplus(−r) + ½E softplus(f), the generator
/// ½E softplus(r) + ½E softplus(−f) (Jolicoeur-Martineau 2018; the ½ is of her code). The means carry gradients too.
#[derive(Debug, Clone, Copy)]
pub struct Relativistic;

/// The critic minimises ½E(r − 1)² + ½E(f + 1)², the generator ½E(r + 1)² + ½E(f − 1)².
#[derive(Debug, Clone, Copy)]
pub struct RelativisticLeastSquares;

const PAPER: &str = "Jolicoeur-Martineau 2018";
const DEFAULTS: Defaults = Defaults::both(Rule::DCGAN, 1);

impl Named for Relativistic {
    const NAME: &'static str = "relativistic";
    const ABOUT: &'static str = "cross entropy of outputs against the mean of the other side, for both players";
    const PAPER: &'static str = PAPER;
    const DEFAULTS: Defaults = DEFAULTS;

    fn read(parameter: Option<&str>) -> Result<Option<Self>, GanError> {
        Ok(parameter.is_none().then_some(Relativistic))
    }
}

impl Named for RelativisticLeastSquares {
    const NAME: &'static str = "relativistic-least-squares";
    const ABOUT: &'static str = "squared distances of outputs from the mean of the other side, for both players";
    const PAPER: &'static str = PAPER;
    const DEFAULTS: Defaults = DEFAULTS;

    fn read(parameter: Option<&str>) -> Result<Option<Self>, GanError> {
        Ok(parameter.is_none().then_some(RelativisticLeastSquares))
    }
}

/// r and f.
fn differences<T: Real>(game: &Game<'_, T>) -> Result<[Var<T>; 2], GanError> {
    let [real, fake] = game.logits()?;
    Ok([real.sub(&fake.mean())?, fake.sub(&real.mean())?])
}

fn half<T: Real>(a: &Var<T>, b: &Var<T>) -> Result<Var<T>, GanError> {
    Ok(a.mean().add(&b.mean())?.scale(T::of(0.5)))
}

impl<T: Real> Objective<T> for Relativistic {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let [real, fake] = differences(game)?;
        half(&real.neg().softplus(), &fake.softplus())
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let [real, fake] = differences(game)?;
        half(&real.softplus(), &fake.neg().softplus())
    }

    fn generator_sees_real(&self) -> bool {
        true
    }

    fn won_below(&self) -> Option<f64> {
        Some(WITHOUT_DOUBT / 2.0)
    }
}

impl<T: Real> Objective<T> for RelativisticLeastSquares {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let [real, fake] = differences(game)?;
        half(&real.shift(-T::ONE).square(), &fake.shift(T::ONE).square())
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let [real, fake] = differences(game)?;
        half(&real.shift(T::ONE).square(), &fake.shift(-T::ONE).square())
    }

    fn generator_sees_real(&self) -> bool {
        true
    }

    fn won_below(&self) -> Option<f64> {
        Some(WITHOUT_DOUBT / 2.0)
    }
}
