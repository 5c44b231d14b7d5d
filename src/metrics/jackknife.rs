//! Confidence intervals by the delete-a-group jackknife.

use std::borrow::Cow;

use ndarray::Axis;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::error::{MetricError, Set, known_to_have, same_dimension};
use super::rows::choose;
use super::score::Counts;
use crate::options::builders;
use crate::random_state::RandomState;
use crate::stats::{Features, Logits};

/// Definition of a jackknife.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JackknifeOptions {
    /// Groups that each set is cut into, at least 2. The score is computed once without each group of each set.
    pub groups: usize,
    /// Probability that the interval covers the score of infinitely many such images, between 0 and 1.
    pub level: f64,
    /// Seed of numpy's `RandomState`, whose permutation of each set is cut into groups.
    pub seed: u32,
}

builders!(JackknifeOptions {
    with_groups groups: usize,
    with_level level: f64,
    with_seed seed: u32,
});

impl Default for JackknifeOptions {
    /// 95 %, with 20 groups.
    fn default() -> Self {
        Self { groups: 20, level: 0.95, seed: 2020 }
    }
}

/// What a score was without each group of images: the jackknife replicates, from which its error is computed, and that of
/// its [difference](super::difference) from another score.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Replicates {
    /// Without each group of the real set; empty for a score that does not look at it.
    pub real: Vec<f64>,
    /// Without each group of the fake set.
    pub fake: Vec<f64>,
}

/// A score with its uncertainty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The score of all images.
    pub value: f64,
    /// Standard error of the score.
    pub standard_error: f64,
    /// Estimate of how much larger the score is than that of infinitely many images, to first order in 1/n. An interval
    /// is not shifted by it: it belongs to scores of this number of images. `value - bias` is the corrected score.
    pub bias: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Probability that the interval claims.
    pub level: f64,
    /// The score without each group of images; empty in reports of versions that did not keep it.
    #[serde(default)]
    pub without: Replicates,
}

impl JackknifeOptions {
    fn check(&self) -> Result<(), MetricError> {
        if !(self.level > 0.0 && self.level < 1.0) {
            let (value, range) = (self.level.to_string(), "between 0 and 1");
            return Err(MetricError::Parameter { parameter: "the level of the interval", value, range });
        }
        if self.groups < 2 {
            let (value, range) = (self.groups.to_string(), "at least 2");
            return Err(MetricError::Parameter { parameter: "the number of groups", value, range });
        }
        Ok(())
    }

    /// Checks that sets of these sizes, as far as they are known, can be cut into the groups.
    ///
    /// # Errors
    /// [`MetricError`] when an option is out of range or a set has fewer than two images per group.
    pub fn check_counts(&self, counts: Counts) -> Result<(), MetricError> {
        self.check()?;
        let remedy = ("use fewer groups or more images", None);
        known_to_have(2 * self.groups, counts, &Set::BOTH, "a jackknife with that many groups", remedy)
    }

    /// The rows that are left without each of the groups, in ascending order; none for an empty set, which takes no part.
    fn rests(&self, set: Set, images: usize) -> Result<Vec<Vec<usize>>, MetricError> {
        if images == 0 {
            return Ok(Vec::new());
        }
        self.check_counts(match set {
            Set::Real => Counts { real: Some(images), fake: None },
            Set::Fake => Counts { real: None, fake: Some(images) },
        })?;
        let order = RandomState::new(self.seed).permutation(images);
        let rest = |group: usize| {
            let group = group * images / self.groups..(group + 1) * images / self.groups;
            let mut rest: Vec<usize> = [&order[..group.start], &order[group.end..]].concat();
            rest.sort_unstable();
            rest
        };
        Ok((0..self.groups).map(rest).collect())
    }

    /// The interval around `value`, from what the score was without each group.
    fn interval(&self, value: f64, without: Replicates) -> Interval {
        let groups = self.groups as f64;
        let (mut variance, mut bias) = (0.0, 0.0);
        for scores in [&without.real, &without.fake].into_iter().filter(|scores| !scores.is_empty()) {
            variance += variance_of(scores);
            bias += (groups - 1.0) * (mean_of(scores) - value);
        }
        let standard_error = variance.sqrt();
        let student = StudentsT::new(0.0, 1.0, groups - 1.0).expect("there is a degree of freedom");
        let reach = student.inverse_cdf(0.5 + self.level / 2.0) * standard_error;
        let (lower, upper) = (value - reach, value + reach);
        Interval { value, standard_error, bias, lower, upper, level: self.level, without }
    }
}

fn mean_of(replicates: &[f64]) -> f64 {
    replicates.iter().sum::<f64>() / replicates.len() as f64
}

/// Variance of a score by its replicates without each of g groups of one set: `(g−1)/g·Σᵢ (θ₋ᵢ − θ̄)²`.
pub(super) fn variance_of(replicates: &[f64]) -> f64 {
    let (groups, mean) = (replicates.len() as f64, mean_of(replicates));
    (groups - 1.0) / groups * replicates.iter().map(|score| (score - mean).powi(2)).sum::<f64>()
}

/// The images of a set that a score is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subsample<'a> {
    /// All of them.
    Whole,
    /// Those of these rows, in ascending order.
    Rows(&'a [usize]),
}

impl Subsample<'_> {
    /// These rows of a set.
    pub fn of<'s>(self, set: &'s Features) -> Cow<'s, Features> {
        match self {
            Subsample::Whole => Cow::Borrowed(set),
            Subsample::Rows(rows) => Cow::Owned(choose(set, rows)),
        }
    }

    /// These rows of the logits of a set.
    pub fn of_logits<'s>(self, set: &'s Logits) -> Cow<'s, Logits> {
        match self {
            Subsample::Whole => Cow::Borrowed(set),
            Subsample::Rows(rows) => {
                Cow::Owned(Logits::new(set.view().select(Axis(0), rows)).expect("rows of valid logits are valid"))
            }
        }
    }
}

/// Confidence intervals of K scores of a real and a fake set at once, by the delete-a-group jackknife: with `θ₋ᵢ` the
/// score without the i-th of g groups of a set and `θ̄` the mean of these,
///
/// ```text
/// SE² = Σ_sets (g−1)/g·Σᵢ (θ₋ᵢ − θ̄)²      bias = Σ_sets (g−1)·(θ̄ − θ)      θ ± t_{g−1}·SE
/// ```
///
/// Unlike a bootstrap it never repeats an image, which would shrink nearest-neighbour distances to zero and add to the
/// bias of a covariance. The bias is exact for scores whose bias is c/n, as that of the Fréchet distance is to first
/// order.
///
/// `images` are the sizes of the real and the fake set; a score of one set gives 0 for the other. `score` is called for
/// both sets whole, then without each group of either. It should be deterministic and not draw subsets of its own, since
/// noise is amplified by g−1: for a kernel distance use [`mmd`](super::mmd) with the unbiased estimator and the kernel of
/// KID rather than [`kid`](super::kid).
///
/// Source: Shao and Tu, The Jackknife and Bootstrap, 1995; Kott 2001 for deleted groups.
///
/// # Errors
/// [`MetricError`] when a set has fewer than two images per group, or an option is out of range; and whatever `score`
/// returns.
pub fn jackknife_parts<const K: usize, E: From<MetricError>>(
    images: [usize; 2],
    options: JackknifeOptions,
    score: impl Fn(Subsample<'_>, Subsample<'_>) -> Result<[f64; K], E>,
) -> Result<[Interval; K], E> {
    options.check()?;
    let [real, fake] = [options.rests(Set::Real, images[0])?, options.rests(Set::Fake, images[1])?];
    let whole = score(Subsample::Whole, Subsample::Whole)?;
    let without_real =
        real.iter().map(|rest| score(Subsample::Rows(rest), Subsample::Whole)).collect::<Result<Vec<_>, E>>()?;
    let without_fake =
        fake.iter().map(|rest| score(Subsample::Whole, Subsample::Rows(rest))).collect::<Result<Vec<_>, E>>()?;
    let interval = |which: usize| {
        let of_set = |scores: &Vec<[f64; K]>| -> Vec<f64> { scores.iter().map(|scores| scores[which]).collect() };
        options.interval(whole[which], Replicates { real: of_set(&without_real), fake: of_set(&without_fake) })
    };
    Ok(std::array::from_fn(interval))
}

/// [`jackknife_parts`] for one score of the features of two sets.
///
/// # Errors
/// [`MetricError`] when the dimensions differ; and those of [`jackknife_parts`].
pub fn jackknife<E: From<MetricError>>(
    real: &Features,
    fake: &Features,
    options: JackknifeOptions,
    score: impl Fn(&Features, &Features) -> Result<f64, E>,
) -> Result<Interval, E> {
    same_dimension(real, fake)?;
    let [interval] = jackknife_parts([real.len(), fake.len()], options, |x, y| {
        score(&x.of(real), &y.of(fake)).map(|score| [score])
    })?;
    Ok(interval)
}

/// [`jackknife_parts`] for one score of one set of logits: the Inception Score of one split.
///
/// # Errors
/// Those of [`jackknife_parts`].
pub fn jackknife_logits<E: From<MetricError>>(
    logits: &Logits,
    options: JackknifeOptions,
    score: impl Fn(&Logits) -> Result<f64, E>,
) -> Result<Interval, E> {
    let [interval] =
        jackknife_parts([0, logits.len()], options, |_, y| score(&y.of_logits(logits)).map(|score| [score]))?;
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    /// Sums of a few numbers near one, in another order.
    const ROUNDING: f64 = 1e-13;

    fn set(seed: u32, rows: usize) -> Features {
        let mut random = RandomState::new(seed);
        Features::new(Array2::from_shape_simple_fn((rows, 1), || random.standard_normal() as f32)).unwrap()
    }

    fn mean(set: &Features) -> f64 {
        set.view().iter().map(|&value| f64::from(value)).sum::<f64>() / set.len() as f64
    }

    fn variance(set: &Features, ddof: f64) -> f64 {
        let mean = mean(set);
        set.view().iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / (set.len() as f64 - ddof)
    }

    /// √(s²/n) of n numbers, squared.
    fn squared_error_of_mean(values: &[f64]) -> f64 {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0) / n
    }

    #[test]
    fn the_error_of_a_mean_is_the_textbook_one() {
        // A group has at least two images. With groups of equal size, the jackknife of a difference of means is exactly
        // √(s²/g + t²/g), with the deviations s and t of the means of the g groups of each set.
        let (a, b) = (set(1, 30), set(2, 45));
        let options = JackknifeOptions { groups: 15, level: 0.95, seed: 4 };
        let interval = jackknife(&a, &b, options, |a, b| Ok::<_, MetricError>(mean(a) - mean(b))).unwrap();
        assert!(interval.bias.abs() < 1e-12, "a mean has no bias: {interval:?}");
        let means_of_groups = |set: &Features| -> Vec<f64> {
            let order = RandomState::new(4).permutation(set.len());
            let groups = order.chunks(set.len() / 15);
            groups.map(|group| mean(&choose(set, group))).collect()
        };
        let squares = [&a, &b].map(|set| squared_error_of_mean(&means_of_groups(set)));
        let expected = (squares[0] + squares[1]).sqrt();
        assert!((interval.standard_error / expected - 1.0).abs() < 1e-12, "{interval:?} against {expected}");
        assert!((interval.upper - interval.value - 2.144_786_687_916_927 * interval.standard_error).abs() < 1e-9);
    }

    #[test]
    fn a_bias_of_one_over_n_is_found() {
        // The variance with ddof 0 is too small by σ²/n. With groups of equal size the jackknife estimate of that is
        // exact in expectation; against one sample it is close.
        let a = set(3, 4000);
        let options = JackknifeOptions { groups: 20, ..JackknifeOptions::default() };
        let biased = jackknife(&a, &a, options, |a, _| Ok::<_, MetricError>(variance(a, 0.0))).unwrap();
        let unbiased = jackknife(&a, &a, options, |a, _| Ok::<_, MetricError>(variance(a, 1.0))).unwrap();
        let found = biased.bias - unbiased.bias;
        assert!((found * 4000.0 / -variance(&a, 1.0) - 1.0).abs() < 0.1, "{found}");
    }

    #[test]
    fn intervals_cover_as_often_as_they_claim() {
        let options = JackknifeOptions { groups: 10, level: 0.8, seed: 0 };
        let covered = |seed: u32| {
            let difference = |a: &Features, b: &Features| Ok::<_, MetricError>(mean(a) - mean(b));
            let Interval { lower, upper, .. } =
                jackknife(&set(seed, 40), &set(seed + 500, 60), options, difference).unwrap();
            lower <= 0.0 && 0.0 <= upper
        };
        let count = (0..500).filter(|&seed| covered(seed)).count();
        // 400 expected, with a standard deviation of 9; the t distribution of the combined error is a little wider.
        assert!((370..=450).contains(&count), "{count} of 500");
    }

    #[test]
    fn scores_computed_together_have_the_intervals_of_each_alone() {
        let (a, b) = (set(8, 50), set(9, 60));
        let options = JackknifeOptions { groups: 10, ..JackknifeOptions::default() };
        let score = |x: Subsample<'_>, y: Subsample<'_>| {
            Ok::<_, MetricError>([mean(&x.of(&a)) - mean(&y.of(&b)), variance(&y.of(&b), 1.0)])
        };
        let [difference, spread] = jackknife_parts([50, 60], options, score).unwrap();
        let alone = jackknife(&a, &b, options, |a, b| Ok::<_, MetricError>(mean(a) - mean(b))).unwrap();
        assert_eq!(difference, alone);
        // The real set has no say in the second score, nor in its error; leaving out parts of it rounds the mean otherwise.
        let one_set = |_: Subsample<'_>, y: Subsample<'_>| Ok::<_, MetricError>([variance(&y.of(&b), 1.0)]);
        let [one] = jackknife_parts([0, 60], options, one_set).unwrap();
        assert_eq!((spread.without.real.len(), one.without.real.len()), (10, 0));
        assert!((spread.bias - one.bias).abs() < ROUNDING, "{} {}", spread.bias, one.bias);
        assert_eq!(spread.without.fake, one.without.fake);
        assert_eq!(Interval { bias: one.bias, without: one.without.clone(), ..spread }, one);
    }

    #[test]
    fn impossible_options_are_errors() {
        let score = |_: &Features, _: &Features| Ok::<_, MetricError>(0.0);
        let run =
            |groups, level| jackknife(&set(1, 30), &set(2, 30), JackknifeOptions { groups, level, seed: 0 }, score);
        assert!(matches!(run(1, 0.9), Err(MetricError::Parameter { .. })));
        assert!(matches!(run(10, 1.0), Err(MetricError::Parameter { .. })));
        assert!(matches!(run(16, 0.9), Err(MetricError::TooFew { needed: 32, .. })));
    }
}
