//! What every critic shares: samples that are kept apart, the objective of its outputs, and when to stop.

use std::ops::ControlFlow;

use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::{LowerBound, VariationalError};
use crate::divergence::estimate::{Estimate, RunningMean};
use crate::divergence::estimators::check_samples;
use crate::divergence::generator::Generator;
use crate::divergence::random::Random;

/// Two samples in each quarter are the least that has a standard error.
const FEWEST_SAMPLES: usize = 8;
/// Steps without a new best on the validation samples after which training ends.
const PATIENCE: usize = 10;
/// Far more than any problem of the tests takes; a bound on the time, not a setting.
const MOST_STEPS: usize = 1000;
/// No activation has to be sought further out.
const MOST_EXTREME_OUTPUT: f64 = 1e12;

/// Numbers that a critic may hold for all samples at once: 4 GiB.
const MOST_NUMBERS: usize = 1 << 29;

/// Checks that so many numbers for each sample fit into memory.
pub(crate) fn check_size(features: usize, samples: usize) -> Result<(), VariationalError> {
    let most = MOST_NUMBERS / samples.max(1);
    if features <= most { Ok(()) } else { Err(VariationalError::TooLarge { features, samples, most }) }
}

/// Samples for training, for stopping and for measuring.
pub(crate) struct Split {
    pub train: Array2<f64>,
    pub validation: Array2<f64>,
    pub test: Array2<f64>,
}

impl Split {
    /// Splits samples of P and of Q at random.
    pub fn of_both(
        p: ArrayView2<'_, f64>,
        q: ArrayView2<'_, f64>,
        random: &mut Random,
    ) -> Result<[Self; 2], VariationalError> {
        check_samples(p, q, (FEWEST_SAMPLES, FEWEST_SAMPLES))?;
        Ok([Self::new(p, random), Self::new(q, random)])
    }

    fn new(samples: ArrayView2<'_, f64>, random: &mut Random) -> Self {
        let n = samples.nrows();
        let mut rows: Vec<usize> = (0..n).collect();
        random.shuffle(&mut rows);
        let part = |from: usize, to: usize| samples.select(Axis(0), &rows[from..to]);
        Split { train: part(0, n / 2), validation: part(n / 2, 3 * n / 4), test: part(3 * n / 4, n) }
    }
}

/// What a critic gives for samples of P and of Q, before the output activation.
pub(crate) struct Outputs {
    pub p: Array1<f64>,
    pub q: Array1<f64>,
}

impl Outputs {
    /// E_p\[T\] − E_q\[f\*(T)\].
    pub fn value(&self, generator: Generator) -> f64 {
        mean(self.p.iter().map(|v| generator.activation(*v))) - mean(self.q.iter().map(|v| generator.penalty(*v)))
    }

    /// The derivatives of the value by every output.
    pub fn slopes(&self, generator: Generator) -> Outputs {
        let (n, m) = (self.p.len() as f64, self.q.len() as f64);
        Outputs {
            p: self.p.mapv(|v| generator.activation_slope(v) / n),
            q: self.q.mapv(|v| -generator.penalty_slope(v) / m),
        }
    }

    /// The bound that a critic with these outputs on the test samples gives.
    pub fn bound(
        &self,
        generator: Generator,
        training_value: f64,
        steps: usize,
    ) -> Result<LowerBound, VariationalError> {
        let bound = self.estimate(generator);
        if !(bound.value.is_finite() && bound.standard_error.is_finite()) {
            return Err(VariationalError::NotFinite { divergence: generator.to_string() });
        }
        Ok(LowerBound { bound, training_value, steps })
    }

    fn estimate(&self, generator: Generator) -> Estimate {
        let rewards: RunningMean = self.p.iter().map(|v| generator.activation(*v)).collect();
        let penalties: RunningMean = self.q.iter().map(|v| generator.penalty(*v)).collect();
        let standard_error = (rewards.variance_of_mean() + penalties.variance_of_mean()).sqrt();
        Estimate::new(rewards.mean() - penalties.mean(), standard_error, self.p.len() + self.q.len())
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// The weights that did best on the validation samples so far.
pub(crate) struct EarlyStopping<W> {
    value: f64,
    /// The weights.
    pub weights: W,
    /// The step they were offered at; the first weights are those of step 0.
    pub step: usize,
    steps: usize,
}

impl<W> EarlyStopping<W> {
    /// Starts with the weights before training.
    pub fn new(value: f64, weights: W) -> Self {
        Self { value, weights, step: 0, steps: 0 }
    }

    /// Takes the weights of the next step if they are better, and says whether to go on.
    pub fn offer(&mut self, value: f64, weights: impl FnOnce() -> W) -> ControlFlow<()> {
        self.steps += 1;
        if value > self.value {
            (self.value, self.weights, self.step) = (value, weights(), self.steps);
        }
        match self.steps - self.step >= PATIENCE || self.steps >= MOST_STEPS {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

/// The constant critic with g_f(v) = f′(1), whose bound is f(1): no divergence at all.
pub(crate) fn neutral_output(generator: Generator) -> f64 {
    // Doubled until it brackets: an α just below 1 has its neutral output at about −1/(1−α).
    let below = |v: f64| generator.activation(v) < generator.threshold();
    let (mut low, mut high) = (-1.0, 1.0);
    while !below(low) && low > -MOST_EXTREME_OUTPUT {
        low *= 2.0;
    }
    while below(high) && high < MOST_EXTREME_OUTPUT {
        high *= 2.0;
    }
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if below(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_from_no_divergence() {
        for generator in Generator::catalogue() {
            let v = neutral_output(generator);
            let bound = generator.activation(v) - generator.penalty(v);
            assert!((bound - generator.minimum()).abs() < 1e-12, "{generator}: {bound}");
        }
    }

    #[test]
    fn the_best_weights_are_kept_until_patience_ends() {
        let mut stopping = EarlyStopping::new(0.0, 0);
        assert!(stopping.offer(1.0, || 1).is_continue());
        for step in 2..=PATIENCE {
            assert!(stopping.offer(f64::NAN, || step).is_continue(), "{step}");
        }
        assert!(stopping.offer(0.9, || 99).is_break());
        assert_eq!((stopping.weights, stopping.step), (1, 1));
    }
}
