//! What a linear critic sees of a sample.

use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate};

use crate::divergence::random::Random;

/// The features in which the critic is linear. All are standardized first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CriticFeatures {
    /// The coordinates themselves: for features that a network has computed.
    Linear,
    /// Coordinates and all their products, d(d+3)/2 features: contains T* of KL for any two Gaussians.
    Quadratic,
    /// Coordinates and `count` random cosines of the given bandwidth, in standard deviations (Rahimi and Recht 2007).
    RandomFourier {
        /// Number of cosines.
        count: usize,
        /// Length scale: smaller is more flexible.
        bandwidth: f64,
    },
}

impl CriticFeatures {
    /// Number of features of samples of `dimensions` coordinates, the constant 1 included.
    pub(super) fn count(self, dimensions: usize) -> usize {
        let extra = match self {
            CriticFeatures::Linear => 0,
            CriticFeatures::Quadratic => dimensions.saturating_mul(dimensions + 1) / 2,
            CriticFeatures::RandomFourier { count, .. } => count,
        };
        extra.saturating_add(dimensions).saturating_add(1)
    }
}

/// Features with everything fixed that is drawn at random or learnt from training data.
pub(crate) struct FeatureMap {
    kind: CriticFeatures,
    centre: Array1<f64>,
    scale: Array1<f64>,
    /// d×count frequencies and their phases, for random cosines.
    waves: (Array2<f64>, Array1<f64>),
}

impl FeatureMap {
    /// Learns location and scale of the coordinates from training samples.
    pub fn new(kind: CriticFeatures, train: ArrayView2<'_, f64>, random: &mut Random) -> Self {
        let centre = train.sum_axis(Axis(0)) / train.nrows() as f64;
        let spread = (&train - &centre).mapv(|x| x * x).sum_axis(Axis(0)) / train.nrows() as f64;
        // A constant coordinate carries nothing; it must not be divided by zero.
        let scale = spread.mapv(|variance| if variance > 0.0 { variance.sqrt() } else { 1.0 });
        let waves = match kind {
            CriticFeatures::RandomFourier { count, bandwidth } => (
                Array2::from_shape_simple_fn((train.ncols(), count), || random.normal() / bandwidth),
                Array1::from_shape_simple_fn(count, || std::f64::consts::TAU * random.uniform()),
            ),
            CriticFeatures::Linear | CriticFeatures::Quadratic => (Array2::zeros((0, 0)), Array1::zeros(0)),
        };
        FeatureMap { kind, centre, scale, waves }
    }

    /// Features of samples, one a row; the first column is the constant 1.
    pub fn apply(&self, samples: ArrayView2<'_, f64>) -> Array2<f64> {
        let standard = (&samples - &self.centre) / &self.scale;
        let (n, d) = standard.dim();
        let extra = match self.kind {
            CriticFeatures::Linear => Array2::zeros((n, 0)),
            CriticFeatures::Quadratic => {
                let pairs: Vec<(usize, usize)> = (0..d).flat_map(|i| (i..d).map(move |j| (i, j))).collect();
                Array2::from_shape_fn((n, pairs.len()), |(row, pair)| {
                    standard[(row, pairs[pair].0)] * standard[(row, pairs[pair].1)]
                })
            }
            CriticFeatures::RandomFourier { .. } => (standard.dot(&self.waves.0) + &self.waves.1).mapv(f64::cos),
        };
        let ones = Array2::ones((n, 1));
        concatenate(Axis(1), &[ones.view(), standard.view(), extra.view()]).expect("all parts have one row per sample")
    }
}
