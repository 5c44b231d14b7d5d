//! What the two players minimise. An objective is a file and a line of the list below.
//!
//! ```
//! use gan_metrics::gan::objectives::{Objective, ObjectiveSpec};
//!
//! let spec: ObjectiveSpec = "wasserstein:0.02".parse()?;
//! assert_eq!(spec.to_string(), "wasserstein:0.02");
//! assert_eq!(spec.entry().defaults().critic_steps, 5);
//! let objective = spec.make::<f32>();
//! # Ok::<(), gan_metrics::gan::GanError>(())
//! ```

mod auxiliary_classifier;
mod began;
mod categorical;
mod ebgan;
mod f_gan;
mod feature_matching;
mod hinge;
mod information;
mod least_squares;
mod minimax;
mod non_saturating;
mod relativistic;
mod spec;
mod wasserstein;

use super::error::GanError;
use super::networks::{Outputs, name};
use super::optim::Rule;
use super::real::Real;
use super::regularizers::RegularizerSpec;
use super::state::SavedState;
use super::tape::Var;
pub use auxiliary_classifier::AuxiliaryClassifier;
pub(in crate::gan) use auxiliary_classifier::accuracy;
pub use categorical::Categorical;
pub(in crate::gan) use feature_matching::mean_features;
pub use information::MutualInformation;
pub use spec::{ObjectiveEntry, ObjectiveSpec};

/// What a critic says of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'a, T: Real = f32> {
    /// The images, N×C×H×W.
    pub images: &'a Var<T>,
    /// What the critic gave for them.
    pub outputs: &'a Outputs<T>,
}

impl<'a, T: Real> Verdict<'a, T> {
    /// v, the critic's output without a sigmoid: N×1.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the critic has no such output.
    pub fn logit(&self) -> Result<&'a Var<T>, GanError> {
        self.outputs.get(name::LOGIT)
    }
}

/// What an objective sees.
#[derive(Debug, Clone, Copy)]
pub struct Game<'a, T: Real = f32> {
    /// The critic on real images. In the generator's step it is there where [`Objective::generator_sees_real`].
    pub real: Option<Verdict<'a, T>>,
    /// The critic on generated images.
    pub fake: Verdict<'a, T>,
    /// What the generator was given besides z, N×K: classes (also those of the real images), or a code.
    pub condition: Option<&'a Var<T>>,
    /// Probability that the critic should give to real images: 1, or less for one-sided label smoothing (Salimans et al. 2016).
    pub real_label: f64,
}

impl<'a, T: Real> Game<'a, T> {
    /// The critic on real images.
    ///
    /// # Errors
    /// [`GanError::Shape`] when they were not asked for.
    pub fn real(&self) -> Result<Verdict<'a, T>, GanError> {
        self.real.ok_or_else(|| GanError::shape("objective", "the generator's step was not given real images"))
    }

    /// v on real and on generated images.
    ///
    /// # Errors
    /// [`GanError::Shape`] when one is not there.
    pub fn logits(&self) -> Result<[&'a Var<T>; 2], GanError> {
        Ok([self.real()?.logit()?, self.fake.logit()?])
    }
}

/// Which critic an objective plays with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CriticKind {
    /// A number for each image: the output [`name::LOGIT`].
    Logit,
    /// Logits of classes: the output [`name::CLASSES`].
    Classes,
    /// An autoencoder: the outputs [`name::RECONSTRUCTION`] and [`name::CODE`].
    Autoencoder,
}

/// What the authors of an objective trained with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Defaults {
    /// How the generator steps.
    pub generator: Rule,
    /// How the critic steps.
    pub critic: Rule,
    /// Steps of the critic for each one of the generator.
    pub critic_steps: usize,
}

impl Defaults {
    /// Both players by one rule.
    pub const fn both(rule: Rule, critic_steps: usize) -> Self {
        Defaults { generator: rule, critic: rule, critic_steps }
    }
}

/// A game between a generator and a critic: what each of them minimises.
///
/// Implemented by whoever has a game of their own; see `examples/own_objective.rs`.
pub trait Objective<T: Real = f32>: Send + Sync {
    /// What the critic minimises.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the critic is not of [`Self::critic`].
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError>;

    /// What the generator minimises.
    ///
    /// # Errors
    /// As for [`Self::critic_loss`].
    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError>;

    /// Which critic it plays with.
    fn critic(&self) -> CriticKind {
        CriticKind::Logit
    }

    /// The outputs of the critic that it looks at.
    fn outputs(&self) -> &'static [&'static str] {
        match self.critic() {
            CriticKind::Logit => &[name::LOGIT],
            CriticKind::Classes => &[name::CLASSES],
            CriticKind::Autoencoder => &[name::RECONSTRUCTION, name::CODE],
        }
    }

    /// Whether the generator's loss depends on the critic's verdict on real images.
    fn generator_sees_real(&self) -> bool {
        false
    }

    /// Whether σ of the critic's output is its probability that an image is real; its loss then depends on the label of
    /// real images.
    fn has_probabilities(&self) -> bool {
        false
    }

    /// The critic's loss below which it tells real from generated images without doubt, where there is one.
    fn won_below(&self) -> Option<f64> {
        None
    }

    /// What it is never played without.
    fn regularizers(&self) -> Vec<RegularizerSpec> {
        Vec::new()
    }

    /// Numbers besides the losses that tell how the game goes, after a step.
    fn values(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }

    /// Puts in what it remembers from step to step.
    fn save(&self, state: &mut SavedState) {
        let _ = state;
    }

    /// Takes it out again.
    ///
    /// # Errors
    /// [`GanError::State`] when it is not there.
    fn restore(&mut self, state: &SavedState) -> Result<(), GanError> {
        let _ = state;
        Ok(())
    }
}

/// The critic's loss where it is right by one part in a hundred: −2 ln 0.99.
const WITHOUT_DOUBT: f64 = 0.0201;

spec::objectives! {
    non_saturating::NonSaturating,
    minimax::Minimax,
    f_gan::FGan,
    f_gan::FGanMinimax,
    wasserstein::Wasserstein,
    wasserstein::WassersteinGradientPenalty,
    least_squares::LeastSquares,
    hinge::Hinge,
    relativistic::Relativistic,
    relativistic::RelativisticLeastSquares,
    feature_matching::FeatureMatching,
    ebgan::Ebgan,
    began::Began,
}

#[cfg(test)]
mod tests;
