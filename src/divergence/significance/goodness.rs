//! Samples against a density.

use super::line::Levels;
use super::{Significance, check_draws};
use crate::divergence::density::{Density, Tail};
use crate::divergence::estimators::{EstimatorError, check_sample};
use crate::divergence::quadrature::Place;
use crate::divergence::random::Random;

/// A statistic of samples of the line and a density.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoodnessOfFit {
    /// max |F_n − F|: a difference anywhere, most easily in the middle.
    KolmogorovSmirnov,
    /// n ∫ (F_n − F)² dF: differences everywhere.
    CramerVonMises,
    /// n ∫ (F_n − F)²/(F(1 − F)) dF: the tails as well. ∞ where a sample is impossible.
    AndersonDarling,
}

/// How well samples fit a density, which must not have been fitted to them.
///
/// The statistic does not depend on the density if the samples are from it, so that the p-value comes from uniform
/// random numbers.
///
/// ```
/// use gan_metrics::divergence::significance::{GoodnessOfFit, goodness_of_fit};
///
/// let samples = [-1.2, -0.3, 0.1, 0.4, 2.0];
/// let fit = goodness_of_fit(GoodnessOfFit::KolmogorovSmirnov, &samples, &"normal(0,1)".parse()?, 999, 1)?;
/// assert!((fit.statistic - 0.182_088_6).abs() < 1e-6 && fit.p_value > 0.5);
/// let far = goodness_of_fit(GoodnessOfFit::KolmogorovSmirnov, &samples, &"normal(5,1)".parse()?, 999, 1)?;
/// assert_eq!(far.p_value, 0.001);
/// # Ok::<(), gan_metrics::Error>(())
/// ```
///
/// # Errors
/// [`EstimatorError`] when there is no sample, one is not finite, or the number of draws is out of range.
pub fn goodness_of_fit(
    test: GoodnessOfFit,
    samples: &[f64],
    density: &Density,
    draws: usize,
    seed: u64,
) -> Result<Significance, EstimatorError> {
    check_draws(draws)?;
    check_sample('P', ndarray::aview1(samples).insert_axis(ndarray::Axis(1)), 1)?;
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let level = |tail| sorted.iter().map(|x| density.probability(Place::at(*x), tail)).collect();
    let observed = Levels { lower: level(Tail::Lower), upper: level(Tail::Upper) };
    let statistic = |levels: &Levels| match test {
        GoodnessOfFit::KolmogorovSmirnov => levels.kolmogorov_smirnov(),
        GoodnessOfFit::CramerVonMises => levels.cramer_von_mises(),
        GoodnessOfFit::AndersonDarling => levels.anderson_darling(),
    };
    let mut random = Random::new(seed);
    let others = (0..draws).map(|_| statistic(&uniform(&mut random, samples.len())));
    Ok(Significance::new(statistic(&observed), others))
}

/// Sorted uniform numbers: sums of exponential ones, divided by the last, need no sorting (Rényi 1953).
fn uniform(random: &mut Random, n: usize) -> Levels {
    let mut exponential = || -(1.0 - random.uniform()).ln();
    let (mut sum, mut sums) = (0.0, Vec::with_capacity(n));
    for _ in 0..n {
        sum += exponential();
        sums.push(sum);
    }
    let last = exponential();
    let total = sum + last;
    let upper = sums.iter().map(|below| ((sum - below) + last) / total).collect();
    sums.iter_mut().for_each(|sum| *sum /= total);
    Levels { lower: sums, upper }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_numbers_are_sorted_and_uniform() {
        let mut random = Random::new(1);
        let mut mean = 0.0;
        for _ in 0..2000 {
            let levels = uniform(&mut random, 3);
            assert!(levels.lower.is_sorted() && levels.lower[0] > 0.0);
            for (lower, upper) in levels.lower.iter().zip(&levels.upper) {
                assert!((lower + upper - 1.0).abs() < 1e-15);
            }
            mean += levels.lower[0] / 2000.0;
        }
        // The smallest of three has the mean ¼ and the deviation 0.194: five standard errors.
        assert!((mean - 0.25).abs() < 0.022, "{mean}");
    }

    #[test]
    fn levels_are_held_under_the_hypothesis() {
        let mut random = Random::new(5);
        let density = "normal(0,1)".parse().unwrap();
        for test in [GoodnessOfFit::KolmogorovSmirnov, GoodnessOfFit::CramerVonMises, GoodnessOfFit::AndersonDarling] {
            let rejected = (0..400).filter(|trial| {
                let samples: Vec<f64> = (0..8).map(|_| random.normal()).collect();
                goodness_of_fit(test, &samples, &density, 99, *trial).unwrap().p_value <= 0.1
            });
            // 40 of 400 are expected, with a deviation of 6.
            let rejected = rejected.count();
            assert!((16..=64).contains(&rejected), "{test:?}: {rejected}");
        }
    }

    #[test]
    fn impossible_samples_fit_as_badly_as_can_be() {
        let density = "uniform(0,1)".parse().unwrap();
        let fit = goodness_of_fit(GoodnessOfFit::AndersonDarling, &[0.5, 2.0], &density, 99, 1).unwrap();
        assert_eq!((fit.statistic, fit.p_value), (f64::INFINITY, 0.01));
        assert!(goodness_of_fit(GoodnessOfFit::AndersonDarling, &[], &density, 99, 1).is_err());
        assert!(goodness_of_fit(GoodnessOfFit::AndersonDarling, &[0.5], &density, 0, 1).is_err());
    }
}
