//! Whether two generated sets differ in a score, by more than the choice of their images explains.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::jackknife::{Interval, variance_of};
use crate::error::{Blame, Blamed};

/// How the real images behind two scores are related.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RealImages {
    /// The same images in the same groups: what leaving a group out does to both scores mostly cancels in their difference.
    Paired,
    /// Other images, or nobody knows: their variances add.
    Independent,
}

/// The difference of two scores, with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The first score less the second.
    pub value: f64,
    /// Standard error of the difference.
    pub standard_error: f64,
    /// Degrees of freedom of the standard error.
    pub degrees_of_freedom: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Probability that the interval claims.
    pub level: f64,
    /// Probability of a difference at least as large, on either side, if the scores of the two generators were the same.
    /// It is that of one comparison: among many, some are small by chance.
    pub p: f64,
}

impl Difference {
    /// Whether the scores can be told apart at the level of the interval: zero lies outside of it.
    pub fn is_significant(&self) -> bool {
        self.p <= 1.0 - self.level
    }
}

/// Why two intervals cannot be compared.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ComparisonError {
    /// They claim different probabilities.
    #[error("the intervals have the levels {} and {}: compute both at one level", levels[0], levels[1])]
    Levels {
        /// Level of each.
        levels: [f64; 2],
    },
    /// Paired groups must be the same groups.
    #[error(
        "the scores were computed without each of {} and of {} groups of the real set: \
         compute both with the same number of groups",
        groups[0], groups[1]
    )]
    Groups {
        /// Groups of the real set behind each.
        groups: [usize; 2],
    },
    /// There is nothing to compute an error from.
    #[error("there are {groups} replicates of a set, and an error needs at least 2: compute the interval anew")]
    TooFew {
        /// How many there are.
        groups: usize,
    },
    /// A replicate, a score or a level is not a number that one can be.
    #[error("{value} is not a possible {what}: compute the interval anew")]
    Impossible {
        /// What it should be.
        what: &'static str,
        /// The number.
        value: f64,
    },
    /// No replicate differs from the others.
    #[error(
        "neither score changes when a group of images is left out, so that nothing is known of its error: \
         compare with more images"
    )]
    Constant,
}

impl Blamed for ComparisonError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// The difference Δ = s(R, A) − s(R, B) of a score of two generated sets A and B, from the jackknife intervals of both.
///
/// The groups of A and of B are independent. Where both were scored against the same real images R, a group of R was left out
/// of both scores at once, and the error that R has in common cancels in Δ₋ᵢ:
///
/// ```text
/// SE² = V(Δ₋ᵢ without groups of R) + V(s₋ᵢ without groups of A) + V(s₋ᵢ without groups of B),
/// V(θ₋ᵢ) = (g−1)/g·Σᵢ (θ₋ᵢ − θ̄)²                Δ ± t_ν·SE                p = 2·T_ν(−|Δ|/SE)
/// ```
///
/// Otherwise V of each score without groups of its real set takes the place of the first. The degrees of freedom are those of
/// Welch and Satterthwaite, ν = (Σ V)²/Σ (V²/(g−1)), since the parts are about independent and each has g−1: they lie between
/// g−1, where one part outweighs the others, and their sum.
///
/// Measured with 400 repetitions of two generators that are equally good, Fréchet distances in 4 dimensions, 100 to 200 images and
/// 20 groups: 10 to 22 have p below 0.05, where 20 are expected. Of generators that cannot be told from the real images
/// fewer have, at most 2: near its minimum a distance varies with the square of what the jackknife takes for linear, and the error is
/// overestimated.
///
/// Both scores have a bias that depends on the numbers of images; it cancels in the difference of sets of equal size, and does
/// not otherwise. [`Interval::bias`] estimates it.
///
/// ```
/// use gan_metrics::metrics::{Interval, JackknifeOptions, MetricError, RandomState, RealImages, difference, jackknife};
/// use gan_metrics::stats::Features;
/// use ndarray::Array2;
///
/// let mut random = RandomState::new(1);
/// let mut set = |mean: f64| {
///     Features::new(Array2::from_shape_simple_fn((60, 1), || (random.standard_normal() + mean) as f32)).unwrap()
/// };
/// let (real, near, far) = (set(0.0), set(0.0), set(3.0));
/// let mean = |set: &Features| f64::from(set.view().mean().unwrap());
/// let score = |fake: &Features| {
///     let options = JackknifeOptions::default();
///     jackknife(&real, fake, options, |real, fake| Ok::<_, MetricError>((mean(real) - mean(fake)).powi(2)))
/// };
/// let found = difference(&score(&near)?, &score(&far)?, RealImages::Paired)?;
/// assert!(found.value < 0.0 && found.is_significant() && found.upper < 0.0);
/// # Ok::<(), gan_metrics::Error>(())
/// ```
///
/// Source: Kott 2001 for deleted groups; Welch 1947 for the degrees of freedom.
///
/// # Errors
/// [`ComparisonError`] when the intervals have other levels, paired ones other groups, or nothing can be told of the error.
pub fn difference(first: &Interval, second: &Interval, real: RealImages) -> Result<Difference, ComparisonError> {
    if first.level != second.level {
        return Err(ComparisonError::Levels { levels: [first.level, second.level] });
    }
    let level = first.level;
    if !(level > 0.0 && level < 1.0) {
        return Err(ComparisonError::Impossible { what: "level of an interval", value: level });
    }
    let [ours, theirs] = [first, second].map(|interval| &interval.without);
    let of_real = match real {
        RealImages::Paired if ours.real.len() != theirs.real.len() => {
            return Err(ComparisonError::Groups { groups: [ours.real.len(), theirs.real.len()] });
        }
        RealImages::Paired => vec![ours.real.iter().zip(&theirs.real).map(|(ours, theirs)| ours - theirs).collect()],
        RealImages::Independent => vec![ours.real.clone(), theirs.real.clone()],
    };
    let value = first.value - second.value;
    // A score of one set has no groups of the real one.
    let parts = of_real.into_iter().filter(|part: &Vec<f64>| !part.is_empty());
    let parts: Vec<Vec<f64>> = parts.chain([ours.fake.clone(), theirs.fake.clone()]).collect();
    if let Some(part) = parts.iter().find(|part| part.len() < 2) {
        return Err(ComparisonError::TooFew { groups: part.len() });
    }
    if let Some(&value) = parts.iter().flatten().chain([&value]).find(|value| !value.is_finite()) {
        return Err(ComparisonError::Impossible { what: "score", value });
    }
    let variances: Vec<f64> = parts.iter().map(|part| variance_of(part)).collect();
    let variance: f64 = variances.iter().sum();
    if variance == 0.0 {
        return Err(ComparisonError::Constant);
    }
    if !variance.is_finite() {
        return Err(ComparisonError::Impossible { what: "variance of a score", value: variance });
    }
    // By shares of the variance, whose squares neither vanish nor overflow.
    let shares =
        variances.iter().zip(&parts).map(|(of_part, part)| (of_part / variance).powi(2) / (part.len() - 1) as f64);
    let degrees_of_freedom = 1.0 / shares.sum::<f64>();
    let standard_error = variance.sqrt();
    let student = StudentsT::new(0.0, 1.0, degrees_of_freedom).expect("at least one degree of freedom");
    let reach = student.inverse_cdf(0.5 + level / 2.0) * standard_error;
    let p = 2.0 * student.cdf(-(value / standard_error).abs());
    Ok(Difference { value, standard_error, degrees_of_freedom, lower: value - reach, upper: value + reach, level, p })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Replicates;

    /// Sums of a few numbers near one.
    const ROUNDING: f64 = 1e-12;

    fn interval(value: f64, real: &[f64], fake: &[f64]) -> Interval {
        let without = Replicates { real: real.to_vec(), fake: fake.to_vec() };
        Interval { value, standard_error: 1.0, bias: 0.0, lower: value - 2.0, upper: value + 2.0, level: 0.95, without }
    }

    #[test]
    fn replicates_whose_variance_overflows_are_refused() {
        let huge = interval(1.0, &[1.0, 2.0], &[1e308, -1e308]);
        let refused = difference(&huge, &interval(2.0, &[1.0, 2.0], &[1.0, 2.0]), RealImages::Paired);
        assert!(matches!(refused, Err(ComparisonError::Impossible { what: "variance of a score", .. })), "{refused:?}");
    }

    #[test]
    fn means_of_two_samples_are_compared_by_the_test_of_welch() {
        // The replicates of a mean without each of 5 numbers; then the jackknife is s²/n exactly, and the test that of Welch.
        // scipy 1.17: ttest_ind([1, 2, 4, 8, 16], [11, 12, 10, 12, 15], equal_var=False) gives t, df and p.
        let of = |numbers: [f64; 5]| {
            let sum: f64 = numbers.iter().sum();
            interval(sum / 5.0, &[], &numbers.map(|number| (sum - number) / 4.0))
        };
        let (a, b) = (of([1.0, 2.0, 4.0, 8.0, 16.0]), of([11.0, 12.0, 10.0, 12.0, 15.0]));
        let found = difference(&a, &b, RealImages::Independent).unwrap();
        assert!((found.value + 5.8).abs() < ROUNDING);
        assert!((found.value / found.standard_error + 2.032_898_947_975_066_3).abs() < 1e-9, "{found:?}");
        assert!((found.degrees_of_freedom - 4.746_083_705_205_251).abs() < 1e-9, "{found:?}");
        assert!((found.p - 0.100_774_452_654_564_54).abs() < 1e-9, "{found:?}");
        assert_eq!(found, difference(&a, &b, RealImages::Paired).unwrap(), "a score of one set has no real images");
    }

    #[test]
    fn what_paired_real_images_have_in_common_cancels() {
        let (a, b) =
            (interval(5.0, &[4.0, 5.0, 6.0], &[4.9, 5.0, 5.1]), interval(3.0, &[2.0, 3.0, 4.0], &[2.9, 3.0, 3.1]));
        let paired = difference(&a, &b, RealImages::Paired).unwrap();
        let independent = difference(&a, &b, RealImages::Independent).unwrap();
        // (g−1)/g·Σ = 2/3·0.02 of each fake set, 2/3·2 of each real one.
        assert!((paired.standard_error.powi(2) - 2.0 * 2.0 / 3.0 * 0.02).abs() < ROUNDING, "{paired:?}");
        assert!((independent.standard_error.powi(2) - 2.0 * 2.0 / 3.0 * 2.02).abs() < ROUNDING, "{independent:?}");
        assert!(paired.is_significant() && !independent.is_significant());
        assert!(paired.lower > 0.0 && independent.lower < 0.0);
    }

    #[test]
    fn exchanged_scores_differ_in_the_sign_alone() {
        let (a, b) =
            (interval(5.0, &[4.0, 5.5, 6.0], &[4.9, 5.0, 5.2]), interval(3.0, &[2.0, 3.0, 4.5], &[2.7, 3.0, 3.1]));
        for real in [RealImages::Paired, RealImages::Independent] {
            let (ours, theirs) = (difference(&a, &b, real).unwrap(), difference(&b, &a, real).unwrap());
            assert_eq!((ours.value, ours.lower, ours.upper), (-theirs.value, -theirs.upper, -theirs.lower));
            assert!((ours.p - theirs.p).abs() < ROUNDING);
        }
    }

    #[test]
    fn zero_is_outside_of_the_interval_where_p_is_small() {
        for shift in [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0, 3.0] {
            let (a, b) = (interval(shift, &[], &[0.0, 0.1, 0.2]), interval(0.0, &[], &[0.0, 0.1, 0.2]));
            let found = difference(&a, &b, RealImages::Paired).unwrap();
            assert_eq!(found.is_significant(), found.lower > 0.0, "{found:?}");
        }
    }

    #[test]
    fn what_tells_nothing_of_the_error_is_refused() {
        let good = interval(1.0, &[1.0, 2.0], &[1.0, 2.0]);
        let with = |other: Interval| difference(&good, &other, RealImages::Paired).unwrap_err();
        assert!(matches!(with(Interval { level: 0.9, ..good.clone() }), ComparisonError::Levels { .. }));
        assert!(matches!(with(interval(1.0, &[1.0], &[1.0, 2.0])), ComparisonError::Groups { groups: [2, 1] }));
        assert!(matches!(with(interval(1.0, &[1.0, 2.0], &[])), ComparisonError::TooFew { groups: 0 }));
        assert!(matches!(with(interval(f64::NAN, &[1.0, 2.0], &[1.0, 2.0])), ComparisonError::Impossible { .. }));
        let still = interval(1.0, &[1.0, 1.0], &[1.0, 1.0]);
        assert_eq!(difference(&still, &still, RealImages::Paired), Err(ComparisonError::Constant));
        let senseless = Interval { level: 1.5, ..good };
        let found = difference(&senseless, &senseless, RealImages::Paired);
        assert!(matches!(found, Err(ComparisonError::Impossible { what: "level of an interval", .. })), "{found:?}");
    }
}
