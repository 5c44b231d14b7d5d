//! What the regularizers of a game add to the losses of its players.

use super::player::DISCRIMINATOR;
use crate::gan::error::GanError;
use crate::gan::networks::Graph;
use crate::gan::regularizers::{Images, Regularizer};
use crate::gan::state::SavedState;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;
use crate::gan::train::{Step, Weights};

/// The regularizers of one game.
pub(super) struct Regularizers(Vec<Box<dyn Regularizer>>);

impl Regularizers {
    /// Those of a game with this discriminator.
    ///
    /// # Errors
    /// [`GanError::Setting`] when one of them wants a critic whose slope at an image is not that of the whole batch.
    pub fn new(regularizers: Vec<Box<dyn Regularizer>>, discriminator: &Graph) -> Result<Self, GanError> {
        if discriminator.normalises_by_batch() && regularizers.iter().any(|one| one.wants_single_images()) {
            return Err(GanError::setting(
                "the discriminator's normalisation",
                "batch",
                "layer, spectral or none under a penalty of its gradient, which is one of each image by itself",
            ));
        }
        Ok(Regularizers(regularizers))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The discriminator's loss with their terms. `critic` gives v of images.
    pub fn on_critic(
        &mut self,
        mut loss: Var,
        step: &mut Step<'_>,
        weights: &Weights,
        [real, fake]: [&Tensor; 2],
        critic: impl Fn(&mut Step<'_>, &Var) -> Result<Var, GanError>,
    ) -> Result<Var, GanError> {
        for regularizer in &mut self.0 {
            let mut random = step.random().clone();
            let mut of_images = |x: &Var| critic(step, x);
            let term = regularizer.on_images(Images { real, fake, random: &mut random, critic: &mut of_images })?;
            *step.random() = random;
            let of_weights = regularizer.on_weights(DISCRIMINATOR, weights.all())?;
            for term in [term, of_weights].into_iter().flatten() {
                loss = loss.add(&term)?;
            }
        }
        Ok(loss)
    }

    /// Another player's loss with the terms of its weights.
    pub fn on_player(&mut self, player: &str, mut loss: Var, weights: &Weights) -> Result<Var, GanError> {
        for regularizer in &mut self.0 {
            if let Some(term) = regularizer.on_weights(player, weights.all())? {
                loss = loss.add(&term)?;
            }
        }
        Ok(loss)
    }

    /// What they do to a player's weights after its step.
    pub fn after_step(&mut self, step: &mut Step<'_>, player: &str) -> Result<(), GanError> {
        for regularizer in &mut self.0 {
            step.change_weights(player, |weights| regularizer.after_step(player, weights))?;
        }
        Ok(())
    }

    /// Puts in what they remember.
    pub fn save(&self, state: &mut SavedState) {
        self.0.iter().for_each(|one| one.save(state));
    }

    /// Takes it out again.
    pub fn restore(&mut self, state: &SavedState) -> Result<(), GanError> {
        self.0.iter_mut().try_for_each(|one| one.restore(state))
    }
}
