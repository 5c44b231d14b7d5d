//! Signs that the game is lost.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::observer::StepEvent;
use crate::gan::systems::player;
use crate::gan::tensor::Tensor;

/// Why a run looks lost.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CollapseWarning {
    /// The discriminator has told real from generated images without doubt for many steps.
    Won {
        /// The step it was noticed at.
        step: u64,
        /// Its loss.
        loss: f64,
    },
    /// A player's gradient has been next to nothing for many steps: it no longer learns.
    VanishingGradient {
        /// The step it was noticed at.
        step: u64,
        /// The player.
        player: &'static str,
        /// Norm of the gradient.
        norm: f64,
    },
    /// A loss has grown far beyond what it was at first.
    Exploding {
        /// The step it was noticed at.
        step: u64,
        /// Which one.
        quantity: &'static str,
        /// The loss.
        loss: f64,
        /// The largest of the first steps.
        at_first: f64,
    },
    /// The images of a batch are all but the same.
    LowDiversity {
        /// The step it was noticed at.
        step: u64,
        /// Mean standard deviation of a pixel over a generated batch, divided by that over a real one.
        ratio: f64,
    },
}

impl fmt::Display for CollapseWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CollapseWarning::Won { step, loss } => write!(
                f,
                "step {step}: the discriminator wins without doubt, its loss is {loss:.4} after {PATIENCE} such steps; try a \
                 smaller learning rate for it, the r1 regularizer, or wasserstein-gp"
            ),
            CollapseWarning::VanishingGradient { step, player: player::GENERATOR, norm } => write!(
                f,
                "step {step}: the generator's gradient has all but vanished, its norm is {norm:.1e}; try the \
                 non-saturating loss or wasserstein-gp"
            ),
            CollapseWarning::VanishingGradient { step, player, norm } => write!(
                f,
                "step {step}: the {player} no longer learns, the norm of its gradient is {norm:.1e}; try another objective or \
                 a smaller learning rate"
            ),
            CollapseWarning::Exploding { step, quantity, loss, at_first } => write!(
                f,
                "step {step}: {quantity} is {loss:.3e}, and was {at_first:.3e} at most in the first {} steps; try a smaller \
                 learning rate, a bound on the norm of gradients, or another objective",
                (*step).min(SETTLING)
            ),
            CollapseWarning::LowDiversity { step, ratio } => write!(
                f,
                "step {step}: generated images hardly differ, their pixels vary {ratio:.3} times as much as real ones; try \
                 a smaller learning rate, larger batches, or wasserstein-gp"
            ),
        }
    }
}

/// Steps that a sign has to last.
const PATIENCE: u64 = 200;

/// Steps that tell how large losses are.
const SETTLING: u64 = 100;

/// A loss so many times as large as the largest of the first steps, or as 1, has left the game.
const EXPLOSION: f64 = 1e3;

/// A loss of this size has left the game also in the first steps, in any units: the largest that models begin with, nats of an image
/// of 3×128×128 bytes, are below a million.
const IMMENSE: f64 = 1e7;

/// Steps that an explosion has to last: a single batch may be odd.
const EXPLOSION_PATIENCE: u64 = 10;

/// Gradients of DCGANs have norms between 0.1 and 10.
const SMALLEST_GRADIENT: f64 = 1e-5;

/// Share of the real images' variation below which generated ones count as copies of each other.
const SMALLEST_VARIATION: f64 = 0.05;

/// Counts how long each sign has lasted, and speaks once until it is gone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Monitor {
    won: u64,
    /// By player.
    vanishing: BTreeMap<String, u64>,
    uniform: u64,
    exploding: u64,
    /// The largest loss of the first steps, as bits: a resumed run must have the very number.
    largest: u64,
}

impl Monitor {
    /// Takes note of a step. The discriminator has won where its loss is below `won_below`.
    pub fn observe(&mut self, event: &StepEvent, won_below: Option<f64>) -> Vec<CollapseWarning> {
        let mut warnings = Vec::new();
        let step = event.step;
        if let (Some(loss), Some(bound)) = (event.value("discriminator_loss"), won_below)
            && lasted(&mut self.won, loss < bound, PATIENCE)
        {
            warnings.push(CollapseWarning::Won { step, loss });
        }
        for &(name, norm) in &event.values {
            let Some(player) = name.strip_suffix("_gradient") else { continue };
            let small = norm < SMALLEST_GRADIENT;
            if !small && !self.vanishing.contains_key(player) {
                continue;
            }
            if lasted(self.vanishing.entry(player.to_owned()).or_default(), small, PATIENCE) {
                warnings.push(CollapseWarning::VanishingGradient { step, player, norm });
            }
        }
        warnings.extend(self.observe_losses(event));
        warnings
    }

    fn observe_losses(&mut self, event: &StepEvent) -> Option<CollapseWarning> {
        let losses = event.values.iter().filter(|(name, _)| name.ends_with("_loss"));
        let (quantity, loss) = losses.copied().max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()))?;
        let at_first = f64::from_bits(self.largest);
        let step = event.step;
        let exploded = loss.abs() > IMMENSE || (step > SETTLING && loss.abs() > EXPLOSION * at_first.max(1.0));
        if step <= SETTLING && !exploded {
            self.largest = at_first.max(loss.abs()).to_bits();
        }
        lasted(&mut self.exploding, exploded, EXPLOSION_PATIENCE).then_some(CollapseWarning::Exploding {
            step,
            quantity,
            loss,
            at_first,
        })
    }

    /// Whether the images of this step should be compared: it costs a pass over them.
    pub fn wants_images(&self, step: u64) -> bool {
        const INTERVAL: u64 = 50;
        step.is_multiple_of(INTERVAL)
    }

    /// Takes note of how much the images of a batch differ. The first batches of a fresh generator are gray and do not
    /// count.
    pub fn observe_images(&mut self, step: u64, real: &Tensor, fake: &Tensor) -> Option<CollapseWarning> {
        if step < PATIENCE {
            return None;
        }
        let ratio = variation(fake) / variation(real).max(f64::MIN_POSITIVE);
        let low = ratio < SMALLEST_VARIATION;
        self.uniform = if low { self.uniform + 1 } else { 0 };
        (self.uniform == 1).then_some(CollapseWarning::LowDiversity { step, ratio })
    }
}

/// Counts, and tells when the count reaches the limit.
fn lasted(count: &mut u64, sign: bool, patience: u64) -> bool {
    *count = if sign { *count + 1 } else { 0 };
    *count == patience
}

/// Standard deviation of a pixel over the batch, averaged over pixels.
fn variation(batch: &Tensor) -> f64 {
    let images = batch.shape()[0];
    let pixels = batch.len() / images.max(1);
    let of_pixel = |pixel: usize| {
        let values = || batch.data().iter().skip(pixel).step_by(pixels).map(|&value| f64::from(value));
        let mean = values().sum::<f64>() / images as f64;
        (values().map(|value| (value - mean).powi(2)).sum::<f64>() / images as f64).sqrt()
    };
    (0..pixels).map(of_pixel).sum::<f64>() / pixels.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::random::Random;

    fn event(step: u64, discriminator_loss: f64, generator_loss: f64, generator_gradient: f64) -> StepEvent {
        let values = vec![
            ("discriminator_loss", discriminator_loss),
            ("generator_loss", generator_loss),
            ("generator_gradient", generator_gradient),
        ];
        StepEvent { step, values, seconds: 1.0, images_per_second: 1.0 }
    }

    #[test]
    fn a_sign_is_told_once_after_it_has_lasted() {
        let mut monitor = Monitor::default();
        let mut told = Vec::new();
        for step in 1..=1000 {
            // The game recovers for a moment at step 500.
            let loss = if step == 500 { 0.5 } else { 0.001 };
            told.extend(monitor.observe(&event(step, loss, 5.0, 1.0), Some(0.02)));
        }
        let won = |step| CollapseWarning::Won { step, loss: 0.001 };
        assert_eq!(told, [won(200), won(700)]);
        assert!(told[0].to_string().contains("the discriminator wins without doubt, its loss is 0.0010"));
    }

    #[test]
    fn losses_without_a_floor_cannot_be_won_but_gradients_vanish() {
        let mut monitor = Monitor::default();
        let told: Vec<_> = (1..=300).flat_map(|step| monitor.observe(&event(step, -9.0, 1.0, 1e-9), None)).collect();
        assert_eq!(told, [CollapseWarning::VanishingGradient { step: 200, player: "generator", norm: 1e-9 }]);
    }

    #[test]
    fn losses_that_explode_are_told_before_they_overflow() {
        let mut monitor = Monitor::default();
        let loss = |step: u64| if step < 150 { -2.0 } else { -2.5e3 };
        let told: Vec<_> =
            (1..=400).flat_map(|step| monitor.observe(&event(step, 1.0, loss(step), 1.0), None)).collect();
        let expected =
            CollapseWarning::Exploding { step: 159, quantity: "generator_loss", loss: -2.5e3, at_first: 2.0 };
        assert_eq!(told, [expected]);
        let restored: Monitor = serde_json::from_str(&serde_json::to_string(&monitor).unwrap()).unwrap();
        assert_eq!(restored, monitor);
    }

    #[test]
    fn a_loss_that_explodes_in_the_first_steps_is_told_at_once() {
        let mut monitor = Monitor::default();
        let loss = |step: u64| if step < 20 { 3.0 } else { 1e8 };
        let told: Vec<_> =
            (1..=200).flat_map(|step| monitor.observe(&event(step, 1.0, loss(step), 1.0), None)).collect();
        let expected = CollapseWarning::Exploding { step: 29, quantity: "generator_loss", loss: 1e8, at_first: 3.0 };
        assert_eq!(told, [expected]);
        assert!(told[0].to_string().contains("was 3.000e0 at most in the first 29 steps"), "{}", told[0]);
    }

    #[test]
    fn every_player_may_stop_learning() {
        let of_player = |step: u64| {
            let values = vec![("encoder_gradient", 1.0), ("discriminator_gradient", 0.0)];
            StepEvent { step, values, seconds: 1.0, images_per_second: 1.0 }
        };
        let mut monitor = Monitor::default();
        let told: Vec<_> = (1..=300).flat_map(|step| monitor.observe(&of_player(step), None)).collect();
        assert_eq!(told, [CollapseWarning::VanishingGradient { step: 200, player: "discriminator", norm: 0.0 }]);
        assert!(told[0].to_string().contains("the discriminator no longer learns"));
    }

    #[test]
    fn copies_of_one_image_are_noticed() {
        let real = Random::new(1).normal(&[16, 1, 4, 4], 0.0, 1.0);
        let same = Tensor::from_fn(&[16, 1, 4, 4], |i| (i % 16) as f32);
        let mut monitor = Monitor::default();
        assert_eq!(monitor.observe_images(200, &real, &real), None);
        assert_eq!(monitor.observe_images(100, &real, &same), None, "too early to tell");
        let told = monitor.observe_images(250, &real, &same);
        assert_eq!(told, Some(CollapseWarning::LowDiversity { step: 250, ratio: 0.0 }));
        assert_eq!(monitor.observe_images(300, &real, &same), None, "told already");
    }
}
