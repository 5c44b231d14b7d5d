//! Two samples of the line counted into the same bins: every divergence of the counts is a plug-in estimate.
//!
//! Plug-in estimates are biased upwards by empty and near-empty bins, and infinite as soon as a bin has samples of one
//! distribution only and f says so. Binning itself can only lower a divergence.

use ndarray::{Axis, aview1};

use super::{EstimatorError, check_samples};
use crate::divergence::discrete::Distribution;

/// How many bins of equal width the common range is cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bins {
    /// So many, at most [`Histogram::MOST_BINS`].
    Count(usize),
    /// By Freedman and Diaconis (1981) on the pooled samples: width 2·IQR·n^{−1/3}, at most 10,000 bins.
    FreedmanDiaconis,
}

const MOST_AUTOMATIC_BINS: f64 = 10_000.0;

/// Counts of two samples in the same bins.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The n+1 ends of the n bins, ascending.
    pub edges: Vec<f64>,
    /// Samples of P in each bin.
    pub counts_p: Vec<usize>,
    /// Samples of Q in each bin.
    pub counts_q: Vec<usize>,
}

impl Histogram {
    /// Bins that can be asked for; more would be empty of any sample that fits into memory.
    pub const MOST_BINS: usize = 1_000_000;

    /// Counts both samples into bins from the smallest to the largest sample of either.
    ///
    /// # Errors
    /// [`EstimatorError`] when a sample is empty or not finite, or the number of bins is zero or too large.
    pub fn new(p: &[f64], q: &[f64], bins: Bins) -> Result<Self, EstimatorError> {
        check_samples(aview1(p).insert_axis(Axis(1)), aview1(q).insert_axis(Axis(1)), (1, 1))?;
        if let Bins::Count(count) = bins
            && !(1..=Self::MOST_BINS).contains(&count)
        {
            return Err(EstimatorError::setting("bins", count, format!("from 1 to {}", Self::MOST_BINS)));
        }
        let scale = Scale::of(p.iter().chain(q).copied(), bins);
        let counts = |samples: &[f64]| {
            let mut counts = vec![0; scale.count];
            samples.iter().for_each(|sample| counts[scale.bin(*sample)] += 1);
            counts
        };
        Ok(Histogram { counts_p: counts(p), counts_q: counts(q), edges: scale.edges() })
    }

    /// The relative frequencies, after adding `pseudocount` to every bin of both; 0 is the plain plug-in estimate, a
    /// positive one keeps divergences finite at the price of a bias.
    ///
    /// # Errors
    /// [`EstimatorError::Setting`] when the pseudocount is negative or not finite.
    pub fn distributions(&self, pseudocount: f64) -> Result<(Distribution, Distribution), EstimatorError> {
        if !(pseudocount >= 0.0 && pseudocount.is_finite()) {
            return Err(EstimatorError::setting("pseudocount", pseudocount, "finite and not negative"));
        }
        let normalized = |counts: &[usize]| {
            Distribution::normalized(counts.iter().map(|count| *count as f64 + pseudocount).collect())
        };
        Ok((normalized(&self.counts_p)?, normalized(&self.counts_q)?))
    }
}

/// Bins of equal width from the smallest to the largest value.
pub(super) struct Scale {
    low: f64,
    high: f64,
    count: usize,
}

impl Scale {
    /// Of at least one finite value.
    pub fn of(values: impl Iterator<Item = f64>, bins: Bins) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let (mut low, mut high) = (sorted[0], sorted[sorted.len() - 1]);
        if low == high {
            // All values are equal: one bin around them.
            (low, high) = (low - 0.5, high + 0.5);
        }
        let count = match bins {
            Bins::Count(count) => count,
            Bins::FreedmanDiaconis => freedman_diaconis(&sorted, high - low),
        };
        Scale { low, high, count }
    }

    fn width(&self) -> f64 {
        (self.high - self.low) / self.count as f64
    }

    /// The bin that holds a value; the last one contains its upper end.
    pub fn bin(&self, value: f64) -> usize {
        (((value - self.low) / self.width()) as usize).min(self.count - 1)
    }

    fn edges(&self) -> Vec<f64> {
        let edge = |k| if k == self.count { self.high } else { self.low + k as f64 * self.width() };
        (0..=self.count).map(edge).collect()
    }
}

fn freedman_diaconis(sorted: &[f64], range: f64) -> usize {
    let n = sorted.len();
    let quartile = |share: f64| sorted[((n - 1) as f64 * share).round() as usize];
    let width = 2.0 * (quartile(0.75) - quartile(0.25)) / (n as f64).cbrt();
    // Samples of which half are equal have no interquartile range: Sturges' rule.
    let count = if width > 0.0 { range / width } else { (n as f64).log2() + 1.0 };
    count.ceil().clamp(1.0, MOST_AUTOMATIC_BINS) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::divergence::random::Random;
    use crate::divergence::{Generator, continuous, divergence, kind::Divergence};

    #[test]
    fn every_sample_is_counted_once_in_the_bin_that_holds_it() {
        let histogram = Histogram::new(&[0.0, 1.0, 4.0], &[3.999, 2.0], Bins::Count(4)).unwrap();
        assert_eq!(histogram.edges, [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(histogram.counts_p, [1, 1, 0, 1]);
        assert_eq!(histogram.counts_q, [0, 0, 1, 1]);
        let constant = Histogram::new(&[2.0, 2.0], &[2.0], Bins::FreedmanDiaconis).unwrap();
        assert_eq!(constant.counts_p.iter().sum::<usize>(), 2);
    }

    #[test]
    fn plug_in_comes_near_the_truth() {
        let mut random = Random::new(1);
        let p: Vec<f64> = (0..40_000).map(|_| random.normal()).collect();
        let q: Vec<f64> = (0..40_000).map(|_| 1.0 + random.normal()).collect();
        let (p, q) = Histogram::new(&p, &q, Bins::FreedmanDiaconis).unwrap().distributions(0.0).unwrap();
        let kind = Divergence::F(Generator::JENSEN_SHANNON);
        let estimate = divergence(kind, &p, &q).unwrap();
        let normal = |mean| crate::divergence::Density::normal(mean, 1.0).unwrap();
        let truth = continuous::divergence(kind, &normal(0.0), &normal(1.0)).unwrap().value();
        assert!((estimate - truth).abs() < 0.05 * truth, "{estimate} {truth}");
    }

    #[test]
    fn pseudocounts_make_divergences_finite() {
        let histogram = Histogram::new(&[0.0, 0.1], &[1.0, 0.9], Bins::Count(2)).unwrap();
        let kl = |pseudocount: f64| {
            let (p, q) = histogram.distributions(pseudocount).unwrap();
            divergence(Divergence::F(Generator::KULLBACK_LEIBLER), &p, &q).unwrap()
        };
        assert_eq!(kl(0.0), f64::INFINITY);
        // (2.5/3) ln 5 − (0.5/3) ln 5
        assert!((kl(0.5) - 2.0 / 3.0 * 5.0_f64.ln()).abs() < 1e-14);
        assert!(histogram.distributions(-1.0).is_err() && histogram.distributions(f64::NAN).is_err());
    }

    #[test]
    fn bad_input_is_named() {
        assert!(matches!(
            Histogram::new(&[], &[1.0], Bins::Count(3)),
            Err(EstimatorError::TooFewSamples { which: 'P', .. })
        ));
        for bins in [0, Histogram::MOST_BINS + 1, usize::MAX] {
            let message = Histogram::new(&[1.0], &[1.0], Bins::Count(bins)).unwrap_err().to_string();
            assert_eq!(message, format!("bins = {bins} does not work: it must be from 1 to 1000000"));
        }
        let error = Histogram::new(&[1.0], &[f64::INFINITY], Bins::Count(3));
        assert!(matches!(error, Err(EstimatorError::NotFinite { which: 'Q', row: 0, .. })));
    }
}
