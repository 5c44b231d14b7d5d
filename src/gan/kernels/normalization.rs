//! Loops over the channels of N×C×S arrays (S: the positions of an image).

use std::ops::Range;

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

/// Where a channel lies in an array.
#[derive(Clone, Copy)]
struct Slices {
    channels: Channels,
    channel: usize,
    images: usize,
}

impl Slices {
    /// The sum of what `of_slice` makes of the slice of every image.
    fn sum<T: Real>(self, of_slice: impl Fn(Range<usize>) -> T) -> f64 {
        let Channels { positions, .. } = self.channels;
        let start = |image: usize| image * self.channels.image_len() + self.channel * positions;
        (0..self.images).map(|image| of_slice(start(image)..start(image) + positions).to_f64()).sum()
    }
}

impl Channels {
    fn image_len(self) -> usize {
        self.count * self.positions
    }

    /// What `of_channel` makes of every channel, given the places of its slices in an array of `len` values: one slice
    /// an image. All that is asked of a channel is asked while its slices are in the cache.
    fn each<R: Send>(self, len: usize, of_channel: impl Fn(Slices) -> R + Sync) -> Vec<R> {
        let images = len / self.image_len().max(1);
        (0..self.count).into_par_iter().map(|channel| of_channel(Slices { channels: self, channel, images })).collect()
    }

    /// Mean and biased variance of every channel, by two passes.
    pub fn moments<T: Real>(self, x: &[T]) -> (Vec<f64>, Vec<f64>) {
        let n = (x.len() / self.count.max(1)) as f64;
        let of_channel = |slices: Slices| {
            let mean = slices.sum(|range| sum(&x[range])) / n;
            let centre = T::of(mean);
            (mean, slices.sum(|range| sum_of(&x[range], |x| (x - centre) * (x - centre))) / n)
        };
        self.each(x.len(), of_channel).into_iter().unzip()
    }

    /// Sums of g and of g·(x − centre) over every channel.
    pub fn sums_with<T: Real>(self, g: &[T], x: &[T], centre: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let of_channel = |slices: Slices| {
            let centre = T::of(centre[slices.channel]);
            let product = |g, x| g * (x - centre);
            let weighted = slices.sum(|range| sum_of_pairs(&g[range.clone()], &x[range], product));
            (slices.sum(|range| sum(&g[range])), weighted)
        };
        self.each(g.len(), of_channel).into_iter().unzip()
    }

    /// How many slices of a channel a thread takes at least.
    fn slices_of_a_thread(self) -> usize {
        /// Values that are worth a thread.
        const WORTHWHILE: usize = 1 << 14;
        WORTHWHILE.div_ceil(self.positions.max(1))
    }

    /// scale·x + shift, with the scale and shift of the channel.
    pub fn affine<T: Real>(self, x: &[T], scale: &[T], shift: &[T]) -> Buffer<T> {
        let mut y = Buffer::stale(x.len());
        let positions = self.positions.max(1);
        let slices = y.par_chunks_mut(positions).zip(x.par_chunks(positions)).enumerate();
        slices.with_min_len(self.slices_of_a_thread()).for_each(|(i, (y, x))| {
            let (scale, shift) = (scale[i % self.count], shift[i % self.count]);
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = scale * x + shift);
        });
        y
    }

    /// a·g + b·x + c, with the coefficients \[a, b, c\] of the channel.
    pub fn combine<T: Real>(self, g: &[T], x: &[T], coefficients: &[[T; 3]]) -> Buffer<T> {
        let mut y = Buffer::stale(x.len());
        let positions = self.positions.max(1);
        let slices = y.par_chunks_mut(positions).zip(g.par_chunks(positions)).zip(x.par_chunks(positions)).enumerate();
        slices.with_min_len(self.slices_of_a_thread()).for_each(|(i, ((y, g), x))| {
            let [a, b, c] = coefficients[i % self.count];
            y.iter_mut().zip(g).zip(x).for_each(|((y, &g), &x)| *y = a * g + b * x + c);
        });
        y
    }
}
