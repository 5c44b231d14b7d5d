//! Seeded random numbers: the 64-bit Mersenne Twister, so that a seed means the same everywhere.

use rand_mt::Mt64;

/// A stream of random numbers.
pub(crate) struct Random {
    bits: Mt64,
    spare: Option<f64>,
}

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Random { bits: Mt64::new(seed), spare: None }
    }

    /// Uniform on \[0, 1), 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.bits.next_u64() >> 11) as f64 * (-53.0_f64).exp2()
    }

    /// Standard normal, by Marsaglia's polar method.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (a, b) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = a * a + b * b;
            if square > 0.0 && square < 1.0 {
                let scale = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(b * scale);
                return a * scale;
            }
        }
    }

    /// Uniform on 0..n.
    pub fn below(&mut self, n: usize) -> usize {
        // 64 random bits times n: the bias is below n·2^-64.
        ((u128::from(self.bits.next_u64()) * n as u128) >> 64) as usize
    }

    /// Fisher–Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut random = Random::new(7);
        let n = 20_000;
        let normals: Vec<f64> = (0..n).map(|_| random.normal()).collect();
        let moment = |power: i32| normals.iter().map(|x| x.powi(power)).sum::<f64>() / f64::from(n);
        // Five standard errors: √(1/n), √(2/n), √(96/n).
        assert!(moment(1).abs() < 0.036 && (moment(2) - 1.0).abs() < 0.05 && (moment(4) - 3.0).abs() < 0.35);
        let mean = (0..n).map(|_| random.uniform()).sum::<f64>() / f64::from(n);
        assert!((mean - 0.5).abs() < 0.011);
    }

    #[test]
    fn a_shuffle_permutes_and_a_seed_repeats() {
        let shuffled = |seed| {
            let mut items: Vec<usize> = (0..100).collect();
            Random::new(seed).shuffle(&mut items);
            items
        };
        let mut sorted = shuffled(1);
        assert_eq!(shuffled(1), shuffled(1));
        assert_ne!(shuffled(1), shuffled(2));
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }
}
