//! The Wasserstein distance by its dual: a critic whose slope is bounded.

use super::spec::{Named, positive};
use super::{Defaults, Game, Objective};
use crate::gan::error::GanError;
use crate::gan::optim::Rule;
use crate::gan::real::Real;
use crate::gan::regularizers::RegularizerSpec;
use crate::gan::tape::Var;

/// The critic maximises E v(x) − E v(G(z)) with weights clipped to ±c, the generator minimises it (Arjovsky, Chintala and
/// Bottou 2017).
#[derive(Debug, Clone, Copy)]
pub struct Wasserstein {
    clip: f64,
}

/// The same with λ·E(‖∇v(x̂)‖ − 1)² instead of clipping, x̂ between a real and a generated image (Gulrajani et al. 2017).
#[derive(Debug, Clone, Copy)]
pub struct WassersteinGradientPenalty {
    lambda: f64,
}

impl Named for Wasserstein {
    const NAME: &'static str = "wasserstein";
    const PARAMETER: Option<(&'static str, &'static str)> =
        Some(("CLIP", "the bound of every weight of the critic, 0.01 where nothing is said"));
    const ABOUT: &'static str = "the mean outputs of a critic with clipped weights";
    const PAPER: &'static str = "Arjovsky, Chintala and Bottou 2017";
    const DEFAULTS: Defaults = Defaults::both(Rule::RmsProp { learning_rate: 5e-5, alpha: 0.99, epsilon: 1e-8 }, 5);

    fn read(parameter: Option<&str>) -> Result<Option<Self>, GanError> {
        Ok(positive("the weight bound", parameter, 0.01)?.map(|clip| Wasserstein { clip }))
    }

    fn parameter(&self) -> Option<String> {
        Some(self.clip.to_string())
    }
}

impl Named for WassersteinGradientPenalty {
    const NAME: &'static str = "wasserstein-gp";
    const PARAMETER: Option<(&'static str, &'static str)> =
        Some(("LAMBDA", "the weight of the gradient penalty, 10 where nothing is said"));
    const ABOUT: &'static str =
        "the mean outputs of a critic whose slope between real and generated images is held at 1";
    const PAPER: &'static str = "Gulrajani et al. 2017";
    const DEFAULTS: Defaults = Defaults::both(Rule::adam(1e-4, 0.0, 0.9), 5);

    fn read(parameter: Option<&str>) -> Result<Option<Self>, GanError> {
        let lambda = positive("the weight of the gradient penalty", parameter, 10.0)?;
        Ok(lambda.map(|lambda| WassersteinGradientPenalty { lambda }))
    }

    fn parameter(&self) -> Option<String> {
        Some(self.lambda.to_string())
    }
}

impl<T: Real> Objective<T> for Wasserstein {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        difference(game)
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        Ok(game.fake.logit()?.mean().neg())
    }

    fn regularizers(&self) -> Vec<RegularizerSpec> {
        vec![RegularizerSpec::new("clip", self.clip)]
    }
}

impl<T: Real> Objective<T> for WassersteinGradientPenalty {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        difference(game)
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        Ok(game.fake.logit()?.mean().neg())
    }

    fn regularizers(&self) -> Vec<RegularizerSpec> {
        vec![RegularizerSpec::new("gradient-penalty", self.lambda)]
    }
}

fn difference<T: Real>(game: &Game<'_, T>) -> Result<Var<T>, GanError> {
    let [real, fake] = game.logits()?;
    fake.mean().sub(&real.mean())
}
