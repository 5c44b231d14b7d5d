//! Weights within bounds.

use super::Regularizer;
use crate::gan::networks::Parameter;

/// Weights of the critic are kept within ±c (Arjovsky, Chintala and Bottou 2017).
pub(super) struct Clip(pub f64);

impl Regularizer for Clip {
    fn after_step(&mut self, player: &str, weights: &mut [&mut Parameter]) {
        if player == crate::gan::systems::player::DISCRIMINATOR {
            let bound = self.0 as f32;
            for parameter in weights {
                parameter.value.data_mut().iter_mut().for_each(|weight| *weight = weight.clamp(-bound, bound));
            }
        }
    }
}
