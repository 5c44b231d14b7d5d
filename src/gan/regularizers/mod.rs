//! What is added to every objective: penalties of gradients and of weights. A regularizer is a file and a line of the list
//! below.
//!
//! ```
//! use gan_metrics::gan::regularizers::RegularizerSpec;
//!
//! let spec: RegularizerSpec = "r1".parse()?;
//! assert_eq!(spec.to_string(), "r1:10");
//! # Ok::<(), gan_metrics::gan::GanError>(())
//! ```

mod clip;
mod dragan;
mod gradient_penalty;
mod historical;
mod slopes;
mod spec;
mod zero_centred;

use super::error::GanError;
use super::networks::Parameter;
use super::random::Random;
use super::state::SavedState;
use super::tape::Var;
use super::tensor::Tensor;
pub use gradient_penalty::gradient_penalty;
pub use slopes::{mean_squared_slope, slopes};
pub use spec::{RegularizerEntry, RegularizerSpec};

/// v of images, as a function that can be differentiated by them.
pub type Critic<'a> = dyn FnMut(&Var) -> Result<Var, GanError> + 'a;

/// What a regularizer of the critic sees in a step.
pub struct Images<'a> {
    /// Real images, N×C×H×W.
    pub real: &'a Tensor,
    /// As many generated ones.
    pub fake: &'a Tensor,
    /// What is drawn.
    pub random: &'a mut Random,
    /// The critic with its variables, in training.
    pub critic: &'a mut Critic<'a>,
}

/// Something that is minimised along with an objective, or done to the weights after a step.
///
/// Implemented by whoever has one of their own. Players go by their names, such as `generator` and `discriminator`.
pub trait Regularizer: Send + Sync {
    /// A term of the critic's loss that depends on the images.
    ///
    /// # Errors
    /// [`GanError`] of the critic.
    fn on_images(&mut self, images: Images<'_>) -> Result<Option<Var>, GanError> {
        let _ = images;
        Ok(None)
    }

    /// A term of a player's loss that depends on its weights.
    ///
    /// # Errors
    /// [`GanError::Shape`] never, for the weights of one player.
    fn on_weights(&mut self, player: &str, weights: &[Var]) -> Result<Option<Var>, GanError> {
        let _ = (player, weights);
        Ok(None)
    }

    /// What happens to a player's weights after its step.
    fn after_step(&mut self, player: &str, weights: &mut [&mut Parameter]) {
        let _ = (player, weights);
    }

    /// Whether it takes the critic's slope at an image for that of one image, which under batch normalisation it is not. (A minibatch
    /// statistic among the features is borne: Karras et al. 2018 have one under a gradient penalty.)
    fn wants_single_images(&self) -> bool {
        false
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

static REGISTRY: &[RegularizerEntry] = &[
    RegularizerEntry {
        name: "gradient-penalty",
        default: 10.0,
        about: "λ·E(‖∇v(x̂)‖ − 1)², x̂ between a real and a generated image",
        paper: "Gulrajani et al. 2017",
        make: |weight| Box::new(gradient_penalty::GradientPenalty(weight)),
    },
    RegularizerEntry {
        name: "r1",
        default: 10.0,
        about: "(γ/2)·E‖∇v(x)‖² on real images",
        paper: "Mescheder, Geiger and Nowozin 2018",
        make: |weight| Box::new(zero_centred::ZeroCentred { weight, side: zero_centred::Side::Real }),
    },
    RegularizerEntry {
        name: "r2",
        default: 10.0,
        about: "(γ/2)·E‖∇v(G(z))‖² on generated images",
        paper: "Mescheder, Geiger and Nowozin 2018",
        make: |weight| Box::new(zero_centred::ZeroCentred { weight, side: zero_centred::Side::Fake }),
    },
    RegularizerEntry {
        name: "dragan",
        default: 10.0,
        about: "λ·E(‖∇v(x + δ)‖ − 1)² around real images, δ uniform within half their deviation",
        paper: "Kodali, Abernethy, Hays and Kira 2017",
        make: |weight| Box::new(dragan::Dragan(weight)),
    },
    RegularizerEntry {
        name: "clip",
        default: 0.01,
        about: "weights of the critic are kept within ±c",
        paper: "Arjovsky, Chintala and Bottou 2017",
        make: |bound| Box::new(clip::Clip(bound)),
    },
    RegularizerEntry {
        name: "historical-averaging",
        default: 0.001,
        about: "λ·‖θ − θ̄‖² for both players, θ̄ the mean of their weights so far",
        paper: "Salimans et al. 2016, section 3.3",
        make: |weight| Box::new(historical::HistoricalAveraging::new(weight)),
    },
];

#[cfg(test)]
mod tests;
