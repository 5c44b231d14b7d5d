//! Signs that the game is lost.

use std::fmt;

use super::observer::StepEvent;
use crate::gan::tensor::Tensor;

/// Why a run looks lost.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum CollapseWarning {
    /// The discriminator has told real from generated images without doubt for many steps.
    Saturated {
        /// The step it was noticed at.
        step: u64,
        /// D(x).
        real_score: f64,
        /// D(G(z)).
        fake_score: f64,
    },
    /// The generator's gradient has been next to nothing for many steps.
    VanishingGradient {
        /// The step it was noticed at.
        step: u64,
        /// Norm of the gradient.
        norm: f64,
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
            CollapseWarning::Saturated { step, real_score, fake_score } => write!(
                f,
                "step {step}: the discriminator wins without doubt, D(x) = {real_score:.4} and D(G(z)) = {fake_score:.4} over \
                 the last {PATIENCE} steps; try label smoothing (0.9), a smaller learning rate for the discriminator, or \
                 wasserstein-gp"
            ),
            CollapseWarning::VanishingGradient { step, norm } => write!(
                f,
                "step {step}: the generator's gradient has all but vanished, its norm is {norm:.1e}; try the \
                 non-saturating loss or wasserstein-gp"
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

/// D(x) above one minus this and D(G(z)) below it is no game.
const DOUBT: f64 = 0.01;

/// Gradients of DCGANs have norms between 0.1 and 10.
const SMALLEST_GRADIENT: f64 = 1e-5;

/// Share of the real images' variation below which generated ones count as copies of each other.
const SMALLEST_VARIATION: f64 = 0.05;

/// Counts how long each sign has lasted, and speaks once until it is gone.
#[derive(Debug, Clone, Default)]
pub(super) struct Monitor {
    saturated: u64,
    vanishing: u64,
    uniform: u64,
}

impl Monitor {
    /// Takes note of a step.
    pub fn observe(&mut self, event: &StepEvent, probabilities: bool) -> Vec<CollapseWarning> {
        let mut warnings = Vec::new();
        let beyond_doubt = probabilities && event.real_score > 1.0 - DOUBT && event.fake_score_after < DOUBT;
        if lasted(&mut self.saturated, beyond_doubt) {
            let (real_score, fake_score) = (event.real_score, event.fake_score_after);
            warnings.push(CollapseWarning::Saturated { step: event.step, real_score, fake_score });
        }
        if lasted(&mut self.vanishing, event.generator_gradient < SMALLEST_GRADIENT) {
            warnings.push(CollapseWarning::VanishingGradient { step: event.step, norm: event.generator_gradient });
        }
        warnings
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
fn lasted(count: &mut u64, sign: bool) -> bool {
    *count = if sign { *count + 1 } else { 0 };
    *count == PATIENCE
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

    fn event(step: u64, real_score: f64, fake_score_after: f64, generator_gradient: f64) -> StepEvent {
        StepEvent {
            step,
            discriminator_loss: 1.0,
            generator_loss: 1.0,
            real_score,
            fake_score_before: 0.5,
            fake_score_after,
            discriminator_gradient: 1.0,
            generator_gradient,
            seconds: 1.0,
            images_per_second: 1.0,
        }
    }

    #[test]
    fn a_sign_is_told_once_after_it_has_lasted() {
        let mut monitor = Monitor::default();
        let mut told = Vec::new();
        for step in 1..=1000 {
            // The game recovers for a moment at step 500.
            let doubt = if step == 500 { 0.5 } else { 0.999 };
            told.extend(monitor.observe(&event(step, doubt, 0.001, 1.0), true));
        }
        let steps: Vec<u64> = told
            .iter()
            .map(|warning| match warning {
                CollapseWarning::Saturated { step, .. } => *step,
                other => panic!("{other}"),
            })
            .collect();
        assert_eq!(steps, [200, 700]);
        assert!(told[0].to_string().contains("try label smoothing"));
    }

    #[test]
    fn scores_without_probabilities_cannot_saturate_but_gradients_vanish() {
        let mut monitor = Monitor::default();
        let told: Vec<_> = (1..=300).flat_map(|step| monitor.observe(&event(step, 9.0, -9.0, 1e-9), false)).collect();
        assert_eq!(told, [CollapseWarning::VanishingGradient { step: 200, norm: 1e-9 }]);
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
