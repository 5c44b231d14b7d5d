//! Fréchet distance between two sets of features.

use serde::Serialize;

use super::definitions::{Definitions, Preset};
use super::error::{MetricError, Set, known_to_have};
use super::jackknife::{JackknifeOptions, Subsample, jackknife_parts};
use super::score::{About, Counts, Need, Quantity, Score, ScoreInterval, Sets};
use super::value::{Caution, Value, readable};
use crate::error::{Blame, Blamed};
use crate::interrupt::Interrupt;
use crate::linalg::{CovarianceFactor, LinalgError, Spectrum};
use crate::stats::{Features, Gaussian, GaussianError};

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
    /// The distance exceeds the range of f64.
    #[error(
        "the Fréchet distance is not finite: the statistics are too large for it; scale both sets by the same factor"
    )]
    Overflow,
    /// The product of the factors cannot be decomposed.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
}

impl Blamed for FidError {
    fn blame(&self) -> Blame {
        match self {
            FidError::Dimension { .. } | FidError::Overflow => Blame::Input,
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
    /// How large the rounding of the difference may be: `d·ε·(tr Σ₁ + tr Σ₂)`. A distance that is not larger says nothing but
    /// that the sets are close beside the variance of their largest features.
    pub rounding: f64,
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
/// [`FidError`] when the dimensions differ or a matrix is not a covariance.
pub fn fid(first: &Gaussian, second: &Gaussian) -> Result<Fid, FidError> {
    if first.dim() != second.dim() {
        return Err(FidError::Dimension { first: first.dim(), second: second.dim() });
    }
    fn factor<'a>(which: &'static str, set: &'a Gaussian) -> Result<&'a CovarianceFactor, FidError> {
        set.factor().map_err(|source| FidError::Gaussian { which, source })
    }
    // Side by side: parts of a factorisation keep only one core busy.
    let (f1, f2) = rayon::join(|| factor("first", first), || factor("second", second));
    let (f1, f2) = (f1?, f2?);
    let difference = first.mean() - second.mean();
    let mean_term = difference.dot(&difference);
    let cross = match f1.trace_sqrt_product(f2) {
        // The factors were finite: only their product is not.
        Err(LinalgError::NotFinite { .. }) => return Err(FidError::Overflow),
        cross => cross?,
    };
    let trace_term = f1.trace() + f2.trace() - 2.0 * cross;
    let value = mean_term + trace_term;
    // Before it is clipped: `max` would turn NaN into zero, the best distance of all.
    if !value.is_finite() {
        return Err(FidError::Overflow);
    }
    let rounding = first.dim() as f64 * f64::EPSILON * (f1.trace() + f2.trace());
    let spectra = [f1.spectrum(), f2.spectrum()];
    Ok(Fid { value: value.max(0.0), mean_term, trace_term, rounding, spectra })
}

/// [`fid`] that can be stopped: factorisations of 2048 dimensions take seconds.
///
/// # Errors
/// As [`fid`], and [`MetricError::Interrupted`] when the interrupt asked for it.
pub fn fid_until(first: &Gaussian, second: &Gaussian, interrupt: &Interrupt) -> Result<Fid, MetricError> {
    let (first, second) = (first.clone(), second.clone());
    Ok(interrupt.deserting(move || fid(&first, &second))??)
}

/// What reports hold of a distance.
#[derive(Serialize)]
struct Reported {
    value: f64,
    mean_term: f64,
    trace_term: f64,
    dim: usize,
    ranks: [usize; 2],
    conditions: [Option<f64>; 2],
}

/// A distance as a score: that of [`Row`], and of the spatial features.
pub(super) fn reported(about: &About, distance: Fid) -> Value {
    let Fid { value, mean_term, trace_term, rounding, spectra } = distance;
    let dim = spectra[0].dim;
    let (ranks, conditions) = (spectra.map(|seen| seen.rank), spectra.map(|seen| seen.condition));
    let is_rounding = value <= rounding;
    let reported = Reported { value, mean_term, trace_term, dim, ranks, conditions };
    let value = Value::new(about, &reported)
        .detail(format!("means {}, covariances {}", readable(mean_term), readable(trace_term)))
        .caution(Caution::FewImages { dim });
    let value = if is_rounding { value.caution(Caution::Rounding { error: rounding }) } else { value };
    Set::BOTH.into_iter().zip(spectra).fold(value, |value, (set, seen)| match seen.clipped {
        Some(eigenvalue) => value.caution(Caution::Clipped { set, eigenvalue }),
        None => value,
    })
}

/// What every Fréchet distance needs of both sets.
pub(super) fn check_counts(counts: Counts) -> Result<(), MetricError> {
    known_to_have(2, counts, &Set::BOTH, "a covariance", ("give more images", None))
}

/// Fréchet distance.
pub(super) struct Row;

static ABOUT: About = About {
    name: "fid",
    key: "fid",
    title: "FID",
    summary: "Fréchet distance between two sets (Fréchet Inception Distance)",
    wants: "10,000 and more, always the same number",
    real: &[Need::Statistics],
    fake: &[Need::Statistics],
    interval: Some(&[Need::Features]),
    quantities: &[Quantity::distance("fid", "FID")],
    defined_by: &["dim"],
    presets: &Preset::ALL,
    ..About::OF_FEATURES
};

impl Score for Row {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, counts: Counts, _: &Definitions) -> Result<(), MetricError> {
        check_counts(counts)
    }

    fn compute(&self, sets: &Sets<'_>, _: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        let [real, fake] = sets.statistics()?;
        Ok(reported(&ABOUT, fid_until(real, fake, interrupt)?))
    }

    fn intervals(
        &self,
        sets: &Sets<'_>,
        _: &Definitions,
        options: JackknifeOptions,
        interrupt: &Interrupt,
    ) -> Result<Vec<ScoreInterval>, MetricError> {
        let [real, fake] = sets.features()?;
        // The statistics of a set that stays whole are computed once.
        let whole = |set: &Features| Gaussian::of_until(set, interrupt);
        let (whole_real, whole_fake) = (whole(real)?, whole(fake)?);
        let [interval] = jackknife_parts([real.len(), fake.len()], options, |x, y| -> Result<_, MetricError> {
            let of = |part: Subsample<'_>, set: &Features, whole: &Gaussian| match part {
                Subsample::Whole => Ok(whole.clone()),
                Subsample::Rows(rows) => Gaussian::of_rows(set, rows, interrupt),
            };
            Ok([fid_until(&of(x, real, &whole_real)?, &of(y, fake, &whole_fake)?, interrupt)?.value])
        })?;
        Ok(vec![ScoreInterval { interval, of: None }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        Gaussian::of(&Features::new(features.clone()).unwrap()).unwrap()
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
    fn an_overflow_is_never_the_best_distance() {
        let huge = one_dimensional(0.0, 1.7e308);
        assert_eq!(fid(&huge, &huge).unwrap_err(), FidError::Overflow);
        assert_eq!(fid(&one_dimensional(1e200, 1.0), &one_dimensional(-1e200, 1.0)).unwrap_err(), FidError::Overflow);
    }

    #[test]
    fn a_distance_below_its_rounding_is_told() {
        // Beside a variance of 1e16 nothing is left of a difference of one.
        let set = |small: f64| Gaussian::new(None, array![0.0, 0.0], array![[1e16, 0.0], [0.0, small]]).unwrap();
        let drowned = fid(&set(1.0), &set(4.0)).unwrap();
        assert!(drowned.value <= drowned.rounding, "{drowned:?}");
        assert!(reported(&ABOUT, drowned).cautions.contains(&Caution::Rounding { error: drowned.rounding }));
        let plain = fid(&one_dimensional(0.0, 1.0), &one_dimensional(0.0, 4.0)).unwrap();
        assert!(plain.value > 1e12 * plain.rounding && reported(&ABOUT, plain).cautions.len() == 1);
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
