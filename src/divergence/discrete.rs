//! Divergences of discrete distributions, exact to rounding.
//!
//! Zeros follow from the definition: mass of Q where P has none counts f(0⁺), mass of P where Q has none counts f′(∞);
//! points without mass in either count nothing. So KL(δ₀‖δ₁) = ∞, JS = ln 2 and TV = 1 come out exactly.

use crate::divergence::generator::Generator;
use crate::divergence::kind::Divergence;
use crate::divergence::masses::compensated_sum;
use crate::error::{Blame, Blamed};

/// How far probabilities may sum from 1: what printing them with ten digits leaves.
pub const SUM_TOLERANCE: f64 = 1e-9;

/// Why numbers are not a distribution, or two distributions no pair.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DistributionError {
    /// There are no entries.
    #[error("a distribution needs at least one entry, and there is none")]
    Empty,
    /// An entry is NaN or infinite.
    #[error("entry {entry} is {value}: probabilities must be finite")]
    NotFinite {
        /// Index of the entry, from 0.
        entry: usize,
        /// Its value.
        value: f64,
    },
    /// An entry is negative.
    #[error("entry {entry} is {value}: probabilities cannot be negative")]
    Negative {
        /// Index of the entry, from 0.
        entry: usize,
        /// Its value.
        value: f64,
    },
    /// The entries do not sum to one.
    #[error("the {entries} entries sum to {sum}, not to 1: correct them, or ask for normalization")]
    SumNotOne {
        /// Number of entries.
        entries: usize,
        /// Their sum.
        sum: f64,
    },
    /// Weights that sum to zero or overflow cannot be normalized.
    #[error("weights that sum to {sum} cannot be normalized: the sum must be positive and finite")]
    Unnormalizable {
        /// Their sum.
        sum: f64,
    },
    /// Two distributions on different numbers of points.
    #[error("P has {p} entries and Q has {q}: both must give a probability to the same points")]
    LengthMismatch {
        /// Entries of P.
        p: usize,
        /// Entries of Q.
        q: usize,
    },
}

impl Blamed for DistributionError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Probabilities of finitely many points, which sum to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution(Vec<f64>);

impl Distribution {
    /// Takes probabilities as they are; they are not rescaled.
    ///
    /// # Errors
    /// [`DistributionError`] when an entry is negative or not finite, or the sum is off by more than
    /// [`SUM_TOLERANCE`].
    pub fn new(probabilities: Vec<f64>) -> Result<Self, DistributionError> {
        let sum = checked_sum(&probabilities)?;
        // Written so that an infinite sum fails as well.
        if (sum - 1.0).abs() <= SUM_TOLERANCE {
            Ok(Distribution(probabilities))
        } else {
            Err(DistributionError::SumNotOne { entries: probabilities.len(), sum })
        }
    }

    /// Takes non-negative weights, such as the counts of a histogram, and divides them by their sum.
    ///
    /// # Errors
    /// [`DistributionError`] when a weight is negative or not finite, or the sum is zero or infinite.
    pub fn normalized(weights: Vec<f64>) -> Result<Self, DistributionError> {
        let sum = checked_sum(&weights)?;
        if sum > 0.0 && sum.is_finite() {
            Ok(Distribution(weights.into_iter().map(|weight| weight / sum).collect()))
        } else {
            Err(DistributionError::Unnormalizable { sum })
        }
    }

    /// The probabilities.
    pub fn probabilities(&self) -> &[f64] {
        &self.0
    }

    /// Number of points, with or without mass.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never true: a distribution has at least one point.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pairs (pᵢ, qᵢ).
    ///
    /// # Errors
    /// [`DistributionError::LengthMismatch`].
    pub(crate) fn zip<'a>(
        &'a self,
        q: &'a Distribution,
    ) -> Result<impl Iterator<Item = (f64, f64)> + Clone + 'a, DistributionError> {
        self.check_length(q)?;
        Ok(self.0.iter().copied().zip(q.0.iter().copied()))
    }

    fn check_length(&self, q: &Distribution) -> Result<(), DistributionError> {
        let (p, q) = (self.len(), q.len());
        if p == q { Ok(()) } else { Err(DistributionError::LengthMismatch { p, q }) }
    }
}

fn checked_sum(entries: &[f64]) -> Result<f64, DistributionError> {
    if entries.is_empty() {
        return Err(DistributionError::Empty);
    }
    for (entry, &value) in entries.iter().enumerate() {
        if !value.is_finite() {
            return Err(DistributionError::NotFinite { entry, value });
        }
        if value < 0.0 {
            return Err(DistributionError::Negative { entry, value });
        }
    }
    Ok(compensated_sum(entries.iter().copied()))
}

/// D(P‖Q) of two distributions on the same points; in nats where it is a logarithm.
///
/// Relative error a few 1e-15, also for probabilities down to 1e-300 and for nearly equal P and Q.
///
/// ```
/// use gan_metrics::divergence::{Distribution, divergence};
///
/// let p = Distribution::new(vec![0.2, 0.8])?;
/// let q = Distribution::new(vec![0.5, 0.5])?;
/// let kl = divergence("kl".parse()?, &p, &q)?;
/// assert!((kl - 0.192_744_757_0).abs() < 1e-9);
/// # Ok::<(), gan_metrics::Error>(())
/// ```
///
/// # Errors
/// [`DistributionError::LengthMismatch`].
pub fn divergence(divergence: Divergence, p: &Distribution, q: &Distribution) -> Result<f64, DistributionError> {
    p.check_length(q)?;
    let log_affinity = |order| log_affinity(order, p.probabilities(), q.probabilities());
    Ok(match divergence {
        Divergence::F(generator) => f_divergence(generator, p.probabilities(), q.probabilities()),
        Divergence::Renyi(order) => Divergence::of_log_affinity(order.get(), log_affinity(order.get())),
        Divergence::Bhattacharyya => 0.5 * Divergence::of_log_affinity(0.5, log_affinity(0.5)),
    })
}

/// ln D(P‖Q), also where D is finite and larger than any floating-point number; ∞ where D is infinite.
///
/// ```
/// use gan_metrics::divergence::{Distribution, discrete::log_divergence};
///
/// let (p, q) = (Distribution::new(vec![0.5, 0.5])?, Distribution::new(vec![5e-324, 1.0])?);
/// // 0.25/5e-324 overflows.
/// assert!((log_divergence("pearson".parse()?, &p, &q)? - (0.25_f64.ln() - 5e-324_f64.ln())).abs() < 1e-12);
/// # Ok::<(), gan_metrics::Error>(())
/// ```
///
/// # Errors
/// [`DistributionError::LengthMismatch`].
pub fn log_divergence(kind: Divergence, p: &Distribution, q: &Distribution) -> Result<f64, DistributionError> {
    let value = divergence(kind, p, q)?;
    Ok(match kind {
        Divergence::F(generator) if value == f64::INFINITY => {
            log_of_sum(p.zip(q)?.filter(|pair| *pair != (0.0, 0.0)).map(|(p, q)| generator.log_excess(p.ln(), q.ln())))
        }
        _ => value.ln(),
    })
}

/// ln Σ e^log.
fn log_of_sum(logs: impl Iterator<Item = f64>) -> f64 {
    let logs: Vec<f64> = logs.collect();
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() {
        return largest;
    }
    largest + compensated_sum(logs.iter().map(|log| (log - largest).exp())).ln()
}

fn f_divergence(generator: Generator, p: &[f64], q: &[f64]) -> f64 {
    generator.minimum() + generator.total_excess(p, q)
}

/// ln Σ p^order q^{1−order} for a positive order other than 1.
fn log_affinity(order: f64, p: &[f64], q: &[f64]) -> f64 {
    let affinity_minus_one = affinity_minus_one(order, p, q);
    if affinity_minus_one.abs() < 0.5 {
        return affinity_minus_one.ln_1p();
    }
    let mut logs = Vec::new();
    for (&p, &q) in p.iter().zip(q).filter(|(p, _)| **p > 0.0) {
        if q > 0.0 {
            logs.push(order * p.ln() + (1.0 - order) * q.ln());
        } else if order > 1.0 {
            return f64::INFINITY;
        }
    }
    log_of_sum(logs.into_iter())
}

/// Σ p^order q^{1−order} − 1, of the divergence that is a multiple of it.
fn affinity_minus_one(order: f64, p: &[f64], q: &[f64]) -> f64 {
    if order == 0.5 {
        // Without powers.
        return -0.5 * f_divergence(Generator::SQUARED_HELLINGER, p, q);
    }
    let generator = Generator::alpha(order).expect("Rényi orders are orders of the α-divergence");
    order * (order - 1.0) * f_divergence(generator, p, q)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::LN_2;

    use proptest::prelude::*;

    use super::*;

    fn distribution(probabilities: &[f64]) -> Distribution {
        Distribution::new(probabilities.to_vec()).unwrap()
    }

    fn of(name: &str, p: &Distribution, q: &Distribution) -> f64 {
        divergence(name.parse().unwrap(), p, q).unwrap()
    }

    #[test]
    fn disjoint_supports_are_exact() {
        let (p, q) = (distribution(&[1.0, 0.0]), distribution(&[0.0, 1.0]));
        for (name, expected) in [
            ("kl", f64::INFINITY),
            ("reverse-kl", f64::INFINITY),
            ("jeffreys", f64::INFINITY),
            ("pearson", f64::INFINITY),
            ("neyman", f64::INFINITY),
            ("tv", 1.0),
            ("squared-hellinger", 2.0),
            ("le-cam", 1.0),
            ("js", LN_2),
            ("2js", 2.0 * LN_2),
            ("gan", 0.0),
            ("alpha(0.5)", 4.0),
            ("alpha(2)", f64::INFINITY),
            ("chi-alpha(3)", f64::INFINITY),
            ("renyi(0.5)", f64::INFINITY),
            ("renyi(2)", f64::INFINITY),
            ("bhattacharyya", f64::INFINITY),
        ] {
            assert_eq!(of(name, &p, &q), expected, "{name}");
        }
    }

    #[test]
    fn one_sided_support_follows_the_limits_of_f() {
        let (p, q) = (distribution(&[1.0, 0.0]), distribution(&[0.5, 0.5]));
        assert!((of("kl", &p, &q) - LN_2).abs() < 1e-16);
        assert_eq!(of("reverse-kl", &p, &q), f64::INFINITY);
        assert_eq!(of("pearson", &p, &q), 1.0);
        assert_eq!(of("neyman", &p, &q), f64::INFINITY);
        assert_eq!(of("renyi(2)", &q, &p), f64::INFINITY);
        assert!((of("renyi(2)", &p, &q) - LN_2).abs() < 1e-15);
    }

    #[test]
    fn finite_values_beyond_floating_point_have_logarithms() {
        let log = |name: &str, p: &[f64], q: &[f64]| {
            log_divergence(name.parse().unwrap(), &distribution(p), &distribution(q)).unwrap()
        };
        // By mpmath: (0.5 − x)²/x for x = 2^−1074, and (1/6)·Σ p³/q².
        let (halves, tiny) = ([0.5, 0.5], [5e-324, 1.0]);
        assert!((log("pearson", &halves, &tiny) - (1072.0 * LN_2)).abs() < 1e-12);
        assert!((log("neyman", &tiny, &halves) - (1072.0 * LN_2)).abs() < 1e-12);
        let (p, q) = ([1e-300, 0.4, 0.6], [0.3, 0.7, 1e-300]);
        assert!((log("alpha(3)", &p, &q) - (0.216_f64 / 6.0).ln() - 600.0 * 10.0_f64.ln()).abs() < 1e-12);
        assert_eq!(log("pearson", &[1.0, 0.0], &[0.0, 1.0]), f64::INFINITY);
        assert_eq!(
            log("kl", &[0.2, 0.8], &[0.5, 0.5]),
            of("kl", &distribution(&[0.2, 0.8]), &distribution(&halves)).ln()
        );
    }

    #[test]
    fn large_powers_near_the_threshold_of_the_logarithm() {
        // |p − q|^100/q^99 where p/q = 10 and its neighbour: (1 − 1/10)^100 is not 1. By mpmath.
        let value = of("chi-alpha(100)", &distribution(&[0.1, 0.9]), &distribution(&[0.01, 0.99]));
        let expected = 0.09_f64.powi(50) / 0.01_f64.powi(49) * (0.09_f64.powi(50) / 0.01_f64.powi(50));
        assert!((value / expected - 1.0).abs() < 1e-12, "{value:e} {expected:e}");
    }

    #[test]
    fn points_without_mass_change_nothing() {
        let (p, q) = (distribution(&[0.2, 0.8]), distribution(&[0.5, 0.5]));
        let (padded_p, padded_q) = (distribution(&[0.2, 0.0, 0.8]), distribution(&[0.5, 0.0, 0.5]));
        for divergence_ in Divergence::catalogue() {
            let plain = divergence(divergence_, &p, &q).unwrap();
            assert_eq!(plain, divergence(divergence_, &padded_p, &padded_q).unwrap());
        }
    }

    #[test]
    fn what_the_published_table_prints_stays_reachable() {
        let (p, q) = (distribution(&[0.1, 0.2, 0.7]), distribution(&[0.3, 0.3, 0.4]));
        let pairs = || p.zip(&q).unwrap();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-14, "{a} {b}");
        // The integrals exactly as printed there.
        close(of("pearson-chi2-as-printed", &p, &q), pairs().map(|(p, q)| (q - p).powi(2) / p).sum());
        close(of("neyman-chi2-as-printed", &p, &q), pairs().map(|(p, q)| (p - q).powi(2) / q).sum());
        let a: f64 = 0.3;
        let alpha: f64 = pairs().map(|(p, q)| p * ((q / p).powf(a) - 1.0) - a * (q - p)).sum();
        close(of("alpha-as-printed(0.3)", &p, &q), alpha / (a * (a - 1.0)));
        let generator = |u: f64| -(u + 1.0) * (0.5 * (1.0 + u)).ln() + u * u.ln();
        close(of("jensen-shannon-as-printed", &p, &q), pairs().map(|(p, q)| q * generator(p / q)).sum());
        close(of("jensen-shannon-as-printed", &p, &q), 2.0 * of("js", &p, &q));
        close(of("gan", &p, &q), 2.0 * of("js", &p, &q) - 4.0_f64.ln());
        // And the plain names are the definitions of statistics.
        close(of("pearson", &p, &q), pairs().map(|(p, q)| (p - q).powi(2) / q).sum());
        let js: f64 =
            pairs().map(|(p, q)| 0.5 * p * (2.0 * p / (p + q)).ln() + 0.5 * q * (2.0 * q / (p + q)).ln()).sum();
        close(of("js", &p, &q), js);
    }

    #[test]
    fn errors_name_the_entry() {
        let message = |entries: &[f64]| Distribution::new(entries.to_vec()).unwrap_err().to_string();
        assert!(message(&[0.5, -0.1, 0.6]).contains("entry 1 is -0.1"));
        assert!(message(&[0.5, 0.5, f64::NAN]).contains("entry 2 is NaN"));
        assert!(message(&[0.5, 0.4]).contains("sum to 0.9"));
        assert!(message(&[]).contains("none"));
        assert_eq!(Distribution::normalized(vec![0.0]), Err(DistributionError::Unnormalizable { sum: 0.0 }));
        assert_eq!(Distribution::normalized(vec![1.0, 3.0]).unwrap().probabilities(), [0.25, 0.75]);
        let error = divergence(Divergence::Bhattacharyya, &distribution(&[1.0]), &distribution(&[0.5, 0.5]));
        assert_eq!(error, Err(DistributionError::LengthMismatch { p: 1, q: 2 }));
    }

    #[test]
    fn affinities_too_small_for_a_difference_from_one_keep_their_digits() {
        // BC = 2·√(1e-300·(1 − 1e-300)).
        let (p, q) = (distribution(&[1e-300, 1.0]), distribution(&[1.0, 1e-300]));
        let expected = 150.0 * 10.0_f64.ln() - LN_2;
        assert!((of("bhattacharyya", &p, &q) / expected - 1.0).abs() < 1e-15);
    }

    const POINTS: usize = 6;

    fn any_distribution() -> impl Strategy<Value = Distribution> {
        let weight = prop_oneof![4 => 0.001..1.0_f64, 1 => Just(0.0), 1 => (-300.0..0.0_f64).prop_map(f64::exp)];
        prop::collection::vec(weight, POINTS)
            .prop_filter_map("no mass", |weights| Distribution::normalized(weights).ok())
    }

    fn any_divergence() -> impl Strategy<Value = Divergence> {
        prop::sample::select(Divergence::catalogue().collect::<Vec<_>>())
    }

    /// a ≤ b up to rounding; ∞ ≤ ∞.
    fn at_most(a: f64, b: f64) -> bool {
        a <= b + 1e-12 * (1.0 + b.abs())
    }

    fn mix(weight: f64, a: &Distribution, b: &Distribution) -> Distribution {
        Distribution::normalized(a.zip(b).unwrap().map(|(a, b)| weight * a + (1.0 - weight) * b).collect()).unwrap()
    }

    proptest! {
        #[test]
        fn never_below_the_minimum_and_there_only_for_equals(
            kind in any_divergence(), p in any_distribution(), q in any_distribution(),
        ) {
            let minimum = match kind { Divergence::F(generator) => generator.minimum(), _ => 0.0 };
            let value = divergence(kind, &p, &q).unwrap();
            prop_assert!(value >= minimum && !value.is_nan(), "{kind}: {value}");
            prop_assert_eq!(divergence(kind, &p, &p).unwrap(), minimum);
            let apart = p.zip(&q).unwrap().any(|(p, q)| (p - q).abs() > 1e-3);
            prop_assert!(!apart || value > minimum, "{kind}");
        }

        #[test]
        fn never_above_the_maximum(kind in any_divergence(), p in any_distribution(), q in any_distribution()) {
            if let Divergence::F(generator) = kind {
                prop_assert!(at_most(divergence(kind, &p, &q).unwrap(), generator.maximum()), "{kind}");
            }
        }

        #[test]
        fn exchanging_arguments_is_the_adjoint(
            kind in any_divergence(), p in any_distribution(), q in any_distribution(),
        ) {
            if let Divergence::F(generator) = kind {
                let (forward, back) = (
                    divergence(kind, &p, &q).unwrap(),
                    divergence(Divergence::F(generator.adjoint()), &q, &p).unwrap(),
                );
                prop_assert!(at_most(forward, back) && at_most(back, forward), "{kind}: {forward} {back}");
            }
        }

        #[test]
        fn jointly_convex(
            kind in any_divergence(), weight in 0.0..1.0_f64,
            p in any_distribution(), q in any_distribution(), r in any_distribution(), s in any_distribution(),
        ) {
            // Rényi divergences are jointly convex for orders up to 1 only.
            if let Divergence::F(_) = kind {
                let mixed = divergence(kind, &mix(weight, &p, &r), &mix(weight, &q, &s)).unwrap();
                let (first, second) = (divergence(kind, &p, &q).unwrap(), divergence(kind, &r, &s).unwrap());
                prop_assert!(at_most(mixed, weight * first + (1.0 - weight) * second), "{kind}");
            }
        }

        #[test]
        fn no_channel_increases_it(
            kind in any_divergence(), p in any_distribution(), q in any_distribution(),
            channel in prop::collection::vec(any_distribution(), POINTS),
        ) {
            let through = |input: &Distribution| {
                let output = (0..POINTS)
                    .map(|j| (0..POINTS).map(|i| input.probabilities()[i] * channel[i].probabilities()[j]).sum())
                    .collect();
                Distribution::normalized(output).unwrap()
            };
            let (before, after) = (
                divergence(kind, &p, &q).unwrap(),
                divergence(kind, &through(&p), &through(&q)).unwrap(),
            );
            prop_assert!(at_most(after, before), "{kind}: {after} > {before}");
        }

        #[test]
        fn classical_inequalities_hold(p in any_distribution(), q in any_distribution()) {
            let d = |name: &str| of(name, &p, &q);
            let (tv, kl, h2, js, chi2) = (d("tv"), d("kl"), d("hellinger2"), d("js"), d("pearson"));
            // Pinsker; Bretagnolle–Huber.
            prop_assert!(at_most(2.0 * tv * tv, kl));
            prop_assert!(at_most(tv * tv, 1.0 - (-kl).exp()));
            // Le Cam: H²/2 ≤ TV ≤ H√(1 − H²/4).
            prop_assert!(at_most(0.5 * h2, tv) && at_most(tv, (h2 * (1.0 - 0.25 * h2)).max(0.0).sqrt()));
            // H² ≤ KL ≤ ln(1 + χ²) ≤ χ², which are Rényi divergences of increasing order.
            prop_assert!(at_most(h2, 2.0 * d("bhattacharyya")) && at_most(2.0 * d("bhattacharyya"), kl));
            prop_assert!(at_most(kl, d("renyi(2)")) && at_most(d("renyi(2)"), chi2));
            prop_assert!(chi2.is_infinite() || (d("renyi(2)") - chi2.ln_1p()).abs() <= 1e-12 * (1.0 + chi2.ln_1p()));
            // Jensen–Shannon between squares of total variation and total variation; Le Cam against Hellinger.
            prop_assert!(at_most(0.5 * tv * tv, js) && at_most(js, tv * std::f64::consts::LN_2));
            prop_assert!(at_most(0.5 * h2, d("le-cam")) && at_most(d("le-cam"), h2));
            prop_assert!(at_most(tv * tv, d("le-cam")) && at_most(d("le-cam"), tv));
        }

        #[test]
        fn alpha_family_meets_its_members(p in any_distribution(), q in any_distribution()) {
            for (order, name, factor) in [
                (2.0, "pearson", 0.5), (-1.0, "neyman", 0.5), (0.5, "hellinger2", 2.0),
                (1.0 + 1e-12, "kl", 1.0), (1e-12, "reverse-kl", 1.0),
            ] {
                let alpha = divergence(Divergence::F(Generator::alpha(order).unwrap()), &p, &q).unwrap();
                let member = factor * of(name, &p, &q);
                // At the limits f′(∞) = 1/(1−α) is 1e12 instead of ∞.
                if member.is_finite() && alpha.is_finite() {
                    prop_assert!((alpha - member).abs() <= 1e-8 * (1.0 + member), "{name}: {alpha} {member}");
                }
            }
        }
    }
}
