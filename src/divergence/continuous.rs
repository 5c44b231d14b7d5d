//! Divergences of one-dimensional densities: a formula where there is one, adaptive quadrature otherwise.
//!
//! Whether the integral is finite is decided from the densities' behaviour at the ends before anything is summed, so
//! that ∞ is an answer and never an overflow.

use crate::divergence::density::{self, Behaviour, Density, End};
use crate::divergence::generator::Generator;
use crate::divergence::kind::Divergence;
use crate::divergence::quadrature::{Domain, Integral, QuadratureError, Sample, integrate, maximum};

const INFINITE: Integral = Integral { value: f64::INFINITY, error_bound: 0.0, evaluations: 0 };

/// D(P‖Q) of two densities and how it was obtained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DensityDivergence {
    /// By a formula.
    ClosedForm {
        /// The value.
        value: f64,
    },
    /// By adaptive quadrature.
    Quadrature(Integral),
}

impl DensityDivergence {
    /// The value.
    pub fn value(&self) -> f64 {
        match self {
            DensityDivergence::ClosedForm { value } => *value,
            DensityDivergence::Quadrature(integral) => integral.value,
        }
    }
}

/// D(P‖Q), by [`closed_form`] where there is one and [`by_quadrature`] otherwise; in nats where it is a logarithm.
///
/// ```
/// use gan_metrics::divergence::continuous::divergence;
///
/// let (p, q) = ("normal(0, 1)".parse()?, "laplace(0, 1)".parse()?);
/// let kl = divergence("kl".parse()?, &p, &q)?;
/// // ln 2 + E|x| − ½ ln(2πe)
/// assert!((kl.value() - 0.072_093_208_158_138).abs() < 1e-12);
/// # Ok::<(), gan_metrics::Error>(())
/// ```
///
/// # Errors
/// [`QuadratureError`] when the integral does not converge.
pub fn divergence(divergence: Divergence, p: &Density, q: &Density) -> Result<DensityDivergence, QuadratureError> {
    match closed_form(divergence, p, q) {
        Some(value) => Ok(DensityDivergence::ClosedForm { value }),
        None => by_quadrature(divergence, p, q).map(DensityDivergence::Quadrature),
    }
}

/// ln D(P‖Q), also where D is finite and larger than any floating-point number; ∞ where D is infinite.
///
/// # Errors
/// [`QuadratureError`] when an integral does not converge.
pub fn log_divergence(kind: Divergence, p: &Density, q: &Density) -> Result<f64, QuadratureError> {
    let value = divergence(kind, p, q)?.value();
    let Divergence::F(generator) = kind else { return Ok(value.ln()) };
    if value != f64::INFINITY {
        return Ok(value.ln());
    }
    if let (Some(p), Some(q)) = (p.component(), q.component())
        && let Some(log) = density::log_of_closed_form(kind, p, q)
    {
        return Ok(log);
    }
    let Some(domain) = domain_of_finite(generator, p, q) else { return Ok(f64::INFINITY) };
    Ok(in_units_of_the_peak(domain, p, q, |log_p, log_q| generator.log_excess(log_p, log_q))?.value)
}

/// D(P‖Q) by a formula: for two uniform densities always, for two of the families normal, exponential, gamma, beta and
/// Laplace where D is a function of KL or of an affinity ∫ p^α q^{1−α}.
///
/// Absolute error a few 1e-15 of the largest term of the formula. `None` also where two densities are so close that
/// these terms would cancel; formulas for normal and uniform densities are arranged so that they do not.
pub fn closed_form(divergence: Divergence, p: &Density, q: &Density) -> Option<f64> {
    density::closed_form(divergence, p.component()?, q.component()?)
}

/// D(P‖Q) by adaptive Gauss–Kronrod quadrature, with an error bound of about 1e-13 of the value. Where the two
/// densities are within a factor 1 + ε of each other everywhere, rounding of their logarithms adds about 1e-15/ε.
///
/// # Errors
/// [`QuadratureError`] when the integral does not converge.
pub fn by_quadrature(divergence: Divergence, p: &Density, q: &Density) -> Result<Integral, QuadratureError> {
    match divergence {
        Divergence::F(generator) => f_divergence(generator, p, q),
        Divergence::Renyi(order) => {
            let order = order.get();
            let log = log_affinity(order, p, q)?;
            Ok(log.mapped(Divergence::of_log_affinity(order, log.value), 1.0 / (order - 1.0)))
        }
        Divergence::Bhattacharyya => {
            let log = log_affinity(0.5, p, q)?;
            Ok(log.mapped(0.5 * Divergence::of_log_affinity(0.5, log.value), 1.0))
        }
    }
}

fn f_divergence(generator: Generator, p: &Density, q: &Density) -> Result<Integral, QuadratureError> {
    let Some(domain) = domain_of_finite(generator, p, q) else { return Ok(INFINITE) };
    let integral = excess(generator, &domain, p, q)?;
    // f(1) has a rounding error of its own where it is not zero.
    let error_bound = integral.error_bound + f64::EPSILON * generator.minimum().abs();
    Ok(Integral { value: generator.minimum() + integral.value, error_bound, ..integral })
}

/// Where to integrate; `None` if the integral diverges.
fn domain_of_finite(generator: Generator, p: &Density, q: &Density) -> Option<Domain> {
    let mut domain = p.domain(q);
    for (generator, p, q) in [(generator, p, q), (generator.adjoint(), q, p)] {
        let is_finite = match generator.growth() {
            Some(growth) => resolve_growth(&mut domain, growth.exponent, p, q),
            // Faster than linear and slower than every power: as u·ln u.
            None => generator.recession().is_finite() || bears_logarithm(p, q),
        };
        if !is_finite {
            return None;
        }
    }
    Some(domain)
}

/// D_f − f(1), whose integrand is nowhere negative.
fn excess(generator: Generator, domain: &Domain, p: &Density, q: &Density) -> Result<Integral, QuadratureError> {
    integrate(domain, |place| {
        let (log_p, log_q) = (p.ln_density(place), q.ln_density(place));
        // Between the supports of mixtures, and where both underflow.
        if log_p == f64::NEG_INFINITY && log_q == f64::NEG_INFINITY {
            return Sample::from(0.0);
        }
        let rounding = |density: &Density, log: f64| if log.is_finite() { density.rounding_of_log(log) } else { 0.0 };
        let rounding = rounding(p, log_p) + rounding(q, log_q);
        let value = generator.excess_of_logs(log_p, log_q);
        // Total variation and its like have a kink at p = q.
        let log_ratio = log_p - log_q;
        let side = if log_ratio.abs() > rounding && log_ratio.is_finite() { log_ratio } else { 0.0 };
        Sample { value, noise: generator.excess_noise(log_p, log_q, value, rounding), side }
    })
}

/// Whether ∫ p·|ln(p/q)| is finite in the tails. Where q alone is zero the integrand itself is infinite.
fn bears_logarithm(p: &Density, q: &Density) -> bool {
    [End::MinusInfinity, End::PlusInfinity].into_iter().all(|end| match (p.behaviour(end), q.behaviour(end)) {
        (Some(p), Some(q)) => p.bears_log_ratio(&q, end),
        _ => true,
    })
}

/// Whether ∫ p^exponent q^{1−exponent} is finite for an exponent above 1; if so, adds the landmarks of the bulge that
/// the integrand may have far from both densities.
fn resolve_growth(domain: &mut Domain, exponent: f64, p: &Density, q: &Density) -> bool {
    let finite_ends = domain.landmarks.iter().flat_map(|x| [End::Above(*x), End::Below(*x)]);
    let ends: Vec<End> = finite_ends.chain([End::MinusInfinity, End::PlusInfinity]).collect();
    for end in ends {
        let Some(behaviour_p) = p.behaviour(end) else { continue };
        // Mass of P where Q has none costs f′(∞) = ∞.
        let Some(behaviour_q) = q.behaviour(end) else { return false };
        let product = Behaviour::of_product(&behaviour_p, &behaviour_q, exponent);
        if !product.is_integrable(end) {
            return false;
        }
        let sign = match end {
            End::MinusInfinity => -1.0,
            End::PlusInfinity => 1.0,
            End::Above(_) | End::Below(_) => continue,
        };
        let peak = -0.5 * product.linear() / product.quadratic();
        if product.quadratic() > 0.0 && peak > 0.0 {
            let width = (2.0 * product.quadratic()).sqrt().recip();
            domain.add_landmarks([-8.0, -2.0, 0.0, 2.0, 8.0].map(|step| sign * (peak + step * width)));
        }
    }
    true
}

/// ln ∫ p^order q^{1−order} for a positive order other than 1.
fn log_affinity(order: f64, p: &Density, q: &Density) -> Result<Integral, QuadratureError> {
    let mut domain = p.domain(q);
    if order > 1.0 && !resolve_growth(&mut domain, order, p, q) {
        return Ok(INFINITE);
    }
    let generator = Generator::alpha(order).expect("Rényi orders are orders of the α-divergence");
    let factor = order * (order - 1.0);
    let alpha = excess(generator, &domain, p, q)?;
    let affinity_minus_one = factor * alpha.value;
    if affinity_minus_one.abs() < 0.5 {
        return Ok(alpha.mapped(affinity_minus_one.ln_1p(), factor / (1.0 + affinity_minus_one)));
    }
    // Far from 1 the affinity is integrated itself.
    in_units_of_the_peak(domain, p, q, |log_p, log_q| {
        if log_p == f64::NEG_INFINITY || log_q == f64::NEG_INFINITY {
            f64::NEG_INFINITY
        } else {
            order * log_p + (1.0 - order) * log_q
        }
    })
}

/// ln of the integral of an integrand that is given by its logarithm, in units of its largest value: alone it may over- or
/// underflow.
fn in_units_of_the_peak(
    mut domain: Domain,
    p: &Density,
    q: &Density,
    log_integrand: impl Fn(f64, f64) -> f64,
) -> Result<Integral, QuadratureError> {
    let log_integrand = |place| match (p.ln_density(place), q.ln_density(place)) {
        (f64::NEG_INFINITY, f64::NEG_INFINITY) => f64::NEG_INFINITY,
        (log_p, log_q) => log_integrand(log_p, log_q),
    };
    let (peak, height) = maximum(&domain, log_integrand);
    if height.is_infinite() {
        // Disjoint supports, or a point that costs an infinity alone.
        return Ok(Integral { value: height, ..INFINITE });
    }
    domain.add_peak(peak);
    let affinity = integrate(&domain, |place| {
        let log = log_integrand(place);
        let value = (log - height).exp();
        // Far apart, the logarithm is large and its rounding with it.
        Sample {
            value,
            noise: if value > 0.0 { value * (p.rounding_of_log(log) + q.rounding_of_log(log)) } else { 0.0 },
            side: 0.0,
        }
    })?;
    Ok(affinity.mapped(height + affinity.value.ln(), 1.0 / affinity.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn density(text: &str) -> Density {
        text.parse().unwrap()
    }

    /// Formula and quadrature share nothing but the densities; formulas of gamma and beta lose a few digits to ln Γ.
    const AGREEMENT: f64 = 1e-12;

    #[test]
    fn formulas_and_quadrature_agree() {
        for (p, q) in [
            ("normal(0, 1)", "normal(1.5, 2)"),
            ("normal(0, 1)", "normal(0.3, 0.8)"),
            ("normal(-20, 1)", "normal(20, 3)"),
            ("laplace(0, 1)", "laplace(2, 1.5)"),
            ("laplace(0, 1)", "laplace(0, 3)"),
            ("exponential(1)", "exponential(3)"),
            ("gamma(2, 1)", "gamma(3.5, 1.5)"),
            ("gamma(0.5, 1)", "gamma(0.2, 2)"),
            ("beta(2, 3)", "beta(0.5, 0.9)"),
            ("beta(5, 1)", "beta(4, 1.5)"),
            ("uniform(0, 1)", "uniform(-1, 2)"),
            ("uniform(0, 2)", "uniform(1, 4)"),
            ("uniform(0, 1)", "uniform(2, 3)"),
        ] {
            for divergence in Divergence::catalogue() {
                for (p, q) in [(p, q), (q, p)] {
                    let (p, q) = (density(p), density(q));
                    let Some(formula) = closed_form(divergence, &p, &q) else { continue };
                    let integral = by_quadrature(divergence, &p, &q).unwrap();
                    let close = (integral.value - formula).abs() <= AGREEMENT * (1.0 + formula.abs());
                    assert!(integral.value == formula || close, "{divergence} {p} {q}: {formula} {integral:?}");
                }
            }
        }
    }

    #[test]
    fn infinity_is_decided_and_not_computed() {
        for (name, p, q) in [
            ("pearson", "laplace(0, 1)", "normal(0, 1)"),
            ("pearson", "normal(0, 1.4142135623730951)", "normal(0, 1)"),
            ("pearson", "logistic(0, 1)", "normal(0, 1)"),
            ("pearson", "gamma(0.5, 3)", "uniform(0, 1)"),
            ("pearson", "beta(0.4, 1)", "beta(1, 1)"),
            ("neyman", "normal(0, 1)", "laplace(0, 1)"),
            ("kl", "uniform(0, 1)", "uniform(0.5, 2)"),
            ("kl", "normal(0, 1)", "exponential(1)"),
            ("alpha(1.5)", "0.5*normal(0,1) + 0.5*laplace(0, 9)", "laplace(0, 1)"),
            ("renyi(2)", "laplace(0, 1)", "normal(0, 1)"),
            ("chi-alpha(3)", "exponential(1)", "exponential(1.5)"),
        ] {
            assert_eq!(
                log_divergence(name.parse().unwrap(), &density(p), &density(q)).unwrap(),
                f64::INFINITY,
                "{name} {p} {q}"
            );
            let value = divergence(name.parse().unwrap(), &density(p), &density(q)).unwrap().value();
            assert_eq!(value, f64::INFINITY, "{name} {p} {q}");
        }
    }

    #[test]
    fn heavy_tails_are_decided_and_summed() {
        // By mpmath with 30 digits; KL of Cauchy densities is ln(((s+t)² + (m−n)²)/(4st)).
        for (name, p, q, expected) in [
            ("kl", "cauchy(0, 1)", "cauchy(1, 2)", 1.25_f64.ln()),
            ("kl", "student(3, 0, 1)", "cauchy(0, 1)", 0.113_408_199_039_748_5),
            ("kl", "normal(0, 1)", "student(3, 0, 1)", 0.069_151_598_485_176_23),
            ("pearson", "student(3, 0, 1)", "cauchy(0, 1)", 0.154_700_538_379_251_5),
            ("kl", "gumbel(0, 1)", "normal(0.5, 1.5)", 0.114_053_826_578_951_4),
            ("js", "weibull(1.5, 1)", "weibull(2, 2)", 0.138_645_459_012_428_7),
            // Log-normal densities are normal ones in the logarithm.
            ("kl", "lognormal(0, 1)", "lognormal(1, 2)", 2.0_f64.ln() + 2.0 / 8.0 - 0.5),
            ("js", "triangular(0, 1, 2)", "triangular(0, 1, 2)", 0.0),
            ("kl", "cauchy(0, 1)", "normal(0, 1)", f64::INFINITY),
            ("reverse-kl", "normal(0, 1)", "student(1.5, 0, 1)", f64::INFINITY),
            ("jeffreys", "normal(0, 1)", "student(2, 0, 1)", f64::INFINITY),
            ("kl", "gamma(2, 1)", "gumbel(0, 1)", 0.0),
            ("kl", "laplace(0, 1)", "gumbel(0, 1)", f64::INFINITY),
            ("kl", "laplace(0, 0.5)", "gumbel(0, 1)", 0.0),
            ("pearson", "cauchy(0, 1)", "student(3, 0, 1)", f64::INFINITY),
            ("pearson", "student(1, 0, 1)", "student(2.9, 0, 1)", f64::INFINITY),
            ("pearson", "student(1, 0, 1)", "student(1.9, 0, 1)", 0.0),
            ("pearson", "lognormal(0, 1)", "weibull(0.5, 1)", f64::INFINITY),
            ("kl", "normal(0, 1)", "gumbel(0, 1)", 0.0),
        ] {
            let (p, q) = (density(p), density(q));
            let integral = by_quadrature(name.parse().unwrap(), &p, &q).unwrap();
            if expected == 0.0 && integral.value != 0.0 {
                // Only that it is finite.
                assert!(integral.value.is_finite() && integral.error_bound < 1e-9 * integral.value, "{name} {p} {q}");
                continue;
            }
            let error = (integral.value - expected).abs();
            let close = error <= integral.error_bound + 4.0 * f64::EPSILON && integral.error_bound < 1e-11;
            assert!(integral.value == expected || close, "{name} {p} {q}: {integral:?} {expected}");
        }
    }

    #[test]
    fn heavy_integrands_far_from_both_densities_are_found() {
        // p²/q has the small precision 2/1² − 1/0.75² and peaks at −8, eight deviations from P and twelve from Q.
        let (p, q) = (density("normal(0, 1)"), density("normal(1, 0.75)"));
        let formula = closed_form("pearson".parse().unwrap(), &p, &q).unwrap();
        let integral = by_quadrature("pearson".parse().unwrap(), &p, &q).unwrap();
        assert!((integral.value / formula - 1.0).abs() < 1e-10, "{formula} {integral:?}");
        // p²/q peaks at ±5, where q is e^−50 and p e^−12.5; 40 digits by mpmath.
        let (p, q) = (density("normal(0, 1)"), density("logistic(0, 0.1)"));
        let value = by_quadrature("pearson".parse().unwrap(), &p, &q).unwrap().value;
        assert!((value / 4_062_441_416.112_192_7 - 1.0).abs() < 1e-13, "{value}");
    }

    #[test]
    fn nearly_equal_densities_end_within_their_bound() {
        // JS and Rényi of N(0, 1) and N(δ, 1) to leading order; δ⁴ is below rounding.
        for delta in [1e-3, 1e-5, 1e-8] {
            let (p, q) = (Density::normal(0.0, 1.0).unwrap(), Density::normal(delta, 1.0).unwrap());
            for (name, expected) in [("js", 0.125), ("renyi(0.5)", 0.25), ("renyi(2)", 1.0), ("kl", 0.5)] {
                let integral = by_quadrature(name.parse().unwrap(), &p, &q).unwrap();
                let expected = expected * delta * delta;
                let truncation = delta * delta * expected;
                let error = (integral.value - expected).abs();
                assert!(error <= integral.error_bound + truncation, "{name} {delta}: {integral:?}");
                assert!(integral.error_bound < 1e-13 / delta * expected, "{name} {delta}: {integral:?}");
            }
        }
        // Formulas whose terms cancel give way to quadrature; 40 digits by mpmath.
        for (p, q, expected) in [
            ("gamma(2, 1)", "gamma(2.00000095367431640625, 1)", 2.932_819_999_768_728_6e-13),
            ("laplace(0, 1)", "laplace(0.00000095367431640625, 1)", 4.547_472_063_262_089e-13),
        ] {
            let (p, q) = (density(p), density(q));
            let kl = Divergence::F(Generator::KULLBACK_LEIBLER);
            assert_eq!(closed_form(kl, &p, &q), None);
            let integral = by_quadrature(kl, &p, &q).unwrap();
            assert!((integral.value - expected).abs() <= integral.error_bound, "{integral:?}");
            assert!(integral.error_bound < 1e-6 * expected, "{integral:?}");
        }
    }

    #[test]
    fn affinities_beyond_the_range_of_floating_point_have_logarithms() {
        for (name, p, q) in [
            ("renyi(0.5)", "normal(0, 1)", "normal(1000, 1)"),
            ("renyi(2)", "normal(0, 1)", "normal(1000, 1)"),
            ("renyi(0.3)", "laplace(0, 1)", "laplace(5000, 2)"),
            ("renyi(1.5)", "laplace(0, 1)", "laplace(5000, 2)"),
            ("bhattacharyya", "normal(0, 1)", "normal(3000, 0.5)"),
        ] {
            let (divergence, p, q) = (name.parse().unwrap(), density(p), density(q));
            let formula = closed_form(divergence, &p, &q).unwrap();
            let integral = by_quadrature(divergence, &p, &q).unwrap();
            assert!((integral.value / formula - 1.0).abs() < 1e-12, "{name} {p} {q}: {formula} {integral:?}");
        }
    }

    #[test]
    fn finite_values_beyond_floating_point_have_logarithms() {
        // e^1600 − 1 by the formula and, of a mixture with itself, by quadrature; half of Pearson's is alpha(2).
        let mixture = "0.5*normal(0,1) + 0.5*normal(0,1)";
        for (name, p, q, expected) in [
            ("pearson", "normal(0,1)", "normal(40,1)", 1600.0),
            ("pearson", mixture, "normal(40,1)", 1600.0),
            ("neyman", "normal(40,1)", mixture, 1600.0),
            ("alpha(2)", mixture, "normal(40,1)", 1600.0 - 2.0_f64.ln()),
        ] {
            let (p, q) = (density(p), density(q));
            let log = log_divergence(name.parse().unwrap(), &p, &q).unwrap();
            assert!((log - expected).abs() < 1e-10, "{name}: {log}");
            assert_eq!(divergence(name.parse().unwrap(), &p, &q).unwrap().value(), f64::INFINITY);
        }
    }

    #[test]
    fn uniform_is_a_beta() {
        // KL of beta(500, 0.01) against uniform(0, 1) by mpmath.
        let kl = Divergence::F(Generator::KULLBACK_LEIBLER);
        let value = closed_form(kl, &density("beta(500, 0.01)"), &density("uniform(0, 1)")).unwrap();
        assert!((value - 101.159_434_523).abs() < 1e-8, "{value}");
        for (p, q) in [("uniform(0, 1)", "beta(2, 3)"), ("beta(1, 1)", "uniform(-1, 4)")] {
            assert!(closed_form(kl, &density(p), &density(q)).is_some(), "{p} {q}");
        }
    }

    #[test]
    fn laws_hold_for_densities_without_formulas() {
        let pairs = [
            ("normal(0, 1)", "laplace(0, 1)"),
            ("logistic(0, 1)", "normal(1, 2)"),
            ("0.5*normal(-2, 0.5) + 0.5*normal(2, 0.5)", "normal(0, 2)"),
            ("gamma(2, 1)", "exponential(0.5)"),
            ("beta(2, 2)", "uniform(0, 1)"),
        ];
        for (p, q) in pairs.map(|(p, q)| (density(p), density(q))) {
            let value = |name: &str| by_quadrature(name.parse().unwrap(), &p, &q).unwrap().value;
            let (tv, js, h2) = (value("tv"), value("js"), value("hellinger2"));
            assert!(tv > 0.0 && tv < 1.0 && 2.0 * tv * tv <= value("kl"));
            assert!(0.5 * h2 <= tv && tv <= (h2 * (1.0 - 0.25 * h2)).sqrt());
            assert!(0.5 * tv * tv <= js && js <= tv * std::f64::consts::LN_2);
            assert!((value("gan") - 2.0 * js + 4.0_f64.ln()).abs() < 1e-12);
            assert!((value("bhattacharyya") + (1.0 - 0.5 * h2).ln()).abs() < 1e-12);
            for generator in Generator::catalogue() {
                let forward = f_divergence(generator, &p, &q).unwrap().value;
                let back = f_divergence(generator.adjoint(), &q, &p).unwrap().value;
                let close = (forward - back).abs() <= 1e-11 * (1.0 + forward.abs());
                assert!(forward == back || close, "{generator} {p} {q}: {forward} {back}");
            }
        }
    }
}
