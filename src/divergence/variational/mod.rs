//! Lower bounds on f-divergences from samples: E_p\[T\] − E_q\[f\*(T)\] for a critic T that was trained on other samples.
//!
//! Any critic gives a lower bound in expectation (Nguyen, Wainwright and Jordan 2010), the better the nearer T is to
//! f′(p/q). The value of the objective on the samples the critic was trained on is *no* lower bound; so samples are
//! split: half train the critic, a quarter says when to stop, and the bound is measured on the last quarter.
//!
//! Where f* grows exponentially a few held-out samples carry E_q\[f\*(T)\], and no normal interval around its mean could be
//! trusted. So the critic is clipped to a range that is chosen without the last quarter, and the bound is one on the means of
//! bounded values that holds for every distribution.
//!
//! [`VariationalEstimator`] is the interface for critics of any kind. [`LinearCritic`] is linear in given features; its
//! objective is smooth and small, and is climbed by L-BFGS. A critic that is a neural network needs gradients of one, and is
//! `gan::variational::MlpCritic`.

mod confidence;
mod features;
pub(crate) mod held_out;
mod lbfgs;

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, concatenate};

use crate::divergence::estimators::EstimatorError;
use crate::divergence::generator::Generator;
use crate::divergence::random::Random;
use crate::error::{Blame, Blamed};

pub use features::CriticFeatures;
pub(crate) use features::FeatureMap;
use held_out::{EarlyStopping, Outputs, Split, check_size, conclude, neutral_output};

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
    /// The critic is not a number somewhere.
    #[error(
        "the critic for {divergence} is not a number on some samples: its training diverged; use more samples or a \
         divergence with a bounded critic such as js"
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
    /// D_f(P‖Q) is at least this with a probability of at least [`Self::CONFIDENCE`], whatever P and Q are. At least f(1):
    /// few samples may say no more.
    pub bound: f64,
    /// E_p\[T\] − E_q\[f\*(T)\] of the clipped critic on samples it never saw: what the bound tends to with more of them, and
    /// no bound itself.
    pub estimate: f64,
    /// The same of the critic as it is on the training samples: what the optimizer reached, which overstates it.
    pub training_value: f64,
    /// Optimizer steps up to the critic that was kept.
    pub steps: usize,
}

impl LowerBound {
    /// The least probability that the bound holds.
    pub const CONFIDENCE: f64 = 0.95;
}

/// Anything that trains a critic on samples and measures the bound it gives.
pub trait VariationalEstimator {
    /// A lower bound on D_f(P‖Q) from samples, one a row.
    ///
    /// # Errors
    /// [`VariationalError`] when the samples do not serve or the critic is not a number.
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
        conclude(generator, [&train, &validation, &test].map(|stage| stage.outputs(&weights)), step)
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
    use rayon::prelude::*;

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
            assert!(result.bound <= truth, "{generator}: {result:?} above {truth}");
            // Of a huge divergence that a few points carry, thousands of samples know nothing.
            assert!(result.bound > generator.minimum() || truth > 1e3, "{generator}: {result:?} sees no difference");
            // What training on samples and clipping lose against the optimal critic.
            if contains_the_optimal_critic.contains(&generator) {
                let size = truth - generator.minimum();
                assert!((result.estimate - truth).abs() < 0.15 * size, "{generator}: {result:?} far from {truth}");
                assert!(truth - result.bound < 0.35 * size, "{generator}: {result:?} far below {truth}");
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
            assert!(result.bound == 0.0 && result.estimate.abs() < 0.02, "{result:?}");
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
            critic.lower_bound(Generator::JENSEN_SHANNON, x.view(), y.view()).unwrap()
        };
        let density = "0.5*normal(-1.5, 0.5) + 0.5*normal(1.5, 0.5)".parse().unwrap();
        let normal = Density::normal(0.0, 2.5_f64.sqrt()).unwrap();
        let js = Divergence::F(Generator::JENSEN_SHANNON);
        let truth = continuous::divergence(js, &density, &normal).unwrap().value();
        let flexible = bound(CriticFeatures::RandomFourier { count: 60, bandwidth: 0.5 });
        assert!(bound(CriticFeatures::Linear).estimate < 0.1 * truth);
        assert!(
            flexible.estimate > 0.8 * truth && flexible.bound > 0.6 * truth && flexible.bound <= truth,
            "{flexible:?}"
        );
    }

    /// In how many of so many runs the bound is above the divergence of N(0, 1) and N(shift, 1), and the median of the
    /// bound.
    fn coverage(generator: Generator, shift: f64, n: usize, runs: u64) -> (usize, f64) {
        let truth = truth(generator, (0.0, 1.0), (shift, 1.0));
        let bound = |run: u64| {
            let (x, y) = (samples(n, 0.0, 1.0, 2 * run), samples(n, shift, 1.0, 2 * run + 1));
            let critic = LinearCritic::new(CriticFeatures::Quadratic, run).unwrap();
            critic.lower_bound(generator, x.view(), y.view()).unwrap().bound
        };
        let mut bounds: Vec<f64> = (0..runs).into_par_iter().map(bound).collect();
        bounds.sort_by(f64::total_cmp);
        (bounds.iter().filter(|bound| **bound > truth).count(), bounds[bounds.len() / 2])
    }

    #[test]
    fn bounds_hold_where_few_samples_carry_the_penalty() {
        // A normal interval was above the truth in up to half of such runs.
        let runs = 20;
        for generator in
            [Generator::KULLBACK_LEIBLER, Generator::REVERSE_KULLBACK_LEIBLER, Generator::NEYMAN_CHI_SQUARED]
        {
            let (above, median) = coverage(generator, 3.0, 500, runs);
            assert!(above <= 1, "{generator}: {above} of {runs} above");
            assert!(median > 1.0 || generator == Generator::NEYMAN_CHI_SQUARED, "{generator}: {median}");
        }
    }

    /// The table of docs/divergences.md; of one divergence alone with its name in `ONLY_DIVERGENCE`.
    #[test]
    #[ignore = "takes minutes"]
    fn bounds_hold_with_their_confidence() {
        let (runs, sizes, shifts) = (40, [200, 1000, 5000], [0.5, 1.0, 1.5, 2.0, 3.0]);
        let mut short = Vec::new();
        let only = std::env::var("ONLY_DIVERGENCE").ok();
        for generator in
            Generator::catalogue().filter(|generator| only.as_deref().is_none_or(|only| generator.name() == only))
        {
            let mut line = format!("| `{generator}` ");
            for shift in shifts {
                let truth = truth(generator, (0.0, 1.0), (shift, 1.0));
                line += &format!("| {truth:.3}: ");
                for n in sizes {
                    let (above, median) = coverage(generator, shift, n, runs);
                    line += &format!("{median:.3} ({above}) ");
                    // One in twenty, and three standard errors of that.
                    if above > 6 {
                        short.push(format!("{generator}, {shift}, {n}: {above} of {runs}"));
                    }
                }
            }
            println!("{line}|");
        }
        assert!(short.is_empty(), "{short:#?}");
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
