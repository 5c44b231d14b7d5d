//! Divergences estimated from samples: plug-in histograms and nearest neighbours. Lower bounds with a trained critic are
//! in [`crate::divergence::variational`], transport distances in [`crate::divergence::transport`].

mod histogram;
mod neighbours;

use ndarray::ArrayView2;

use crate::divergence::discrete::DistributionError;
use crate::error::{Blame, Blamed};

pub use histogram::{Bins, Histogram};
pub use neighbours::{NeighbourEstimate, knn_kullback_leibler};

/// Why samples give no estimate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EstimatorError {
    /// Not enough samples.
    #[error("{which} has {samples} samples, but this estimator needs at least {needed}")]
    TooFewSamples {
        /// `P` or `Q`.
        which: char,
        /// Number of samples.
        samples: usize,
        /// Number needed.
        needed: usize,
    },
    /// A sample is NaN or infinite.
    #[error("row {row}, column {column} of {which} holds {value}: samples must be finite")]
    NotFinite {
        /// `P` or `Q`.
        which: char,
        /// Row of the offending value.
        row: usize,
        /// Its column.
        column: usize,
        /// The value itself.
        value: f64,
    },
    /// Samples of different dimensions.
    #[error("the samples of P have {p} columns and those of Q have {q}: both must live in the same space")]
    DimensionMismatch {
        /// Columns of P.
        p: usize,
        /// Columns of Q.
        q: usize,
    },
    /// A neighbour at distance zero.
    #[error(
        "sample {row} of P coincides with {neighbours} or more samples of {of}: nearest neighbours estimate densities, \
         and repeated samples have none; remove duplicates, or use a histogram"
    )]
    Duplicate {
        /// Row of the sample.
        row: usize,
        /// How many neighbours are at distance zero.
        neighbours: usize,
        /// Among which samples, `P` or `Q`.
        of: char,
    },
    /// A setting is out of range.
    #[error("{setting} = {value} does not work: it must be {requirement}")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// The rejected value.
        value: String,
        /// Which values work.
        requirement: String,
    },
    /// The histogram is no distribution.
    #[error(transparent)]
    Distribution(#[from] DistributionError),
}

impl EstimatorError {
    fn setting(setting: &'static str, value: impl ToString, requirement: impl Into<String>) -> Self {
        EstimatorError::Setting { setting, value: value.to_string(), requirement: requirement.into() }
    }
}

impl Blamed for EstimatorError {
    fn blame(&self) -> Blame {
        match self {
            EstimatorError::Distribution(error) => error.blame(),
            _ => Blame::Input,
        }
    }
}

/// Checks two sets of samples, one a row.
pub(crate) fn check_samples(
    p: ArrayView2<'_, f64>,
    q: ArrayView2<'_, f64>,
    (needed_p, needed_q): (usize, usize),
) -> Result<(), EstimatorError> {
    for (which, samples, needed) in [('P', p, needed_p), ('Q', q, needed_q)] {
        if samples.nrows() < needed {
            return Err(EstimatorError::TooFewSamples { which, samples: samples.nrows(), needed });
        }
        if let Some(((row, column), &value)) = samples.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(EstimatorError::NotFinite { which, row, column, value });
        }
    }
    if p.ncols() == q.ncols() { Ok(()) } else { Err(EstimatorError::DimensionMismatch { p: p.ncols(), q: q.ncols() }) }
}
