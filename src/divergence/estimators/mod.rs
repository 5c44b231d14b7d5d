//! Divergences and mutual information estimated from samples: plug-in histograms and nearest neighbours. Lower bounds with a trained critic are
//! in [`crate::divergence::variational`], transport distances in [`crate::divergence::transport`].

mod histogram;
mod mutual_information;
mod neighbours;
mod tree;

use ndarray::ArrayView2;

use crate::divergence::discrete::DistributionError;
use crate::error::{Blame, Blamed};

pub use histogram::{Bins, Histogram};
pub use mutual_information::{histogram_mutual_information, knn_mutual_information};
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
    /// Samples that should come in pairs and do not.
    #[error(
        "P has {p} samples and Q has {q}: mutual information is of samples that were observed together, row by row"
    )]
    Unpaired {
        /// Samples of P.
        p: usize,
        /// Samples of Q.
        q: usize,
    },
    /// A statistic of the line, and samples of more dimensions.
    #[error("the samples have {columns} columns, and this statistic is of one: use energy or mmd")]
    NotOnTheLine {
        /// Their columns.
        columns: usize,
    },
    /// The pairs of all samples would not fit into memory.
    #[error("{samples} samples of P and Q together make too many pairs: give at most {most}")]
    TooManyPairs {
        /// Number of samples.
        samples: usize,
        /// The most that work.
        most: usize,
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
    /// The histogram is not a distribution.
    #[error(transparent)]
    Distribution(#[from] DistributionError),
}

impl EstimatorError {
    pub(crate) fn setting(setting: &'static str, value: impl ToString, requirement: impl Into<String>) -> Self {
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
    check_sample('P', p, needed_p)?;
    check_sample('Q', q, needed_q)?;
    if p.ncols() == q.ncols() { Ok(()) } else { Err(EstimatorError::DimensionMismatch { p: p.ncols(), q: q.ncols() }) }
}

/// Checks one set of samples.
pub(crate) fn check_sample(which: char, samples: ArrayView2<'_, f64>, needed: usize) -> Result<(), EstimatorError> {
    if samples.nrows() < needed {
        return Err(EstimatorError::TooFewSamples { which, samples: samples.nrows(), needed });
    }
    match samples.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), &value)) => Err(EstimatorError::NotFinite { which, row, column, value }),
        None => Ok(()),
    }
}
