//! Scores extrapolated to infinitely many images: the line through scores of subsets.

use serde::Serialize;

use super::error::{MetricError, Set, known_to_have, positive};
use super::parameter::{Arguments, Kind, Parameter};
use super::score::{About, Counts};
use super::value::{Curve, Panel, Style, Value};
use crate::interrupt::Interrupt;
use crate::options::builders;
use crate::random_state::RandomState;

/// Which subsets the line is fitted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExtrapolationOptions {
    /// Number of sizes, evenly spaced from the smallest to that of the whole set.
    pub points: usize,
    /// Smallest size; `None` means that of dgm-eval: 5000, but no more than a tenth of the set, and at least 2.
    pub smallest: Option<usize>,
    /// Seed of numpy's `RandomState`, which draws a subset of each size without replacement.
    pub seed: u32,
}

builders!(ExtrapolationOptions {
    with_points points: usize,
    with_smallest smallest: Option<usize>,
    with_seed seed: u32,
});

impl ExtrapolationOptions {
    /// 15 sizes, as in Chong and Forsyth and in dgm-eval.
    pub const CHONG_FORSYTH: Self = Self { points: 15, smallest: None, seed: 2020 };

    /// The sizes for a set of `images` images: `numpy.linspace(smallest, images, points)`, rounded down.
    fn sizes(&self, images: usize) -> Result<Vec<usize>, MetricError> {
        self.check(Some(images))?;
        let smallest = self.smallest_of(images);
        let step = (images - smallest) as f64 / (self.points - 1) as f64;
        let mut sizes: Vec<usize> = (0..self.points).map(|i| (smallest as f64 + i as f64 * step) as usize).collect();
        // numpy sets the end point exactly.
        sizes[self.points - 1] = images;
        Ok(sizes)
    }

    fn smallest_of(&self, images: usize) -> usize {
        self.smallest.unwrap_or_else(|| (images / 10).clamp(2, 5000))
    }

    /// Checks what is known before there are scores; `images` is the number of fake ones, where known.
    pub(super) fn check(&self, images: Option<usize>) -> Result<(), MetricError> {
        positive("the number of sizes less one", self.points.saturating_sub(1))?;
        if let Some(smallest @ 0..2) = self.smallest {
            let value = smallest.to_string();
            return Err(MetricError::Parameter { parameter: "the smallest size", value, range: "at least 2" });
        }
        let Some(known) = images else { return Ok(()) };
        // A line needs two different sizes.
        let needed = self.smallest_of(known).saturating_add(1);
        let purpose = "an extrapolation from that smallest size";
        let remedy = ("use a smaller smallest size or more images", Some("smallest"));
        known_to_have(needed, Counts { real: None, fake: images }, &[Set::Fake], purpose, remedy)
    }

    /// Puts the values of [`PARAMETERS`] in.
    pub(super) fn configure(&mut self, arguments: &Arguments) {
        self.points = arguments.count("points").unwrap_or(self.points);
        self.smallest = arguments.count("smallest").or(self.smallest);
        self.seed = arguments.seed("seed").unwrap_or(self.seed);
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

/// What can be changed.
pub(super) const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "points",
        placeholder: "N",
        help: "Numbers of images that the line is fitted to",
        default: Some("15"),
        kind: Kind::Count { least: 2, most: 10_000 },
        only_with: None,
    },
    Parameter {
        name: "smallest",
        placeholder: "N",
        help: "Smallest number of images [default: a tenth of them, at most 5000]",
        default: None,
        kind: Kind::Count { least: 2, most: usize::MAX },
        only_with: None,
    },
    Parameter {
        name: "seed",
        placeholder: "SEED",
        help: "Seed of numpy's RandomState that draws the subsets",
        default: Some("2020"),
        kind: Kind::Seed,
        only_with: None,
    },
];

/// The score of a random subset of each size, and the line through them.
pub(super) fn extrapolated(
    images: usize,
    options: ExtrapolationOptions,
    interrupt: &Interrupt,
    score: impl Fn(&[usize]) -> Result<f64, MetricError>,
) -> Result<Extrapolation, MetricError> {
    let mut random = RandomState::new(options.seed);
    let point = |size| -> Result<_, MetricError> {
        interrupt.check()?;
        Ok((size, score(&random.choice(images, size))?))
    };
    Ok(fitted(options.sizes(images)?.into_iter().map(point).collect::<Result<_, _>>()?))
}

/// As a score: the intercept, and the line to look at; `name` is the score that is extrapolated.
pub(super) fn reported(about: &About, found: &Extrapolation, options: ExtrapolationOptions, name: &str) -> Value {
    let measured: Vec<(f64, f64)> = found.points.iter().map(|&(size, score)| (1000.0 / size as f64, score)).collect();
    let end = measured.iter().map(|point| point.0).fold(0.0, f64::max);
    let line = vec![(0.0, found.value), (end, found.value + found.slope * end / 1000.0)];
    let panel = Panel {
        title: format!("{name} towards infinitely many images"),
        x_label: "1000 / number of images".into(),
        curves: vec![
            Curve { label: "of a subset".into(), points: measured, style: Style::Dots },
            Curve::line("fit", line),
        ],
    };
    Value::defined(about, found, &options).spread(found.standard_error).panel(panel)
}

/// Fits `score = value + slope/N` by least squares.
fn fitted(points: Vec<(usize, f64)>) -> Extrapolation {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_exactly() {
        let points: Vec<_> = [100, 200, 300, 1000].map(|n| (n, 3.0 + 50.0 / n as f64)).to_vec();
        let line = fitted(points);
        assert!((line.value - 3.0).abs() < 1e-13 && (line.slope - 50.0).abs() < 1e-10, "{line:?}");
        assert!(line.standard_error.unwrap() < 1e-13);
        assert_eq!(fitted(vec![(1, 2.0), (2, 1.5)]).standard_error, None);
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
