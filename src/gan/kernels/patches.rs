//! Images unrolled into patches, so that a convolution is a matrix product.
//!
//! Inside a convolution, images are padded with zeros and their channels are innermost. What a position of the feature map
//! is connected to is then one run of memory for each row of the kernel, kernel width × channels long, to be copied or
//! added as a whole. Row (image, y, x) of the B×K matrix of patches holds the K = kernel height · kernel width · channels
//! values of that position.

use std::ops::Range;

use rayon::prelude::*;

use super::convolution::Geometry;
use crate::gan::buffer::Buffer;
use crate::gan::real::Real;

/// Sizes of a padded image: `padding` zeros above and to the left, whatever is left below and to the right.
#[derive(Debug, Clone, Copy)]
pub struct Padded {
    /// Rows.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// Values of a pixel.
    pub channels: usize,
}

impl Padded {
    /// As much padding on every side as the convolution has.
    pub fn of(geometry: &Geometry) -> Self {
        let [channels, height, width] = geometry.image;
        Padded { height: height + 2 * geometry.padding, width: width + 2 * geometry.padding, channels }
    }

    /// Values of a row.
    pub fn row_len(&self) -> usize {
        self.width * self.channels
    }

    /// Values of a padded image.
    pub fn len(&self) -> usize {
        self.height * self.row_len()
    }
}

/// Lines of numbers in a longer array.
#[derive(Clone, Copy)]
struct Lines {
    count: usize,
    /// Distance of their beginnings.
    stride: usize,
}

/// Number i of line j becomes number j of line i.
fn transpose<T: Real>(from: &[T], source: Lines, to: &mut [T], target: Lines) {
    /// Lines read side by side: their numbers make a run of a line of the target.
    const SIDE: usize = 8;
    let mut first = 0;
    while first + SIDE <= source.count {
        let lines: [&[T]; SIDE] = std::array::from_fn(|j| &from[(first + j) * source.stride..][..target.count]);
        for i in 0..target.count {
            let run: &mut [T; SIDE] = to[i * target.stride + first..].first_chunk_mut().expect("a line holds the run");
            *run = std::array::from_fn(|j| lines[j][i]);
        }
        first += SIDE;
    }
    for j in first..source.count {
        for (i, &value) in from[j * source.stride..][..target.count].iter().enumerate() {
            to[i * target.stride + j] = value;
        }
    }
}

/// Whole images in the layout of patches.
pub fn pad<T: Real>(images: &[T], geometry: &Geometry, shape: Padded) -> Buffer<T> {
    let [channels, height, width] = geometry.image;
    let (row_len, edge) = (shape.row_len(), geometry.padding * channels);
    let count = images.len() / geometry.image_len();
    let mut padded = Buffer::stale(count * shape.len());
    for (image, padded) in images.chunks_exact(geometry.image_len()).zip(padded.chunks_exact_mut(shape.len())) {
        let (above, rest) = padded.split_at_mut(geometry.padding * row_len);
        let (inside, below) = rest.split_at_mut(height * row_len);
        above.fill(T::ZERO);
        below.fill(T::ZERO);
        for (y, row) in inside.chunks_exact_mut(row_len).enumerate() {
            row[..edge].fill(T::ZERO);
            row[edge + width * channels..].fill(T::ZERO);
            let source = Lines { count: channels, stride: height * width };
            let target = Lines { count: width, stride: channels };
            transpose(&image[y * width..], source, &mut row[edge..], target);
        }
    }
    padded
}

/// The inverse of [`pad`]; what lies in the padding is dropped.
pub fn crop<T: Real>(padded: &[T], geometry: &Geometry, shape: Padded, images: &mut [T]) {
    let [channels, height, width] = geometry.image;
    for (image, padded) in images.chunks_exact_mut(geometry.image_len()).zip(padded.chunks_exact(shape.len())) {
        for y in 0..height {
            let start = (y + geometry.padding) * shape.row_len() + geometry.padding * channels;
            let source = Lines { count: width, stride: channels };
            let target = Lines { count: channels, stride: height * width };
            transpose(&padded[start..], source, &mut image[y * width..], target);
        }
    }
}

/// Calls `visit(run of the patches, run of the padded images)` with the ranges of every run of some rows of the maps.
fn for_each_run(
    geometry: &Geometry,
    rows: Range<usize>,
    count: usize,
    mut visit: impl FnMut(Range<usize>, Range<usize>),
) {
    let [kernel_height, kernel_width] = geometry.kernel;
    let shape = Padded::of(geometry);
    let (run, step) = (kernel_width * shape.channels, geometry.stride * shape.channels);
    let mut patch = 0;
    for image in 0..count {
        for y in rows.clone() {
            for x in 0..geometry.map[2] {
                let corner = image * shape.len() + y * geometry.stride * shape.row_len() + x * step;
                for kernel_y in 0..kernel_height {
                    let start = corner + kernel_y * shape.row_len();
                    visit(patch..patch + run, start..start + run);
                    patch += run;
                }
            }
        }
    }
}

/// The patches of padded images, for some rows of their feature maps.
pub fn unroll<T: Real>(padded: &[T], geometry: &Geometry, rows: Range<usize>) -> Buffer<T> {
    let count = padded.len() / Padded::of(geometry).len();
    let mut patches = Buffer::stale(count * rows.len() * geometry.map[2] * geometry.depth());
    for_each_run(geometry, rows, count, |patch, source| patches[patch].copy_from_slice(&padded[source]));
    patches
}

/// Adds patches back to where [`unroll`] read them from: the transpose of that linear map.
pub fn add_rolled<T: Real>(patches: &[T], geometry: &Geometry, rows: Range<usize>, padded: &mut [T]) {
    let count = padded.len() / Padded::of(geometry).len();
    for_each_run(geometry, rows, count, |patch, target| {
        padded[target].iter_mut().zip(&patches[patch]).for_each(|(to, &value)| *to += value);
    });
}

/// Weights with the channels of the image innermost, as patches have them.
pub fn channels_last<T: Real>(weights: &[T], geometry: &Geometry) -> Buffer<T> {
    let [channels, kernel] = [geometry.image[0], geometry.kernel.iter().product()];
    transpose_each(weights, [channels, kernel])
}

/// The inverse of [`channels_last`].
pub fn channels_first<T: Real>(weights: &[T], geometry: &Geometry) -> Buffer<T> {
    let [channels, kernel] = [geometry.image[0], geometry.kernel.iter().product()];
    transpose_each(weights, [kernel, channels])
}

/// Each of the rows×columns matrices transposed.
fn transpose_each<T: Real>(matrices: &[T], [rows, columns]: [usize; 2]) -> Buffer<T> {
    let mut transposed = Buffer::stale(matrices.len());
    let (source, target) = (Lines { count: rows, stride: columns }, Lines { count: columns, stride: rows });
    let pairs = transposed.par_chunks_exact_mut(rows * columns).zip(matrices.par_chunks_exact(rows * columns));
    pairs.for_each(|(to, from)| transpose(from, source, to, target));
    transposed
}
