//! The three linear maps of a convolution.
//!
//! For an image x, weights w and a feature map y, the form ⟨y, conv(x, w)⟩ is linear in each of the three. Leaving one
//! of them open gives the three kernels here, and they are each other's derivatives.

use std::ops::Range;

use rayon::prelude::*;

use super::gemm::{Matrix, Store, Threads, gemm};
use super::patches::{Padded, add_rolled, channels_first, channels_last, crop, pad, unroll};
use super::{minimal, pointwise};
use crate::gan::buffer::Buffer;
use crate::gan::real::Real;

/// Sizes of a convolution, shared by all of its kernels.
///
/// The *image* is the side with the larger resolution: what conv2d reads and conv_transpose2d writes. The *map* is the
/// other side. Weights are (map channels)×(image channels)×kernel height×kernel width for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Number of images.
    pub batch: usize,
    /// Channels, height and width of an image.
    pub image: [usize; 3],
    /// Channels, height and width of a feature map.
    pub map: [usize; 3],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Distance of the readings of neighbouring positions of the map, in both directions.
    pub stride: usize,
    /// Zeros around the image, on every side.
    pub padding: usize,
}

impl Geometry {
    /// Values of an image.
    pub fn image_len(&self) -> usize {
        self.image.iter().product()
    }

    /// Values of a feature map.
    pub fn map_len(&self) -> usize {
        self.map.iter().product()
    }

    /// Values that a position of the map is connected to: columns of the matrix of patches.
    pub fn depth(&self) -> usize {
        self.image[0] * self.kernel[0] * self.kernel[1]
    }

    /// Values of the weights.
    pub fn weight_len(&self) -> usize {
        self.map[0] * self.depth()
    }

    /// Whether the kernel covers the image exactly, so that the map has one position and patches are the images.
    pub fn is_product(&self) -> bool {
        self.map[1..] == [1, 1] && self.kernel == self.image[1..] && self.padding == 0
    }

    /// Images of a thread, where the batch is shared out.
    pub fn share(&self) -> usize {
        self.batch.div_ceil(rayon::current_num_threads()).max(1)
    }

    fn blocks(&self) -> Blocks {
        /// Patches of a product: enough to be limited by arithmetic, few enough for the matrix to stay in the cache, and
        /// a multiple of the 24 rows that faer's kernel takes at once.
        const PATCHES: usize = 768;
        let [_, height, width] = self.map;
        let positions = height * width;
        let images = (PATCHES / positions.max(1)).clamp(1, self.share());
        let rows = if images > 1 { height } else { (PATCHES / width.max(1)).clamp(1, height.max(1)) };
        Blocks { images, rows }
    }
}

/// What is multiplied at once: several whole images, or some rows of one.
#[derive(Debug, Clone, Copy)]
struct Blocks {
    images: usize,
    rows: usize,
}

impl Blocks {
    fn row_ranges(self, geometry: &Geometry) -> impl Iterator<Item = Range<usize>> {
        let height = geometry.map[1];
        (0..height).step_by(self.rows).map(move |start| start..(start + self.rows).min(height))
    }
}

/// conv(x, w): the feature maps.
pub fn convolve<T: Real>(geometry: &Geometry, images: &[T], weights: &[T]) -> Buffer<T> {
    let (channels, depth) = (geometry.map[0], geometry.depth());
    let mut maps = Buffer::stale(geometry.batch * geometry.map_len());
    if geometry.is_product() {
        let patches = Matrix::new(images, geometry.batch, depth);
        // batch×channels = (batch×depth)·(channels×depth)ᵀ
        gemm(&mut maps, Store::Replace, patches, Matrix::new(weights, channels, depth).t(), Threads::All);
        return maps;
    }
    if minimal::applies(geometry) {
        return minimal::convolve(geometry, images, weights);
    }
    let blocks = geometry.blocks();
    let weights = channels_last(weights, geometry);
    let run = |(maps, images): (&mut [T], &[T])| {
        let padded = pad(images, geometry, Padded::of(geometry));
        for rows in blocks.row_ranges(geometry) {
            let patches = unroll(&padded, geometry, rows.clone());
            let count = patches.len() / depth;
            // channels×count = (channels×depth)·(count×depth)ᵀ
            let (weights, patches) = (Matrix::new(&weights, channels, depth), Matrix::new(&patches, count, depth).t());
            if maps.len() == channels * count && maps.len() == geometry.map_len() {
                gemm(maps, Store::Replace, weights, patches, Threads::One);
            } else {
                let mut by_channel = Buffer::stale(channels * count);
                gemm(&mut by_channel, Store::Replace, weights, patches, Threads::One);
                scatter(&by_channel, geometry, rows, maps);
            }
        }
    };
    maps.par_chunks_mut(blocks.images * geometry.map_len())
        .zip(images.par_chunks(blocks.images * geometry.image_len()))
        .for_each(run);
    maps
}

/// The derivative of ⟨y, conv(x, w)⟩ by x, which is conv_transpose(y, w): the images.
pub fn convolve_transposed<T: Real>(geometry: &Geometry, maps: &[T], weights: &[T]) -> Buffer<T> {
    let (channels, depth) = (geometry.map[0], geometry.depth());
    let mut images = Buffer::stale(geometry.batch * geometry.image_len());
    if geometry.is_product() {
        let (maps, weights) = (Matrix::new(maps, geometry.batch, channels), Matrix::new(weights, channels, depth));
        // batch×depth = (batch×channels)·(channels×depth)
        gemm(&mut images, Store::Replace, maps, weights, Threads::All);
        return images;
    }
    if minimal::applies(geometry) {
        return minimal::convolve_transposed(geometry, maps, weights);
    }
    let blocks = geometry.blocks();
    let weights = channels_last(weights, geometry);
    let run = |(images, maps): (&mut [T], &[T])| {
        let in_group = maps.len() / geometry.map_len();
        let shape = Padded::of(geometry);
        let mut padded = Buffer::zeroed(in_group * shape.len());
        for rows in blocks.row_ranges(geometry) {
            let count = in_group * rows.len() * geometry.map[2];
            let mut patches = Buffer::stale(count * depth);
            let by_channel = gather(maps, geometry, rows.clone());
            let by_channel = Matrix::new(by_channel.as_ref().map_or(maps, |gathered| gathered), channels, count);
            // count×depth = (channels×count)ᵀ·(channels×depth)
            let weights = Matrix::new(&weights, channels, depth);
            gemm(&mut patches, Store::Replace, by_channel.t(), weights, Threads::One);
            add_rolled(&patches, geometry, rows, &mut padded);
        }
        crop(&padded, geometry, shape, images);
    };
    images
        .par_chunks_mut(blocks.images * geometry.image_len())
        .zip(maps.par_chunks(blocks.images * geometry.map_len()))
        .for_each(run);
    images
}

/// The derivative of ⟨y, conv(x, w)⟩ by w: the weights.
pub fn correlate_weights<T: Real>(geometry: &Geometry, images: &[T], maps: &[T]) -> Buffer<T> {
    let (channels, depth) = (geometry.map[0], geometry.depth());
    if geometry.is_product() {
        let mut weights = Buffer::stale(geometry.weight_len());
        let (maps, images) = (Matrix::new(maps, geometry.batch, channels), Matrix::new(images, geometry.batch, depth));
        // channels×depth = (batch×channels)ᵀ·(batch×depth)
        gemm(&mut weights, Store::Replace, maps.t(), images, Threads::All);
        return weights;
    }
    if minimal::applies(geometry) {
        return minimal::correlate_weights(geometry, images, maps);
    }
    let blocks = geometry.blocks();
    let of_part = |(images, maps): (&[T], &[T])| {
        let mut weights = Buffer::zeroed(geometry.weight_len());
        let groups = images.chunks(blocks.images * geometry.image_len());
        for (images, maps) in groups.zip(maps.chunks(blocks.images * geometry.map_len())) {
            let padded = pad(images, geometry, Padded::of(geometry));
            for rows in blocks.row_ranges(geometry) {
                let patches = unroll(&padded, geometry, rows.clone());
                let count = patches.len() / depth;
                let by_channel = gather(maps, geometry, rows);
                let by_channel = Matrix::new(by_channel.as_ref().map_or(maps, |gathered| gathered), channels, count);
                // channels×depth += (channels×count)·(count×depth)
                gemm(&mut weights, Store::Add, by_channel, Matrix::new(&patches, count, depth), Threads::One);
            }
        }
        weights
    };
    channels_first(&sum_of_parts(geometry, images, maps, of_part), geometry)
}

/// The sum over parts of the batch, as many as threads, each with a result of its own; their sum has a fixed order.
pub(super) fn sum_of_parts<T: Real>(
    geometry: &Geometry,
    images: &[T],
    maps: &[T],
    of_part: impl Fn((&[T], &[T])) -> Buffer<T> + Sync,
) -> Buffer<T> {
    let share = geometry.share();
    let parts: Vec<Buffer<T>> = images
        .par_chunks(share * geometry.image_len())
        .zip(maps.par_chunks(share * geometry.map_len()))
        .map(&of_part)
        .collect();
    let mut parts = parts.into_iter();
    let mut sum = parts.next().unwrap_or_else(|| of_part((&[], &[])));
    for part in parts {
        pointwise::update(&mut sum, &part, |sum, value| *sum += value);
    }
    sum
}

/// Rows of the maps of several images with the channel as the slowest axis: channels×(images·rows·width). `None` when
/// the maps are laid out like this already.
fn gather<T: Real>(maps: &[T], geometry: &Geometry, rows: Range<usize>) -> Option<Buffer<T>> {
    let [channels, height, width] = geometry.map;
    if maps.len() == geometry.map_len() && rows.len() == height {
        return None;
    }
    let segment = rows.len() * width;
    let mut gathered = Buffer::stale(maps.len() / height * rows.len());
    let mut to = gathered.chunks_exact_mut(segment);
    for channel in 0..channels {
        for map in maps.chunks_exact(geometry.map_len()) {
            let from = &map[(channel * height + rows.start) * width..][..segment];
            to.next().expect("a segment for every image and channel").copy_from_slice(from);
        }
    }
    Some(gathered)
}

/// The inverse of [`gather`].
fn scatter<T: Real>(by_channel: &[T], geometry: &Geometry, rows: Range<usize>, maps: &mut [T]) {
    let [channels, height, width] = geometry.map;
    let segment = rows.len() * width;
    let mut from = by_channel.chunks_exact(segment);
    for channel in 0..channels {
        for map in maps.chunks_exact_mut(geometry.map_len()) {
            let to = &mut map[(channel * height + rows.start) * width..][..segment];
            to.copy_from_slice(from.next().expect("a segment for every image and channel"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::random::Random;

    /// ⟨y, conv(x, w)⟩ by its definition, and the derivative by each of the three.
    fn by_definition(geometry: &Geometry, x: &[f64], w: &[f64], y: &[f64]) -> [Vec<f64>; 3] {
        let (mut dx, mut dw, mut dy) = (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; y.len()]);
        let ([ci, hi, wi], [cm, hm, wm], [kh, kw]) = (geometry.image, geometry.map, geometry.kernel);
        for n in 0..geometry.batch {
            for m in 0..cm {
                for (oy, ox) in (0..hm).flat_map(|oy| (0..wm).map(move |ox| (oy, ox))) {
                    for c in 0..ci {
                        for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
                            let (iy, ix) = (oy * geometry.stride + ky, ox * geometry.stride + kx);
                            let (Some(iy), Some(ix)) =
                                (iy.checked_sub(geometry.padding), ix.checked_sub(geometry.padding))
                            else {
                                continue;
                            };
                            if iy >= hi || ix >= wi {
                                continue;
                            }
                            let i = ((n * ci + c) * hi + iy) * wi + ix;
                            let j = ((m * ci + c) * kh + ky) * kw + kx;
                            let k = ((n * cm + m) * hm + oy) * wm + ox;
                            dx[i] += y[k] * w[j];
                            dw[j] += y[k] * x[i];
                            dy[k] += x[i] * w[j];
                        }
                    }
                }
            }
        }
        [dx, dw, dy]
    }

    fn assert_close(ours: &[f64], slow: &[f64], what: &str, geometry: &Geometry) {
        // Sums of at most a few hundred products of numbers around one, in another order.
        const TOLERANCE: f64 = 1e-11;
        for (ours, slow) in ours.iter().zip(slow) {
            assert!((ours - slow).abs() < TOLERANCE, "{what} of {geometry:?}: {ours} is not {slow}");
        }
    }

    #[test]
    fn the_three_kernels_are_the_derivatives_of_the_definition() {
        let mut random = Random::new(1);
        let mut check = |batch, image: [usize; 3], map_channels, kernel: [usize; 2], stride, padding| {
            let side = |side: usize, kernel: usize| (side + 2 * padding - kernel) / stride + 1;
            let map = [map_channels, side(image[1], kernel[0]), side(image[2], kernel[1])];
            let geometry = Geometry { batch, image, map, kernel, stride, padding };
            let mut tensor = |len: usize| random.normal::<f64>(&[len], 0.0, 1.0);
            let x = tensor(batch * geometry.image_len());
            let w = tensor(geometry.weight_len());
            let y = tensor(batch * geometry.map_len());
            let (x, w, y) = (x.data(), w.data(), y.data());
            let [dx, dw, dy] = by_definition(&geometry, x, w, y);
            assert_close(&convolve(&geometry, x, w), &dy, "conv", &geometry);
            assert_close(&convolve_transposed(&geometry, y, w), &dx, "conv_transpose", &geometry);
            assert_close(&correlate_weights(&geometry, x, y), &dw, "weights", &geometry);
        };
        for batch in [1, 2, 5] {
            for stride in 1..=3 {
                for padding in 0..=2 {
                    check(batch, [2, 7, 6], 3, [3, 4], stride, padding);
                    check(batch, [1, 5, 9], 2, [1, 2], stride, padding);
                }
            }
            check(batch, [3, 4, 4], 2, [4, 4], 1, 0);
            // More channels than are read side by side.
            check(batch, [19, 6, 5], 3, [3, 2], 2, 1);
            // Minimal filtering, of maps with even and odd sides, and with a row of the image that nothing reads.
            check(batch, [16, 8, 12], 16, [4, 4], 2, 1);
            check(batch, [20, 10, 7], 17, [4, 4], 2, 1);
            check(batch, [16, 7, 10], 16, [4, 4], 2, 0);
            check(batch, [2, 8, 8], 4, [4, 4], 2, 1);
        }
        // More positions than a block has patches: maps are cut into rows.
        check(2, [1, 45, 40], 2, [3, 3], 1, 1);
        // Padding wider than the kernel: whole patches of zeros.
        check(2, [1, 3, 3], 2, [2, 2], 1, 4);
    }
}
