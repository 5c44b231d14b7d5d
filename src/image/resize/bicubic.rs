//! Pillow's bicubic filter on float channels (mode `F`), as clean-fid runs it.
//!
//! The filter is Keys' cubic with a = −½, widened by the scale when it shrinks, which is what antialiases. Weights and
//! sums are f64, an f32 is stored after each of the two passes, horizontal first, and a pass that keeps its length is
//! left out: this order of roundings is Pillow's and makes the result bit-exact.

use crate::image::RgbImage;

/// Half the width of the cubic at scale 1.
const SUPPORT: f64 = 2.0;

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
fn windows(source: usize, target: usize) -> Option<Vec<Window>> {
    if source == target {
        return None;
    }
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
    Some((0..target).map(window).collect())
}

/// A bicubic resizer to a fixed size.
#[derive(Debug, Clone)]
pub(super) struct Bicubic {
    target: (usize, usize),
    /// Size of the image that the windows were computed for.
    source: (usize, usize),
    columns: Option<Vec<Window>>,
    rows: Option<Vec<Window>>,
    /// One plane after the horizontal pass: the source's height, the target's width.
    narrowed: Vec<f32>,
    /// One row of sums.
    sums: Vec<f64>,
}

impl Bicubic {
    pub(super) fn new(target: (usize, usize)) -> Self {
        Self { target, source: (0, 0), columns: None, rows: None, narrowed: vec![], sums: vec![0.0; target.0] }
    }

    /// `out` holds three planes of the target's size.
    pub(super) fn resize(&mut self, image: &RgbImage, out: &mut [f32]) {
        let source = (image.width() as usize, image.height() as usize);
        if self.source != source {
            self.source = source;
            self.columns = windows(source.0, self.target.0);
            self.rows = windows(source.1, self.target.1);
            self.narrowed = vec![0.0; self.target.0 * source.1];
        }
        for (channel, plane) in out.chunks_exact_mut(self.target.0 * self.target.1).enumerate() {
            self.horizontal(image, channel);
            self.vertical(plane);
            for value in plane {
                *value = value.clamp(0.0, 255.0);
            }
        }
    }

    fn horizontal(&mut self, image: &RgbImage, channel: usize) {
        let lines = self.narrowed.chunks_exact_mut(self.target.0);
        for (line, pixels) in lines.zip(image.pixels().chunks_exact(3 * self.source.0)) {
            match &self.columns {
                None => {
                    for (value, pixel) in line.iter_mut().zip(pixels.chunks_exact(3)) {
                        *value = f32::from(pixel[channel]);
                    }
                }
                Some(windows) => {
                    for (value, window) in line.iter_mut().zip(windows) {
                        let samples = pixels[3 * window.first..].chunks_exact(3);
                        let mut sum = 0.0;
                        for (weight, pixel) in window.weights.iter().zip(samples) {
                            sum += f64::from(pixel[channel]) * weight;
                        }
                        *value = sum as f32;
                    }
                }
            }
        }
    }

    fn vertical(&mut self, plane: &mut [f32]) {
        let Some(windows) = &self.rows else {
            plane.copy_from_slice(&self.narrowed);
            return;
        };
        let width = self.target.0;
        for (line, window) in plane.chunks_exact_mut(width).zip(windows) {
            self.sums.fill(0.0);
            let samples = self.narrowed[window.first * width..].chunks_exact(width);
            for (weight, samples) in window.weights.iter().zip(samples) {
                for (sum, &sample) in self.sums.iter_mut().zip(samples) {
                    *sum += f64::from(sample) * weight;
                }
            }
            for (value, &sum) in line.iter_mut().zip(&self.sums) {
                *value = sum as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_stay_inside_the_source() {
        for (source, target) in [(1, 7), (5, 4), (32, 299), (640, 299), (2, 3), (1000, 1)] {
            for window in windows(source, target).unwrap() {
                assert!(window.first + window.weights.len() <= source && !window.weights.is_empty());
                let total: f64 = window.weights.iter().sum();
                assert!((total - 1.0).abs() <= 1e-13, "{source}→{target}: {total}");
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
