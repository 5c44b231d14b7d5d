//! Loops over the channels of N×C×S arrays (S: the positions of an image).

use rayon::prelude::*;

use super::reduce::{sum, sum_of, sum_of_pairs};
use crate::gan::buffer::Buffer;
use crate::gan::real::Real;

/// The axes of an array that is normalised by channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channels {
    /// Channels.
    pub count: usize,
    /// Positions: values of a channel of one image.
    pub positions: usize,
}

impl Channels {
    fn image_len(self) -> usize {
        self.count * self.positions
    }

    /// A value for every channel: the sum over images of what `of_slice` makes of the slice of that channel.
    fn fold(self, len: usize, of_slice: impl Fn(usize, std::ops::Range<usize>) -> f64 + Sync) -> Vec<f64> {
        let images = len / self.image_len().max(1);
        let of_channel = |channel: usize| {
            (0..images)
                .map(|image| {
                    let start = image * self.image_len() + channel * self.positions;
                    of_slice(channel, start..start + self.positions)
                })
                .sum()
        };
        (0..self.count).into_par_iter().map(of_channel).collect()
    }

    /// Mean and biased variance of every channel, by two passes.
    pub fn moments<T: Real>(self, x: &[T]) -> (Vec<f64>, Vec<f64>) {
        let n = (x.len() / self.count.max(1)) as f64;
        let mut mean = self.fold(x.len(), |_, range| sum(&x[range]).to_f64());
        mean.iter_mut().for_each(|mean| *mean /= n);
        let mut variance = self.fold(x.len(), |channel, range| {
            let mean = T::of(mean[channel]);
            sum_of(&x[range], |x| (x - mean) * (x - mean)).to_f64()
        });
        variance.iter_mut().for_each(|variance| *variance /= n);
        (mean, variance)
    }

    /// Sums of g and of g·(x − centre) over every channel.
    pub fn sums_with<T: Real>(self, g: &[T], x: &[T], centre: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let plain = self.fold(g.len(), |_, range| sum(&g[range]).to_f64());
        let weighted = self.fold(g.len(), |channel, range| {
            let centre = T::of(centre[channel]);
            sum_of_pairs(&g[range.clone()], &x[range], |g, x| g * (x - centre)).to_f64()
        });
        (plain, weighted)
    }

    /// scale·x + shift, with the scale and shift of the channel.
    pub fn affine<T: Real>(self, x: &[T], scale: &[T], shift: &[T]) -> Buffer<T> {
        let mut y = Buffer::stale(x.len());
        let len = self.image_len().max(1);
        y.par_chunks_mut(len).zip(x.par_chunks(len)).for_each(|(y, x)| {
            let slices = y.chunks_mut(self.positions).zip(x.chunks(self.positions));
            for ((y, x), (&scale, &shift)) in slices.zip(scale.iter().zip(shift)) {
                y.iter_mut().zip(x).for_each(|(y, &x)| *y = scale * x + shift);
            }
        });
        y
    }

    /// a·g + b·x + c, with the coefficients \[a, b, c\] of the channel.
    pub fn combine<T: Real>(self, g: &[T], x: &[T], coefficients: &[[T; 3]]) -> Buffer<T> {
        let mut y = Buffer::stale(x.len());
        let len = self.image_len().max(1);
        y.par_chunks_mut(len).zip(g.par_chunks(len)).zip(x.par_chunks(len)).for_each(|((y, g), x)| {
            let slices = y.chunks_mut(self.positions).zip(g.chunks(self.positions)).zip(x.chunks(self.positions));
            for (((y, g), x), &[a, b, c]) in slices.zip(coefficients) {
                y.iter_mut().zip(g).zip(x).for_each(|((y, &g), &x)| *y = a * g + b * x + c);
            }
        });
        y
    }
}
