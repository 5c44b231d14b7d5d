//! numpy's legacy random generator, bit for bit, since the peers cut their splits and subsets with it.

use rand_mt::Mt;

/// `numpy.random.RandomState(seed)`: the Mersenne Twister MT19937 in its legacy seeding.
///
/// Source: numpy's `mtrand.pyx` (`shuffle`, `permutation`, `choice`) and `legacy-distributions`; numpy promises that
/// these streams never change. Equality with numpy is tested on fixtures.
#[derive(Debug, Clone)]
pub struct RandomState {
    bits: Mt,
    /// The second of a pair of normal numbers.
    spare: Option<f64>,
}

impl RandomState {
    /// A generator in the state that `RandomState(seed)` has.
    pub fn new(seed: u32) -> Self {
        Self { bits: Mt::new(seed), spare: None }
    }

    /// A uniform integer in `0..=max` by masked rejection: 32-bit draws up to 2³²−1, pairs of them beyond.
    fn interval(&mut self, max: u64) -> u64 {
        if max == 0 {
            return 0;
        }
        let mask = u64::MAX >> max.leading_zeros();
        loop {
            let draw = if max <= u64::from(u32::MAX) {
                u64::from(self.bits.next_u32())
            } else {
                (u64::from(self.bits.next_u32()) << 32) | u64::from(self.bits.next_u32())
            };
            if draw & mask <= max {
                return draw & mask;
            }
        }
    }

    /// `RandomState.permutation(n)`: the numbers `0..n` shuffled by Fisher–Yates from the back.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut permutation: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            permutation.swap(last, self.interval(last as u64) as usize);
        }
        permutation
    }

    /// `RandomState.choice(n, k, replace=False)`: `k` different numbers of `0..n`.
    ///
    /// # Panics
    /// When `k > n`.
    pub fn choice(&mut self, n: usize, k: usize) -> Vec<usize> {
        assert!(k <= n, "cannot choose {k} of {n} without replacement");
        // A copy, not the whole permutation cut short: many draws are kept at once.
        self.permutation(n)[..k].to_vec()
    }

    /// `RandomState.random_sample()`: uniform on \[0, 1), 53 bits.
    pub fn uniform(&mut self) -> f64 {
        let (high, low) = (self.bits.next_u32() >> 5, self.bits.next_u32() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }

    /// `RandomState.standard_normal()`, by Marsaglia's polar method.
    pub fn standard_normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (a, b) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = a * a + b * b;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(factor * a);
                return factor * b;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_numpy() {
        // numpy.random.RandomState(2020): permutation(12), then choice(10, 4, replace=False).
        let mut state = RandomState::new(2020);
        assert_eq!(state.permutation(12), [2, 1, 11, 4, 10, 5, 7, 9, 6, 3, 8, 0]);
        assert_eq!(state.choice(10, 4), [5, 7, 6, 4]);
        // RandomState(7).permutation(100_000): order-sensitive checksum, sum of (i+1)·p[i] modulo 2³².
        let long = RandomState::new(7).permutation(100_000);
        let checksum =
            long.iter().enumerate().fold(0_u32, |sum, (i, &p)| sum.wrapping_add((i as u32 + 1).wrapping_mul(p as u32)));
        assert_eq!(checksum, 2621603941);
    }

    #[test]
    fn normal_numbers_equal_numpy() {
        // numpy.random.RandomState(2020): standard_normal(3), random_sample(2), standard_normal(1): the second of the
        // pair that the third number came from.
        let mut state = RandomState::new(2020);
        let normals = [-1.7688457055759508, 0.07555227120810952, -1.1306297028053423];
        for expected in normals {
            assert!((state.standard_normal() - expected).abs() <= 4.0 * f64::EPSILON * expected.abs());
        }
        assert_eq!([state.uniform(), state.uniform()], [0.27647714315379956, 0.34331559277945756]);
        assert!((state.standard_normal() - -0.6514301669047348).abs() <= 4.0 * f64::EPSILON);
    }

    #[test]
    fn degenerate_sizes() {
        assert!(RandomState::new(0).permutation(0).is_empty());
        assert_eq!(RandomState::new(0).permutation(1), [0]);
        assert!(RandomState::new(0).choice(5, 0).is_empty());
    }
}
