//! f-GAN: a game for every f-divergence.

use super::spec::Named;
use super::{Defaults, Game, Objective};
use crate::divergence::Generator;
use crate::gan::error::GanError;
use crate::gan::ops::ScalarFunction;
use crate::gan::optim::Rule;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// The critic maximises E T(x) − E f*(T(G(z))) with T = g_f(v); the generator minimises −E T(G(z)), which has gradients
/// where it is losing (Nowozin, Cseke and Tomioka 2016, equation 6 and section 3.2).
#[derive(Debug, Clone, Copy)]
pub struct FGan(Generator);

/// The same for the critic; the generator minimises −E f*(T(G(z))), the bound itself (their equation 4).
#[derive(Debug, Clone, Copy)]
pub struct FGanMinimax(Generator);

const PARAMETER: Option<(&str, &str)> = Some(("DIVERGENCE", "the name of an f-divergence, as in `divergence`"));
const DEFAULTS: Defaults = Defaults::both(Rule::DCGAN, 1);

fn read(parameter: Option<&str>) -> Result<Option<Generator>, GanError> {
    let Some(name) = parameter else { return Ok(None) };
    let known = name.parse().map_err(|error| GanError::setting("the divergence", name, format!("known: {error}")))?;
    Ok(Some(known))
}

impl Named for FGan {
    const NAME: &'static str = "f-gan";
    const PARAMETER: Option<(&'static str, &'static str)> = PARAMETER;
    const ABOUT: &'static str = "the variational bound of an f-divergence; the generator maximises E T(G(z))";
    const PAPER: &'static str = "Nowozin, Cseke and Tomioka 2016, section 3.2";
    const DEFAULTS: Defaults = DEFAULTS;

    fn read(parameter: Option<&str>) -> Result<Option<Self>, GanError> {
        Ok(read(parameter)?.map(FGan))
    }

    fn parameter(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

impl Named for FGanMinimax {
    const NAME: &'static str = "f-gan-minimax";
    const PARAMETER: Option<(&'static str, &'static str)> = PARAMETER;
    const ABOUT: &'static str =
        "the variational bound of an f-divergence, which the generator minimises: −E f*(T(G(z)))";
    const PAPER: &'static str = "Nowozin, Cseke and Tomioka 2016, equation 4";
    const DEFAULTS: Defaults = DEFAULTS;

    fn read(parameter: Option<&str>) -> Result<Option<Self>, GanError> {
        Ok(read(parameter)?.map(FGanMinimax))
    }

    fn parameter(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

impl<T: Real> Objective<T> for FGan {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        bound(self.0, game)
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        Ok(game.fake.logit()?.apply(&activation(self.0)).mean().neg())
    }
}

impl<T: Real> Objective<T> for FGanMinimax {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        bound(self.0, game)
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        Ok(game.fake.logit()?.apply(&penalty(self.0)).mean().neg())
    }
}

/// The bound with its sign turned: E f*(T(G(z))) − E T(x).
fn bound<T: Real>(generator: Generator, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
    let [real, fake] = game.logits()?;
    let bound = real.apply(&activation(generator)).mean();
    fake.apply(&penalty(generator)).mean().sub(&bound)
}

fn activation(generator: Generator) -> ScalarFunction {
    let (value, slope) = (move |v| generator.activation(v), move |v| generator.activation_slope(v));
    ScalarFunction::new("the output activation of the f-GAN", value, slope)
        .with_curvature(move |v| generator.activation_curvature(v))
}

fn penalty(generator: Generator) -> ScalarFunction {
    let (value, slope) = (move |v| generator.penalty(v), move |v| generator.penalty_slope(v));
    ScalarFunction::new("the conjugate of the f-GAN", value, slope)
        .with_curvature(move |v| generator.penalty_curvature(v))
}
