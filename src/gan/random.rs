//! Random numbers whose state is a few integers, so that a training run resumes exactly where it was.

use super::real::Real;
use super::tensor::Tensor;

/// xoshiro256++ of Blackman and Vigna (2019), seeded through SplitMix64 as they advise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        let mut z = seed;
        let state = std::array::from_fn(|_| {
            z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let x = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            x ^ (x >> 31)
        });
        Random { state }
    }

    /// Another stream of the same seed: streams of different purposes never share numbers.
    pub fn stream(seed: u64, purpose: u64) -> Self {
        Self::new(Self::new(seed).bits() ^ purpose.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// A generator in a state that [`Random::state`] returned; all zeros is not a state, and taken for seed 0.
    pub fn from_state(state: [u64; 4]) -> Self {
        if state == [0; 4] { Self::new(0) } else { Random { state } }
    }

    /// Everything that decides which numbers come next.
    pub fn state(&self) -> [u64; 4] {
        self.state
    }

    /// A stream of its own for one item of many: what is drawn for it does not depend on what the others draw.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self::new(self.bits())
    }

    fn bits(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// Uniform on \[0, 1), 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (-53.0_f64).exp2()
    }

    /// Uniform on 0..n.
    pub fn below(&mut self, n: usize) -> usize {
        // 64 random bits times n: the bias is below n·2⁻⁶⁴.
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Two independent standard normal numbers (Box and Muller 1958).
    ///
    /// Both at once, so that no half of a pair has to be part of the state.
    pub fn normal_pair(&mut self) -> [f64; 2] {
        // 1 − u lies in (0, 1]: the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        [radius * cosine, radius * sine]
    }

    /// A tensor of independent normal numbers.
    pub fn normal<T: Real>(&mut self, shape: &[usize], mean: f64, std: f64) -> Tensor<T> {
        let mut pair = [0.0; 2];
        Tensor::from_fn(shape, |i| {
            if i % 2 == 0 {
                pair = self.normal_pair();
            }
            T::of(mean + std * pair[i % 2])
        })
    }

    /// A tensor of independent numbers, uniform on \[low, high).
    pub fn uniforms<T: Real>(&mut self, shape: &[usize], low: f64, high: f64) -> Tensor<T> {
        Tensor::from_fn(shape, |_| T::of(low + (high - low) * self.uniform()))
    }

    /// Fisher–Yates.
    pub fn shuffle<I>(&mut self, items: &mut [I]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        // First outputs of the reference implementation from the state {1, 2, 3, 4}.
        let mut random = Random::from_state([1, 2, 3, 4]);
        let first: [u64; 3] = std::array::from_fn(|_| random.bits());
        assert_eq!(first, [41_943_041, 58_720_359, 3_588_806_011_781_223]);
    }

    #[test]
    fn moments_are_those_of_the_normal_distribution() {
        let n = 20_000;
        let normals = Random::new(7).normal::<f64>(&[n], 0.0, 1.0);
        let moment = |power: i32| normals.data().iter().map(|x| x.powi(power)).sum::<f64>() / n as f64;
        // Five standard errors: √(1/n), √(2/n), √(96/n).
        assert!(moment(1).abs() < 0.036 && (moment(2) - 1.0).abs() < 0.05 && (moment(4) - 3.0).abs() < 0.35);
    }

    #[test]
    fn a_state_goes_on_where_it_was_and_streams_differ() {
        let mut first = Random::new(3);
        first.uniform();
        let mut second = Random::from_state(first.state());
        assert_eq!(first.normal::<f32>(&[5], 0.0, 1.0), second.normal::<f32>(&[5], 0.0, 1.0));
        assert_ne!(Random::stream(3, 0), Random::stream(3, 1));
        let mut items: Vec<usize> = (0..50).collect();
        first.shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
