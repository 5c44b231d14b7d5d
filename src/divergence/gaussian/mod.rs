//! Multivariate Gaussians: closed forms where there are any, Monte Carlo with a confidence interval where there are none.
//!
//! One linear map takes Q to the standard normal and P to independent coordinates. After it every divergence that does
//! not change under invertible maps, which are all f-divergences, is a sum over coordinates: [`GaussianPair`] pays for
//! two eigendecompositions once, and each divergence is then O(d).

mod double;
mod mixture;
mod pair;
mod reduction;
mod wasserstein;

use ndarray::{Array1, Array2};

use crate::error::{Blame, Blamed};
use crate::linalg;
pub use mixture::{GaussianMixture, MixtureBounds};
pub use pair::{GaussianDivergence, GaussianPair};
pub use wasserstein::wasserstein_2;

/// Asymmetry of a covariance, relative to its largest entry, that rounding explains.
const SYMMETRY_TOLERANCE: f64 = 1e-10;

/// Why a mean and a covariance are no Gaussian, or a divergence cannot be had.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MultivariateNormalError {
    /// The covariance is not square or does not fit the mean.
    #[error("a mean of {mean} entries needs a {mean}×{mean} covariance, not {rows}×{columns}")]
    Shape {
        /// Entries of the mean.
        mean: usize,
        /// Rows of the covariance.
        rows: usize,
        /// Columns of the covariance.
        columns: usize,
    },
    /// There is no coordinate at all.
    #[error("a Gaussian needs at least one dimension")]
    Empty,
    /// An entry of the mean or the covariance is NaN or infinite.
    #[error("the {part} holds {value} at index {index}: all entries must be finite")]
    NotFinite {
        /// `mean` or `covariance`.
        part: &'static str,
        /// Index of the entry, in rows.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The covariance is not symmetric.
    #[error("the covariance is not symmetric: entry ({row}, {column}) is {upper} and its mirror {lower}")]
    NotSymmetric {
        /// Row of the offending entry.
        row: usize,
        /// Its column.
        column: usize,
        /// Its value.
        upper: f64,
        /// The value at (column, row).
        lower: f64,
    },
    /// A covariance has no inverse to working precision.
    #[error(
        "the covariance of {which} is not positive definite to working precision (eigenvalues from {smallest:e} to \
         {largest:e}), so there is no density: use more samples than dimensions, or a transport distance, which needs none"
    )]
    NotPositiveDefinite {
        /// `P` or `Q`.
        which: char,
        /// Its smallest eigenvalue.
        smallest: f64,
        /// Its largest eigenvalue.
        largest: f64,
    },
    /// Both covariances are positive definite, and too different in scale for so many dimensions.
    #[error(
        "the covariances are too different in scale (the variances of P in units of Q go from {smallest:e} to {largest:e}) to be \
         compared in {dimensions} dimensions: use fewer, such as the principal components, or a transport distance"
    )]
    TooFarApart {
        /// The smallest variance of P in units of Q.
        smallest: f64,
        /// The largest.
        largest: f64,
        /// The number of dimensions.
        dimensions: usize,
    },
    /// A mixture needs a weight for each component.
    #[error("there are {weights} weights and {components} components: a mixture needs as many")]
    Weights {
        /// Number of weights.
        weights: usize,
        /// Number of components.
        components: usize,
    },
    /// The two Gaussians live in different spaces.
    #[error("P has {p} dimensions and Q has {q}: both must have the same")]
    DimensionMismatch {
        /// Dimensions of P.
        p: usize,
        /// Dimensions of Q.
        q: usize,
    },
    /// No closed form, and no Monte Carlo estimate whose interval could be trusted.
    #[error(
        "{divergence} of Gaussians or their mixtures has no closed form here, and its integrand is unbounded, so that no Monte \
         Carlo interval could be trusted: use a bounded relative such as js, tv or le-cam"
    )]
    Unavailable {
        /// The divergence in question.
        divergence: String,
    },
    /// Too few samples for an interval, or too many to wait for.
    #[error(
        "{samples} Monte Carlo samples do not work: ask for {} to {}",
        GaussianPair::FEWEST_SAMPLES,
        GaussianPair::MOST_SAMPLES
    )]
    Samples {
        /// The number asked for.
        samples: usize,
    },
    /// An eigendecomposition failed.
    #[error(transparent)]
    Linalg(#[from] linalg::LinalgError),
}

impl Blamed for MultivariateNormalError {
    fn blame(&self) -> Blame {
        match self {
            MultivariateNormalError::Linalg(error) => error.blame(),
            _ => Blame::Input,
        }
    }
}

/// A Gaussian distribution on ℝᵈ. The covariance is symmetric; it may be singular.
#[derive(Debug, Clone, PartialEq)]
pub struct MultivariateNormal {
    mean: Array1<f64>,
    covariance: Array2<f64>,
}

impl MultivariateNormal {
    /// Takes a mean (d) and a covariance (d×d).
    ///
    /// # Errors
    /// [`MultivariateNormalError`] when shapes do not fit, an entry is not finite or the covariance is not symmetric.
    pub fn new(mean: Array1<f64>, covariance: Array2<f64>) -> Result<Self, MultivariateNormalError> {
        let (rows, columns) = covariance.dim();
        if mean.is_empty() {
            return Err(MultivariateNormalError::Empty);
        }
        if rows != mean.len() || columns != mean.len() {
            return Err(MultivariateNormalError::Shape { mean: mean.len(), rows, columns });
        }
        check_finite("mean", mean.iter())?;
        check_finite("covariance", covariance.iter())?;
        let allowed = SYMMETRY_TOLERANCE * covariance.iter().fold(0.0, |size: f64, entry| size.max(entry.abs()));
        for ((row, column), &upper) in covariance.indexed_iter() {
            let lower = covariance[(column, row)];
            if (upper - lower).abs() > allowed {
                return Err(MultivariateNormalError::NotSymmetric { row, column, upper, lower });
            }
        }
        Ok(MultivariateNormal { mean, covariance })
    }

    /// The mean.
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// The covariance.
    pub fn covariance(&self) -> &Array2<f64> {
        &self.covariance
    }

    /// Number of dimensions.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }
}

fn check_finite<'a>(part: &'static str, values: impl Iterator<Item = &'a f64>) -> Result<(), MultivariateNormalError> {
    match values.enumerate().find(|(_, value)| !value.is_finite()) {
        Some((index, &value)) => Err(MultivariateNormalError::NotFinite { part, index, value }),
        None => Ok(()),
    }
}

fn check_dimensions(p: &MultivariateNormal, q: &MultivariateNormal) -> Result<(), MultivariateNormalError> {
    if p.dim() == q.dim() { Ok(()) } else { Err(MultivariateNormalError::DimensionMismatch { p: p.dim(), q: q.dim() }) }
}
