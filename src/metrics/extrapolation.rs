//! FID∞ and IS∞: scores extrapolated to infinitely many images.

use ndarray::Axis;
use serde::Serialize;

use super::error::{MetricError, Set, positive};
use super::fid::fid;
use super::inception_score::{DegreesOfFreedom, InceptionScoreOptions, Order, Splits, inception_score};
use super::random_state::RandomState;
use super::rows::gaussian_of;
use crate::stats::{Features, Gaussian, Logits};

/// Which subsets the line is fitted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ExtrapolationOptions {
    /// Number of sizes, evenly spaced from the smallest to that of the whole set.
    pub points: usize,
    /// Smallest size; `None` means that of dgm-eval: 5000, but no more than a tenth of the set, and at least 2.
    pub smallest: Option<usize>,
    /// Seed of numpy's `RandomState`, which draws a subset of each size without replacement.
    pub seed: u32,
}

impl ExtrapolationOptions {
    /// 15 sizes, as Chong and Forsyth, and dgm-eval, have it.
    pub const CHONG_FORSYTH: Self = Self { points: 15, smallest: None, seed: 2020 };

    /// The sizes for a set of `images` images: `numpy.linspace(smallest, images, points)`, rounded down.
    fn sizes(&self, images: usize) -> Result<Vec<usize>, MetricError> {
        positive("the number of sizes less one", self.points.saturating_sub(1))?;
        let smallest = self.smallest.unwrap_or_else(|| (images / 10).clamp(2, 5000));
        if smallest < 2 {
            let value = smallest.to_string();
            return Err(MetricError::Parameter { parameter: "the smallest size", value, range: "at least 2" });
        }
        // A line takes two different sizes.
        if images <= smallest {
            let (needed, purpose) = (smallest + 1, "an extrapolation from that smallest size");
            let remedy = "use a smaller smallest size or more images";
            return Err(MetricError::TooFew { set: Set::Fake, images, needed, purpose, remedy });
        }
        let step = (images - smallest) as f64 / (self.points - 1) as f64;
        let mut sizes: Vec<usize> = (0..self.points).map(|i| (smallest as f64 + i as f64 * step) as usize).collect();
        // numpy sets the end point exactly.
        sizes[self.points - 1] = images;
        Ok(sizes)
    }
}

impl Default for ExtrapolationOptions {
    fn default() -> Self {
        Self::CHONG_FORSYTH
    }
}

/// A score extrapolated to infinitely many images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extrapolation {
    /// The intercept of the line: the score at 1/N = 0.
    pub value: f64,
    /// The slope of the line: N times the bias at N images.
    pub slope: f64,
    /// Standard error of the intercept by the scatter of the points around the line; `None` with two points. The points
    /// share images, so that it is too small rather than too large.
    pub standard_error: Option<f64>,
    /// The sizes, and the score at each.
    pub points: Vec<(usize, f64)>,
}

/// Fits `score = value + slope/N` by least squares.
fn extrapolate(points: Vec<(usize, f64)>) -> Extrapolation {
    let count = points.len() as f64;
    let inverse = |&(size, _): &(usize, f64)| 1.0 / size as f64;
    let mean_x = points.iter().map(inverse).sum::<f64>() / count;
    let mean_y = points.iter().map(|point| point.1).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|point| (inverse(point) - mean_x).powi(2)).sum();
    let joint: f64 = points.iter().map(|point| (inverse(point) - mean_x) * (point.1 - mean_y)).sum();
    let slope = joint / spread;
    let value = mean_y - slope * mean_x;
    let rest: f64 = points.iter().map(|point| (point.1 - value - slope * inverse(point)).powi(2)).sum();
    let error = || (rest / (count - 2.0) * (1.0 / count + mean_x * mean_x / spread)).sqrt();
    Extrapolation { value, slope, standard_error: (points.len() > 2).then(error), points }
}

/// FID∞: the Fréchet distance at infinitely many fake images. The distance at N images is too large by about c/N, with a
/// constant c that depends on the generator, so that even distances of equal N may come in the wrong order; this fits a
/// line to distances at several N and returns where it meets 1/N = 0.
///
/// The real set is the same at each size, and its own bias remains.
///
/// Source: Chong and Forsyth 2020 (arXiv:1911.07023), with the sizes of dgm-eval's `compute_FD_infinity`. They draw
/// subsets from unseeded generators; these are seeded.
///
/// # Errors
/// [`MetricError`] when the dimensions differ, there are too few images for two sizes, or a distance fails.
pub fn fid_infinity(
    real: &Gaussian,
    fake: &Features,
    options: ExtrapolationOptions,
) -> Result<Extrapolation, MetricError> {
    if real.dim() != fake.dim() {
        return Err(MetricError::Dimension { real: real.dim(), fake: fake.dim() });
    }
    let mut random = RandomState::new(options.seed);
    let point = |size| -> Result<_, MetricError> {
        let chosen = random.choice(fake.len(), size);
        Ok((size, fid(real, &gaussian_of(fake, &chosen)?)?.value))
    };
    Ok(extrapolate(options.sizes(fake.len())?.into_iter().map(point).collect::<Result<_, _>>()?))
}

/// IS∞: the Inception Score at infinitely many images, as [`fid_infinity`]. The score at N images is too small by about
/// c/N. Each size is scored as one split.
///
/// Source: Chong and Forsyth 2020 (arXiv:1911.07023).
///
/// # Errors
/// [`MetricError`] when there are too few images for two sizes.
pub fn inception_score_infinity(logits: &Logits, options: ExtrapolationOptions) -> Result<Extrapolation, MetricError> {
    let whole =
        InceptionScoreOptions { splits: Splits::Even(1), order: Order::AsGiven, ddof: DegreesOfFreedom::Population };
    let mut random = RandomState::new(options.seed);
    let point = |size| -> Result<_, MetricError> {
        let chosen = logits.view().select(Axis(0), &random.choice(logits.len(), size));
        let chosen = Logits::new(chosen).expect("rows of valid logits are valid");
        Ok((size, inception_score(&chosen, whole)?.mean))
    };
    Ok(extrapolate(options.sizes(logits.len())?.into_iter().map(point).collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_exactly() {
        let points: Vec<_> = [100, 200, 300, 1000].map(|n| (n, 3.0 + 50.0 / n as f64)).to_vec();
        let line = extrapolate(points);
        assert!((line.value - 3.0).abs() < 1e-13 && (line.slope - 50.0).abs() < 1e-10, "{line:?}");
        assert!(line.standard_error.unwrap() < 1e-13);
        assert_eq!(extrapolate(vec![(1, 2.0), (2, 1.5)]).standard_error, None);
    }

    #[test]
    fn sizes_are_those_of_numpy() {
        // numpy.linspace(a, b, 15).astype("int32") with the smallest size of dgm-eval.
        let sizes = |images| ExtrapolationOptions::CHONG_FORSYTH.sizes(images).unwrap();
        let expected =
            [5000, 8214, 11428, 14642, 17857, 21071, 24285, 27500, 30714, 33928, 37142, 40357, 43571, 46785, 50000];
        assert_eq!(sizes(50_000), expected);
        assert_eq!(sizes(300), [30, 49, 68, 87, 107, 126, 145, 165, 184, 203, 222, 242, 261, 280, 300]);
    }

    #[test]
    fn impossible_sizes_are_errors() {
        let options = |points, smallest| ExtrapolationOptions { points, smallest, seed: 0 };
        assert!(matches!(options(1, None).sizes(100), Err(MetricError::Parameter { .. })));
        assert!(matches!(options(5, Some(1)).sizes(100), Err(MetricError::Parameter { .. })));
        assert!(matches!(options(5, Some(100)).sizes(100), Err(MetricError::TooFew { needed: 101, .. })));
        assert!(matches!(options(5, None).sizes(2), Err(MetricError::TooFew { images: 2, .. })));
    }
}
