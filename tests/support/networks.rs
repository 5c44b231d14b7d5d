//! What the tests of the networks share: images that Python and Rust make alike, truth fixtures, running on tract.
//!
//! The Python side of the images is `python_ref/weights_images.py`.

use std::sync::Arc;

use ndarray::{Array2, Array3, Array4, ArrayView2, Axis};
use ndarray_npy::NpzReader;
use tract_onnx::prelude::*;

use super::fixtures::fixture_file;

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of SplitMix64.
fn splitmix64(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// One plane of value noise, levels 0–255.
fn noise(seed: u64, plane: u64, size: usize) -> Array2<i64> {
    let mut total = Array2::<i64>::zeros((size, size));
    let mut weights = 0;
    for cell in [128, 64, 32, 16, 8, 4, 2] {
        let start = (seed * 1_000_003 + plane * 1009 + cell as u64).wrapping_mul(1 << 32);
        let lattice = |row: usize, column: usize| {
            let key = (row * 65536 + column) as u64;
            (splitmix64(start.wrapping_add(key).wrapping_add(1).wrapping_mul(GAMMA)) >> 56) as i64
        };
        let side = cell as i64;
        for ((y, x), level) in total.indexed_iter_mut() {
            let (row, column, dy, dx) = (y / cell, x / cell, (y % cell) as i64, (x % cell) as i64);
            let top = lattice(row, column) * (side - dx) + lattice(row, column + 1) * dx;
            let bottom = lattice(row + 1, column) * (side - dx) + lattice(row + 1, column + 1) * dx;
            *level += (top * (side - dy) + bottom * dy) / (side * side) * side;
        }
        weights += side;
    }
    total / weights
}

/// A natural-looking image, 3×size×size.
pub fn image(seed: u64, size: usize) -> Array3<u8> {
    let common = noise(seed, 0, size);
    let channel = |channel: u64| {
        let mixed = (3 * &common + 2 * noise(seed, 1 + channel, size)) / 5;
        mixed.mapv(|level| (2 * level - 128).clamp(0, 255) as u8)
    };
    ndarray::stack![Axis(0), channel(0), channel(1), channel(2)]
}

/// Images as a network takes them: N×3×size×size, `(level − mean) / std`.
pub fn batch(seeds: &[u64], size: usize, mean: f32, std: f32) -> Array4<f32> {
    let images: Vec<_> = seeds.iter().map(|&seed| image(seed, size)).collect();
    let views: Vec<_> = images.iter().map(|image| image.view()).collect();
    ndarray::stack(Axis(0), &views).unwrap().mapv(|level| (f32::from(level) - mean) / std)
}

/// An array of a truth fixture in `tests/fixtures/weights`.
pub fn truth(file: &str, array: &str) -> Array2<f32> {
    let mut fixture = NpzReader::new(fixture_file(&format!("weights/{file}"))).unwrap();
    fixture.by_name(array).unwrap_or_else(|error| panic!("{array} of {file}: {error}"))
}

/// Runs an ONNX model on tract; gives its outputs in the order of the file.
pub fn run(model: &[u8], images: Array4<f32>) -> Vec<Array2<f32>> {
    let model = tract_onnx::onnx().model_for_read(&mut &*model).unwrap();
    let shape = images.shape().to_vec();
    let model = model.with_input_fact(0, f32::fact(&shape).into()).unwrap();
    let runnable = model.into_optimized().unwrap().into_runnable().unwrap();
    let input = Tensor::from_shape(&shape, images.as_standard_layout().as_slice().unwrap()).unwrap();
    let outputs = Arc::new(runnable).run(tvec!(input.into())).unwrap();
    let matrix = |output: &TValue| {
        let shape = (output.shape()[0], output.shape()[1]);
        Array2::from_shape_vec(shape, output.try_as_plain_ram().unwrap().as_slice::<f32>().unwrap().to_vec()).unwrap()
    };
    outputs.iter().map(matrix).collect()
}

/// The largest over the rows of |found − expected| / |expected|, in the Euclidean norm.
pub fn relative_error(found: ArrayView2<f32>, expected: ArrayView2<f32>) -> f64 {
    assert_eq!(found.dim(), expected.dim());
    let norm = |row: ndarray::Array1<f64>| row.dot(&row).sqrt();
    let rows = found.outer_iter().zip(expected.outer_iter()).map(|(found, expected)| {
        let (found, expected) = (found.mapv(f64::from), expected.mapv(f64::from));
        norm(&found - &expected) / norm(expected)
    });
    rows.fold(0.0, f64::max)
}
