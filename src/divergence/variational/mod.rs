//! Lower bounds on f-divergences from samples: E_p\[T\] − E_q\[f\*(T)\] for a critic T that was trained on other samples.
//!
//! Any critic gives a lower bound in expectation (Nguyen, Wainwright and Jordan 2010), the better the nearer T is to
//! f′(p/q). The value of the objective on the samples the critic was trained on is *no* lower bound; so samples are
//! split: half train the critic, a quarter says when to stop, and the bound is measured on the last quarter.
//!
//! [`VariationalEstimator`] is the interface for critics of any kind. [`LinearCritic`] is linear in given features; its
//! objective is smooth and small, and is climbed by L-BFGS.

mod features;
mod lbfgs;

use std::ops::ControlFlow;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, concatenate};

use crate::divergence::estimate::{Estimate, RunningMean};
use crate::divergence::estimators::{EstimatorError, check_samples};
use crate::divergence::generator::Generator;
use crate::divergence::random::Random;
use crate::error::{Blame, Blamed};

pub use features::CriticFeatures;
use features::FeatureMap;

/// Two samples in each quarter are the least that has a standard error.
const FEWEST_SAMPLES: usize = 8;
/// Steps without a new best on the validation samples after which training ends.
const PATIENCE: usize = 10;
/// Far more than any problem of the tests takes; a bound on the time, not a setting.
const MOST_STEPS: usize = 1000;
/// No activation has to be sought further out.
const MOST_EXTREME_OUTPUT: f64 = 1e12;

/// Why there is no bound.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VariationalError {
    /// The samples do not serve.
    #[error(transparent)]
    Samples(#[from] EstimatorError),
    /// The bandwidth of random features is out of range.
    #[error("a bandwidth of {bandwidth} does not work: it must be positive and finite, in standard deviations")]
    Bandwidth {
        /// The rejected bandwidth.
        bandwidth: f64,
    },
    /// The bound is not finite.
    #[error(
        "the critic's bound on {divergence} is not finite on held-out samples: they lie where it never saw any; use \
         more samples or a divergence with a bounded critic such as js"
    )]
    NotFinite {
        /// The divergence in question.
        divergence: String,
    },
}

impl Blamed for VariationalError {
    fn blame(&self) -> Blame {
        match self {
            VariationalError::Samples(error) => error.blame(),
            VariationalError::Bandwidth { .. } | VariationalError::NotFinite { .. } => Blame::Input,
        }
    }
}

/// A lower bound on D_f(P‖Q).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LowerBound {
    /// E_p\[T\] − E_q\[f\*(T)\] on samples the critic never saw, with its sampling error.
    pub bound: Estimate,
    /// The same on the training samples: what the optimizer reached, which overstates the bound.
    pub training_value: f64,
    /// Optimizer steps up to the critic that was kept.
    pub steps: usize,
}

/// Anything that trains a critic on samples and measures the bound it gives.
pub trait VariationalEstimator {
    /// A lower bound on D_f(P‖Q) from samples, one a row.
    ///
    /// # Errors
    /// [`VariationalError`] when the samples do not serve or the bound is not finite.
    fn lower_bound(
        &self,
        generator: Generator,
        p: ArrayView2<'_, f64>,
        q: ArrayView2<'_, f64>,
    ) -> Result<LowerBound, VariationalError>;
}

/// A critic T = g_f(w·φ(x)) that is linear in features φ up to the output activation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearCritic {
    features: CriticFeatures,
    seed: u64,
}

impl LinearCritic {
    /// Takes the features, and a seed for the split of the samples and for random features.
    ///
    /// # Errors
    /// [`VariationalError::Bandwidth`].
    pub fn new(features: CriticFeatures, seed: u64) -> Result<Self, VariationalError> {
        match features {
            CriticFeatures::RandomFourier { bandwidth, .. } if !(bandwidth > 0.0 && bandwidth.is_finite()) => {
                Err(VariationalError::Bandwidth { bandwidth })
            }
            _ => Ok(LinearCritic { features, seed }),
        }
    }
}

impl VariationalEstimator for LinearCritic {
    fn lower_bound(
        &self,
        generator: Generator,
        p: ArrayView2<'_, f64>,
        q: ArrayView2<'_, f64>,
    ) -> Result<LowerBound, VariationalError> {
        check_samples(p, q, (FEWEST_SAMPLES, FEWEST_SAMPLES))?;
        let mut random = Random::new(self.seed);
        let (p, q) = (Split::new(p, &mut random), Split::new(q, &mut random));
        let pooled = concatenate(Axis(0), &[p.train.view(), q.train.view()]).expect("dimensions agree");
        let map = FeatureMap::new(self.features, pooled.view(), &mut random);
        let stage = |p: &Array2<f64>, q: &Array2<f64>| Stage { p: map.apply(p.view()), q: map.apply(q.view()) };
        let (train, validation, test) =
            (stage(&p.train, &q.train), stage(&p.validation, &q.validation), stage(&p.test, &q.test));

        let mut start = vec![0.0; train.p.ncols()];
        start[0] = neutral_output(generator);
        let mut best = (validation.value(generator, &start), start.clone(), 0);
        let mut step = 0;
        lbfgs::maximize(
            start,
            |weights| train.value_and_gradient(generator, weights),
            |weights| {
                step += 1;
                let value = validation.value(generator, weights);
                if value > best.0 {
                    best = (value, weights.to_vec(), step);
                }
                if step - best.2 >= PATIENCE || step >= MOST_STEPS {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        );
        let (_, weights, steps) = best;
        let bound = test.estimate(generator, &weights);
        if !(bound.value.is_finite() && bound.standard_error.is_finite()) {
            return Err(VariationalError::NotFinite { divergence: generator.to_string() });
        }
        Ok(LowerBound { bound, training_value: train.value(generator, &weights), steps })
    }
}

/// Samples for training, for stopping and for measuring.
struct Split {
    train: Array2<f64>,
    validation: Array2<f64>,
    test: Array2<f64>,
}

impl Split {
    fn new(samples: ArrayView2<'_, f64>, random: &mut Random) -> Self {
        let n = samples.nrows();
        let mut rows: Vec<usize> = (0..n).collect();
        random.shuffle(&mut rows);
        let part = |from: usize, to: usize| samples.select(Axis(0), &rows[from..to]);
        Split { train: part(0, n / 2), validation: part(n / 2, 3 * n / 4), test: part(3 * n / 4, n) }
    }
}

/// Features of samples of P and of Q on which the objective is taken.
struct Stage {
    p: Array2<f64>,
    q: Array2<f64>,
}

impl Stage {
    fn outputs(&self, weights: &[f64]) -> (Array1<f64>, Array1<f64>) {
        let weights = ArrayView1::from(weights);
        (self.p.dot(&weights), self.q.dot(&weights))
    }

    fn value(&self, generator: Generator, weights: &[f64]) -> f64 {
        let (p, q) = self.outputs(weights);
        mean(p.iter().map(|v| generator.activation(*v))) - mean(q.iter().map(|v| generator.penalty(*v)))
    }

    fn value_and_gradient(&self, generator: Generator, weights: &[f64]) -> (f64, Vec<f64>) {
        let (p, q) = self.outputs(weights);
        let rewards = p.mapv(|v| generator.activation_slope(v) / p.len() as f64);
        let penalties = q.mapv(|v| generator.penalty_slope(v) / q.len() as f64);
        let gradient = self.p.t().dot(&rewards) - self.q.t().dot(&penalties);
        (self.value(generator, weights), gradient.to_vec())
    }

    fn estimate(&self, generator: Generator, weights: &[f64]) -> Estimate {
        let (p, q) = self.outputs(weights);
        let rewards: RunningMean = p.iter().map(|v| generator.activation(*v)).collect();
        let penalties: RunningMean = q.iter().map(|v| generator.penalty(*v)).collect();
        let standard_error = (rewards.variance_of_mean() + penalties.variance_of_mean()).sqrt();
        Estimate::new(rewards.mean() - penalties.mean(), standard_error, p.len() + q.len())
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// The constant critic with g_f(v) = f′(1), whose bound is f(1): no divergence at all.
fn neutral_output(generator: Generator) -> f64 {
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
    use crate::divergence::{Density, Divergence, continuous};

    fn samples(n: usize, mean: f64, deviation: f64, seed: u64) -> Array2<f64> {
        let mut random = Random::new(seed);
        Array2::from_shape_simple_fn((n, 1), || mean + deviation * random.normal())
    }

    fn truth(generator: Generator, p: (f64, f64), q: (f64, f64)) -> f64 {
        let normal = |(mean, deviation)| Density::normal(mean, deviation).unwrap();
        continuous::divergence(Divergence::F(generator), &normal(p), &normal(q)).unwrap().value()
    }

    #[test]
    fn bounds_come_close_from_below() {
        let (p, q) = ((0.8, 1.0), (0.0, 1.2));
        let (x, y) = (samples(8000, p.0, p.1, 1), samples(8000, q.0, q.1, 2));
        let critic = LinearCritic::new(CriticFeatures::Quadratic, 7).unwrap();
        for generator in Generator::catalogue().filter(|g| *g != Generator::TOTAL_VARIATION) {
            let truth = truth(generator, p, q);
            if truth.is_infinite() {
                continue;
            }
            let result = critic.lower_bound(generator, x.view(), y.view()).unwrap();
            let bound = result.bound;
            assert!(bound.value <= truth + 4.0 * bound.standard_error, "{generator}: {result:?} above {truth}");
            // Quadratic features contain or nearly contain the optimal critic of all but the heavy-tailed χ family.
            let gap = truth - bound.value;
            let size = truth - generator.minimum();
            assert!(gap < 0.25 * size + 4.0 * bound.standard_error, "{generator}: {result:?} far below {truth}");
        }
    }

    #[test]
    fn equal_distributions_give_no_divergence() {
        let (x, y) = (samples(4000, 0.0, 1.0, 3), samples(4000, 0.0, 1.0, 4));
        for features in [
            CriticFeatures::Linear,
            CriticFeatures::Quadratic,
            CriticFeatures::RandomFourier { count: 50, bandwidth: 1.0 },
        ] {
            let critic = LinearCritic::new(features, 0).unwrap();
            let result = critic.lower_bound(Generator::JENSEN_SHANNON, x.view(), y.view()).unwrap();
            assert!(result.bound.value <= 4.0 * result.bound.standard_error + 1e-12, "{result:?}");
            assert!(result.bound.value > -0.02, "{result:?}");
        }
    }

    #[test]
    fn random_features_see_what_moments_do_not() {
        // A two-peaked mixture against the normal of the same mean and variance.
        let mut random = Random::new(5);
        let mut mixture = || if random.uniform() < 0.5 { -1.5 } else { 1.5 } + 0.5 * random.normal();
        let x = Array2::from_shape_simple_fn((8000, 1), &mut mixture);
        let y = samples(8000, 0.0, 2.5_f64.sqrt(), 6);
        let bound = |features| {
            let critic = LinearCritic::new(features, 1).unwrap();
            critic.lower_bound(Generator::JENSEN_SHANNON, x.view(), y.view()).unwrap().bound
        };
        let density = "0.5*normal(-1.5, 0.5) + 0.5*normal(1.5, 0.5)".parse().unwrap();
        let normal = Density::normal(0.0, 2.5_f64.sqrt()).unwrap();
        let js = Divergence::F(Generator::JENSEN_SHANNON);
        let truth = continuous::divergence(js, &density, &normal).unwrap().value();
        let flexible = bound(CriticFeatures::RandomFourier { count: 60, bandwidth: 0.5 });
        assert!(bound(CriticFeatures::Linear).value < 0.1 * truth);
        assert!(flexible.value > 0.8 * truth && flexible.value <= truth + 4.0 * flexible.standard_error);
    }

    #[test]
    fn gradients_are_derivatives() {
        let map = Array2::from_shape_fn((6, 3), |(i, j)| 0.3 * i as f64 - 0.5 * j as f64);
        let stage = Stage { p: map.clone() + 0.2, q: map - 0.1 };
        let weights = [0.3, -0.2, 0.1];
        for generator in Generator::catalogue() {
            let (_, gradient) = stage.value_and_gradient(generator, &weights);
            for index in 0..3 {
                let shifted = |step: f64| {
                    let mut shifted = weights;
                    shifted[index] += step;
                    stage.value(generator, &shifted)
                };
                let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
                assert!((gradient[index] - slope).abs() < 1e-7 * (1.0 + slope.abs()), "{generator}");
            }
        }
    }

    #[test]
    fn starts_from_no_divergence() {
        for generator in Generator::catalogue() {
            let v = neutral_output(generator);
            let bound = generator.activation(v) - generator.penalty(v);
            assert!((bound - generator.minimum()).abs() < 1e-12, "{generator}: {bound}");
        }
    }

    #[test]
    fn unusable_input_is_refused() {
        let few = samples(7, 0.0, 1.0, 0);
        let critic = LinearCritic::new(CriticFeatures::Linear, 0).unwrap();
        let error = critic.lower_bound(Generator::JENSEN_SHANNON, few.view(), few.view());
        assert!(matches!(error, Err(VariationalError::Samples(EstimatorError::TooFewSamples { .. }))));
        let fourier = CriticFeatures::RandomFourier { count: 3, bandwidth: 0.0 };
        assert!(matches!(LinearCritic::new(fourier, 0), Err(VariationalError::Bandwidth { .. })));
    }
}
