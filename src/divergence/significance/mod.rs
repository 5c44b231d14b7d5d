//! Whether samples tell two distributions apart: statistics of samples against a density, and of two samples, with p-values.
//!
//! | test | of | statistic |
//! |---|---|---|
//! | [`GoodnessOfFit`] | samples of the line and a density | Kolmogorov–Smirnov, Cramér–von Mises, Anderson–Darling |
//! | [`TwoSample`] | two samples | Kolmogorov–Smirnov and Cramér–von Mises on the line, energy distance and MMD in any dimension |
//!
//! p-values are those of Monte Carlo tests (Davison and Hinkley 1997, section 4.2): the share of the statistics, the observed
//! one among them, that are at least as large as the observed one, where the others are of samples drawn under the
//! hypothesis. Such a test holds its level for every number of samples; with B draws no p-value is below 1/(B + 1).

mod goodness;
mod line;
mod pairwise;
mod two_sample;

pub use goodness::{GoodnessOfFit, goodness_of_fit};
pub use two_sample::{TwoSample, two_sample};

use crate::divergence::estimators::EstimatorError;

/// A statistic and how unusual it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Significance {
    /// The statistic of the samples.
    pub statistic: f64,
    /// The share of statistics under the hypothesis, this one among them, that are at least as large.
    pub p_value: f64,
    /// How many others there were.
    pub draws: usize,
}

impl Significance {
    /// Draws that can be asked for.
    pub const MOST_DRAWS: usize = 10_000_000;

    fn new(statistic: f64, others: impl Iterator<Item = f64>) -> Self {
        // Equal statistics of permutations are summed in another order: rounding must not make them smaller.
        let threshold = statistic - ROUNDING * statistic.abs();
        let (mut draws, mut as_large) = (0_usize, 0_usize);
        for other in others {
            draws += 1;
            as_large += usize::from(other >= threshold);
        }
        let p_value = (as_large + 1) as f64 / (draws + 1) as f64;
        Significance { statistic, p_value, draws }
    }
}

/// How far apart two equal statistics may be computed.
const ROUNDING: f64 = 1e-12;

fn check_draws(draws: usize) -> Result<(), EstimatorError> {
    if (1..=Significance::MOST_DRAWS).contains(&draws) {
        Ok(())
    } else {
        Err(EstimatorError::setting("draws", draws, format!("from 1 to {}", Significance::MOST_DRAWS)))
    }
}
