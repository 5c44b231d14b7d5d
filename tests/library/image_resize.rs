//! The resizers against the code of the implementations that they are named for, over what
//! `python_ref/make_image_fixtures.py` wrote down.

use std::collections::BTreeMap;

use gan_metrics::image::{ResizeMode, Resizer, RgbImage};
use ndarray::Array1;
use ndarray_npy::NpzReader;

use crate::support::{fixture, fixture_file, sha256_hex};

/// Distance between the values that `resized.npz` keeps.
const SAMPLE_STRIDE: usize = 997;

/// PyTorch's kernel orders the same f32 operations in another way: two units in the last place of 1, on the 0–1 scale.
/// The largest difference measured is one unit.
const TORCH_TOLERANCE: f32 = 2.0 * f32::EPSILON;

/// PyTorch's antialiasing kernel sums in f32: four units in the last place of 255. The largest difference measured of a replica of it in
/// NumPy is three.
const ANTIALIAS_TOLERANCE: f32 = 4.0 * 128.0 * f32::EPSILON;

/// Bytes of a hash of their index, as in the script.
fn mix(width: u32, height: u32) -> RgbImage {
    let sample = |i: u32| {
        let mut x = i.wrapping_mul(2_654_435_761);
        x ^= x >> 15;
        x = x.wrapping_mul(2_246_822_519);
        x ^= x >> 13;
        x as u8
    };
    RgbImage::new(width, height, (0..width * height * 3).map(sample).collect()).unwrap()
}

fn size(text: &str) -> (u32, u32) {
    let (width, height) = text.split_once('x').unwrap();
    (width.parse().unwrap(), height.parse().unwrap())
}

/// The result for a key such as `tf1 32x32 299x299`.
fn resized(key: &str) -> (ResizeMode, Vec<f32>) {
    let [mode, source, target] = key.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let (mode, source, target) = (mode.parse().unwrap(), size(source), size(target));
    let mut resizer = Resizer::new(mode, target.0, target.1).unwrap();
    let mut out = vec![f32::NAN; resizer.output_len()];
    resizer.resize(&mix(source.0, source.1), &mut out).unwrap();
    (mode, out)
}

#[test]
fn tf1_and_clean_are_bit_exact() {
    let hashes: BTreeMap<String, String> = fixture("image/resized.json");
    let mut compared = BTreeMap::new();
    let mut differing = vec![];
    for (key, expected) in &hashes {
        let (mode, out) = resized(key);
        if matches!(mode, ResizeMode::Torch | ResizeMode::TorchAntialias) {
            continue;
        }
        *compared.entry(mode.to_string()).or_insert(0) += 1;
        if sha256_hex(out.iter().map(|value| value.to_le_bytes())) != *expected {
            differing.push(key);
        }
    }
    assert!(differing.is_empty(), "not bit-exact: {differing:?}");
    assert!(compared.len() == 2 && compared.values().all(|&count| count >= 10), "{compared:?}");
}

/// Portraits come out in other last digits since Pillow 13; each mode is one of the two.
#[test]
fn both_orders_of_pillow_are_bit_exact() {
    let hashes: BTreeMap<String, BTreeMap<String, String>> = fixture("image/pillow_orders.json");
    let of =
        |mode: &str, key: &str| sha256_hex(resized(&format!("{mode} {key}")).1.iter().map(|value| value.to_le_bytes()));
    let (before, since) = (&hashes["12.3.0"], &hashes["13.0.0"]);
    for (key, hash) in before {
        assert_eq!(of("clean", key), *hash, "{key}");
        assert_eq!(of("clean-pillow13", key), since[key], "{key}");
    }
    assert!(before.iter().filter(|(key, hash)| since[*key] != **hash).count() >= 4);
}

#[test]
fn every_mode_agrees_with_its_implementation_value_by_value() {
    let mut samples = NpzReader::new(fixture_file("image/resized.npz")).unwrap();
    for name in samples.names().unwrap() {
        let expected: Array1<f32> = samples.by_name(&name).unwrap();
        let (mode, out) = resized(name.trim_end_matches(".npy"));
        // pytorch-fid resizes on the 0–1 scale, the others on 0–255.
        let (scale, tolerance) = match mode {
            ResizeMode::Torch => (255.0, TORCH_TOLERANCE),
            ResizeMode::TorchAntialias => (1.0, ANTIALIAS_TOLERANCE),
            _ => (1.0, 0.0),
        };
        let own = out.iter().step_by(SAMPLE_STRIDE).map(|&value| value / scale);
        assert_eq!(own.len(), expected.len(), "{name}");
        let worst = own.zip(&expected).map(|(own, expected)| (own - expected).abs()).fold(0.0, f32::max);
        assert!(worst <= tolerance, "{name}: {worst:e}");
    }
}

/// TensorFlow's definition written down pixel by pixel, without tables and without rows that are kept.
#[test]
fn tf1_agrees_with_its_definition_at_every_pixel() {
    for ((width, height), (columns, rows)) in [((5, 4), (13, 9)), ((31, 17), (8, 40)), ((64, 64), (63, 65))] {
        let image = mix(width, height);
        let at = |x: usize, y: usize, c: usize| f32::from(image.pixels()[3 * (y * width as usize + x) + c]);
        let mut resizer = Resizer::new(ResizeMode::Tf1, columns, rows).unwrap();
        let mut out = vec![f32::NAN; resizer.output_len()];
        resizer.resize(&image, &mut out).unwrap();
        let scale = |from: u32, to: u32| (f64::from(from) / f64::from(to)) as f32;
        for y in 0..rows as usize {
            for x in 0..columns as usize {
                let (sx, sy) = (x as f32 * scale(width, columns), y as f32 * scale(height, rows));
                let (x0, y0) = (sx as usize, sy as usize);
                let (x1, y1) = ((x0 + 1).min(width as usize - 1), (y0 + 1).min(height as usize - 1));
                let (dx, dy) = (sx - x0 as f32, sy - y0 as f32);
                for c in 0..3 {
                    let top = at(x0, y0, c) + (at(x1, y0, c) - at(x0, y0, c)) * dx;
                    let bottom = at(x0, y1, c) + (at(x1, y1, c) - at(x0, y1, c)) * dx;
                    let own = out[(c * rows as usize + y) * columns as usize + x];
                    assert_eq!(own, top + (bottom - top) * dy, "{width}×{height} at {x},{y},{c}");
                }
            }
        }
    }
}
