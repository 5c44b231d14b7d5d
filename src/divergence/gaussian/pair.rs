//! Pairs of Gaussians in common coordinates, where every f-divergence is a sum over them.

use ndarray::{Array2, Axis};

use super::reduction::{Reduced, reduce};
use super::{MultivariateNormal, MultivariateNormalError, check_dimensions};
use crate::divergence::closed_form::{self, ClosedForm};
use crate::divergence::estimate::{Estimate, RunningMean};
use crate::divergence::generator::Generator;
use crate::divergence::kind::Divergence;
use crate::divergence::masses::{compensated_sum, ln_1p_deficit};
use crate::divergence::random::Random;
use crate::linalg;

/// Dimensions up to which the reduction is done in twice the precision.
const MOST_PRECISE: usize = 64;

/// One coordinate, in which Q is standard normal and P is N(shift, variance).
#[derive(Debug, Clone, Copy, PartialEq)]
struct Coordinate {
    shift: f64,
    variance: f64,
    /// variance − 1, with all its digits where P is near Q.
    stretch: f64,
}

impl Coordinate {
    /// stretch − ln(variance).
    fn deficit(self) -> f64 {
        if self.is_near() { ln_1p_deficit(self.stretch) } else { self.stretch - self.variance.ln() }
    }

    /// The same with P and Q exchanged: the variance of Q is 1/variance there.
    fn deficit_of_inverse(self) -> f64 {
        let stretch = -self.stretch / self.variance;
        if self.is_near() { ln_1p_deficit(stretch) } else { stretch + self.variance.ln() }
    }

    /// rest·ln(variance) − ln(1 + rest·stretch).
    fn log_volume(self, rest: f64) -> f64 {
        if self.is_near() {
            // From which the terms linear in the stretch have been taken out.
            ln_1p_deficit(rest * self.stretch) - rest * ln_1p_deficit(self.stretch)
        } else {
            rest * self.variance.ln() - (rest * self.stretch).ln_1p()
        }
    }

    fn is_near(self) -> bool {
        self.stretch.abs() < 0.5
    }

    /// ln(p/q) at z, which is `normal` in units of P's deviation from P's mean.
    fn log_ratio(self, z: f64, normal: f64) -> f64 {
        0.5 * (z * z - normal * normal - self.variance.ln())
    }
}

/// Two Gaussians in coordinates where Q is standard normal and P has independent coordinates.
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianPair {
    coordinates: Vec<Coordinate>,
}

/// How a value was obtained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GaussianDivergence {
    /// By a formula, to rounding.
    ClosedForm(f64),
    /// By Monte Carlo: there is no formula.
    MonteCarlo(Estimate),
}

impl GaussianPair {
    /// Fewest Monte Carlo samples that give a confidence interval.
    pub const FEWEST_SAMPLES: usize = 4;
    /// Monte Carlo samples that can be asked for; the error falls with their square root, and these take minutes.
    pub const MOST_SAMPLES: usize = 1_000_000_000;

    /// Takes both distributions to common coordinates, in O(d³): in up to 64 dimensions in twice the working precision, so that
    /// covariances of any condition that is not singular to working precision, about 1e15, cost no digits.
    ///
    /// # Errors
    /// [`MultivariateNormalError`] when the dimensions differ, a covariance is not positive definite, or in many dimensions the two are
    /// too different in scale.
    pub fn new(p: &MultivariateNormal, q: &MultivariateNormal) -> Result<Self, MultivariateNormalError> {
        check_dimensions(p, q)?;
        check_definite('Q', &q.covariance)?;
        check_definite('P', &p.covariance)?;
        let shift = &p.mean - &q.mean;
        if p.dim() > MOST_PRECISE {
            return Self::in_working_precision(p, q);
        }
        match reduce(&shift, &p.covariance, &q.covariance) {
            Ok(reduced) => Ok(GaussianPair { coordinates: reduced.into_iter().map(Coordinate::from).collect() }),
            // An eigenvalue just above the floor may be a negative one that was rounded.
            Err(which) => Err(not_definite(which, if which == 'P' { &p.covariance } else { &q.covariance })?),
        }
    }

    fn in_working_precision(p: &MultivariateNormal, q: &MultivariateNormal) -> Result<Self, MultivariateNormalError> {
        let scale = linalg::eigh(&q.covariance)?;
        // The difference of the covariances is decomposed instead of Σ_p itself, so that a small one keeps its digits.
        let whiten = &scale.vectors / &scale.values.mapv(f64::sqrt).insert_axis(Axis(0));
        let half = linalg::matmul(whiten.t(), (&p.covariance - &q.covariance).view());
        let difference = linalg::matmul(half.view(), whiten.view());
        // Rounding of the products leaves an asymmetry that a symmetric solver must not see.
        let symmetric = 0.5 * (&difference + &difference.t());
        let relative = linalg::eigh(&symmetric)?;
        let variances = (1.0 + &relative.values).to_vec();
        let (smallest, largest) = (variances[0], variances[variances.len() - 1]);
        if smallest <= floor(largest, variances.len()) {
            return Err(MultivariateNormalError::TooFarApart { smallest, largest, dimensions: variances.len() });
        }
        let shifts = relative.vectors.t().dot(&whiten.t().dot(&(&p.mean - &q.mean)));
        let coordinates = shifts.into_iter().zip(variances).zip(relative.values);
        let coordinates =
            coordinates.map(|((shift, variance), stretch)| Coordinate { shift, variance, stretch }).collect();
        Ok(GaussianPair { coordinates })
    }

    /// Two univariate normal distributions, with positive standard deviations.
    pub(crate) fn univariate(mean_p: f64, deviation_p: f64, mean_q: f64, deviation_q: f64) -> Self {
        let coordinate = Coordinate {
            shift: (mean_p - mean_q) / deviation_q,
            variance: (deviation_p / deviation_q).powi(2),
            stretch: (deviation_p - deviation_q) / deviation_q * ((deviation_p + deviation_q) / deviation_q),
        };
        GaussianPair { coordinates: vec![coordinate] }
    }

    /// Whether a divergence of Gaussians has a formula: all have but total variation, Jensen–Shannon and its kin, Le Cam
    /// and χ-α.
    pub fn has_formula(divergence: Divergence) -> bool {
        closed_form::is_known(divergence)
    }

    /// Whether [`GaussianPair::divergence`] gives a divergence: by a formula, or by Monte Carlo where it is bounded.
    pub fn is_available(divergence: Divergence) -> bool {
        let is_bounded = |generator: Generator| generator.maximum().is_finite();
        Self::has_formula(divergence) || matches!(divergence, Divergence::F(generator) if is_bounded(generator))
    }

    /// D(P‖Q) by a formula, ∞ where the integral diverges; `None` where [there is none](Self::has_formula).
    pub fn closed_form(&self, divergence: Divergence) -> Option<f64> {
        closed_form::evaluate(divergence, self)
    }

    /// ln D(P‖Q) by a formula, also where D is finite and larger than any floating-point number; `None` where D does not
    /// grow like a power of p/q.
    pub fn log_divergence(&self, divergence: Divergence) -> Option<f64> {
        closed_form::evaluate_log(divergence, self)
    }

    /// D(P‖Q) by a formula where there is one, otherwise by [`GaussianPair::monte_carlo`].
    ///
    /// # Errors
    /// Those of [`GaussianPair::monte_carlo`].
    pub fn divergence(
        &self,
        divergence: Divergence,
        samples: usize,
        seed: u64,
    ) -> Result<GaussianDivergence, MultivariateNormalError> {
        match (self.closed_form(divergence), divergence) {
            (Some(value), _) => Ok(GaussianDivergence::ClosedForm(value)),
            (None, Divergence::F(generator)) => {
                self.monte_carlo(generator, samples, seed).map(GaussianDivergence::MonteCarlo)
            }
            (None, _) => Err(MultivariateNormalError::Unavailable { divergence: divergence.to_string() }),
        }
    }

    /// D_f(P‖Q) by Monte Carlo, with a 95% confidence interval.
    ///
    /// Half of the samples come from P and half from Q, and the integrand is taken relative to ½(P+Q), where it is
    /// bounded by f(0⁺) + f′(∞): the interval can be trusted. O(d) per sample.
    ///
    /// # Errors
    /// [`MultivariateNormalError::Unavailable`] for an unbounded f, [`MultivariateNormalError::Samples`] unless there are
    /// [`Self::FEWEST_SAMPLES`] to [`Self::MOST_SAMPLES`].
    pub fn monte_carlo(
        &self,
        generator: Generator,
        samples: usize,
        seed: u64,
    ) -> Result<Estimate, MultivariateNormalError> {
        if !generator.maximum().is_finite() {
            return Err(MultivariateNormalError::Unavailable { divergence: generator.to_string() });
        }
        if !(Self::FEWEST_SAMPLES..=Self::MOST_SAMPLES).contains(&samples) {
            return Err(MultivariateNormalError::Samples { samples });
        }
        let each = samples / 2;
        let mut random = Random::new(seed);
        let from_p: RunningMean =
            (0..each).map(|_| excess_over_mixture(generator, self.log_ratio_at_p_sample(&mut random))).collect();
        let from_q: RunningMean =
            (0..each).map(|_| excess_over_mixture(generator, self.log_ratio_at_q_sample(&mut random))).collect();
        let value = generator.minimum() + 0.5 * (from_p.mean() + from_q.mean());
        let standard_error = 0.5 * (from_p.variance_of_mean() + from_q.variance_of_mean()).sqrt();
        // Of the two halves the worse one may carry all of the variance.
        Ok(Estimate::new(value, standard_error, 2 * each, each - 1))
    }

    fn sum(&self, term: impl Fn(Coordinate) -> f64) -> f64 {
        compensated_sum(self.coordinates.iter().map(|coordinate| term(*coordinate)))
    }

    /// ln(p/q) at a draw from P.
    fn log_ratio_at_p_sample(&self, random: &mut Random) -> f64 {
        let at_draw = |coordinate: &Coordinate| {
            let normal = random.normal();
            coordinate.log_ratio(coordinate.shift + coordinate.variance.sqrt() * normal, normal)
        };
        self.coordinates.iter().map(at_draw).sum()
    }

    /// ln(p/q) at a draw from Q.
    fn log_ratio_at_q_sample(&self, random: &mut Random) -> f64 {
        let at_draw = |coordinate: &Coordinate| {
            let z = random.normal();
            coordinate.log_ratio(z, (z - coordinate.shift) / coordinate.variance.sqrt())
        };
        self.coordinates.iter().map(at_draw).sum()
    }
}

/// What rounding makes of an eigenvalue of zero.
fn floor(largest: f64, dimensions: usize) -> f64 {
    largest * f64::EPSILON * (2.0 * (dimensions as f64).sqrt()).max(4.0)
}

fn check_definite(which: char, covariance: &Array2<f64>) -> Result<(), MultivariateNormalError> {
    let (smallest, largest) = extremes(covariance)?;
    if smallest > floor(largest, covariance.nrows()) { Ok(()) } else { Err(not_definite(which, covariance)?) }
}

/// The error that names the eigenvalues of a covariance that is not positive definite.
pub(super) fn not_definite(
    which: char,
    covariance: &Array2<f64>,
) -> Result<MultivariateNormalError, MultivariateNormalError> {
    let (smallest, largest) = extremes(covariance)?;
    Ok(MultivariateNormalError::NotPositiveDefinite { which, smallest, largest })
}

/// The smallest and the largest eigenvalue.
fn extremes(covariance: &Array2<f64>) -> Result<(f64, f64), MultivariateNormalError> {
    let eigenvalues = linalg::eigenvalues(covariance)?;
    let fold = |start: f64, best: fn(f64, f64) -> f64| eigenvalues.iter().copied().fold(start, best);
    Ok((fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max)))
}

impl From<Reduced> for Coordinate {
    fn from(Reduced { shift, variance, stretch }: Reduced) -> Self {
        Coordinate { shift, variance, stretch }
    }
}

/// The integrand relative to ½(P+Q), given ln(p/q).
pub(super) fn excess_over_mixture(generator: Generator, log_ratio: f64) -> f64 {
    // p/(½(p+q)) = 2/(1+e^{−ℓ}), and the same with −ℓ for q.
    let log_share = |log_ratio: f64| {
        let softplus = (-log_ratio).max(0.0) + (-log_ratio.abs()).exp().ln_1p();
        std::f64::consts::LN_2 - softplus
    };
    generator.excess_of_logs(log_share(log_ratio), log_share(-log_ratio))
}

impl ClosedForm for GaussianPair {
    fn kullback_leibler(&self) -> f64 {
        0.5 * self.sum(|at| at.deficit() + at.shift * at.shift)
    }

    fn reverse_kullback_leibler(&self) -> f64 {
        0.5 * self.sum(|at| at.deficit_of_inverse() + at.shift * at.shift / at.variance)
    }

    /// Finite only where order·Σ_p⁻¹ + (1−order)·Σ_q⁻¹ is positive definite (Gil, Alajaji and Linder 2013).
    fn log_affinity(&self, order: f64) -> f64 {
        let rest = 1.0 - order;
        if self.coordinates.iter().any(|at| 1.0 + rest * at.stretch <= 0.0) {
            return f64::INFINITY;
        }
        0.5 * self.sum(|at| at.log_volume(rest) - order * rest * at.shift * at.shift / (1.0 + rest * at.stretch))
    }

    fn cancelling_terms(&self) -> f64 {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn pair() -> (MultivariateNormal, MultivariateNormal) {
        let p = MultivariateNormal::new(array![0.5, -1.0], array![[2.0, 0.3], [0.3, 0.8]]).unwrap();
        let q = MultivariateNormal::new(array![0.0, 0.0], array![[1.5, -0.2], [-0.2, 1.1]]).unwrap();
        (p, q)
    }

    /// For the 2×2 case straight from the textbook formula, with explicit inverse and determinant.
    fn textbook_kl(p: &MultivariateNormal, q: &MultivariateNormal) -> f64 {
        let determinant = |m: &Array2<f64>| m[(0, 0)] * m[(1, 1)] - m[(0, 1)] * m[(1, 0)];
        let inverse = {
            let m = &q.covariance;
            array![[m[(1, 1)], -m[(0, 1)]], [-m[(1, 0)], m[(0, 0)]]] / determinant(m)
        };
        let shift = &p.mean - &q.mean;
        let log_ratio = (determinant(&q.covariance) / determinant(&p.covariance)).ln();
        0.5 * (inverse.dot(&p.covariance).diag().sum() - 2.0 + shift.dot(&inverse.dot(&shift)) + log_ratio)
    }

    #[test]
    fn kl_is_the_textbook_formula_both_ways() {
        let (p, q) = pair();
        let reduced = GaussianPair::new(&p, &q).unwrap();
        assert!((reduced.kullback_leibler() - textbook_kl(&p, &q)).abs() < 1e-14);
        assert!((reduced.reverse_kullback_leibler() - textbook_kl(&q, &p)).abs() < 1e-14);
        let jeffreys = reduced.closed_form(Divergence::F(Generator::JEFFREYS)).unwrap();
        assert!((jeffreys - textbook_kl(&p, &q) - textbook_kl(&q, &p)).abs() < 1e-14);
    }

    #[test]
    fn exchanging_the_arguments_is_the_adjoint() {
        let (p, q) = pair();
        let (forward, back) = (GaussianPair::new(&p, &q).unwrap(), GaussianPair::new(&q, &p).unwrap());
        for generator in Generator::catalogue() {
            let value = forward.closed_form(Divergence::F(generator));
            let adjoint = back.closed_form(Divergence::F(generator.adjoint()));
            match (value, adjoint) {
                (Some(value), Some(adjoint)) => {
                    assert!((value - adjoint).abs() < 1e-13 * (1.0 + value), "{generator}: {value} {adjoint}");
                }
                (None, None) => {}
                _ => panic!("{generator} has a closed form in one direction only"),
            }
        }
    }

    #[test]
    fn chi_squared_is_infinite_where_the_combined_precision_is_not_definite() {
        let wide = GaussianPair::univariate(0.0, 1.5, 0.0, 1.0);
        let chi2 = Divergence::F(Generator::PEARSON_CHI_SQUARED);
        // 2/1.5² − 1 < 0.
        assert_eq!(wide.closed_form(chi2), Some(f64::INFINITY));
        assert_eq!(wide.closed_form("renyi(2)".parse().unwrap()), Some(f64::INFINITY));
        assert!(wide.closed_form(Divergence::F(Generator::NEYMAN_CHI_SQUARED)).unwrap().is_finite());
        // Equal covariances: χ² = exp(‖μ‖²) − 1.
        let shifted = GaussianPair::univariate(0.7, 1.0, 0.0, 1.0).closed_form(chi2).unwrap();
        assert!((shifted - 0.49_f64.exp_m1()).abs() < 1e-15);
    }

    #[test]
    fn ill_conditioned_covariances_cost_no_digits() {
        // Condition 4·2⁴⁰, against each other in other directions; KL by mpmath with 60 digits.
        let e = (-40.0_f64).exp2();
        let gaussian = |covariance| MultivariateNormal::new(array![0.0, 0.0], covariance).unwrap();
        let (p, q) = (gaussian(array![[1.0 + e, 1.0], [1.0, 1.0]]), gaussian(array![[1.0, 1.0], [1.0, 1.0 + 3.0 * e]]));
        let kl = GaussianPair::new(&p, &q).unwrap().kullback_leibler();
        assert!((kl / KL_OF_ILL_CONDITIONED - 1.0).abs() < 1e-14, "{kl}");
        // 1e14, and its square root in the other direction.
        let (p, q) = (gaussian(array![[1.0, 0.0], [0.0, 1e-14]]), gaussian(array![[1e-7, 0.0], [0.0, 1e-14]]));
        let kl = GaussianPair::new(&p, &q).unwrap().kullback_leibler();
        let expected = 0.5 * (1e7 - 1.0 - 1e7_f64.ln());
        assert!((kl / expected - 1.0).abs() < 1e-14, "{kl}");
    }

    const KL_OF_ILL_CONDITIONED: f64 = 0.215_972_811_001_176_26;

    #[test]
    fn nearly_equal_gaussians_keep_their_digits() {
        // A power of two, so that 1 + e is exact.
        let e = (-30.0_f64).exp2();
        let close = GaussianPair::univariate(0.0, 1.0 + e, 0.0, 1.0);
        let stretch = e * (2.0 + e);
        let expected = 0.25 * stretch * stretch * (1.0 - 2.0 / 3.0 * stretch);
        assert!((close.kullback_leibler() / expected - 1.0).abs() < 1e-15);
        let chi2 = close.closed_form(Divergence::F(Generator::PEARSON_CHI_SQUARED)).unwrap();
        assert!((chi2 / (2.0 * expected) - 1.0).abs() < 1e-7);
    }

    #[test]
    fn far_apart_scales_keep_their_digits() {
        // σ_p/σ_q = r: KL = (r² − 1)/2 − ln r, ∫√(pq) = √(2r/(1 + r²)).
        for r in [1e-12_f64, 1e-3, 1e3, 1e12] {
            let pair = GaussianPair::univariate(0.0, r, 0.0, 1.0);
            let kl = 0.5 * (r * r - 1.0) - r.ln();
            assert!((pair.kullback_leibler() / kl - 1.0).abs() < 1e-15, "{r}");
            let bhattacharyya = -0.5 * (2.0 * r / (1.0 + r * r)).ln();
            let value = pair.closed_form(Divergence::Bhattacharyya).unwrap();
            assert!((value / bhattacharyya - 1.0).abs() < 1e-14, "{r}: {value} {bhattacharyya}");
        }
    }

    #[test]
    fn monte_carlo_covers_the_closed_forms() {
        let (p, q) = pair();
        let reduced = GaussianPair::new(&p, &q).unwrap();
        for generator in [Generator::SQUARED_HELLINGER, Generator::alpha(0.3).unwrap()] {
            let exact = reduced.closed_form(Divergence::F(generator)).unwrap();
            let estimate = reduced.monte_carlo(generator, 40_000, 3).unwrap();
            assert!((estimate.value - exact).abs() < 4.0 * estimate.standard_error, "{generator}: {estimate:?}");
            assert!(estimate.standard_error < 0.02 * exact);
        }
        // Total variation of shifted standard normals: erf(δ/√8) = erf(0.5) at δ = √2.
        let shifted = GaussianPair::univariate(2.0_f64.sqrt(), 1.0, 0.0, 1.0);
        let estimate = shifted.monte_carlo(Generator::TOTAL_VARIATION, 40_000, 3).unwrap();
        assert!((estimate.value - 0.520_499_877_813_046_5).abs() < 4.0 * estimate.standard_error);
    }

    #[test]
    fn unbounded_integrands_are_refused() {
        let reduced = GaussianPair::univariate(0.0, 1.0, 0.0, 2.0);
        let chi: Divergence = "chi-alpha(3)".parse().unwrap();
        assert!(matches!(reduced.divergence(chi, 1000, 0), Err(MultivariateNormalError::Unavailable { .. })));
        for samples in [3, GaussianPair::MOST_SAMPLES + 1, usize::MAX] {
            let refused = reduced.monte_carlo(Generator::JENSEN_SHANNON, samples, 0);
            assert_eq!(refused, Err(MultivariateNormalError::Samples { samples }));
        }
    }

    #[test]
    fn what_has_a_formula_is_computed_by_it() {
        let reduced = GaussianPair::univariate(0.0, 1.0, 0.0, 2.0);
        for divergence in Divergence::catalogue() {
            assert_eq!(
                GaussianPair::has_formula(divergence),
                reduced.closed_form(divergence).is_some(),
                "{divergence}"
            );
            assert_eq!(GaussianPair::is_available(divergence), reduced.divergence(divergence, 100, 0).is_ok());
        }
    }

    #[test]
    fn degenerate_input_is_named() {
        let singular = MultivariateNormal::new(array![0.0, 0.0], array![[1.0, 1.0], [1.0, 1.0]]).unwrap();
        let (p, _) = pair();
        let which = |p, q| match GaussianPair::new(p, q) {
            Err(MultivariateNormalError::NotPositiveDefinite { which, .. }) => which,
            other => panic!("{other:?}"),
        };
        assert_eq!((which(&p, &singular), which(&singular, &p)), ('Q', 'P'));
        assert!(MultivariateNormal::new(array![0.0], array![[1.0, 0.0]]).is_err());
        assert!(MultivariateNormal::new(array![f64::NAN], array![[1.0]]).is_err());
        let skew = MultivariateNormal::new(array![0.0, 0.0], array![[1.0, 0.5], [0.2, 1.0]]).unwrap_err();
        assert!(skew.to_string().contains("(0, 1) is 0.5"), "{skew}");
    }
}
