//! Factors of a covariance, and what follows from them: the trace of √(Σ₁Σ₂), and √Σ itself.
//!
//! With `Σᵢ = Fᵢ·Fᵢᵀ`, the eigenvalues of `Σ₁Σ₂` are the squared singular values of `F₁ᵀ·F₂`, so that
//!
//! ```text
//! tr √(Σ₁Σ₂) = ‖F₁ᵀ·F₂‖_*   (the sum of its singular values)
//! ```
//!
//! Any factor will do: the triangular one of Cholesky for a well-conditioned covariance, eigenvectors scaled by the
//! roots of their eigenvalues for a singular one, or contrasts of the samples themselves when there are fewer of them than
//! dimensions. Working on the factors rather than on `Σ₁^½·Σ₂·Σ₁^½` halves the number of digits lost: the square
//! root of an eigenvalue that should be zero but was rounded to 1e-16 is 1e-8, and a thousand of these are visible in
//! a score.

use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};

use super::{
    LinalgError, add_gram_lower, cholesky, eigenvalues, eigh, finite, lower_transposed_times, matmul,
    matmul_lower_transposed, near_one, singular_values,
};

/// Eigenvalues below `d·ε·λmax` are rounding errors of a d×d matrix: the bound on the backward error of the solvers.
fn noise_floor(dim: usize, largest: f64) -> f64 {
    dim as f64 * f64::EPSILON * largest
}

/// Eigenvalues down to `-NEGATIVE_TOLERANCE·λmax` are taken as zeros that were rounded. A covariance that was stored in f32 has 6e-8;
/// one that was *summed* in f32 has about `ε·‖μ‖²/λmax` with ε = 6e-8, some 1e-5 where features are about as large as they vary. Beyond,
/// the means are so far from zero that a sum in f32 has lost the covariance, or the matrix never was one.
const NEGATIVE_TOLERANCE: f64 = 1e-4;

/// Error allowed for a Gram matrix and the reduction to its eigenvalues together, in units of `ε·‖A‖_F`: a small
/// multiple, as for every backward stable method.
const GRAM_ERROR: f64 = 32.0;

/// Largest relative error of a trace for which the eigenvalues of the Gram matrix are good enough.
const GRAM_TOLERANCE: f64 = 1e-9;

/// What the factorisation saw of the eigenvalues of a covariance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spectrum {
    /// Number of dimensions d.
    pub dim: usize,
    /// Numerical rank: eigenvalues above `d·ε·λmax`, or the number of independent samples at hand.
    pub rank: usize,
    /// Ratio of the largest to the smallest eigenvalue that counts towards the rank. From a Cholesky factor it is a
    /// lower bound, the squared ratio of the diagonal entries of `L`; not known (`None`) for a factor made of samples.
    pub condition: Option<f64>,
    /// Smallest eigenvalue that had to be clipped to zero, when that was no mere rounding error (below `-d·ε·λmax`).
    pub clipped: Option<f64>,
}

/// A factor `F` (d×r) of a covariance `Σ = F·Fᵀ`.
#[derive(Debug, Clone)]
pub struct CovarianceFactor {
    factor: Array2<f64>,
    trace: f64,
    rank: Rank,
    spectrum: Spectrum,
}

/// What is known of the rank of a factor before anything is multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    /// Full: it came from Cholesky, and is lower triangular.
    Triangular,
    /// That of its columns, unless samples repeat.
    Columns,
    /// It may have singular values that are zero but for rounding.
    Deficient,
}

impl CovarianceFactor {
    fn new(factor: Array2<f64>, rank: Rank, spectrum: Spectrum) -> Self {
        // `fold` goes through the memory as it lies: by rows, a factor in columns takes five times as long.
        let trace = factor.fold(0.0, |sum, value| sum + value * value);
        Self { factor, trace, rank, spectrum }
    }

    /// Factorises a covariance, d×d, read from its lower triangle: by Cholesky where that is safe, otherwise by
    /// eigendecomposition, where eigenvalues below `d·ε·λmax` count as zero.
    ///
    /// # Errors
    /// [`LinalgError`] when the matrix is not square, not finite, or has an eigenvalue that is clearly negative.
    pub fn of_covariance(sigma: &Array2<f64>) -> Result<Self, LinalgError> {
        let dim = sigma.nrows();
        if let Some(lower) = cholesky(sigma)? {
            let diagonal = lower.diag();
            let largest = diagonal.fold(0.0_f64, |a, &b| a.max(b * b));
            let smallest = diagonal.fold(f64::INFINITY, |a, &b| a.min(b * b));
            // A pivot at the noise floor means that the matrix may be singular and Cholesky was merely lucky.
            if smallest > noise_floor(dim, largest) {
                let spectrum = Spectrum { dim, rank: dim, condition: Some(largest / smallest), clipped: None };
                return Ok(Self::new(lower, Rank::Triangular, spectrum));
            }
        }
        Self::of_singular(sigma)
    }

    fn of_singular(sigma: &Array2<f64>) -> Result<Self, LinalgError> {
        let dim = sigma.nrows();
        let eigen = eigh(sigma)?;
        let (smallest, largest) = match (eigen.values.first(), eigen.values.last()) {
            (Some(&smallest), Some(&largest)) => (smallest, largest.max(0.0)),
            _ => (0.0, 0.0),
        };
        if smallest < -NEGATIVE_TOLERANCE * largest || (largest == 0.0 && smallest < 0.0) {
            return Err(LinalgError::Indefinite { smallest, largest });
        }
        let floor = noise_floor(dim, largest);
        let first = eigen.values.iter().take_while(|&&value| value <= floor).count();
        let roots = eigen.values.slice(ndarray::s![first..]).mapv(f64::sqrt);
        let factor = &eigen.vectors.slice(ndarray::s![.., first..]) * &roots;
        let spectrum = Spectrum {
            dim,
            rank: dim - first,
            condition: eigen.values.get(first).map(|&least| largest / least),
            clipped: (smallest < -floor).then_some(smallest),
        };
        Ok(Self::new(factor, Rank::Deficient, spectrum))
    }

    /// The factor of the unbiased covariance of `n` samples (rows, n×d), which need not be centred: their n−1 Helmert
    /// contrasts, `(x₁ + … + xₖ − k·xₖ₊₁)/√(k(k+1)(n−1))` for k from 1 to n−1. Unlike the n centred samples they are independent
    /// of each other. The cheap way when n ≤ d.
    ///
    /// # Panics
    /// With fewer than two samples, which have no covariance.
    pub fn of_samples(samples: ArrayView2<'_, f64>) -> Self {
        let (n, dim) = samples.dim();
        assert!(n >= 2, "a covariance takes at least two samples");
        // An offset would cost the sums digits.
        let mean = samples.mean_axis(Axis(0)).expect("there are samples");
        let mut contrasts = Array2::zeros((n - 1, dim));
        let (mut sum, mut sample) = (&samples.row(0) - &mean, Array1::zeros(dim));
        for (k, mut contrast) in (1..n).zip(contrasts.rows_mut()) {
            sample.assign(&samples.row(k));
            sample -= &mean;
            let scale = ((k * (k + 1)) as f64 * (n - 1) as f64).sqrt().recip();
            Zip::from(&mut contrast)
                .and(&sum)
                .and(&sample)
                .for_each(|contrast, sum, sample| *contrast = (sum - k as f64 * sample) * scale);
            sum += &sample;
        }
        let spectrum = Spectrum { dim, rank: (n - 1).min(dim), condition: None, clipped: None };
        let rank = if n - 1 <= dim { Rank::Columns } else { Rank::Deficient };
        Self::new(contrasts.reversed_axes(), rank, spectrum)
    }

    /// `tr Σ`, the total variance.
    pub fn trace(&self) -> f64 {
        self.trace
    }

    /// The factor `F` (d×r).
    pub fn factor(&self) -> ArrayView2<'_, f64> {
        self.factor.view()
    }

    /// What the factorisation saw of the eigenvalues.
    pub fn spectrum(&self) -> Spectrum {
        self.spectrum
    }

    /// `tr √(Σ₁Σ₂)`, the nuclear norm of `M = F₁ᵀ·F₂`. Symmetric in its arguments up to rounding.
    ///
    /// Of two well-conditioned covariances, or few samples, it comes from the eigenvalues of `M·Mᵀ` or `MᵀM`, whichever is
    /// smaller, in half the time of a singular value decomposition and less, where a bound on the error of their roots is below
    /// 1e-9 of the trace. Otherwise from the singular values of `M`, to a relative error of the order of `ε` times their number.
    ///
    /// # Errors
    /// [`LinalgError`] when the product overflows or the singular value solver does not converge.
    ///
    /// # Panics
    /// When the dimensions differ.
    pub fn trace_sqrt_product(&self, other: &Self) -> Result<f64, LinalgError> {
        assert_eq!(self.spectrum.dim, other.spectrum.dim, "covariances of different dimensions");
        let product = match (self.rank, other.rank) {
            (Rank::Triangular, Rank::Triangular) => matmul_lower_transposed(&self.factor, &other.factor),
            (Rank::Triangular, _) => lower_transposed_times(&self.factor, other.factor.view()),
            (_, Rank::Triangular) => lower_transposed_times(&other.factor, self.factor.view()),
            _ => matmul(self.factor.t(), other.factor.view()),
        };
        finite(&product)?;
        // The Gram matrix squares the entries.
        let (product, scale) = near_one(&product);
        if self.rank != Rank::Deficient
            && other.rank != Rank::Deficient
            && let Some(norm) = nuclear_norm_by_gram(&product)?
        {
            return Ok(norm * scale);
        }
        Ok(singular_values(&product)?.sum() * scale)
    }
}

/// The sum of the singular values of a matrix as the roots of the eigenvalues `λ` of `A = M·Mᵀ`, or `MᵀM` where that is smaller;
/// `None` where that may be off by more than [`GRAM_TOLERANCE`]. Of a square M, `MᵀM` takes twice as long in row-major order.
///
/// An error `E` of A moves `Σ√λᵢ = tr √A` by `tr(½A^{−½}E)` to first order, at most `‖E‖_F·√(Σ 1/(4λᵢ))` by Cauchy and
/// Schwarz. The first order is all that matters while `‖E‖` is well below the smallest eigenvalue.
pub(super) fn nuclear_norm_by_gram(product: &Array2<f64>) -> Result<Option<f64>, LinalgError> {
    let (rows, columns) = product.dim();
    let smaller = rows.min(columns);
    let mut gram = Array2::zeros((smaller, smaller));
    add_gram_lower(&mut gram, if columns < rows { product.view() } else { product.t() });
    let values = eigenvalues(&gram)?;
    let norm = values.dot(&values).sqrt();
    let error = GRAM_ERROR * f64::EPSILON * norm;
    // Written so that NaN, of a product that overflowed, is no good either.
    if !values.iter().all(|&value| value > 4.0 * error) {
        return Ok(None);
    }
    let trace = values.mapv(f64::sqrt).sum();
    let sensitivity = values.mapv(|value| 0.25 / value).sum().sqrt();
    Ok((error * sensitivity <= GRAM_TOLERANCE * trace).then_some(trace))
}

/// The symmetric square root of a covariance: `S·S = Σ`, `S = Sᵀ`, by eigendecomposition.
///
/// # Errors
/// As [`CovarianceFactor::of_covariance`].
pub fn sqrtm(sigma: &Array2<f64>) -> Result<Array2<f64>, LinalgError> {
    let CovarianceFactor { factor, .. } = CovarianceFactor::of_singular(sigma)?;
    // F = V·√λ, so S = V·√λ·Vᵀ = F·(F/√λ)ᵀ, and √λ are the norms of the columns of F.
    let norms = factor.map_axis(Axis(0), |column| column.dot(&column).sqrt());
    Ok(matmul(factor.view(), (&factor / &norms).t()))
}
