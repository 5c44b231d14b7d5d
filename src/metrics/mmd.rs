//! Maximum mean discrepancy of whole sets.

use serde::Serialize;

use super::error::{MetricError, Set, both_have, same_dimension};
use super::kernel::{Estimator, Kernel, discrepancy};
use super::rows::unit_features;
use crate::stats::Features;

/// Whether features are scaled to unit length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// Features as they are.
    AsGiven,
    /// Each row divided by its Euclidean norm.
    Unit,
}

/// Definition of a maximum mean discrepancy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MmdOptions {
    /// The kernel.
    pub kernel: Kernel,
    /// Which estimate.
    pub estimator: Estimator,
    /// Whether features are scaled to unit length first.
    pub length: Length,
    /// Factor of the result.
    pub scale: f64,
}

impl MmdOptions {
    /// CMMD's form: Gaussian kernel with σ = 10 on features of unit length, biased, times 1000.
    pub const CMMD: Self =
        Self { kernel: Kernel::SIGMA_10, estimator: Estimator::Biased, length: Length::Unit, scale: 1000.0 };
}

impl Default for MmdOptions {
    fn default() -> Self {
        Self::CMMD
    }
}

/// A maximum mean discrepancy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mmd {
    /// `scale·MMD²`.
    pub value: f64,
}

/// The squared maximum mean discrepancy of two sets, over all pairs,
///
/// ```text
/// MMD² = E k(x, x′) + E k(y, y′) − 2·E k(x, y)
/// ```
///
/// Source: Gretton et al. 2012; with [`MmdOptions::CMMD`] on the embeddings of CLIP ViT-L/14@336 it is the CMMD of
/// Jayasumana et al. 2024 (arXiv:2401.09603), on other features it has only its form.
///
/// Precision: products of centred features in f32, everything else in f64, where `k − 1` is summed in place of a Gaussian
/// kernel close to one: CMMD's own sums in f32 cancel to a few digits there. Blocked: nothing is n×n in memory.
///
/// # Errors
/// [`MetricError`] when the dimensions differ, a set has fewer than two images, a parameter is out of range, or a row
/// that is to have unit length is zero.
pub fn mmd(real: &Features, fake: &Features, options: MmdOptions) -> Result<Mmd, MetricError> {
    let MmdOptions { kernel, estimator, length, scale } = options;
    same_dimension(real, fake)?;
    kernel.check()?;
    both_have(2, [real.len(), fake.len()], "a mean discrepancy", "give more images")?;
    let square = match length {
        Length::AsGiven => discrepancy(kernel, real.view(), fake.view(), estimator),
        Length::Unit => {
            let (real, fake) = (unit_features(real, Set::Real)?, unit_features(fake, Set::Fake)?);
            discrepancy(kernel, real.view(), fake.view(), estimator)
        }
    };
    let value = scale * square;
    if value.is_finite() { Ok(Mmd { value }) } else { Err(MetricError::Overflow { score: "the mean discrepancy" }) }
}
