//! Reproducible noise.

use std::path::{Path, PathBuf};

use ndarray::Array4;

/// The linear congruential generator of "Numerical Recipes", of which the high bits are random.
pub fn noise(seed: u32) -> impl FnMut() -> u32 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state
    }
}

/// Writes `n` images of coloured noise, 8×8, as an array file.
pub fn noise_images(folder: &Path, name: &str, n: usize, seed: u32) -> PathBuf {
    let mut noise = noise(seed);
    let path = folder.join(name);
    let images = Array4::from_shape_simple_fn((n, 8, 8, 3), || (noise() >> 24) as u8);
    ndarray_npy::write_npy(&path, &images).unwrap();
    path
}
