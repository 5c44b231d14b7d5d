//! Kernel Inception Distance.

use serde::Serialize;

use super::error::{MetricError, Set, both_have, positive, same_dimension};
use super::kernel::Kernel;
use super::random_state::RandomState;
use super::subsets::discrepancies;
use crate::stats::Features;

/// Definition of a Kernel Inception Distance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct KidOptions {
    /// The kernel.
    pub kernel: Kernel,
    /// Number of subsets.
    pub subsets: usize,
    /// Images of each subset of either set, drawn without replacement.
    pub subset_size: usize,
    /// Seed of numpy's `RandomState`, which draws the subsets.
    pub seed: u32,
    /// Which set each pair of subsets draws from first. The estimate is symmetric, the drawn subsets are not.
    pub draws_first: Set,
}

impl KidOptions {
    /// torch-fidelity's definition, where the fake set is its `input1`: `(xᵀy/d + 1)³`, 100 subsets of 1000, seed 2020.
    pub const TORCH_FIDELITY: Self =
        Self { kernel: Kernel::KID, subsets: 100, subset_size: 1000, seed: 2020, draws_first: Set::Fake };

    /// Whether sets of these numbers of images have a distance of this definition: known before there are features.
    ///
    /// # Errors
    /// [`MetricError`] when a set has fewer images than a subset, or a parameter is out of range.
    pub fn check(&self, real: usize, fake: usize) -> Result<(), MetricError> {
        self.kernel.check()?;
        positive("the number of subsets", self.subsets)?;
        if self.subset_size < 2 {
            let value = self.subset_size.to_string();
            return Err(MetricError::Parameter { parameter: "the subset size", value, range: "at least 2" });
        }
        let remedy = "use a smaller subset size or more images";
        both_have(self.subset_size, [real, fake], "a subset of the kernel distance", remedy)
    }
}

impl Default for KidOptions {
    fn default() -> Self {
        Self::TORCH_FIDELITY
    }
}

/// A Kernel Inception Distance: mean and standard deviation over subsets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Kid {
    /// Mean over subsets. Its expectation does not depend on the number of images, and it is slightly negative now and
    /// then when the sets follow the same distribution.
    pub mean: f64,
    /// Standard deviation over subsets (ddof 0): that of an estimate from `subset_size` images, not of the mean.
    pub std: f64,
}

/// The Kernel Inception Distance, the mean over random subsets of the unbiased squared maximum mean discrepancy:
///
/// ```text
/// MMD² = 1/(m(m−1))·Σ_{i≠j} k(xᵢ, xⱼ) + 1/(m(m−1))·Σ_{i≠j} k(yᵢ, yⱼ) − 2/m²·Σ_{ij} k(xᵢ, yⱼ)
/// ```
///
/// Source: Bińkowski et al. 2018 (arXiv:1801.01401), as computed by torch-fidelity: the same subsets, drawn by
/// [`RandomState`]. clean-fid and dgm-eval have the same estimate with subsets of numpy's global generator.
///
/// Precision: products of centred features in f32, everything else in f64 (the peers compute in f32 throughout). The
/// rounding errors of the products have no sign in common and average out over the pairs, and an offset common to all
/// features does not enlarge them. Sets whose images make no more pairs than all subsets together are multiplied
/// once instead of subset by subset. Memory besides the features: `8·m·d` bytes and 1 MiB of products per thread, and 24
/// bytes per drawn image; where sets are multiplied once, also 8 bytes per subset for every 512×512 pairs of images.
///
/// # Errors
/// [`MetricError`] when the dimensions differ, a set has fewer images than a subset, or a parameter is out of range.
pub fn kid(real: &Features, fake: &Features, options: KidOptions) -> Result<Kid, MetricError> {
    let KidOptions { kernel, subsets, subset_size, seed, draws_first } = options;
    same_dimension(real, fake)?;
    options.check(real.len(), fake.len())?;

    let (first, second) = match draws_first {
        Set::Real => (real, fake),
        Set::Fake => (fake, real),
    };
    let mut random = RandomState::new(seed);
    let draws: Vec<_> = (0..subsets)
        .map(|_| (random.choice(first.len(), subset_size), random.choice(second.len(), subset_size)))
        .collect();
    let distances = discrepancies(kernel, [first.view(), second.view()], &draws);
    let mean = distances.iter().sum::<f64>() / subsets as f64;
    let variance = distances.iter().map(|distance| (distance - mean).powi(2)).sum::<f64>() / subsets as f64;
    if !mean.is_finite() {
        return Err(MetricError::Overflow { score: "the kernel distance" });
    }
    Ok(Kid { mean, std: variance.sqrt() })
}
