//! What every critic shares: samples that are kept apart, the objective of its outputs, and when to stop.

use std::ops::ControlFlow;

use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::{LowerBound, VariationalError, confidence};
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

    fn are_numbers(&self) -> bool {
        !self.p.iter().chain(&self.q).any(|v| v.is_nan())
    }
}

/// The bound that a critic with these outputs gives: its range is chosen on the samples that it was trained and stopped
/// with, and the bound is measured on the others.
pub(crate) fn conclude(
    generator: Generator,
    [train, validation, test]: [Outputs; 3],
    steps: usize,
) -> Result<LowerBound, VariationalError> {
    let training_value = train.value(generator);
    let range = Range::chosen(generator, &train, &validation);
    // No divergence is below that of equal distributions.
    let bound = range.lower_bound(generator, &test, usize::MAX).max(generator.minimum());
    let estimate = range.clipped(&test).value(generator);
    if ![&train, &validation, &test].into_iter().all(Outputs::are_numbers) || !estimate.is_finite() {
        return Err(VariationalError::NotFinite { divergence: generator.to_string() });
    }
    Ok(LowerBound { bound, estimate, training_value, steps })
}

/// The outputs that a critic is clipped to. Any critic gives a lower bound in expectation, a clipped one too; and its reward
/// and its penalty are bounded, so that a bound on their means holds whatever their distribution.
#[derive(Debug, Clone, Copy)]
struct Range {
    low: f64,
    high: f64,
}

/// Shares of the training outputs that a range may cut off at either side.
const CUTS: [f64; 8] = [0.0, 0.002, 0.01, 0.03, 0.08, 0.15, 0.3, 0.45];
/// Validation samples that are enough to choose a range.
const ENOUGH: usize = 4000;

impl Range {
    /// The range with the best bound on the validation samples.
    fn chosen(generator: Generator, train: &Outputs, validation: &Outputs) -> Self {
        let mut sorted: Vec<f64> = train.p.iter().chain(&train.q).copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let neutral = neutral_output(generator);
        let at = |share: f64| match sorted.len() {
            0 => neutral,
            len => sorted[((len - 1) as f64 * share).round() as usize],
        };
        let ranges = CUTS.into_iter().flat_map(|low| CUTS.map(|high| Range { low: at(low), high: at(1.0 - high) }));
        let start = (f64::NEG_INFINITY, Range { low: neutral, high: neutral });
        let better = |best: (f64, Range), range: Range| {
            let bound = range.lower_bound(generator, validation, ENOUGH);
            if bound > best.0 { (bound, range) } else { best }
        };
        ranges.fold(start, better).1
    }

    fn clipped(self, outputs: &Outputs) -> Outputs {
        let clip = |v: &Array1<f64>| v.mapv(|v| v.clamp(self.low, self.high));
        Outputs { p: clip(&outputs.p), q: clip(&outputs.q) }
    }

    /// A bound on the divergence that holds with [`LowerBound::CONFIDENCE`], from at most so many samples of each.
    fn lower_bound(self, generator: Generator, outputs: &Outputs, most: usize) -> f64 {
        let clipped = self.clipped(outputs);
        let of = |v: &Array1<f64>, f: &dyn Fn(f64) -> f64| -> Vec<f64> { v.iter().take(most).map(|v| f(*v)).collect() };
        let reward = |v| generator.activation(v);
        let penalty = |v| generator.penalty(v);
        // Both means have to be bounded at once, each with half of the risk.
        let risk = 0.5 * (1.0 - LowerBound::CONFIDENCE);
        let rewards = confidence::lower_bound(&of(&clipped.p, &reward), (reward(self.low), reward(self.high)), risk);
        let penalties =
            confidence::upper_bound(&of(&clipped.q, &penalty), (penalty(self.low), penalty(self.high)), risk);
        // NaN where a range is too wide for the penalty: worse than every other range.
        Some(rewards - penalties).filter(|bound| !bound.is_nan()).unwrap_or(f64::NEG_INFINITY)
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
