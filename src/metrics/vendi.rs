//! Vendi score.

use ndarray::{Array2, ArrayView2, Axis};
use serde::Serialize;

use super::error::{MetricError, Set};
use super::rows::{BLOCK, unit_rows};
use crate::linalg::{add_gram_lower, eigenvalues};
use crate::stats::Features;

/// Definition of a Vendi score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct VendiOptions {
    /// Order q of the Rényi entropy, zero or more, infinity included. Orders above 1 look at what is common, those
    /// below at what is rare.
    pub order: f64,
}

impl Default for VendiOptions {
    /// Order 1, Shannon's entropy.
    fn default() -> Self {
        Self { order: 1.0 }
    }
}

/// A Vendi score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Vendi {
    /// The score: 1 when all images look alike, n when no two have anything in common.
    pub value: f64,
}

/// The Vendi score of a set, its effective number of different images:
///
/// ```text
/// VS_q = exp( 1/(1−q)·log Σᵢ λᵢ^q )      VS₁ = exp(−Σᵢ λᵢ·log λᵢ)      VS_∞ = 1/max λᵢ
/// ```
///
/// where λ are the eigenvalues of `K/n` and `K` holds the cosines of all pairs of images. No reference set is needed, and
/// nothing is said of quality: noise is diverse.
///
/// Source: Friedman and Dieng 2023 (arXiv:2210.02410), Pasarkar and Dieng 2024 (arXiv:2310.12952); dgm-eval's
/// `compute_vendi_score` with its linear kernel.
///
/// The non-zero eigenvalues of `X·Xᵀ` are those of `Xᵀ·X`: the smaller of the two is decomposed, so that neither time
/// nor memory grow with n². Eigenvalues below `ε·n·λmax` count as zero, which matters to order 0, the rank, alone.
///
/// # Errors
/// [`MetricError`] when the set is empty, a row is zero, or the order is negative or NaN.
pub fn vendi(features: &Features, options: VendiOptions) -> Result<Vendi, MetricError> {
    let order = options.order;
    if order.is_nan() || order < 0.0 {
        let value = order.to_string();
        return Err(MetricError::Parameter { parameter: "the order of the entropy", value, range: "zero or more" });
    }
    let (n, dim) = features.view().dim();
    if n == 0 {
        let (purpose, remedy) = ("a Vendi score", "give images");
        return Err(MetricError::TooFew { set: Set::Fake, images: 0, needed: 1, purpose, remedy });
    }
    let eigenvalues = eigenvalues(&gram_of_units(features.view())?)?;
    let largest = eigenvalues.iter().fold(0.0_f64, |a, &b| a.max(b));
    let floor = f64::EPSILON * n.min(dim) as f64 * largest;
    let shares = || eigenvalues.iter().map(|value| value / n as f64).filter(|&share| share > floor / n as f64);
    let entropy = if order == 1.0 {
        -shares().map(|share| share * share.ln()).sum::<f64>()
    } else if order.is_infinite() {
        -(largest / n as f64).ln()
    } else {
        shares().map(|share| share.powf(order)).sum::<f64>().ln() / (1.0 - order)
    };
    Ok(Vendi { value: entropy.exp() })
}

/// The lower triangle of `X·Xᵀ` or `Xᵀ·X`, whichever is smaller, for the rows of X divided by their norms.
fn gram_of_units(rows: ArrayView2<'_, f32>) -> Result<Array2<f64>, MetricError> {
    let (n, dim) = rows.dim();
    let zero = |row| MetricError::ZeroRow { set: Set::Fake, row };
    let mut gram = Array2::zeros((n.min(dim), n.min(dim)));
    if n <= dim {
        add_gram_lower(&mut gram, unit_rows(rows).map_err(zero)?.t());
    } else {
        for (number, rows) in rows.axis_chunks_iter(Axis(0), BLOCK).enumerate() {
            add_gram_lower(&mut gram, unit_rows(rows).map_err(|row| zero(number * BLOCK + row))?.view());
        }
    }
    Ok(gram)
}
