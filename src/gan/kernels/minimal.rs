//! Convolutions with a kernel of 4×4 and a stride of 2, those of DCGAN, in 9 multiplications where the definition has 16.
//!
//! Even and odd rows and columns of the image are four images of half the size (*phases*), and the convolution is a sum over
//! them of convolutions with kernels of 2×2 and a stride of 1. For these, minimal filtering computes two outputs from three
//! inputs by three multiplications instead of four:
//!
//! ```text
//! y₀ = d₀g₀ + d₁g₁ = m₀ + m₁     m₀ = (d₀ − d₁)·g₀     m₁ = d₁·(g₀ + g₁)
//! y₁ = d₁g₀ + d₂g₁ = m₁ − m₂     m₂ = (d₁ − d₂)·g₁
//! ```
//!
//! and in both directions a tile of 2×2 outputs by 9 instead of 16. Source: Winograd 1980, Lavin and Gray 2016
//! (arXiv:1509.09308), F(2×2, 2×2). All sums are of two terms with the factors ±1, so that rounding errors stay within a
//! small factor of the definition's.
//!
//! Of the three transformations, the one of the image gives D (tiles×9·4C: the nine, then the phases, then the
//! channels), the one of the weights G (M×9·4C), and the transpose of the one of the outputs Y (9×M×tiles), and the
//! form ⟨y, conv(x, w)⟩ is the sum over the nine of ⟨Yⱼ, Gⱼ·Dⱼᵀ⟩: leaving one of them open and transforming it back gives
//! each kernel.

use std::array::from_fn;
use std::ops::Range;

use rayon::prelude::*;

use super::convolution::{Geometry, sum_of_parts};
use super::gemm::{Matrix, Store, Threads, gemm, gemm_part};
use super::patches::{Padded, crop, pad};
use crate::gan::buffer::Buffer;
use crate::gan::real::Real;

/// Products of a tile.
const PRODUCTS: usize = 9;
/// Even and odd rows, even and odd columns.
const PHASES: usize = 4;
/// Values that are transformed side by side, which the compiler turns into vector instructions.
const LANES: usize = 8;

/// Whether the kernels of this module serve the convolution: its kernel and stride, and enough channels to pay for the
/// transformations.
pub fn applies(geometry: &Geometry) -> bool {
    const FEWEST: usize = 16;
    let [channels, maps] = [geometry.image[0], geometry.map[0]];
    // A row of a phase pair, 2C values, is cut into whole lanes.
    let fits = channels >= FEWEST && maps >= FEWEST && (2 * channels).is_multiple_of(LANES);
    geometry.kernel == [4, 4] && geometry.stride == 2 && fits && !geometry.is_product()
}

/// Sizes that follow from a geometry.
#[derive(Clone, Copy)]
struct Plan {
    channels: usize,
    maps: usize,
    /// Tiles of a map in both directions; the last ones may reach over its edge.
    tiles: [usize; 2],
    padded: Padded,
    /// Images that are transformed at once.
    images: usize,
}

impl Plan {
    fn of(geometry: &Geometry) -> Self {
        /// Values of D: few enough to stay in the cache.
        const VALUES: usize = 1 << 20;
        let [maps, height, width] = geometry.map;
        let tiles = [height.div_ceil(2), width.div_ceil(2)];
        let natural = Padded::of(geometry);
        let padded = Padded {
            height: natural.height.max(4 * tiles[0] + 2),
            width: natural.width.max(4 * tiles[1] + 2),
            channels: natural.channels,
        };
        let plan = Plan { channels: natural.channels, maps, tiles, padded, images: 1 };
        let images = VALUES / (plan.tiles_of(1) * plan.row_len());
        Plan { images: images.clamp(1, geometry.share()), ..plan }
    }

    /// Tiles of some images.
    fn tiles_of(&self, images: usize) -> usize {
        images * self.tiles[0] * self.tiles[1]
    }

    /// Columns of D and G that belong to one product.
    fn part(&self, product: usize) -> Range<usize> {
        let depth = PHASES * self.channels;
        product * depth..(product + 1) * depth
    }

    /// Columns of D and G.
    fn row_len(&self) -> usize {
        PRODUCTS * PHASES * self.channels
    }

    /// Calls `visit(row of D, beginnings of the 3×3 runs of 2C values in the padded images, lanes before the run in a part)` for
    /// the even and the odd rows of every tile.
    fn for_each_tile(&self, images: usize, mut visit: impl FnMut(usize, [usize; PRODUCTS], usize)) {
        let Padded { channels, .. } = self.padded;
        let row_len = self.padded.row_len();
        let mut tile = 0;
        for image in 0..images {
            for (ty, tx) in (0..self.tiles[0]).flat_map(|ty| (0..self.tiles[1]).map(move |tx| (ty, tx))) {
                for phase in 0..2 {
                    let corner = image * self.padded.len() + (4 * ty + phase) * row_len + 4 * tx * channels;
                    let run = |i: usize| corner + 2 * (i / 3) * row_len + 2 * (i % 3) * channels;
                    visit(tile, from_fn(run), phase * 2 * channels / LANES);
                }
                tile += 1;
            }
        }
    }
}

type Lane<T> = [T; LANES];

fn plus<T: Real>(a: Lane<T>, b: Lane<T>) -> Lane<T> {
    from_fn(|i| a[i] + b[i])
}

fn minus<T: Real>(a: Lane<T>, b: Lane<T>) -> Lane<T> {
    from_fn(|i| a[i] - b[i])
}

/// `f` of every row, then of every column of a 3×3 square.
fn both_ways<X: Copy>(square: [X; PRODUCTS], f: impl Fn([X; 3]) -> [X; 3]) -> [X; PRODUCTS] {
    let rows: [[X; 3]; 3] = from_fn(|r| f([square[3 * r], square[3 * r + 1], square[3 * r + 2]]));
    let columns: [[X; 3]; 3] = from_fn(|c| f([rows[0][c], rows[1][c], rows[2][c]]));
    from_fn(|i| columns[i % 3][i / 3])
}

/// D of padded images.
fn transform_images<T: Real>(plan: &Plan, padded: &[T]) -> Buffer<T> {
    let images = padded.len() / plan.padded.len();
    let mut transformed = Buffer::stale(plan.tiles_of(images) * plan.row_len());
    let (lanes, part) = (2 * plan.channels / LANES, PHASES * plan.channels / LANES);
    plan.for_each_tile(images, |tile, runs, phase| {
        let row = &mut transformed[tile * plan.row_len()..][..plan.row_len()];
        let row = row.as_chunks_mut::<LANES>().0;
        let runs = runs.map(|start| padded[start..][..lanes * LANES].as_chunks::<LANES>().0);
        for lane in 0..lanes {
            let d = both_ways(from_fn(|i| runs[i][lane]), |[a, b, c]| [minus(a, b), b, minus(b, c)]);
            d.into_iter().enumerate().for_each(|(i, d)| row[i * part + phase + lane] = d);
        }
    });
    transformed
}

/// The transpose of [`transform_images`], into padded images.
fn transform_images_back<T: Real>(plan: &Plan, transformed: &[T], images: usize) -> Buffer<T> {
    let mut padded = Buffer::zeroed(images * plan.padded.len());
    let (lanes, part) = (2 * plan.channels / LANES, PHASES * plan.channels / LANES);
    plan.for_each_tile(images, |tile, runs, phase| {
        let row = transformed[tile * plan.row_len()..][..plan.row_len()].as_chunks::<LANES>().0;
        for lane in 0..lanes {
            let d = from_fn(|i| row[i * part + phase + lane]);
            let x = both_ways(d, |[a, b, c]| [a, minus(plus(b, c), a), c.map(|c| -c)]);
            for (start, x) in runs.into_iter().zip(x) {
                let to: &mut Lane<T> = padded[start + lane * LANES..].first_chunk_mut().expect("a run is whole lanes");
                *to = plus(*to, x);
            }
        }
    });
    padded
}

/// The place of element (u, v) of a kernel of 2×2 of a phase in the kernel of 4×4.
fn tap(phase: usize, u: usize, v: usize) -> usize {
    4 * (2 * u + phase / 2) + 2 * v + phase % 2
}

/// G of weights.
fn transform_weights<T: Real>(plan: &Plan, weights: &[T]) -> Buffer<T> {
    let mut transformed = Buffer::stale(plan.maps * plan.row_len());
    let rows = transformed.par_chunks_exact_mut(plan.row_len()).zip(weights.par_chunks_exact(16 * plan.channels));
    rows.for_each(|(row, weights)| {
        for phase in 0..PHASES {
            for (channel, kernel) in weights.as_chunks::<16>().0.iter().enumerate() {
                let g = |u, v| kernel[tap(phase, u, v)];
                let both = |[a, b]: [T; 2]| [a, a + b, b];
                let rows = [both([g(0, 0), g(0, 1)]), both([g(1, 0), g(1, 1)])];
                for column in 0..3 {
                    let values = both([rows[0][column], rows[1][column]]);
                    for (i, value) in values.into_iter().enumerate() {
                        row[(PHASES * (3 * i + column) + phase) * plan.channels + channel] = value;
                    }
                }
            }
        }
    });
    transformed
}

/// The transpose of [`transform_weights`].
fn transform_weights_back<T: Real>(plan: &Plan, transformed: &[T]) -> Buffer<T> {
    let mut weights = Buffer::stale(plan.maps * 16 * plan.channels);
    let rows = weights.par_chunks_exact_mut(16 * plan.channels).zip(transformed.par_chunks_exact(plan.row_len()));
    rows.for_each(|(weights, row)| {
        for phase in 0..PHASES {
            for (channel, kernel) in weights.as_chunks_mut::<16>().0.iter_mut().enumerate() {
                let value = |i: usize, j: usize| row[(PHASES * (3 * i + j) + phase) * plan.channels + channel];
                for u in 0..2 {
                    let sums: [T; 3] = from_fn(|j| value(u, j) + value(u + 1, j));
                    for v in 0..2 {
                        kernel[tap(phase, u, v)] = sums[v] + sums[v + 1];
                    }
                }
            }
        }
    });
    weights
}

/// Y of feature maps: what a tile reads beyond the edge of its map is zero.
fn transform_maps<T: Real>(plan: &Plan, geometry: &Geometry, maps: &[T]) -> Buffer<T> {
    let count = plan.tiles_of(maps.len() / geometry.map_len());
    let mut transformed = Buffer::stale(PRODUCTS * plan.maps * count);
    let [_, height, width] = geometry.map;
    let mut planes = transformed.chunks_exact_mut(plan.maps * count);
    let planes: [&mut [T]; PRODUCTS] = from_fn(|_| planes.next().expect("a plane for every product"));
    for (image, map) in maps.chunks_exact(geometry.map_len()).enumerate() {
        for (channel, map) in map.chunks_exact(height * width).enumerate() {
            let first = channel * count + plan.tiles_of(image);
            for (ty, rows) in map.chunks(2 * width).enumerate() {
                let (upper, lower) = rows.split_at(width);
                let value = |row: &[T], x: usize| row.get(x).copied().unwrap_or(T::ZERO);
                for tx in 0..plan.tiles[1] {
                    let y = [upper, lower].map(|row| [value(row, 2 * tx), value(row, 2 * tx + 1)]);
                    let both = |[a, b]: [T; 2]| [a, a + b, -b];
                    let rows = y.map(both);
                    for column in 0..3 {
                        let values = both([rows[0][column], rows[1][column]]);
                        for (i, value) in values.into_iter().enumerate() {
                            planes[3 * i + column][first + ty * plan.tiles[1] + tx] = value;
                        }
                    }
                }
            }
        }
    }
    transformed
}

/// The transpose of [`transform_maps`]: the outputs of every tile from its products.
fn transform_maps_back<T: Real>(plan: &Plan, geometry: &Geometry, transformed: &[T], maps: &mut [T]) {
    let count = plan.tiles_of(maps.len() / geometry.map_len());
    let [_, height, width] = geometry.map;
    let planes: [&[T]; PRODUCTS] = from_fn(|i| &transformed[i * plan.maps * count..][..plan.maps * count]);
    for (image, map) in maps.chunks_exact_mut(geometry.map_len()).enumerate() {
        for (channel, map) in map.chunks_exact_mut(height * width).enumerate() {
            let first = channel * count + plan.tiles_of(image);
            for (ty, rows) in map.chunks_mut(2 * width).enumerate() {
                let (upper, lower) = rows.split_at_mut(width);
                let start = first + ty * plan.tiles[1];
                for tx in 0..plan.tiles[1] {
                    let both = |[a, b, c]: [T; 3]| [a + b, b - c];
                    let rows: [[T; 2]; 3] = from_fn(|i| both(from_fn(|j| planes[3 * i + j][start + tx])));
                    for x in 0..2 {
                        let [y0, y1] = both(rows.map(|row| row[x]));
                        for (row, y) in [(&mut *upper, y0), (&mut *lower, y1)] {
                            if let Some(to) = row.get_mut(2 * tx + x) {
                                *to = y;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// conv(x, w): the feature maps.
pub fn convolve<T: Real>(geometry: &Geometry, images: &[T], weights: &[T]) -> Buffer<T> {
    let plan = Plan::of(geometry);
    let mut maps = Buffer::stale(geometry.batch * geometry.map_len());
    let g = transform_weights(&plan, weights);
    let run = |(maps, images): (&mut [T], &[T])| {
        let d = transform_images(&plan, &pad(images, geometry, plan.padded));
        let count = d.len() / plan.row_len();
        let mut y = Buffer::stale(PRODUCTS * plan.maps * count);
        for (product, y) in y.chunks_exact_mut(plan.maps * count).enumerate() {
            let g = Matrix::new(&g, plan.maps, plan.row_len()).part(plan.part(product));
            let d = Matrix::new(&d, count, plan.row_len()).part(plan.part(product));
            // maps×tiles = (maps×4C)·(tiles×4C)ᵀ
            gemm(y, Store::Replace, g, d.t(), Threads::One);
        }
        transform_maps_back(&plan, geometry, &y, maps);
    };
    maps.par_chunks_mut(plan.images * geometry.map_len())
        .zip(images.par_chunks(plan.images * geometry.image_len()))
        .for_each(run);
    maps
}

/// The derivative of ⟨y, conv(x, w)⟩ by x: the images.
pub fn convolve_transposed<T: Real>(geometry: &Geometry, maps: &[T], weights: &[T]) -> Buffer<T> {
    let plan = Plan::of(geometry);
    let mut images = Buffer::stale(geometry.batch * geometry.image_len());
    let g = transform_weights(&plan, weights);
    let run = |(images, maps): (&mut [T], &[T])| {
        let in_group = maps.len() / geometry.map_len();
        let (y, count) = (transform_maps(&plan, geometry, maps), plan.tiles_of(in_group));
        let mut d = Buffer::stale(count * plan.row_len());
        for (product, y) in y.chunks_exact(plan.maps * count).enumerate() {
            let g = Matrix::new(&g, plan.maps, plan.row_len()).part(plan.part(product));
            let y = Matrix::new(y, plan.maps, count).t();
            // tiles×4C = (maps×tiles)ᵀ·(maps×4C)
            gemm_part(&mut d, plan.row_len(), plan.part(product), Store::Replace, y, g, Threads::One);
        }
        crop(&transform_images_back(&plan, &d, in_group), geometry, plan.padded, images);
    };
    images
        .par_chunks_mut(plan.images * geometry.image_len())
        .zip(maps.par_chunks(plan.images * geometry.map_len()))
        .for_each(run);
    images
}

/// The derivative of ⟨y, conv(x, w)⟩ by w: the weights.
pub fn correlate_weights<T: Real>(geometry: &Geometry, images: &[T], maps: &[T]) -> Buffer<T> {
    let plan = Plan::of(geometry);
    let of_part = |(images, maps): (&[T], &[T])| {
        let mut g = Buffer::zeroed(plan.maps * plan.row_len());
        let groups = images.chunks(plan.images * geometry.image_len());
        for (images, maps) in groups.zip(maps.chunks(plan.images * geometry.map_len())) {
            let d = transform_images(&plan, &pad(images, geometry, plan.padded));
            let (y, count) = (transform_maps(&plan, geometry, maps), d.len() / plan.row_len());
            for (product, y) in y.chunks_exact(plan.maps * count).enumerate() {
                let d = Matrix::new(&d, count, plan.row_len()).part(plan.part(product));
                let y = Matrix::new(y, plan.maps, count);
                // maps×4C += (maps×tiles)·(tiles×4C)
                gemm_part(&mut g, plan.row_len(), plan.part(product), Store::Add, y, d, Threads::One);
            }
        }
        g
    };
    transform_weights_back(&plan, &sum_of_parts(geometry, images, maps, of_part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::random::Random;
    use crate::gan::tensor::Tensor;

    /// The transformations themselves are compared with the definition in f64, beside the other kernels of convolution.rs.
    #[test]
    fn rounding_in_f32_is_that_of_any_convolution() {
        // A sum of a thousand products rounds to a few ε of its norm in any order; the sums of ±1 before and after it
        // may double that.
        const TOLERANCE: f64 = 8.0 * f32::EPSILON as f64;
        let (image, map) = ([64, 16, 12], [48, 8, 6]);
        let geometry = Geometry { batch: 3, image, map, kernel: [4, 4], stride: 2, padding: 1 };
        assert!(applies(&geometry));
        let mut random = Random::new(1);
        let mut tensor = |len: usize| random.normal::<f32>(&[len], 0.0, 1.0);
        let x = tensor(geometry.batch * geometry.image_len());
        let w = tensor(geometry.weight_len());
        let y = tensor(geometry.batch * geometry.map_len());
        let [exact_x, exact_w, exact_y] = [&x, &w, &y].map(Tensor::cast::<f64>);
        let check = |what: &str, ours: &[f32], exact: &[f64]| {
            let difference: f64 = ours.iter().zip(exact).map(|(&a, b)| (f64::from(a) - b).powi(2)).sum();
            let error = (difference / exact.iter().map(|b| b * b).sum::<f64>()).sqrt();
            println!("{what}: off by {error:.1e} of the norm");
            assert!(error < TOLERANCE, "{what}: off by {error:e} of the norm");
        };
        let maps = convolve(&geometry, x.data(), w.data());
        check("maps", &maps, &convolve(&geometry, exact_x.data(), exact_w.data()));
        let images = convolve_transposed(&geometry, y.data(), w.data());
        check("images", &images, &convolve_transposed(&geometry, exact_y.data(), exact_w.data()));
        let weights = correlate_weights(&geometry, x.data(), y.data());
        check("weights", &weights, &correlate_weights(&geometry, exact_x.data(), exact_y.data()));
    }
}
