//! The generator matches the mean of what the critic sees.

use super::non_saturating::cross_entropy;
use super::spec::Named;
use super::{Defaults, Game, Objective, WITHOUT_DOUBT};
use crate::gan::error::GanError;
use crate::gan::networks::{Outputs, name};
use crate::gan::optim::Rule;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// The critic minimises cross entropy; the generator the mean over features of (E f(x) − E f(G(z)))², f the critic's last
/// hidden layer (Salimans et al. 2016, section 3.1; the mean, where the paper has a sum, is of their code).
#[derive(Debug, Clone, Copy)]
pub struct FeatureMatching;

impl Named for FeatureMatching {
    const NAME: &'static str = "feature-matching";
    const ABOUT: &'static str = "cross entropy; the generator matches the mean features of the critic";
    const PAPER: &'static str = "Salimans et al. 2016, section 3.1";
    const DEFAULTS: Defaults = Defaults::both(Rule::adam(3e-4, 0.5, 0.999), 1);

    fn read(parameter: Option<&str>) -> Result<Option<Self>, GanError> {
        Ok(parameter.is_none().then_some(FeatureMatching))
    }
}

impl<T: Real> Objective<T> for FeatureMatching {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        cross_entropy(game)
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let real = mean_features(game.real()?.outputs)?.detach();
        Ok(mean_features(game.fake.outputs)?.sub(&real)?.square().mean())
    }

    fn outputs(&self) -> &'static [&'static str] {
        &[name::LOGIT, name::FEATURES]
    }

    fn generator_sees_real(&self) -> bool {
        true
    }

    fn has_probabilities(&self) -> bool {
        true
    }

    fn won_below(&self) -> Option<f64> {
        Some(WITHOUT_DOUBT)
    }
}

/// E f, over the batch.
pub(in crate::gan) fn mean_features<T: Real>(outputs: &Outputs<T>) -> Result<Var<T>, GanError> {
    outputs.get(name::FEATURES)?.mean_axes(&[0])
}
