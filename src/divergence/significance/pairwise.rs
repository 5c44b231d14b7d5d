//! Statistics that are sums over pairs: of one matrix, whatever the permutation.

use ndarray::{Array2, ArrayView2, Axis, concatenate};

use super::two_sample::TwoSample;
use crate::divergence::estimators::EstimatorError;
use crate::divergence::random::Random;
use crate::divergence::transport::{MOST_COSTS, WassersteinOrder, cost_matrix};

/// Permutations that are multiplied with the matrix at once.
const BATCH: usize = 64;

/// A number for each pair of the pooled samples, 0 for a sample and itself.
pub(super) struct Pairs {
    matrix: Array2<f64>,
    row_sums: Vec<f64>,
    total: f64,
    of_p: usize,
    kernel: bool,
}

impl Pairs {
    /// # Errors
    /// [`EstimatorError`] when the pairs are too many, or the length of the kernel is not positive.
    pub fn new(test: TwoSample, p: ArrayView2<'_, f64>, q: ArrayView2<'_, f64>) -> Result<Self, EstimatorError> {
        let (samples, most) = (p.nrows() + q.nrows(), MOST_COSTS.isqrt());
        if samples > most {
            return Err(EstimatorError::TooManyPairs { samples, most });
        }
        let pooled = concatenate(Axis(0), &[p, q]).expect("dimensions were compared");
        let mut matrix =
            cost_matrix(pooled.view(), pooled.view(), WassersteinOrder::ONE).expect("samples were checked");
        let kernel = if let TwoSample::Mmd { length } = test {
            let length = length.unwrap_or_else(|| median_distance(&matrix));
            if !(length > 0.0 && length.is_finite()) {
                return Err(EstimatorError::setting("length", length, "positive and finite"));
            }
            matrix.mapv_inplace(|distance| (-0.5 * (distance / length).powi(2)).exp());
            matrix.diag_mut().fill(0.0);
            true
        } else {
            false
        };
        let row_sums = matrix.sum_axis(Axis(1)).to_vec();
        let total = row_sums.iter().sum();
        Ok(Pairs { matrix, row_sums, total, of_p: p.nrows(), kernel })
    }

    /// The statistic of the samples as they are.
    pub fn statistic(&self) -> f64 {
        let labels = Array2::from_shape_fn((self.row_sums.len(), 1), |(row, _)| f64::from(row < self.of_p));
        self.of_labels(&labels)[0]
    }

    /// Those of the samples, permuted.
    pub fn permuted(&self, draws: usize, seed: u64) -> Vec<f64> {
        let mut random = Random::new(seed);
        let mut order: Vec<usize> = (0..self.row_sums.len()).collect();
        let mut statistics = Vec::with_capacity(draws);
        while statistics.len() < draws {
            let mut labels = Array2::zeros((order.len(), BATCH.min(draws - statistics.len())));
            for mut column in labels.columns_mut() {
                random.shuffle(&mut order);
                order[..self.of_p].iter().for_each(|row| column[*row] = 1.0);
            }
            statistics.extend(self.of_labels(&labels));
        }
        statistics
    }

    /// Columns of 1 for the samples of P and 0 for those of Q.
    fn of_labels(&self, labels: &Array2<f64>) -> Vec<f64> {
        let products = self.matrix.dot(labels);
        let (n, m) = (self.of_p as f64, (self.row_sums.len() - self.of_p) as f64);
        let columns = labels.columns().into_iter().zip(products.columns());
        let statistic = |(labels, products): (ndarray::ArrayView1<'_, f64>, ndarray::ArrayView1<'_, f64>)| {
            let within_p = labels.dot(&products);
            let with_p: f64 = labels.iter().zip(&self.row_sums).map(|(label, sum)| label * sum).sum();
            let across = with_p - within_p;
            let within_q = self.total - with_p - across;
            if self.kernel {
                within_p / (n * (n - 1.0)) + within_q / (m * (m - 1.0)) - 2.0 * across / (n * m)
            } else {
                // What is zero is computed as a little less.
                (2.0 * across / (n * m) - within_p / (n * n) - within_q / (m * m)).max(0.0).sqrt()
            }
        };
        columns.map(statistic).collect()
    }
}

/// The median of the distances between different samples.
fn median_distance(distances: &Array2<f64>) -> f64 {
    let pairs = distances.indexed_iter().filter(|((row, column), _)| row < column);
    let mut distances: Vec<f64> = pairs.map(|(_, distance)| *distance).collect();
    let (low, high) = ((distances.len() - 1) / 2, distances.len() / 2);
    let middle = *distances.select_nth_unstable_by(high, f64::total_cmp).1;
    if low == high { middle } else { 0.5 * (middle + distances[..high].iter().copied().fold(0.0, f64::max)) }
}
