//! A checkpoint that is generated, not trained: for tests and benchmarks where the published one is not at hand.
//!
//! Exactly reproducible: `python_ref/make_seeded_inception.py` writes the same tensors bit by bit. The *t*-th tensor in
//! the order of the network (*t* = 1, 2, …) has a SplitMix64 stream of its own, which starts at the stream of the seed's
//! *t*-th output. Each output gives an odd integer *k* in (−2²⁴, 2²⁴), from its upper 24 bits, and *u* = *k*/2²⁴ is
//! uniform on (−1, 1). A value is one expression in *k*, evaluated in `f64` and rounded to `f32` once:
//!
//! * weights of a row of *n* inputs: √(3g/n)·(*k*·n − Σ*k*)/(n·2²⁴), of variance g/n, with g = 2 for convolutions (He)
//!   and 36 for the classifier. Their sum over the row is zero, so that what all inputs share does not drown what
//!   tells images apart; only the first convolution, whose inputs are colours, keeps its sum;
//! * batch normalisation: weight and variance 1 + u/4, bias ½ + u/4, mean u/8; bias of the classifier u/2.
//!
//! Nothing needs calibrating: on CIFAR-10 images the variance before every normalisation is between 0.29 and 1.85 (seeds
//! 0 and 1), `pool3` has mean 0.91, deviates by 0.22 between images and is zero in 0.3 % of its elements, and the Inception
//! Score of 32 images is 2.1.

use std::collections::BTreeMap;

use super::layout;
use crate::extractor::weights::pth::{StateDict, StoredTensor, WeightsOrigin};

/// Variance of a convolution's weights times its number of inputs: keeps the variance of ReLU networks.
const CONVOLUTION_GAIN: f64 = 2.0;

/// The same of the classifier: spreads the logits of different images by about one and a half.
const CLASSIFIER_GAIN: f64 = 36.0;

/// Denominator that makes *k* uniform on (−1, 1).
const UNIT: f64 = (1 << 24) as f64;

/// A generated checkpoint: **for tests and benchmarks, not a trained network**. Scores from it mean nothing.
///
/// Every activation is alive and different images have clearly different features and logits, so that everything
/// after the network can be exercised. The same seed gives the same tensors on every machine.
pub fn seeded_state_dict(seed: u64) -> StateDict {
    let streams = SplitMix64(seed).map(SplitMix64);
    let tensor = |((name, shape), stream): ((String, Vec<usize>), SplitMix64)| {
        let data = values(&name, &shape, stream);
        let tensor = StoredTensor::new(shape, data).expect("a value for every element");
        (name, tensor)
    };
    let tensors: BTreeMap<String, StoredTensor> = layout().into_iter().zip(streams).map(tensor).collect();
    StateDict::new(tensors, WeightsOrigin::Seeded { seed })
}

/// The values of a tensor, row-major.
fn values(name: &str, shape: &[usize], stream: SplitMix64) -> Vec<f32> {
    let count: usize = shape.iter().product();
    let integers = stream.map(odd_integer).take(count);
    let affine = |offset: f64, divisor: f64| {
        let value = move |k: i64| (offset + k as f64 / UNIT / divisor) as f32;
        integers.clone().map(value).collect()
    };
    match name.rsplit_once('.').unwrap_or(("", name)) {
        ("fc", "weight") => weights(integers.collect(), shape, CLASSIFIER_GAIN),
        ("fc", _) => affine(0.0, 2.0),
        (layer, "weight") if layer.ends_with("conv") => weights(integers.collect(), shape, CONVOLUTION_GAIN),
        (_, "bias") => affine(0.5, 4.0),
        (_, "running_mean") => affine(0.0, 8.0),
        _ => affine(1.0, 4.0),
    }
}

fn weights(integers: Vec<i64>, shape: &[usize], gain: f64) -> Vec<f32> {
    let inputs = integers.len() / shape[0];
    let factor = (3.0 * gain / inputs as f64).sqrt() / (inputs as f64 * UNIT);
    let from_images = shape[1] == 3;
    let row = |row: &[i64]| {
        let sum = if from_images { 0 } else { row.iter().sum() };
        row.iter().map(|k| ((k * inputs as i64 - sum) as f64 * factor) as f32).collect::<Vec<_>>()
    };
    integers.chunks_exact(inputs).flat_map(row).collect()
}

/// From 64 random bits: 2·(the upper 24 bits) + 1 − 2²⁴.
fn odd_integer(bits: u64) -> i64 {
    2 * (bits >> 40) as i64 + 1 - (1 << 24)
}

/// The generator of Steele, Lea & Flood (2014), by its state.
#[derive(Clone)]
struct SplitMix64(u64);

impl Iterator for SplitMix64 {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(bits ^ (bits >> 31))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The first outputs for seed 1234567 of the reference implementation.
        let outputs: Vec<u64> = SplitMix64(1_234_567).take(3).collect();
        assert_eq!(outputs, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn integers_are_odd_and_fill_their_range() {
        assert_eq!((odd_integer(0), odd_integer(u64::MAX)), (1 - (1 << 24), (1 << 24) - 1));
        assert_eq!(odd_integer(1 << 63), 1);
    }

    #[test]
    fn rows_sum_to_zero_and_have_the_variance() {
        let inputs = 1200;
        let data = values("Mixed_5b.branch1x1.conv.weight", &[3, inputs, 1, 1], SplitMix64(9));
        for row in data.chunks_exact(inputs) {
            let sum: f64 = row.iter().map(|&value| f64::from(value)).sum();
            let square: f64 = row.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
            // Rounding to f32; and five standard deviations of a sum of 1200 squares of uniform numbers.
            assert!(sum.abs() < 1e-6, "{sum}");
            assert!(
                (square - CONVOLUTION_GAIN).abs() < 5.0 * CONVOLUTION_GAIN * (0.8 / inputs as f64).sqrt(),
                "{square}"
            );
        }
        let first = values("Conv2d_1a_3x3.conv.weight", &[1, 3, 3, 3], SplitMix64(9));
        assert!(first.iter().sum::<f32>().abs() > 1e-3);
    }
}
