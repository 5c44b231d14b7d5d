//! Lower bounds on f-divergences from samples: E_p\[T\] − E_q\[f\*(T)\] for a critic T that was trained on other samples.
//!
//! Any critic gives a lower bound in expectation (Nguyen, Wainwright and Jordan 2010), the better the nearer T is to
//! f′(p/q). The value of the objective on the samples the critic was trained on is *no* lower bound; so samples are
//! split: half train the critic, a quarter says when to stop, and the bound is measured on the last quarter.
//!
//! [`VariationalEstimator`] is the interface for critics of any kind. [`LinearCritic`] is linear in given features; its
//! objective is smooth and small, and is climbed by L-BFGS. A critic that is a neural network needs gradients of one, and is
//! `gan::variational::MlpCritic`.

mod features;
pub(crate) mod held_out;
mod lbfgs;

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, concatenate};

use crate::divergence::estimate::Estimate;
use crate::divergence::estimators::EstimatorError;
use crate::divergence::generator::Generator;
use crate::divergence::random::Random;
use crate::error::{Blame, Blamed};

pub use features::CriticFeatures;
pub(crate) use features::FeatureMap;
use held_out::{EarlyStopping, Outputs, Split, check_size, neutral_output};

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
    /// A network without hidden units, or with too many.
    #[error("a hidden layer of {units} units does not work: give it 1 to {most}")]
    Units {
        /// The rejected number.
        units: usize,
        /// The largest that works.
        most: usize,
    },
    /// The features of all samples would not fit into memory.
    #[error(
        "{features} features of each of {samples} samples do not fit into memory: use at most {most} features, or fewer \
         samples"
    )]
    TooLarge {
        /// Features, or units of the widest layer.
        features: usize,
        /// Samples of P and Q together.
        samples: usize,
        /// The most features that work with so many samples.
        most: usize,
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
            _ => Blame::Input,
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
        check_size(self.features.count(p.ncols()), p.nrows() + q.nrows())?;
        let mut random = Random::new(self.seed);
        let [p, q] = Split::of_both(p, q, &mut random)?;
        let pooled = concatenate(Axis(0), &[p.train.view(), q.train.view()]).expect("dimensions agree");
        let map = FeatureMap::new(self.features, pooled.view(), &mut random);
        let stage = |p: &Array2<f64>, q: &Array2<f64>| Stage { p: map.apply(p.view()), q: map.apply(q.view()) };
        let (train, validation, test) =
            (stage(&p.train, &q.train), stage(&p.validation, &q.validation), stage(&p.test, &q.test));

        let mut start = vec![0.0; train.p.ncols()];
        start[0] = neutral_output(generator);
        let mut best = EarlyStopping::new(validation.outputs(&start).value(generator), start.clone());
        lbfgs::maximize(
            start,
            |weights| train.value_and_gradient(generator, weights),
            |weights| best.offer(validation.outputs(weights).value(generator), || weights.to_vec()),
        );
        let EarlyStopping { weights, step, .. } = best;
        test.outputs(&weights).bound(generator, train.outputs(&weights).value(generator), step)
    }
}

/// Features of samples of P and of Q on which the objective is taken.
struct Stage {
    p: Array2<f64>,
    q: Array2<f64>,
}

impl Stage {
    fn outputs(&self, weights: &[f64]) -> Outputs {
        let weights = ArrayView1::from(weights);
        Outputs { p: self.p.dot(&weights), q: self.q.dot(&weights) }
    }

    fn value_and_gradient(&self, generator: Generator, weights: &[f64]) -> (f64, Vec<f64>) {
        let outputs = self.outputs(weights);
        let slopes = outputs.slopes(generator);
        let gradient = self.p.t().dot(&slopes.p) + self.q.t().dot(&slopes.q);
        (outputs.value(generator), gradient.to_vec())
    }
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
        // Their activations take ln(p/q), a polynomial of degree 2 here, or half of it, to f′(p/q).
        let contains_the_optimal_critic = [
            Generator::KULLBACK_LEIBLER,
            Generator::REVERSE_KULLBACK_LEIBLER,
            Generator::JENSEN_SHANNON,
            Generator::GAN,
            Generator::SQUARED_HELLINGER,
        ];
        for generator in Generator::catalogue().filter(|g| *g != Generator::TOTAL_VARIATION) {
            let truth = truth(generator, p, q);
            if truth.is_infinite() {
                continue;
            }
            let result = critic.lower_bound(generator, x.view(), y.view()).unwrap();
            let bound = result.bound;
            assert!(bound.value <= truth + 4.0 * bound.standard_error, "{generator}: {result:?} above {truth}");
            // All that training on samples loses against the optimal critic is of the order of their sampling error.
            match contains_the_optimal_critic.contains(&generator) {
                true => {
                    assert!(bound.value >= truth - 4.0 * bound.standard_error, "{generator}: {result:?} below {truth}")
                }
                false => assert!(bound.value > generator.minimum(), "{generator}: {result:?} sees no difference"),
            }
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
                    stage.outputs(&shifted).value(generator)
                };
                let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
                assert!((gradient[index] - slope).abs() < 1e-7 * (1.0 + slope.abs()), "{generator}");
            }
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
        let samples = samples(8, 0.0, 1.0, 0);
        for count in [1_000_000_000_000, usize::MAX] {
            let critic = LinearCritic::new(CriticFeatures::RandomFourier { count, bandwidth: 1.0 }, 0).unwrap();
            let error = critic.lower_bound(Generator::JENSEN_SHANNON, samples.view(), samples.view());
            assert!(
                matches!(error, Err(VariationalError::TooLarge { samples: 16, most: 33_554_432, .. })),
                "{error:?}"
            );
        }
    }
}
