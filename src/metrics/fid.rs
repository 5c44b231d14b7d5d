//! Fréchet distance between two sets of features.

use crate::error::{Blame, Blamed};
use crate::linalg::{LinalgError, Spectrum};
use crate::stats::{Gaussian, GaussianError};

/// Why a Fréchet distance cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FidError {
    /// The two sets have features of different dimension.
    #[error(
        "the first set has features of {first} dimensions, the second of {second}: \
         both must come from the same extractor and layer"
    )]
    Dimension {
        /// Dimension of the first set.
        first: usize,
        /// Dimension of the second set.
        second: usize,
    },
    /// A covariance cannot be used.
    #[error("the {which} set: {source}")]
    Gaussian {
        /// `first` or `second`.
        which: &'static str,
        /// What is wrong with it.
        source: GaussianError,
    },
    /// The product of the factors cannot be decomposed.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
}

impl Blamed for FidError {
    fn blame(&self) -> Blame {
        match self {
            FidError::Dimension { .. } => Blame::Input,
            FidError::Gaussian { source, .. } => source.blame(),
            FidError::Linalg(error) => error.blame(),
        }
    }
}

/// A Fréchet distance and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fid {
    /// The distance: `mean_term + trace_term`, never negative.
    pub value: f64,
    /// `‖μ₁ − μ₂‖²`: how far apart the sets are.
    pub mean_term: f64,
    /// `tr(Σ₁ + Σ₂ − 2·√(Σ₁Σ₂))`: how differently they spread.
    pub trace_term: f64,
    /// Conditioning of both covariances: a rank below the dimension means fewer independent images than dimensions.
    pub spectra: [Spectrum; 2],
}

/// The Fréchet (2-Wasserstein, squared) distance between two Gaussians,
///
/// ```text
/// d² = ‖μ₁ − μ₂‖² + tr Σ₁ + tr Σ₂ − 2·tr √(Σ₁Σ₂)
/// ```
///
/// the Fréchet Inception Distance when the Gaussians describe pool3 features of the FID Inception-v3.
///
/// Source: Heusel et al. 2017 (arXiv:1706.08500); Dowson and Landau 1982. The covariances are the unbiased ones
/// (ddof = 1), as in pytorch-fid, torch-fidelity and clean-fid. They take the root by `scipy.linalg.sqrtm` of the
/// unsymmetric product; this takes it by symmetric factors (see [`crate::linalg::CovarianceFactor`]), which has no
/// imaginary part to discard and needs no offset on the diagonal when a covariance is singular.
///
/// Symmetric; zero for equal sets up to rounding, about `1e-13·tr Σ`. A negative rounding error is clipped to zero.
///
/// # Errors
/// [`FidError`] when the dimensions differ or a matrix is no covariance.
pub fn fid(first: &Gaussian, second: &Gaussian) -> Result<Fid, FidError> {
    if first.dim() != second.dim() {
        return Err(FidError::Dimension { first: first.dim(), second: second.dim() });
    }
    let factor = |which, set: &Gaussian| set.factor().map_err(|source| FidError::Gaussian { which, source });
    // Side by side: parts of a factorisation keep only one core busy.
    let (f1, f2) = rayon::join(|| factor("first", first), || factor("second", second));
    let (f1, f2) = (f1?, f2?);
    let difference = first.mean() - second.mean();
    let mean_term = difference.dot(&difference);
    let trace_term = f1.trace() + f2.trace() - 2.0 * f1.trace_sqrt_product(&f2)?;
    Ok(Fid { value: (mean_term + trace_term).max(0.0), mean_term, trace_term, spectra: [f1.spectrum(), f2.spectrum()] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{FeatureStatistics, Features};
    use ndarray::{Array2, Axis, array};
    use proptest::prelude::*;
    use rand_mt::Mt64;

    /// Rounding allowed in a distance, relative to the total variance.
    const TOLERANCE: f64 = 1e-12;

    fn random(rows: usize, dim: usize, seed: u64) -> Array2<f32> {
        let mut generator = Mt64::new(seed);
        Array2::from_shape_simple_fn((rows, dim), || (generator.next_u64() >> 11) as f32 / (1_u64 << 53) as f32)
    }

    fn gaussian(features: &Array2<f32>) -> Gaussian {
        let mut statistics = FeatureStatistics::new(features.ncols());
        statistics.push(&Features::new(features.clone()).unwrap()).unwrap();
        statistics.finish().unwrap()
    }

    fn one_dimensional(mean: f64, variance: f64) -> Gaussian {
        Gaussian::new(None, array![mean], array![[variance]]).unwrap()
    }

    #[test]
    fn one_dimension_has_the_closed_form() {
        let distance = fid(&one_dimensional(1.0, 4.0), &one_dimensional(-2.0, 9.0)).unwrap();
        assert!((distance.value - (9.0 + 1.0)).abs() < 1e-14);
        assert!((distance.mean_term - 9.0).abs() < 1e-14);
    }

    #[test]
    fn a_singular_covariance_needs_no_offset() {
        let distance = fid(&one_dimensional(0.0, 0.0), &one_dimensional(0.0, 9.0)).unwrap();
        assert_eq!((distance.value, distance.spectra[0].rank), (9.0, 0));
    }

    #[test]
    fn the_routes_for_few_and_many_images_agree() {
        // 20 images of 32 dimensions: kept as samples, or as an explicit singular covariance.
        for (n1, n2) in [(20, 25), (20, 300), (31, 33)] {
            let (a, b) = (gaussian(&random(n1, 32, 1)), gaussian(&random(n2, 32, 2)));
            let explicit = |set: &Gaussian| Gaussian::new(set.n(), set.mean().clone(), set.covariance()).unwrap();
            let (few, many) = (fid(&a, &b).unwrap(), fid(&explicit(&a), &explicit(&b)).unwrap());
            assert!((few.value - many.value).abs() <= 1e-9 * few.value, "{} against {}", few.value, many.value);
            assert_eq!(few.spectra.map(|seen| seen.rank), many.spectra.map(|seen| seen.rank));
        }
    }

    #[test]
    fn shifting_both_sets_changes_nothing_and_shifting_one_adds_the_square() {
        let (a, b) = (random(200, 8, 3), random(150, 8, 4));
        let base = fid(&gaussian(&a), &gaussian(&b)).unwrap().value;
        let (a4, b4) = (a.mapv(|value| value + 4.0), b.mapv(|value| value + 4.0));
        let shifted = fid(&gaussian(&a4), &gaussian(&b4)).unwrap().value;
        // Adding 4 in f32 rounds the inputs to 2.4e-7.
        assert!((shifted - base).abs() < 1e-6, "{shifted} against {base}");
        let one = fid(&gaussian(&a4), &gaussian(&a)).unwrap().value;
        assert!((one - 8.0 * 16.0).abs() < 1e-4, "{one}");
    }

    #[test]
    fn unlike_dimensions_are_an_error() {
        let error = fid(&one_dimensional(0.0, 1.0), &gaussian(&random(5, 2, 5))).unwrap_err();
        assert_eq!(error, FidError::Dimension { first: 1, second: 2 });
    }

    #[test]
    fn names_the_set_that_is_no_covariance() {
        let good = Gaussian::new(None, array![0.0, 0.0], Array2::eye(2)).unwrap();
        let bad = Gaussian::new(None, array![0.0, 0.0], array![[1.0, 3.0], [3.0, 1.0]]).unwrap();
        let message = fid(&good, &bad).unwrap_err().to_string();
        assert!(message.starts_with("the second set: not a covariance matrix"), "{message}");
    }

    proptest! {
        #[test]
        fn is_a_distance(seed in any::<u64>(), dim in 1_usize..10, n1 in 2_usize..40, n2 in 2_usize..40) {
            let (a, b) = (random(n1, dim, seed), random(n2, dim, seed ^ 0x5555));
            let (x, y) = (gaussian(&a), gaussian(&b));
            let scale = x.factor().unwrap().trace() + y.factor().unwrap().trace();
            prop_assert!(fid(&x, &x).unwrap().value <= TOLERANCE * scale);
            let (there, back) = (fid(&x, &y).unwrap().value, fid(&y, &x).unwrap().value);
            prop_assert!(there >= 0.0 && (there - back).abs() <= TOLERANCE * scale);
        }

        #[test]
        fn the_order_of_the_images_does_not_matter(seed in any::<u64>(), n in 2_usize..700) {
            let (a, b) = (random(n, 6, seed), random(40, 6, seed ^ 0x5555));
            let order = crate::metrics::RandomState::new(seed as u32).permutation(n);
            let shuffled = a.select(Axis(0), &order);
            let (straight, mixed) = (fid(&gaussian(&a), &gaussian(&b)), fid(&gaussian(&shuffled), &gaussian(&b)));
            let (straight, mixed) = (straight.unwrap().value, mixed.unwrap().value);
            prop_assert!((straight - mixed).abs() <= 1e-9 * straight, "{} against {}", straight, mixed);
        }
    }
}
