//! Wasserstein distances: exact on the line, exact by linear programming between finitely many points, entropic, and
//! sliced.
//!
//! W_r(P, Q) = (min over couplings of E‖X − Y‖^r)^{1/r}. Gaussians have their own formula,
//! [`crate::divergence::gaussian::wasserstein_2`].

mod densities;
mod exact;
mod lanes;
mod line;
mod points;
mod simplex;
mod sinkhorn;
mod sliced;

use crate::divergence::discrete::DistributionError;
use crate::divergence::quadrature::QuadratureError;
use crate::error::{Blame, Blamed};

pub use densities::wasserstein_densities;
pub use exact::{Flow, TransportPlan, kantorovich_rubinstein, optimal_transport, wasserstein_samples};
pub use line::{wasserstein_line, wasserstein_line_samples};
pub(crate) use points::MOST_COSTS;
pub use points::{WassersteinOrder, cost_matrix};
pub use sinkhorn::{Sinkhorn, SinkhornPlan};
pub use sliced::{sliced_wasserstein, sliced_wasserstein_along};

/// Why a transport distance was not obtained.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The order of a Wasserstein distance is out of range.
    #[error("{order} is not an order of a Wasserstein distance: it must be finite and at least 1")]
    Order {
        /// The rejected order.
        order: f64,
    },
    /// There are no samples.
    #[error("{which} has no samples: a transport distance needs at least one")]
    NoSamples {
        /// `P` or `Q`.
        which: char,
    },
    /// A coordinate is NaN or infinite.
    #[error("row {row}, column {column} of {which} holds {value}: coordinates must be finite")]
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
    /// Points of different dimensions.
    #[error("the points of P have {p} coordinates and those of Q have {q}: both must live in the same space")]
    DimensionMismatch {
        /// Coordinates of P's points.
        p: usize,
        /// Coordinates of Q's points.
        q: usize,
    },
    /// The number of points or costs does not fit the distribution.
    #[error("{what} has shape {rows}×{columns}, but P has {p} entries and Q has {q}")]
    Shape {
        /// What was handed in.
        what: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
        /// Entries of P.
        p: usize,
        /// Entries of Q.
        q: usize,
    },
    /// A cost is NaN or infinite.
    #[error("the cost from point {from} to point {to} is {value}: costs must be finite")]
    Cost {
        /// Index of the point of P.
        from: usize,
        /// Index of the point of Q.
        to: usize,
        /// The rejected cost.
        value: f64,
    },
    /// The costs between all points would not fit into memory.
    #[error(
        "the costs between {p} and {q} points take {:.1} GB, and {:.1} GB are allowed: use fewer points, or sliced transport of \
         samples",
        *p as f64 * *q as f64 * 8e-9,
        points::MOST_COSTS as f64 * 8e-9
    )]
    TooLarge {
        /// Points of P.
        p: usize,
        /// Points of Q.
        q: usize,
    },
    /// A setting of the Sinkhorn iteration is out of range.
    #[error("{setting} = {value} does not work: it must be positive and finite")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// The rejected value.
        value: f64,
    },
    /// The Sinkhorn iteration ran out of iterations.
    #[error(
        "Sinkhorn's marginals are still off by {marginal_error} after {iterations} iterations: raise the \
         regularization, the number of iterations or the tolerance"
    )]
    NotConverged {
        /// Iterations done.
        iterations: usize,
        /// Sum of the absolute differences between the plan's marginal and P.
        marginal_error: f64,
    },
    /// Too few projections for an error of the sliced distance, or too many to hold.
    #[error("{count} projections do not work: ask for 2 to {most}")]
    Projections {
        /// The number asked for.
        count: usize,
        /// The most that work with points of so many coordinates.
        most: usize,
    },
    /// Weights that are not a distribution.
    #[error(transparent)]
    Distribution(#[from] DistributionError),
    /// An integral over densities failed.
    #[error(transparent)]
    Quadrature(#[from] QuadratureError),
}

impl Blamed for TransportError {
    fn blame(&self) -> Blame {
        match self {
            TransportError::Distribution(error) => error.blame(),
            TransportError::Quadrature(error) => error.blame(),
            _ => Blame::Input,
        }
    }
}
