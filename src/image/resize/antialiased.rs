//! Filters that are widened by the scale when they shrink, which is what antialiases: Pillow's bicubic on float channels (mode `F`), as
//! clean-fid runs it, and the bilinear of PyTorch's `interpolate(…, antialias=True)`, as torchmetrics runs it.
//!
//! Sums are f64, an f32 is stored after each of the two passes, and a pass that keeps its length is left out: this order of roundings is
//! Pillow's and makes the result bit-exact. Which pass comes first depends on Pillow's version: see [`Order`].

use crate::image::RgbImage;

/// What is widened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    /// Keys' cubic with a = −½, whose windows are computed in f64: Pillow's.
    Cubic,
    /// A triangle, whose windows are computed in f32, which moves values by up to 4·10⁻³: PyTorch's.
    Linear,
}

/// Keys' cubic convolution kernel with a = −½, in Pillow's order of operations.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// The source samples that make an output position: `weights[k]` belongs to sample `first + k`.
#[derive(Debug, Clone)]
struct Window {
    first: usize,
    weights: Vec<f64>,
}

/// Windows of an axis; none when the length stays.
fn windows(filter: Filter, source: usize, target: usize) -> Option<Vec<Window>> {
    if source == target {
        return None;
    }
    Some(match filter {
        Filter::Cubic => cubic_windows(source, target),
        Filter::Linear => linear_windows(source, target),
    })
}

/// Pillow's windows of the cubic.
fn cubic_windows(source: usize, target: usize) -> Vec<Window> {
    /// Half the width of the cubic at scale 1.
    const SUPPORT: f64 = 2.0;
    let scale = source as f64 / target as f64;
    let stretch = scale.max(1.0);
    let support = SUPPORT * stretch;
    let inverse = 1.0 / stretch;
    let window = |i: usize| {
        let centre = (i as f64 + 0.5) * scale;
        // The casts truncate and saturate at zero.
        let first = (centre - support + 0.5) as usize;
        let end = ((centre + support + 0.5) as usize).min(source);
        let mut weights: Vec<f64> =
            (first..end).map(|sample| cubic((sample as f64 - centre + 0.5) * inverse)).collect();
        let total: f64 = weights.iter().fold(0.0, |sum, weight| sum + weight);
        weights.iter_mut().for_each(|weight| *weight /= total);
        Window { first, weights }
    };
    (0..target).map(window).collect()
}

/// PyTorch's windows of the triangle, in its order of operations.
fn linear_windows(source: usize, target: usize) -> Vec<Window> {
    let scale = source as f32 / target as f32;
    let support = scale.max(1.0);
    let inverse = 1.0 / support;
    let window = |i: usize| {
        let centre = scale * (i as f32 + 0.5);
        // The casts truncate and saturate at zero.
        let first = (centre - support + 0.5) as usize;
        let end = ((centre + support + 0.5) as usize).min(source);
        let triangle = |sample: usize| (1.0 - ((sample as f32 - centre + 0.5) * inverse).abs()).max(0.0);
        let weights: Vec<f32> = (first..end).map(triangle).collect();
        let total: f32 = weights.iter().fold(0.0, |sum, weight| sum + weight);
        Window { first, weights: weights.into_iter().map(|weight| f64::from(weight / total)).collect() }
    };
    (0..target).map(window).collect()
}

/// Which pass comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The horizontal one: Pillow up to 12, with which all published figures were made.
    HorizontalFirst,
    /// The vertical one where Pillow 13 and later find that to be less work.
    LessWorkFirst,
}

impl Order {
    fn is_vertical_first(self, source: (usize, usize), target: (usize, usize)) -> bool {
        let shrinks_by = |from: usize, to: usize| from as i64 - to as i64;
        let (narrower, lower) = (shrinks_by(source.0, target.0), shrinks_by(source.1, target.1));
        self == Order::LessWorkFirst && lower > 0 && lower > 2 * narrower
    }
}

/// A resizer to a fixed size.
#[derive(Debug, Clone)]
pub(super) struct Antialiased {
    filter: Filter,
    target: (usize, usize),
    order: Order,
    /// Size of the image that the windows were computed for.
    source: (usize, usize),
    columns: Option<Vec<Window>>,
    rows: Option<Vec<Window>>,
    /// One plane of the source.
    channel: Vec<f32>,
    /// The plane after the first pass.
    between: Vec<f32>,
    /// One row of sums.
    sums: Vec<f64>,
}

impl Antialiased {
    pub(super) fn new(filter: Filter, target: (usize, usize), order: Order) -> Self {
        let (channel, between, sums) = (vec![], vec![], vec![]);
        Self { filter, target, order, source: (0, 0), columns: None, rows: None, channel, between, sums }
    }

    /// `out` holds three planes of the target's size.
    pub(super) fn resize(&mut self, image: &RgbImage, out: &mut [f32]) {
        let (source, target) = ((image.width() as usize, image.height() as usize), self.target);
        let vertical_first = self.order.is_vertical_first(source, target);
        let width_between = if vertical_first { source.0 } else { target.0 };
        if self.source != source {
            self.source = source;
            self.columns = windows(self.filter, source.0, target.0);
            self.rows = windows(self.filter, source.1, target.1);
            self.channel = vec![0.0; source.0 * source.1];
            self.between = vec![0.0; width_between * if vertical_first { target.1 } else { source.1 }];
            self.sums = vec![0.0; width_between];
        }
        let Self { columns, rows, channel: samples, between, sums, .. } = self;
        for (channel, plane) in out.chunks_exact_mut(target.0 * target.1).enumerate() {
            for (sample, pixel) in samples.iter_mut().zip(image.pixels().chunks_exact(3)) {
                *sample = f32::from(pixel[channel]);
            }
            if vertical_first {
                vertical(rows.as_deref(), samples, between, sums);
                horizontal(columns.as_deref(), (between, source.0), (plane, target.0));
            } else {
                horizontal(columns.as_deref(), (samples, source.0), (between, target.0));
                vertical(rows.as_deref(), between, plane, sums);
            }
            for value in plane {
                *value = value.clamp(0.0, 255.0);
            }
        }
    }
}

/// From a plane and its width to another; a copy where the width stays.
fn horizontal(windows: Option<&[Window]>, (from, width): (&[f32], usize), (to, target): (&mut [f32], usize)) {
    let Some(windows) = windows else {
        to.copy_from_slice(from);
        return;
    };
    for (line, samples) in to.chunks_exact_mut(target).zip(from.chunks_exact(width)) {
        for (value, window) in line.iter_mut().zip(windows) {
            let mut sum = 0.0;
            for (weight, &sample) in window.weights.iter().zip(&samples[window.first..]) {
                sum += f64::from(sample) * weight;
            }
            *value = sum as f32;
        }
    }
}

/// From a plane to another of the same width, which is that of the sums; a copy where the height stays.
fn vertical(windows: Option<&[Window]>, from: &[f32], to: &mut [f32], sums: &mut [f64]) {
    let Some(windows) = windows else {
        to.copy_from_slice(from);
        return;
    };
    let width = sums.len();
    for (line, window) in to.chunks_exact_mut(width).zip(windows) {
        sums.fill(0.0);
        let samples = from[window.first * width..].chunks_exact(width);
        for (weight, samples) in window.weights.iter().zip(samples) {
            for (sum, &sample) in sums.iter_mut().zip(samples) {
                *sum += f64::from(sample) * weight;
            }
        }
        for (value, &sum) in line.iter_mut().zip(sums.iter()) {
            *value = sum as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_stay_inside_the_source() {
        for (filter, rounding) in [(Filter::Cubic, 1e-13), (Filter::Linear, 3e-7)] {
            for (source, target) in [(1, 7), (5, 4), (32, 299), (640, 299), (2, 3), (1000, 1)] {
                for window in windows(filter, source, target).unwrap() {
                    assert!(window.first + window.weights.len() <= source && !window.weights.is_empty());
                    let total: f64 = window.weights.iter().sum();
                    assert!((total - 1.0).abs() <= rounding, "{filter:?} {source}→{target}: {total}");
                }
            }
        }
    }

    #[test]
    fn the_cubic_interpolates_and_vanishes_outside_its_support() {
        assert_eq!([0.0, 1.0, -1.0, 2.0, 2.5].map(cubic), [1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(cubic(0.5), 0.5625);
        assert_eq!(cubic(-1.5), -0.0625);
    }
}
