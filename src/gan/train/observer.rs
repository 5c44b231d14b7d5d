//! What a training run tells.

use std::ops::ControlFlow;

use super::collapse::CollapseWarning;
use super::trainer::Trainer;
use crate::error::Result;

/// What a step did.
#[derive(Debug, Clone, PartialEq)]
pub struct StepEvent {
    /// Steps so far, this one included.
    pub step: u64,
    /// The numbers that the system gives in every step, by name and in the order of
    /// [`System::measures`](crate::gan::systems::System::measures): losses, norms of gradients before clipping, mean outputs
    /// of critics. Of several steps of a player, the last one counts.
    pub values: Vec<(&'static str, f64)>,
    /// Time that the step took.
    pub seconds: f64,
    /// Real images seen in this step, divided by that time.
    pub images_per_second: f64,
}

impl StepEvent {
    /// A number by its name, such as `generator_loss`; `None` where the system gives none of this name.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// Somebody who wants to know how a run goes: shows progress, draws samples, scores them, writes checkpoints.
pub trait Observer {
    /// A step was done; a break ends the run.
    ///
    /// # Errors
    /// Whatever goes wrong ends the run.
    fn step(&mut self, event: &StepEvent, trainer: &Trainer) -> Result<ControlFlow<()>>;

    /// The game looks lost.
    fn warning(&mut self, warning: &CollapseWarning) {
        let _ = warning;
    }
}

/// Nobody.
impl Observer for () {
    fn step(&mut self, _: &StepEvent, _: &Trainer) -> Result<ControlFlow<()>> {
        Ok(ControlFlow::Continue(()))
    }
}
