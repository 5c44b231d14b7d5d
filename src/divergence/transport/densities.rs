//! Densities on the line, where the monotone coupling is optimal: quantile against quantile.

use super::TransportError;
use super::points::WassersteinOrder;
use crate::divergence::density::{Density, Tail};
use crate::divergence::masses::compensated_sum;
use crate::divergence::quadrature::{Domain, Integral, Place, QuadratureError, Sample, integrate};

/// W_r between two densities: ∫|F_p − F_q| for r = 1, and otherwise the integral of |F_p⁻¹ − F_q⁻¹|^r over (0, 1). ∞ where one
/// of the two has no moment of order r and the other has one.
///
/// # Errors
/// [`TransportError::Quadrature`] when the integral does not converge.
pub fn wasserstein_densities(p: &Density, q: &Density, order: WassersteinOrder) -> Result<Integral, TransportError> {
    if p.has_moment(order.get()) != q.has_moment(order.get()) {
        return Ok(Integral { value: f64::INFINITY, error_bound: 0.0, evaluations: 0 });
    }
    if order == WassersteinOrder::ONE {
        return Ok(integrate(&p.domain(q), |place| difference_of_probabilities(p, q, place))?);
    }
    let (lower, upper) = (half(p, q, order, Tail::Lower)?, half(p, q, order, Tail::Upper)?);
    let (cost, error) = (lower.value + upper.value, lower.error_bound + upper.error_bound);
    // The root is steepest at zero: both ends of the interval are taken through it.
    let value = order.root(cost);
    let error_bound = (order.root(cost + error) - value).max(value - order.root((cost - error).max(0.0)));
    Ok(Integral { value, error_bound, evaluations: lower.evaluations + upper.evaluations })
}

/// |F_p − F_q|, with a kink where the two cross.
fn difference_of_probabilities(p: &Density, q: &Density, place: Place) -> Sample {
    let probabilities = |tail| [p, q].map(|density| density.probability(place, tail));
    // The difference of the smaller tails keeps more digits.
    let (mut tail, mut both) = (Tail::Lower, probabilities(Tail::Lower));
    if both[0] + both[1] >= 1.0 {
        (tail, both) = (Tail::Upper, probabilities(Tail::Upper));
    }
    let difference = if tail == Tail::Lower { both[0] - both[1] } else { both[1] - both[0] };
    let x = place.x();
    // Far from the origin a place itself has a rounding error.
    let of_place = f64::EPSILON * x.abs() * (p.pdf(x) + q.pdf(x));
    let of_functions = compensated_sum(
        [p, q]
            .iter()
            .zip(both)
            .map(|(density, probability)| probability * density.rounding_of_probability(probability)),
    );
    let noise = of_functions + if of_place.is_finite() { of_place } else { 0.0 };
    let side = if difference.abs() > noise { difference / (both[0] + both[1]) } else { 0.0 };
    Sample { value: difference.abs(), noise, side }
}

/// The half of ∫|F_p⁻¹ − F_q⁻¹|^r in which the probability of the tail is at most ½.
fn half(p: &Density, q: &Density, order: WassersteinOrder, tail: Tail) -> Result<Integral, QuadratureError> {
    let mut domain = Domain { landmarks: vec![0.0, 0.5], lower_scale: None, upper_scale: None };
    // A quantile is rough where its density is, and steep where it crosses a gap between components.
    let at_landmarks = [p, q].into_iter().flat_map(|density| {
        let landmarks = density.domain(density).landmarks.into_iter();
        landmarks.map(|x| density.probability(Place::at(x), tail))
    });
    domain.add_landmarks(at_landmarks.filter(|probability| (f64::MIN_POSITIVE..0.5).contains(probability)));
    integrate(&domain, |place| {
        let probability = place.x();
        let quantiles = [p, q].map(|density| density.quantile(probability, tail));
        let difference = quantiles[0] - quantiles[1];
        let error: f64 = [p, q]
            .into_iter()
            .zip(quantiles)
            .map(|(density, quantile)| density.rounding_of_quantile(quantile, probability, tail))
            .sum();
        let value = order.power(difference.abs());
        let noise = order.power(difference.abs() + error) - value;
        Sample { value, noise, side: if difference.abs() > error { difference } else { 0.0 } }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heavy_tails_are_decided() {
        let of =
            |p: &str, q: &str, order| wasserstein_densities(&p.parse().unwrap(), &q.parse().unwrap(), order).unwrap();
        assert_eq!(of("cauchy(0,1)", "normal(0,1)", WassersteinOrder::ONE).value, f64::INFINITY);
        assert_eq!(of("student(2,0,1)", "normal(0,1)", WassersteinOrder::TWO).value, f64::INFINITY);
        // Without a mean, and yet a shift away.
        let shifted = of("cauchy(0,1)", "cauchy(1.5,1)", WassersteinOrder::ONE);
        assert!((shifted.value - 1.5).abs() <= shifted.error_bound && shifted.error_bound < 1e-11, "{shifted:?}");
        // The one is everywhere above the other, and the means are scale·Γ(3/2).
        let weibull = of("weibull(2,1)", "weibull(2,3)", WassersteinOrder::ONE);
        assert!((weibull.value - 2.0 * 0.886_226_925_452_758).abs() <= weibull.error_bound + 1e-15, "{weibull:?}");
    }

    /// The smallest positive numbers have few digits, and so have the quantiles of such probabilities.
    #[test]
    fn tails_end_before_the_smallest_numbers() {
        let p = "0.823*logistic(-1.52,0.9) + 0.02*laplace(-1.59,1.21) + 0.157*logistic(0.44,0.82)".parse().unwrap();
        let q = "0.276*normal(2.09,0.34) + 0.396*logistic(0.98,1.2) + 0.328*logistic(-0.57,0.94)".parse().unwrap();
        let found = wasserstein_densities(&p, &q, WassersteinOrder::TWO).unwrap();
        // By mpmath, as in make_divergence_pairs.py.
        let off = (found.value - 2.031_569_762_903_245_6).abs();
        assert!(off <= found.error_bound + f64::EPSILON * 2.0 && found.error_bound < 1e-11, "{found:?}");
    }

    #[test]
    fn densities_agree_with_formulas() {
        let value = |p: &str, q: &str, order: WassersteinOrder| {
            let integral = wasserstein_densities(&p.parse().unwrap(), &q.parse().unwrap(), order).unwrap();
            assert!(integral.error_bound < 1e-9 * (1.0 + integral.value), "{p} {q}: {integral:?}");
            integral.value
        };
        assert!((value("normal(0,1)", "normal(3,1)", WassersteinOrder::ONE) - 3.0).abs() < 1e-11);
        // W₂² of normals: (μ₁−μ₂)² + (σ₁−σ₂)².
        assert!((value("normal(0,1)", "normal(3,5)", WassersteinOrder::TWO) - 5.0).abs() < 1e-10);
        // W₁ of exponentials: |1/λ₁ − 1/λ₂|.
        assert!((value("exponential(1)", "exponential(4)", WassersteinOrder::ONE) - 0.75).abs() < 1e-12);
        assert!((value("uniform(0,1)", "uniform(2,3)", WassersteinOrder::TWO) - 2.0).abs() < 1e-12);
        assert_eq!(value("beta(2,3)", "beta(2,3)", WassersteinOrder::ONE), 0.0);
    }
}
