//! A set of images as the Fréchet distance sees it: a mean and a covariance.

use std::sync::{Arc, OnceLock};

use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::features::Features;
use super::moments::{Moments, MomentsError};
use crate::error::{Blame, Blamed};
use crate::interrupt::Interrupt;
use crate::linalg::{CovarianceFactor, LinalgError};

/// Why statistics cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GaussianError {
    /// Too few images, or dimensions that do not fit.
    #[error(transparent)]
    Moments(#[from] MomentsError),
    /// The covariance cannot be factorised.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
    /// Mean and covariance do not belong together.
    #[error("a mean of {mean} dimensions and a covariance of {rows}×{columns} do not belong together")]
    Shape {
        /// Length of the mean.
        mean: usize,
        /// Rows of the covariance.
        rows: usize,
        /// Columns of the covariance.
        columns: usize,
    },
    /// The covariance is not symmetric.
    #[error("the covariance is not symmetric: entry ({row}, {column}) is {value}, but ({column}, {row}) is {mirrored}")]
    Asymmetric {
        /// Row of the entry.
        row: usize,
        /// Column of the entry.
        column: usize,
        /// The entry.
        value: f64,
        /// The entry across the diagonal.
        mirrored: f64,
    },
    /// A value of the covariance is NaN or infinite.
    #[error("entry ({row}, {column}) of the covariance is {value}: statistics must be finite")]
    CovarianceNotFinite {
        /// Row of the entry.
        row: usize,
        /// Column of the entry.
        column: usize,
        /// The value.
        value: f64,
    },
    /// Moments cannot be made of statistics that do not say how many images are behind them.
    #[error("the statistics do not say how many images are behind them: without the number they cannot be merged")]
    NumberUnknown,
    /// A value of the mean is NaN or infinite.
    #[error("entry {index} of the mean is {value}: statistics must be finite")]
    NotFinite {
        /// Index into the mean.
        index: usize,
        /// The value.
        value: f64,
    },
}

impl Blamed for GaussianError {
    fn blame(&self) -> Blame {
        match self {
            GaussianError::Linalg(error) => error.blame(),
            GaussianError::Moments(error) => error.blame(),
            _ => Blame::Input,
        }
    }
}

/// Largest difference across the diagonal, relative to the largest variance, that a covariance may show: files written
/// in f32 have 6e-8, a matrix that is not symmetric by mistake has far more.
const SYMMETRY_TOLERANCE: f64 = 1e-6;

/// Rows between two looks at an interrupt: a few milliseconds at 2048 dimensions.
const BLOCK: usize = 512;

#[derive(Debug)]
enum Spread {
    /// The covariance, d×d.
    Covariance(Array2<f64>),
    /// The samples themselves, n×d with n ≤ d: less memory, and cheaper to factorise.
    Samples(Array2<f64>),
}

/// Mean and covariance of the features of a set of images; what [`FeatureStatistics`] ends in and a statistics file
/// holds. Clones share the covariance and its [factor](Self::factor), which is computed once: a training loop that compares
/// each of its samples with one reference factorises the reference once.
#[derive(Debug, Clone)]
pub struct Gaussian {
    n: Option<u64>,
    mean: Array1<f64>,
    spread: Arc<Spread>,
    factor: Arc<OnceLock<CovarianceFactor>>,
}

impl Gaussian {
    /// Takes a mean (d) and a covariance (d×d, symmetric); `n` is the number of images behind them, where known.
    ///
    /// # Errors
    /// [`GaussianError`] when the shapes do not fit, a value is not finite, or the covariance is not symmetric.
    pub fn new(n: Option<u64>, mean: Array1<f64>, covariance: Array2<f64>) -> Result<Self, GaussianError> {
        let (rows, columns) = covariance.dim();
        if (rows, columns) != (mean.len(), mean.len()) {
            return Err(GaussianError::Shape { mean: mean.len(), rows, columns });
        }
        if let Some((index, &value)) = mean.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(GaussianError::NotFinite { index, value });
        }
        let scale = covariance.diag().fold(0.0_f64, |a, &b| a.max(b.abs()));
        for ((row, column), &value) in covariance.indexed_iter() {
            let mirrored = covariance[(column, row)];
            if !value.is_finite() {
                return Err(GaussianError::CovarianceNotFinite { row, column, value });
            }
            if column < row && (value - mirrored).abs() > SYMMETRY_TOLERANCE * scale {
                return Err(GaussianError::Asymmetric { row, column, value, mirrored });
            }
        }
        Ok(Self::of_spread(n, mean, Spread::Covariance(covariance)))
    }

    fn of_spread(n: Option<u64>, mean: Array1<f64>, spread: Spread) -> Self {
        Self { n, mean, spread: Arc::new(spread), factor: Arc::default() }
    }

    /// Mean and covariance of features: those of [`FeatureStatistics`] that saw all of them.
    ///
    /// ```
    /// use gan_metrics::stats::{Features, Gaussian};
    /// use ndarray::array;
    ///
    /// let gaussian = Gaussian::of(&Features::new(array![[0.0, 1.0], [2.0, 1.0]])?)?;
    /// assert_eq!((gaussian.n(), gaussian.mean()), (Some(2), &array![1.0, 1.0]));
    /// assert_eq!(gaussian.covariance(), array![[2.0, 0.0], [0.0, 0.0]]);
    /// # Ok::<(), gan_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`MomentsError::TooFew`] with fewer than two rows.
    pub fn of(features: &Features) -> Result<Self, MomentsError> {
        Self::of_until(features, &Interrupt::new())
    }

    /// [`Self::of`] that can be stopped.
    ///
    /// # Errors
    /// As [`Self::of`], and [`MomentsError::Interrupted`] when the interrupt asked for it.
    pub fn of_until(features: &Features, interrupt: &Interrupt) -> Result<Self, MomentsError> {
        Self::of_view(features.view(), interrupt)
    }

    /// [`Self::of_until`] of valid features that are elsewhere.
    pub(crate) fn of_view(rows: ArrayView2<'_, f32>, interrupt: &Interrupt) -> Result<Self, MomentsError> {
        let mut statistics = FeatureStatistics::new(rows.ncols());
        for block in rows.axis_chunks_iter(Axis(0), BLOCK) {
            interrupt.check()?;
            statistics.push_rows(block);
        }
        statistics.finish()
    }

    /// Mean and covariance of some rows of features, in their order.
    ///
    /// # Errors
    /// As [`Self::of_until`].
    ///
    /// # Panics
    /// When there is no such row.
    pub fn of_rows(features: &Features, rows: &[usize], interrupt: &Interrupt) -> Result<Self, MomentsError> {
        let mut statistics = FeatureStatistics::new(features.dim());
        for block in rows.chunks(BLOCK) {
            interrupt.check()?;
            // A second copy of the whole set is not needed.
            statistics.push_rows(features.view().select(Axis(0), block).view());
        }
        statistics.finish()
    }

    /// Whether mean and covariance are the same to the last bit.
    pub fn same_as(&self, other: &Self) -> bool {
        self.mean == other.mean && self.covariance() == other.covariance()
    }

    /// Number of images, where known.
    pub fn n(&self) -> Option<u64> {
        self.n
    }

    /// Dimension d of the features.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// Mean μ (d).
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// Unbiased covariance Σ (d×d).
    pub fn covariance(&self) -> Array2<f64> {
        match &*self.spread {
            Spread::Covariance(covariance) => covariance.clone(),
            Spread::Samples(samples) => {
                let centred = samples - &self.mean;
                crate::linalg::matmul(centred.t(), centred.view()) / (samples.nrows() - 1) as f64
            }
        }
    }

    /// A factor of the covariance, computed on the first call: `8·d²` bytes, or `8·n·d` for n ≤ d images, that live as long as
    /// the Gaussian and its clones.
    ///
    /// # Errors
    /// [`GaussianError::Linalg`] when the matrix is not a covariance.
    pub fn factor(&self) -> Result<&CovarianceFactor, GaussianError> {
        if let Some(factor) = self.factor.get() {
            return Ok(factor);
        }
        let factor = match &*self.spread {
            Spread::Covariance(covariance) => CovarianceFactor::of_covariance(covariance)?,
            Spread::Samples(samples) => CovarianceFactor::of_samples(samples.view()),
        };
        // Where two threads computed it at once, both found the same.
        Ok(self.factor.get_or_init(|| factor))
    }
}

impl TryFrom<Moments> for Gaussian {
    type Error = MomentsError;

    /// Mean and unbiased covariance of the samples that were seen: at least two.
    fn try_from(moments: Moments) -> Result<Self, MomentsError> {
        let n = moments.len();
        let (mean, covariance) = moments.into_mean_and_covariance()?;
        Ok(Self::of_spread(Some(n), mean, Spread::Covariance(covariance)))
    }
}

impl TryFrom<&Gaussian> for Moments {
    type Error = GaussianError;

    /// What the Gaussian is the mean and covariance of, to be merged with others; not possible where the number of images is
    /// not known.
    fn try_from(gaussian: &Gaussian) -> Result<Self, GaussianError> {
        let n = gaussian.n.ok_or(GaussianError::NumberUnknown)?;
        let scatter = gaussian.covariance() * n.saturating_sub(1) as f64;
        Ok(Moments::from_parts(n, gaussian.mean.clone(), scatter)?)
    }
}

/// Accumulates the features of a set of images into a [`Gaussian`].
///
/// Up to `d` images the features themselves are kept, since the factor of their covariance is then at hand without a
/// decomposition; beyond, [`Moments`] take over. Memory never exceeds that of the moments.
#[derive(Debug, Clone)]
pub struct FeatureStatistics {
    dim: usize,
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    Few(Vec<f32>),
    Many(Moments),
}

impl FeatureStatistics {
    /// Statistics of no images, for features of dimension `dim`.
    pub fn new(dim: usize) -> Self {
        Self { dim, state: State::Few(Vec::new()) }
    }

    /// Dimension d of the features.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of images seen.
    pub fn len(&self) -> u64 {
        match &self.state {
            State::Few(values) => (values.len() / self.dim.max(1)) as u64,
            State::Many(moments) => moments.len(),
        }
    }

    /// Whether no image was seen.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds the rows of `features`.
    ///
    /// # Errors
    /// [`MomentsError::Dimension`] when the dimensions differ.
    pub fn push(&mut self, features: &Features) -> Result<(), MomentsError> {
        self.push_view(features.view())
    }

    /// [`Self::push`] of valid features that are elsewhere, row-major.
    pub(crate) fn push_view(&mut self, rows: ArrayView2<'_, f32>) -> Result<(), MomentsError> {
        if rows.ncols() != self.dim {
            return Err(MomentsError::Dimension { expected: self.dim, got: rows.ncols() });
        }
        self.push_rows(rows);
        Ok(())
    }

    /// Adds rows of features of this dimension.
    fn push_rows(&mut self, rows: ArrayView2<'_, f32>) {
        match &mut self.state {
            State::Few(values) if values.len() + rows.len() <= self.dim * self.dim => {
                values.extend_from_slice(rows.as_slice().expect("features are row-major"));
            }
            _ => self.moments().push_rows(rows),
        }
    }

    /// Joins the images of `other`, as if they had been pushed here after those that were: to the bit while `other` has no more
    /// images than dimensions, else up to rounding, as [`Moments::merge`].
    ///
    /// # Errors
    /// [`MomentsError::Dimension`] when the dimensions differ.
    pub fn merge(&mut self, other: &Self) -> Result<(), MomentsError> {
        if other.dim != self.dim {
            return Err(MomentsError::Dimension { expected: self.dim, got: other.dim });
        }
        match &other.state {
            State::Few(values) => self.push_rows(view_of_rows(values, self.dim)),
            State::Many(moments) => self.moments().merge(moments)?,
        }
        Ok(())
    }

    /// The moments of what was seen, which take over.
    fn moments(&mut self) -> &mut Moments {
        if let State::Few(values) = &mut self.state {
            let mut moments = Moments::new(self.dim);
            moments.push_rows(view_of_rows(values, self.dim));
            self.state = State::Many(moments);
        }
        match &mut self.state {
            State::Many(moments) => moments,
            State::Few(_) => unreachable!("they are moments now"),
        }
    }

    /// What was seen: the features of few images, or the moments of many.
    pub fn seen(&self) -> Seen<'_> {
        match &self.state {
            State::Few(values) => Seen::Rows(view_of_rows(values, self.dim)),
            State::Many(moments) => Seen::Moments(moments),
        }
    }

    /// Mean and covariance of what was seen so far; more can be pushed afterwards.
    ///
    /// # Errors
    /// [`MomentsError::TooFew`] with fewer than two images.
    pub fn finish(&self) -> Result<Gaussian, MomentsError> {
        let n = self.len();
        if n < 2 {
            return Err(MomentsError::TooFew { got: n });
        }
        match &self.state {
            State::Few(values) => {
                let samples = view_of_rows(values, self.dim).mapv(f64::from);
                let mean = samples.mean_axis(Axis(0)).expect("there are samples");
                Ok(Gaussian::of_spread(Some(n), mean, Spread::Samples(samples)))
            }
            State::Many(moments) => moments.clone().try_into(),
        }
    }
}

/// What [`FeatureStatistics`] have seen.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'a> {
    /// The features of at most d images, n×d.
    Rows(ArrayView2<'a, f32>),
    /// The moments of more.
    Moments(&'a Moments),
}

impl From<Moments> for FeatureStatistics {
    fn from(moments: Moments) -> Self {
        Self { dim: moments.dim(), state: State::Many(moments) }
    }
}

fn view_of_rows(values: &[f32], dim: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / dim.max(1), dim), values).expect("whole rows were pushed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use rand_mt::Mt64;

    fn random(rows: usize, dim: usize, seed: u64) -> Features {
        let mut generator = Mt64::new(seed);
        let uniform = || (generator.next_u64() as f64 / u64::MAX as f64) as f32;
        Features::new(Array2::from_shape_simple_fn((rows, dim), uniform)).unwrap()
    }

    fn statistics(features: &Features, batch: usize) -> Gaussian {
        let mut statistics = FeatureStatistics::new(features.dim());
        for rows in features.view().axis_chunks_iter(Axis(0), batch) {
            statistics.push(&Features::new(rows.to_owned()).unwrap()).unwrap();
        }
        assert_eq!(statistics.len(), features.len() as u64);
        statistics.finish().unwrap()
    }

    #[test]
    fn few_and_many_images_give_the_covariance_of_moments() {
        // On both sides of the switch at n = d, and with batches that straddle it.
        for n in [2, 11, 12, 13, 14, 400] {
            let features = random(n, 12, n as u64);
            let mut moments = Moments::new(12);
            moments.push(&features).unwrap();
            for batch in [1, 5, n] {
                let gaussian = statistics(&features, batch);
                let off = &gaussian.covariance() - &moments.covariance().unwrap();
                assert!(off.iter().all(|value| value.abs() < 1e-15), "n = {n}, batch {batch}");
                assert!((gaussian.mean() - &moments.mean().unwrap()).iter().all(|value| value.abs() < 1e-15));
                assert_eq!((gaussian.n(), gaussian.dim()), (Some(n as u64), 12));
                assert_eq!(gaussian.factor().unwrap().spectrum().rank, (n - 1).min(12));
            }
        }
    }

    #[test]
    fn parts_merge_to_the_bit_while_they_are_few_and_nothing_is_lost_by_looking() {
        let features = random(60, 12, 3);
        let whole = Gaussian::of(&features).unwrap();
        for split in [0, 1, 11, 12, 13, 48, 59, 60] {
            let part = |rows: std::ops::Range<usize>| {
                let mut part = FeatureStatistics::new(12);
                part.push_rows(features.view().slice_move(ndarray::s![rows, ..]));
                part
            };
            let (mut first, second) = (part(0..split), part(split..60));
            let before = first.finish().map(|gaussian| gaussian.n());
            first.merge(&second).unwrap();
            assert_eq!(
                before,
                if split < 2 { Err(MomentsError::TooFew { got: split as u64 }) } else { Ok(Some(split as u64)) }
            );
            let merged = first.finish().unwrap();
            if 60 - split <= 12 {
                assert!(merged.same_as(&whole), "split at {split}");
            }
            let off = &merged.covariance() - &whole.covariance();
            assert!(off.iter().all(|value| value.abs() < 1e-15), "split at {split}");
        }
    }

    #[test]
    fn a_gaussian_and_its_moments_are_each_made_of_the_other() {
        let whole = Gaussian::of(&random(400, 12, 4)).unwrap();
        let again = Gaussian::try_from(Moments::try_from(&whole).unwrap()).unwrap();
        let off = &again.covariance() - &whole.covariance();
        assert!(off.iter().all(|value| value.abs() < 1e-15) && again.mean() == whole.mean() && again.n() == Some(400));
        let unknown = Gaussian::new(None, array![0.0], array![[1.0]]).unwrap();
        assert_eq!(Moments::try_from(&unknown).unwrap_err(), GaussianError::NumberUnknown);
    }

    #[test]
    fn the_factor_is_computed_once_for_all_clones() {
        let gaussian = Gaussian::of(&random(400, 12, 5)).unwrap();
        let clone = gaussian.clone();
        assert!(std::ptr::eq(gaussian.factor().unwrap(), clone.factor().unwrap()));
    }

    #[test]
    fn one_image_has_no_statistics() {
        let mut one = FeatureStatistics::new(3);
        one.push(&random(1, 3, 0)).unwrap();
        assert_eq!(one.finish().unwrap_err(), MomentsError::TooFew { got: 1 });
    }

    #[test]
    fn refuses_what_is_no_gaussian() {
        let identity = Array2::eye(2);
        let shape = Gaussian::new(None, array![0.0], identity.clone()).unwrap_err();
        assert_eq!(shape, GaussianError::Shape { mean: 1, rows: 2, columns: 2 });
        let infinite = Gaussian::new(None, array![0.0, f64::INFINITY], identity).unwrap_err();
        assert_eq!(infinite, GaussianError::NotFinite { index: 1, value: f64::INFINITY });
        let asymmetric = Gaussian::new(None, array![0.0, 0.0], array![[1.0, 0.25], [0.5, 1.0]]).unwrap_err();
        assert_eq!(asymmetric, GaussianError::Asymmetric { row: 1, column: 0, value: 0.5, mirrored: 0.25 });
    }
}
