//! What a training run tells.

use super::collapse::CollapseWarning;
use super::trainer::Trainer;
use crate::error::Result;

/// What a step did. Of several discriminator steps, the last one counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepEvent {
    /// Steps of the generator so far, this one included.
    pub step: u64,
    /// What the discriminator minimised, penalty included.
    pub discriminator_loss: f64,
    /// What the generator minimised.
    pub generator_loss: f64,
    /// Mean output on real images: D(x), or the bare score where the objective knows no probabilities.
    pub real_score: f64,
    /// Mean output on generated images before the discriminator's step: D(G(z)).
    pub fake_score_before: f64,
    /// Mean output on the same images after it, which the generator learns from.
    pub fake_score_after: f64,
    /// Norm of the discriminator's gradient, before clipping.
    pub discriminator_gradient: f64,
    /// Norm of the generator's gradient, before clipping.
    pub generator_gradient: f64,
    /// Time that the step took.
    pub seconds: f64,
    /// Real images seen in this step, divided by that time.
    pub images_per_second: f64,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Yes.
    Continue,
    /// End the run here.
    Stop,
}

/// Somebody who wants to know how a run goes: shows progress, draws samples, scores them, writes checkpoints.
pub trait Observer {
    /// A step was done.
    ///
    /// # Errors
    /// Whatever goes wrong ends the run.
    fn step(&mut self, event: &StepEvent, trainer: &Trainer) -> Result<Control>;

    /// The game looks lost.
    fn warning(&mut self, warning: &CollapseWarning) {
        let _ = warning;
    }
}

/// Nobody.
impl Observer for () {
    fn step(&mut self, _: &StepEvent, _: &Trainer) -> Result<Control> {
        Ok(Control::Continue)
    }
}
