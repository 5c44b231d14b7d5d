//! Mean and covariance of a stream of features: in f64, mergeable, in memory that does not grow with the stream.

use ndarray::{Array1, Array2, ArrayView2, Axis, ShapeBuilder};
use rayon::prelude::*;

use super::features::Features;
use crate::error::{Blame, Blamed};
use crate::interrupt::Interrupted;
use crate::linalg::add_gram_lower;

/// Rows gathered before each update. Blocks are cut by row index alone, so the batch size of the network cannot change a
/// single bit; with the row that joins the means it is an update of rank 512, which is compute-bound (it streams the whole
/// d×d matrix once) and has no remainder in the blocks of the product.
const BLOCK_ROWS: usize = 511;

/// Rows and columns of the tiles in which rows are turned into columns: a tile's source and target stay in the cache.
const TILE: (usize, usize) = (16, 64);

/// Why moments cannot be accumulated or used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MomentsError {
    /// Features or moments of different dimension.
    #[error("features of {got} dimensions cannot join moments of {expected}: both must come from the same extractor")]
    Dimension {
        /// Dimension of the moments.
        expected: usize,
        /// Dimension of what was to be added.
        got: usize,
    },
    /// Too few samples for a covariance.
    #[error("a covariance needs at least 2 images, got {got}")]
    TooFew {
        /// Number of samples seen.
        got: u64,
    },
    /// Mean and scatter matrix do not belong together.
    #[error("a mean of {mean} dimensions and a scatter matrix of {rows}×{columns} do not belong together")]
    Parts {
        /// Length of the mean.
        mean: usize,
        /// Rows of the scatter matrix.
        rows: usize,
        /// Columns of the scatter matrix.
        columns: usize,
    },
    /// A value of the mean or the scatter matrix is NaN or infinite.
    #[error("mean and scatter matrix must be finite: a value is {value}")]
    NotFinite {
        /// The value, as text: NaN equals nothing.
        value: String,
    },
    /// The work was stopped.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl Blamed for MomentsError {
    fn blame(&self) -> Blame {
        match self {
            MomentsError::Interrupted(interrupted) => interrupted.blame(),
            _ => Blame::Input,
        }
    }
}

/// Running mean and covariance of features.
///
/// Holds `n`, the mean μ and the lower triangle of the scatter matrix `M = Σᵢ (xᵢ−μ)(xᵢ−μ)ᵀ`, all in f64. Blocks of
/// rows and other moments are joined by the pairwise update of Chan, Golub and LeVeque (1979),
///
/// ```text
/// δ = μ_b − μ_a     μ = μ_a + δ·n_b/n     M = M_a + M_b + δδᵀ·n_a·n_b/n
/// ```
///
/// which never subtracts large numbers, so that an offset of 1e6 over a spread of 1 costs no more digits than the
/// inputs have lost already.
///
/// *Merging* is exact in the sense of real arithmetic: any split of a stream, in any order, gives the same moments up
/// to rounding (tested to 1e-12 of the scatter). *Batching* is exact bit for bit: rows are gathered into blocks of 511
/// by their index, whatever sizes they arrive in.
///
/// Memory: `8·d²` bytes of scatter and `4·511·d` of gathered rows, three times that while a block is added: 34 + 13 MB
/// for 2048 dimensions, however many images.
#[derive(Debug, Clone)]
pub struct Moments {
    n: u64,
    mean: Array1<f64>,
    scatter: Array2<f64>,
    /// Rows not yet part of the moments, fewer than [`BLOCK_ROWS`].
    pending: Vec<f32>,
}

impl Moments {
    /// Moments of no samples of dimension `dim`: the identity of [`Moments::merge`].
    pub fn new(dim: usize) -> Self {
        Self { n: 0, mean: Array1::zeros(dim), scatter: Array2::zeros((dim, dim)), pending: Vec::new() }
    }

    /// Moments of `n` samples of mean μ (d) and scatter matrix `M = Σᵢ (xᵢ−μ)(xᵢ−μ)ᵀ` (d×d), of which the lower triangle is read:
    /// what [`Self::parts`] gave, or `(n−1)` times an unbiased covariance.
    ///
    /// # Errors
    /// [`MomentsError::Parts`] when the shapes do not fit, [`MomentsError::NotFinite`].
    pub fn from_parts(n: u64, mean: Array1<f64>, scatter: Array2<f64>) -> Result<Self, MomentsError> {
        let (rows, columns) = scatter.dim();
        if (rows, columns) != (mean.len(), mean.len()) {
            return Err(MomentsError::Parts { mean: mean.len(), rows, columns });
        }
        if let Some(value) = mean.iter().chain(&scatter).find(|value| !value.is_finite()) {
            return Err(MomentsError::NotFinite { value: value.to_string() });
        }
        let scatter = scatter.as_standard_layout().into_owned();
        Ok(Self { n, mean, scatter, pending: Vec::new() })
    }

    /// The number of samples, their mean and the lower triangle of their scatter matrix, from which [`Self::from_parts`] makes
    /// moments that go on as these do, up to rounding. What is above the diagonal has no meaning.
    pub fn parts(&self) -> (u64, Array1<f64>, Array2<f64>) {
        let mut settled = self.clone();
        settled.absorb_pending();
        (settled.n, settled.mean, settled.scatter)
    }

    /// Dimension d of the features.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// Number of samples seen.
    pub fn len(&self) -> u64 {
        self.n + (self.pending.len() / self.dim().max(1)) as u64
    }

    /// Whether no sample was seen.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds the rows of `features`.
    ///
    /// # Errors
    /// [`MomentsError::Dimension`] when the dimensions differ.
    pub fn push(&mut self, features: &Features) -> Result<(), MomentsError> {
        let dim = self.dim();
        if features.dim() != dim {
            return Err(MomentsError::Dimension { expected: dim, got: features.dim() });
        }
        self.push_rows(features.view());
        Ok(())
    }

    /// Adds rows of features of this dimension.
    pub(super) fn push_rows(&mut self, rows: ArrayView2<'_, f32>) {
        let dim = self.dim();
        for row in rows.rows() {
            self.pending.extend_from_slice(row.as_slice().expect("features are row-major"));
            if self.pending.len() == BLOCK_ROWS * dim {
                self.absorb_pending();
            }
        }
    }

    /// Joins the samples of `other`, as if they had been pushed here.
    ///
    /// # Errors
    /// [`MomentsError::Dimension`] when the dimensions differ.
    pub fn merge(&mut self, other: &Moments) -> Result<(), MomentsError> {
        if other.dim() != self.dim() {
            return Err(MomentsError::Dimension { expected: self.dim(), got: other.dim() });
        }
        self.absorb_pending();
        let mut other = other.clone();
        other.absorb_pending();
        if other.n > 0 {
            self.scatter += &other.scatter;
            let row = self.joining_row(other.n, &other.mean);
            add_gram_lower(&mut self.scatter, row.view().insert_axis(Axis(0)));
            self.join_mean(other.n, &other.mean);
        }
        Ok(())
    }

    /// Mean μ (d).
    ///
    /// # Errors
    /// [`MomentsError::TooFew`] when no sample was seen.
    pub fn mean(&self) -> Result<Array1<f64>, MomentsError> {
        match self.len() {
            0 => Err(MomentsError::TooFew { got: 0 }),
            _ => {
                let mut settled = self.clone();
                settled.absorb_pending();
                Ok(settled.mean)
            }
        }
    }

    /// Unbiased covariance `M/(n−1)` (d×d, symmetric), as `numpy.cov(features, rowvar=False)`.
    ///
    /// # Errors
    /// [`MomentsError::TooFew`] with fewer than two samples.
    pub fn covariance(&self) -> Result<Array2<f64>, MomentsError> {
        self.clone().into_mean_and_covariance().map(|(_, covariance)| covariance)
    }

    /// What [`Moments::mean`] and [`Moments::covariance`] give, in the memory of the moments.
    ///
    /// # Errors
    /// [`MomentsError::TooFew`] with fewer than two samples.
    pub fn into_mean_and_covariance(mut self) -> Result<(Array1<f64>, Array2<f64>), MomentsError> {
        self.absorb_pending();
        if self.n < 2 {
            return Err(MomentsError::TooFew { got: self.n });
        }
        let mut covariance = self.scatter;
        covariance /= (self.n - 1) as f64;
        for row in 0..covariance.nrows() {
            for column in 0..row {
                covariance[(column, row)] = covariance[(row, column)];
            }
        }
        Ok((self.mean, covariance))
    }

    fn absorb_pending(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let (mean, update) = self.update_of(&self.pending);
        self.pending.clear();
        add_gram_lower(&mut self.scatter, update.view());
        self.join_mean(update.nrows() as u64 - 1, &mean);
    }

    /// The mean of n whole rows, and a matrix U (n+1)×d that takes them into the scatter, `M = M_a + UᵀU`: the rows less
    /// their mean, and a last row for the means, `δ·√(n_a·n_b/n)`. It is in column-major order: the product takes half as
    /// long as in row-major order, whose stride is a power of two for the usual dimensions.
    fn update_of(&self, rows: &[f32]) -> (Array1<f64>, Array2<f64>) {
        let dim = self.dim();
        let count = rows.len() / dim;
        let mut mean = Array1::<f64>::zeros(dim);
        rows.chunks_exact(dim)
            .for_each(|row| mean.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value)));
        mean /= count as f64;
        let mut update = vec![0.0; (count + 1) * dim];
        update.par_chunks_mut(TILE.1 * (count + 1)).enumerate().for_each(|(group, columns)| {
            for (band, rows) in rows.chunks(TILE.0 * dim).enumerate() {
                for (column, into) in columns.chunks_exact_mut(count + 1).enumerate() {
                    let column = group * TILE.1 + column;
                    let (mean, values) = (mean[column], rows[column..].iter().step_by(dim));
                    let into = into[band * TILE.0..].iter_mut();
                    into.zip(values).for_each(|(into, &value)| *into = f64::from(value) - mean);
                }
            }
        });
        let mut update = Array2::from_shape_vec((count + 1, dim).f(), update).expect("as many values as U has");
        update.row_mut(count).assign(&self.joining_row(count as u64, &mean));
        (mean, update)
    }

    /// What joining `n` samples of that mean adds to the scatter, as one more row: `δ·√(n_a·n_b/n)`.
    fn joining_row(&self, n: u64, mean: &Array1<f64>) -> Array1<f64> {
        let (before, joined) = (self.n as f64, n as f64);
        (mean - &self.mean) * (before * joined / (before + joined)).sqrt()
    }

    /// The part of the pairwise update that concerns the mean of `n` more samples.
    fn join_mean(&mut self, n: u64, mean: &Array1<f64>) {
        self.n += n;
        let share = n as f64 / self.n as f64;
        self.mean.zip_mut_with(mean, |before, joined| *before += (joined - *before) * share);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_mt::Mt64;

    /// Rounding allowed between two orders of summation, relative to the variance.
    const MERGE_TOLERANCE: f64 = 1e-12;

    fn random(rows: usize, dim: usize, offset: f64, seed: u64) -> Features {
        let mut generator = Mt64::new(seed);
        let uniform = || (generator.next_u64() as f64 / u64::MAX as f64 + offset) as f32;
        Features::new(Array2::from_shape_simple_fn((rows, dim), uniform)).unwrap()
    }

    fn moments(features: &[&Features]) -> Moments {
        let mut moments = Moments::new(features[0].dim());
        features.iter().for_each(|part| moments.push(part).unwrap());
        moments
    }

    /// Two passes in f64: slow and obvious.
    fn oracle(features: &Features) -> (Array1<f64>, Array2<f64>) {
        let values = features.view().mapv(f64::from);
        let mean = values.mean_axis(Axis(0)).unwrap();
        let centred = &values - &mean;
        (mean, centred.t().dot(&centred) / (values.nrows() - 1) as f64)
    }

    fn assert_close(moments: &Moments, (mean, covariance): &(Array1<f64>, Array2<f64>), tolerance: f64) {
        let scale = covariance.diag().fold(0.0_f64, |a, &b| a.max(b)).max(f64::MIN_POSITIVE);
        let off = (&moments.mean().unwrap() - mean).fold(0.0_f64, |a, b| a.max(b.abs()));
        assert!(off <= tolerance * (scale.sqrt() + mean.fold(0.0_f64, |a, b| a.max(b.abs()))), "mean off by {off}");
        let off = (&moments.covariance().unwrap() - covariance).fold(0.0_f64, |a, b| a.max(b.abs()));
        assert!(off <= tolerance * scale, "covariance off by {off} at scale {scale}");
    }

    #[test]
    fn equals_the_two_pass_covariance() {
        // Two full blocks and a rest; a full tile of columns and a rest.
        for offset in [0.0, -3.0, 1e4] {
            let features = random(1300, TILE.1 + 3, offset, 1);
            assert_close(&moments(&[&features]), &oracle(&features), MERGE_TOLERANCE);
        }
    }

    #[test]
    fn a_huge_offset_costs_no_digits() {
        // 2⁴⁰ is representable in f32 with a spacing of 2¹⁷, so that the values stay exact and only the sums matter.
        let offset = 2.0_f64.powi(40);
        let steps = random(600, 5, 0.0, 2).view().mapv(|value| (value * 64.0).floor());
        let near = Features::new(steps.mapv(|step| step * 131072.0)).unwrap();
        let far = Features::new(steps.mapv(|step| (f64::from(step) * 131072.0 + offset) as f32)).unwrap();
        let (near, far) = (moments(&[&near]).covariance().unwrap(), moments(&[&far]).covariance().unwrap());
        let scale = near.diag().fold(0.0_f64, |a, &b| a.max(b));
        assert!((&near - &far).iter().all(|difference| difference.abs() < 1e-9 * scale));
    }

    #[test]
    fn merges_at_every_split_point() {
        const ROWS: usize = BLOCK_ROWS + 50;
        let features = random(ROWS, 4, 2.0, 3);
        let expected = oracle(&features);
        for split in 0..=ROWS {
            let part = |range: std::ops::Range<usize>| {
                let rows = features.view().slice_move(ndarray::s![range, ..]).to_owned();
                moments(&[&Features::new(rows).unwrap()])
            };
            let (mut left, right) = (part(0..split), part(split..ROWS));
            left.merge(&right).unwrap();
            assert_eq!(left.len(), ROWS as u64);
            assert_close(&left, &expected, MERGE_TOLERANCE);
        }
    }

    #[test]
    fn nothing_is_the_identity_of_merge() {
        let some = moments(&[&random(600, 4, 2.0, 4)]);
        let (mut left, mut right) = (Moments::new(4), some.clone());
        left.merge(&some).unwrap();
        right.merge(&Moments::new(4)).unwrap();
        for merged in [left, right] {
            assert_eq!(merged.len(), 600);
            assert_eq!(merged.covariance().unwrap(), some.covariance().unwrap());
            assert_eq!(merged.mean().unwrap(), some.mean().unwrap());
        }
    }

    #[test]
    fn batch_size_changes_no_bit() {
        let features = random(1500, 6, 1.0, 5);
        let whole = moments(&[&features]);
        for batch in [1, 7, 32, 511, 512] {
            let mut batched = Moments::new(6);
            for rows in features.view().axis_chunks_iter(Axis(0), batch) {
                batched.push(&Features::new(rows.to_owned()).unwrap()).unwrap();
            }
            assert_eq!(batched.mean().unwrap(), whole.mean().unwrap());
            assert_eq!(batched.covariance().unwrap(), whole.covariance().unwrap());
        }
    }

    #[test]
    fn says_what_does_not_fit() {
        let mut three = Moments::new(3);
        assert_eq!(three.mean().unwrap_err(), MomentsError::TooFew { got: 0 });
        let mismatch = MomentsError::Dimension { expected: 3, got: 4 };
        assert_eq!(three.push(&random(2, 4, 0.0, 6)).unwrap_err(), mismatch);
        assert_eq!(three.merge(&Moments::new(4)).unwrap_err(), mismatch);
        three.push(&random(1, 3, 0.0, 7)).unwrap();
        assert_eq!(three.covariance().unwrap_err(), MomentsError::TooFew { got: 1 });
    }
}
