//! Features that `python_ref/metrics_reference.py` makes too, to the last bit.

use gan_metrics::metrics::RandomState;
use gan_metrics::stats::Features;
use ndarray::Array2;

/// How a set is made.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    pub seed: u32,
    pub n: usize,
    pub d: usize,
    pub shift: f64,
    pub offset: f64,
    pub scale: f64,
}

impl Made {
    /// A set without shift and offset.
    pub fn new(seed: u32, n: usize, d: usize) -> Self {
        Self { seed, n, d, shift: 0.0, offset: 0.0, scale: 1.0 }
    }

    /// Correlated features of bell shape: uniform numbers and single operations of f64 only, rounded to f32 at the end.
    pub fn values(self) -> Array2<f32> {
        let mut random = RandomState::new(self.seed);
        let bell = Array2::from_shape_simple_fn((self.n, self.d), || {
            let [a, b, c, d] = std::array::from_fn(|_| random.uniform());
            a + b + c + d - 2.0
        });
        Array2::from_shape_fn((self.n, self.d), |(row, column)| {
            let weight = (1.0 + (column % 7) as f64) / 8.0;
            let mixed = bell[(row, column)] * weight + 0.5 * bell[(row, (5 * column + 3) % self.d)];
            ((mixed + self.shift) * self.scale + self.offset) as f32
        })
    }

    pub fn features(self) -> Features {
        Features::new(self.values()).unwrap()
    }
}
