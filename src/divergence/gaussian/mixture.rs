//! Mixtures of Gaussians in any dimension: Monte Carlo with an interval, and what pairs of components say.

use ndarray::{Array1, Array2};

use super::pair::excess_over_mixture;
use super::{GaussianPair, MultivariateNormal, MultivariateNormalError, wasserstein_2};
use crate::divergence::discrete::Distribution;
use crate::divergence::estimate::{Estimate, RunningMean};
use crate::divergence::generator::Generator;
use crate::divergence::kind::Divergence;
use crate::divergence::masses::compensated_sum;
use crate::divergence::random::Random;
use crate::divergence::transport::optimal_transport;
use crate::linalg;

/// Rounds of the upper bound, each of which can only lower it.
const MOST_ROUNDS: usize = 1000;
/// It has settled where a round gains less than this share.
const SETTLED: f64 = 1e-12;

/// Σ wᵢ N(μᵢ, Σᵢ) on ℝᵈ.
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianMixture {
    weights: Vec<f64>,
    components: Vec<MultivariateNormal>,
}

/// KL(P‖Q) of mixtures as far as KL of their components tells it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MixtureBounds {
    /// At least KL(P‖Q): the variational upper bound of Hershey and Olsen (2007, section 8).
    pub upper: f64,
    /// An approximation, no bound: their variational one (section 7).
    pub variational: f64,
    /// An approximation, no bound: each component of P matched with one of Q (Goldberger, Gordon and Greenspan 2003).
    pub matched: f64,
}

impl GaussianMixture {
    /// Takes weights and components; those of weight 0 are left out.
    ///
    /// # Errors
    /// [`MultivariateNormalError`] unless there is a weight for each component, and all have the same dimension.
    pub fn new(weights: &Distribution, components: Vec<MultivariateNormal>) -> Result<Self, MultivariateNormalError> {
        if weights.len() != components.len() {
            return Err(MultivariateNormalError::Weights { weights: weights.len(), components: components.len() });
        }
        if let Some(other) = components.iter().find(|other| other.dim() != components[0].dim()) {
            return Err(MultivariateNormalError::DimensionMismatch { p: components[0].dim(), q: other.dim() });
        }
        let weighted = weights.probabilities().iter().copied().zip(components).filter(|(weight, _)| *weight > 0.0);
        let (weights, components) = weighted.unzip();
        Ok(GaussianMixture { weights, components })
    }

    /// The weights of the components.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The components.
    pub fn components(&self) -> &[MultivariateNormal] {
        &self.components
    }

    /// Number of dimensions.
    pub fn dim(&self) -> usize {
        self.components[0].dim()
    }

    /// Whether [`GaussianMixture::divergence`] gives a divergence: where neither f nor its adjoint grows like a power, so that
    /// the integrand has moments.
    pub fn is_available(divergence: Divergence) -> bool {
        matches!(divergence, Divergence::F(generator) if grows_slowly(generator))
    }

    /// D_f(P‖Q) by Monte Carlo, with a 95% confidence interval. Half of the samples come from P and half from Q, and the
    /// integrand is taken relative to ½(P+Q), where it is bounded or grows like a logarithm. O((k + l)·d²) per sample.
    ///
    /// # Errors
    /// [`MultivariateNormalError`] when the dimensions differ, a covariance is singular, f grows like a power, or the number of samples is
    /// out of range.
    pub fn divergence(
        &self,
        q: &GaussianMixture,
        generator: Generator,
        samples: usize,
        seed: u64,
    ) -> Result<Estimate, MultivariateNormalError> {
        self.check(q)?;
        if !grows_slowly(generator) {
            return Err(MultivariateNormalError::Unavailable { divergence: generator.to_string() });
        }
        if !(GaussianPair::FEWEST_SAMPLES..=GaussianPair::MOST_SAMPLES).contains(&samples) {
            return Err(MultivariateNormalError::Samples { samples });
        }
        let densities = [Prepared::new('P', self)?, Prepared::new('Q', q)?];
        let mut random = Random::new(seed);
        let each = samples / 2;
        let [from_p, from_q] = [0, 1].map(|from| -> RunningMean {
            let value = |_| {
                let x = densities[from].draw(&mut random);
                excess_over_mixture(generator, densities[0].ln_density(&x) - densities[1].ln_density(&x))
            };
            (0..each).map(value).collect()
        });
        let value = generator.minimum() + 0.5 * (from_p.mean() + from_q.mean());
        let standard_error = 0.5 * (from_p.variance_of_mean() + from_q.variance_of_mean()).sqrt();
        Ok(Estimate::new(value, standard_error, 2 * each, each - 1))
    }

    /// KL(P‖Q) from KL of all pairs of components, which have a formula.
    ///
    /// # Errors
    /// [`MultivariateNormalError`] when the dimensions differ or a covariance is singular.
    pub fn kullback_leibler_bounds(&self, q: &GaussianMixture) -> Result<MixtureBounds, MultivariateNormalError> {
        self.check(q)?;
        let across = divergences(&self.components, &q.components)?;
        let within = divergences(&self.components, &self.components)?;
        let log_sum = |weights: &[f64], divergences: ndarray::ArrayView1<'_, f64>| {
            log_of_sum(weights.iter().zip(divergences).map(|(weight, divergence)| weight.ln() - divergence))
        };
        let of_components = |term: &dyn Fn(usize) -> f64| {
            compensated_sum(self.weights.iter().enumerate().map(|(a, weight)| weight * term(a)))
        };
        let variational =
            of_components(&|a| log_sum(&self.weights, within.row(a)) - log_sum(&q.weights, across.row(a)));
        let matched = of_components(&|a| {
            let costs = q.weights.iter().zip(across.row(a)).map(|(weight, divergence)| divergence - weight.ln());
            self.weights[a].ln() + costs.fold(f64::INFINITY, f64::min)
        });
        Ok(MixtureBounds { upper: upper_bound(&self.weights, &q.weights, &across), variational, matched })
    }

    /// An upper bound of W₂(P, Q): the best transport that takes components to components (Delon and Desolneux 2020), a distance
    /// itself. Covariances may be singular.
    ///
    /// # Errors
    /// [`MultivariateNormalError`] when the dimensions differ or an eigendecomposition fails.
    pub fn wasserstein_2_bound(&self, q: &GaussianMixture) -> Result<f64, MultivariateNormalError> {
        self.check(q)?;
        let mut costs = Array2::zeros((self.components.len(), q.components.len()));
        for ((a, b), cost) in costs.indexed_iter_mut() {
            *cost = wasserstein_2(&self.components[a], &q.components[b])?.powi(2);
        }
        let distribution = |weights: &[f64]| Distribution::normalized(weights.to_vec()).expect("weights are positive");
        let plan = optimal_transport(&distribution(&self.weights), &distribution(&q.weights), costs.view());
        Ok(plan.expect("costs are finite and fit").cost.max(0.0).sqrt())
    }

    fn check(&self, q: &GaussianMixture) -> Result<(), MultivariateNormalError> {
        super::check_dimensions(&self.components[0], &q.components[0])
    }
}

fn grows_slowly(generator: Generator) -> bool {
    generator.growth().is_none() && generator.adjoint().growth().is_none()
}

/// KL of every pair.
fn divergences(p: &[MultivariateNormal], q: &[MultivariateNormal]) -> Result<Array2<f64>, MultivariateNormalError> {
    let mut all = Array2::zeros((p.len(), q.len()));
    for ((a, b), value) in all.indexed_iter_mut() {
        let pair = GaussianPair::new(&p[a], &q[b])?;
        *value = pair.closed_form(Divergence::F(Generator::KULLBACK_LEIBLER)).expect("KL of Gaussians has a formula");
    }
    Ok(all)
}

/// min Σ ψ (ln(ψ/φ) + KL) over φ, ψ ≥ 0 with Σ_b ψ_ab = π_a and Σ_a φ_ab = ω_b, by turns: every such pair splits the components
/// of the mixtures into pieces, and KL is convex.
fn upper_bound(weights_p: &[f64], weights_q: &[f64], divergences: &Array2<f64>) -> f64 {
    let mut log_phi = Array2::from_shape_fn(divergences.dim(), |(_, b)| weights_q[b].ln());
    log_phi -= (weights_p.len() as f64).ln();
    let mut bound = f64::INFINITY;
    for _ in 0..MOST_ROUNDS {
        // The best ψ for φ, in logarithms.
        let mut log_psi = &log_phi - divergences;
        let mut terms = Vec::with_capacity(weights_p.len());
        for (mut row, weight) in log_psi.rows_mut().into_iter().zip(weights_p) {
            let shift = weight.ln() - log_of_sum(row.iter().copied());
            row += shift;
            // ln ψ − ln φ + KL is the same for all pieces of a component.
            terms.push(weight * shift);
        }
        let next = compensated_sum(terms);
        if next >= bound - SETTLED * bound.abs() {
            return next.min(bound).max(0.0);
        }
        bound = next;
        // The best φ for ψ.
        for (b, mut column) in log_psi.columns_mut().into_iter().enumerate() {
            let shift = weights_q[b].ln() - log_of_sum(column.iter().copied());
            column += shift;
        }
        log_phi = log_psi;
    }
    bound
}

fn log_of_sum(logs: impl Iterator<Item = f64>) -> f64 {
    let logs: Vec<f64> = logs.collect();
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() {
        return largest;
    }
    largest + logs.iter().map(|log| (log - largest).exp()).sum::<f64>().ln()
}

/// A mixture whose covariances are factorised.
struct Prepared<'a> {
    mixture: &'a GaussianMixture,
    /// Sums of weights.
    cumulative: Vec<f64>,
    /// Lower triangles.
    factors: Vec<Array2<f64>>,
    /// ln of the weight and of what the density has in the place of its exponential's factor.
    logs: Vec<f64>,
}

impl<'a> Prepared<'a> {
    fn new(which: char, mixture: &'a GaussianMixture) -> Result<Self, MultivariateNormalError> {
        let factors: Vec<Array2<f64>> = (mixture.components.iter())
            .map(|component| {
                let singular = || super::pair::not_definite(which, component.covariance());
                linalg::cholesky(component.covariance())?.map_or_else(|| Err(singular()?), Ok)
            })
            .collect::<Result<_, MultivariateNormalError>>()?;
        let of_angle = 0.5 * mixture.dim() as f64 * std::f64::consts::TAU.ln();
        let log = |(weight, factor): (&f64, &Array2<f64>)| {
            weight.ln() - of_angle - factor.diag().iter().map(|root| root.ln()).sum::<f64>()
        };
        let logs = mixture.weights.iter().zip(&factors).map(log).collect();
        let mut sum = 0.0;
        let cumulative = mixture.weights.iter().map(|weight| {
            sum += weight;
            sum
        });
        Ok(Prepared { mixture, cumulative: cumulative.collect(), factors, logs })
    }

    fn draw(&self, random: &mut Random) -> Array1<f64> {
        let last = self.cumulative.len() - 1;
        let place = random.uniform() * self.cumulative[last];
        let component = self.cumulative.partition_point(|sum| *sum <= place).min(last);
        let normal = Array1::from_shape_simple_fn(self.mixture.dim(), || random.normal());
        self.mixture.components[component].mean() + &self.factors[component].dot(&normal)
    }

    fn ln_density(&self, x: &Array1<f64>) -> f64 {
        let log = |((component, factor), log): ((&MultivariateNormal, &Array2<f64>), &f64)| {
            // L z = x − μ from the top.
            let mut z = x - component.mean();
            for row in 0..z.len() {
                let known: f64 = (0..row).map(|column| factor[(row, column)] * z[column]).sum();
                z[row] = (z[row] - known) / factor[(row, row)];
            }
            log - 0.5 * z.dot(&z)
        };
        log_of_sum(self.mixture.components.iter().zip(&self.factors).zip(&self.logs).map(log))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn line(parts: &[(f64, f64, f64)]) -> GaussianMixture {
        let weights = Distribution::new(parts.iter().map(|part| part.0).collect()).unwrap();
        let gaussian =
            |part: &(f64, f64, f64)| MultivariateNormal::new(array![part.1], array![[part.2 * part.2]]).unwrap();
        GaussianMixture::new(&weights, parts.iter().map(gaussian).collect()).unwrap()
    }

    #[test]
    fn monte_carlo_agrees_with_quadrature() {
        let (p, q) = (line(&[(0.3, 0.0, 1.0), (0.7, 3.0, 0.5)]), line(&[(0.6, 0.5, 2.0), (0.4, 3.0, 1.0)]));
        let density = |text: &str| text.parse().unwrap();
        let densities = (density("0.3*normal(0,1)+0.7*normal(3,0.5)"), density("0.6*normal(0.5,2)+0.4*normal(3,1)"));
        for generator in Generator::catalogue().filter(|generator| grows_slowly(*generator)) {
            let kind = Divergence::F(generator);
            let truth = crate::divergence::continuous::divergence(kind, &densities.0, &densities.1).unwrap().value();
            let estimate = p.divergence(&q, generator, 40_000, 3).unwrap();
            assert!(
                (estimate.value - truth).abs() < 5.0 * estimate.standard_error,
                "{generator}: {estimate:?} {truth}"
            );
        }
        let truth =
            crate::divergence::continuous::divergence("kl".parse().unwrap(), &densities.0, &densities.1).unwrap();
        let bounds = p.kullback_leibler_bounds(&q).unwrap();
        assert!(bounds.upper >= truth.value() && bounds.upper < 2.0 * truth.value(), "{bounds:?}");
        assert!(matches!(
            p.divergence(&q, "pearson".parse().unwrap(), 100, 1),
            Err(MultivariateNormalError::Unavailable { .. })
        ));
    }

    #[test]
    fn one_component_each_is_the_formula() {
        let (p, q) = (line(&[(1.0, 0.0, 1.0)]), line(&[(1.0, 1.0, 2.0)]));
        let kl = 2.0_f64.ln() + (1.0 + 1.0) / 8.0 - 0.5;
        let bounds = p.kullback_leibler_bounds(&q).unwrap();
        for value in [bounds.upper, bounds.variational, bounds.matched] {
            assert!((value - kl).abs() < 1e-14, "{bounds:?}");
        }
        assert!((p.wasserstein_2_bound(&q).unwrap() - 2.0_f64.sqrt()).abs() < 1e-14);
    }

    #[test]
    fn equal_mixtures_are_at_distance_zero() {
        let p = line(&[(0.5, 0.0, 1.0), (0.5, 4.0, 0.5)]);
        let bounds = p.kullback_leibler_bounds(&p).unwrap();
        assert!(bounds.upper.abs() < 1e-9 && bounds.variational.abs() < 1e-15, "{bounds:?}");
        assert_eq!(p.wasserstein_2_bound(&p).unwrap(), 0.0);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let one = Distribution::new(vec![1.0]).unwrap();
        let gaussian = |dim| MultivariateNormal::new(Array1::zeros(dim), Array2::eye(dim)).unwrap();
        let error = GaussianMixture::new(&one, vec![gaussian(1), gaussian(1)]);
        assert!(matches!(error, Err(MultivariateNormalError::Weights { weights: 1, components: 2 })));
        let p = GaussianMixture::new(&one, vec![gaussian(1)]).unwrap();
        let q = GaussianMixture::new(&one, vec![gaussian(2)]).unwrap();
        assert!(matches!(p.wasserstein_2_bound(&q), Err(MultivariateNormalError::DimensionMismatch { .. })));
        let flat = MultivariateNormal::new(Array1::zeros(2), array![[1.0, 1.0], [1.0, 1.0]]).unwrap();
        let flat = GaussianMixture::new(&one, vec![flat]).unwrap();
        let error = flat.divergence(&q, Generator::JENSEN_SHANNON, 100, 1);
        assert!(matches!(error, Err(MultivariateNormalError::NotPositiveDefinite { which: 'P', .. })), "{error:?}");
    }
}
