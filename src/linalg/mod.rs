//! Dense linear algebra in f64: products, factorisations, and the trace of a matrix square root.
//!
//! Matrices are `ndarray` arrays; symmetric arguments are read from their lower triangle only. The factorisations
//! come from `faer`, or from the system's LAPACK under the feature `lapack`, behind the same functions and tested to
//! the same tolerances; products always come from `faer`, which uses all threads of the global rayon pool.

#[cfg_attr(feature = "lapack", path = "lapack.rs")]
#[cfg_attr(not(feature = "lapack"), path = "faer.rs")]
mod backend;
mod covariance;
mod gemm;

use std::borrow::Cow;

use ndarray::{Array1, Array2};

pub use covariance::{CovarianceFactor, Spectrum, sqrtm};
pub use gemm::{add_gram_lower, lower_transposed_times, matmul, matmul_lower_transposed};

use crate::error::{Blame, Blamed};

/// Why a matrix could not be factorised.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LinalgError {
    /// The matrix is not square.
    #[error("expected a square matrix, got {rows}×{columns}")]
    NotSquare {
        /// Rows of the rejected matrix.
        rows: usize,
        /// Columns of the rejected matrix.
        columns: usize,
    },
    /// A value is NaN or infinite.
    #[error("entry ({row}, {column}) of a matrix is {value}: only finite matrices can be factorised")]
    NotFinite {
        /// Row of the offending value.
        row: usize,
        /// Column of the offending value.
        column: usize,
        /// The value itself.
        value: f64,
    },
    /// A matrix that should be a covariance has a clearly negative eigenvalue.
    #[error(
        "not a covariance matrix: its smallest eigenvalue is {smallest:e}, its largest {largest:e} \
         (a covariance has none below zero: was it summed in float32, which loses it where means are large? sum in float64)"
    )]
    Indefinite {
        /// Smallest eigenvalue.
        smallest: f64,
        /// Largest eigenvalue.
        largest: f64,
    },
    /// The iteration of an eigenvalue or singular value solver did not converge.
    #[error("the {solver} solver did not converge on a {rows}×{columns} matrix: please report this matrix")]
    NoConvergence {
        /// Which decomposition was asked for.
        solver: &'static str,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
    },
}

impl Blamed for LinalgError {
    fn blame(&self) -> Blame {
        match self {
            LinalgError::NoConvergence { .. } => Blame::Bug,
            _ => Blame::Input,
        }
    }
}

/// Eigendecomposition `A = V·diag(λ)·Vᵀ` of a symmetric matrix.
#[derive(Debug, Clone)]
pub struct Eigh {
    /// Eigenvalues λ in ascending order.
    pub values: Array1<f64>,
    /// Orthonormal eigenvectors, one a column, in the order of `values`.
    pub vectors: Array2<f64>,
}

/// Name of the library behind the factorisations, for reports.
pub const BACKEND: &str = backend::NAME;

/// Eigenvalues (ascending) and eigenvectors of a symmetric matrix, read from its lower triangle.
///
/// Backward stable: each eigenvalue is exact to a small multiple of `ε·‖A‖₂`.
///
/// # Errors
/// [`LinalgError`] when the matrix is not square, not finite, or the iteration does not converge.
pub fn eigh(a: &Array2<f64>) -> Result<Eigh, LinalgError> {
    square_and_finite(a)?;
    if a.is_empty() {
        return Ok(Eigh { values: Array1::zeros(0), vectors: a.clone() });
    }
    let (matrix, scale) = near_one(a);
    let Eigh { values, vectors } = backend::eigh(&matrix).ok_or_else(|| no_convergence("symmetric eigenvalue", a))?;
    Ok(Eigh { values: values * scale, vectors })
}

/// Eigenvalues (ascending) of a symmetric matrix, read from its lower triangle.
///
/// Backward stable: each eigenvalue is exact to a small multiple of `ε·‖A‖₂`.
///
/// # Errors
/// [`LinalgError`] when the matrix is not square, not finite, or the iteration does not converge.
pub fn eigenvalues(a: &Array2<f64>) -> Result<Array1<f64>, LinalgError> {
    square_and_finite(a)?;
    if a.is_empty() {
        return Ok(Array1::zeros(0));
    }
    let (matrix, scale) = near_one(a);
    let values = backend::eigenvalues(&matrix).ok_or_else(|| no_convergence("symmetric eigenvalue", a))?;
    Ok(values * scale)
}

/// Cholesky factor `L` (lower triangular, `A = L·Lᵀ`) of a symmetric matrix, read from its lower triangle;
/// `None` when the matrix is not numerically positive definite.
///
/// # Errors
/// [`LinalgError`] when the matrix is not square or not finite.
pub fn cholesky(a: &Array2<f64>) -> Result<Option<Array2<f64>>, LinalgError> {
    square_and_finite(a)?;
    if a.is_empty() {
        return Ok(Some(a.clone()));
    }
    let (matrix, scale) = near_one(a);
    Ok(backend::cholesky(&matrix).map(|factor| if scale == 1.0 { factor } else { factor * scale.sqrt() }))
}

/// Singular values of any matrix, in descending order.
///
/// Backward stable: each value is exact to a small multiple of `ε·‖A‖₂`.
///
/// # Errors
/// [`LinalgError`] when the matrix is not finite or the iteration does not converge.
pub fn singular_values(a: &Array2<f64>) -> Result<Array1<f64>, LinalgError> {
    finite(a)?;
    if a.is_empty() {
        return Ok(Array1::zeros(0));
    }
    let (matrix, scale) = near_one(a);
    let values = backend::singular_values(&matrix).ok_or_else(|| no_convergence("singular value", a))?;
    Ok(values * scale)
}

/// Entries of matrices that are factorised as they are. Of larger and smaller ones the solvers form squares and fourth powers that leave the
/// range of f64.
const SAFE: std::ops::Range<f64> = 1e-60..1e60;

/// A matrix whose largest entry is [`SAFE`], and the power of four, which costs no digit, by which the given one is larger.
fn near_one(a: &Array2<f64>) -> (Cow<'_, Array2<f64>>, f64) {
    let largest = a.fold(0.0_f64, |largest, value| largest.max(value.abs()));
    if largest == 0.0 || SAFE.contains(&largest) {
        return (Cow::Borrowed(a), 1.0);
    }
    // No power beyond these, whose inverse would leave the range itself.
    let scale = 4.0_f64.powi(((largest.log2() / 2.0) as i32).clamp(-500, 500));
    (Cow::Owned(a / scale), scale)
}

/// Checks what every factorisation of a square matrix requires.
fn square_and_finite(a: &Array2<f64>) -> Result<(), LinalgError> {
    let (rows, columns) = a.dim();
    if rows != columns {
        return Err(LinalgError::NotSquare { rows, columns });
    }
    finite(a)
}

fn finite(a: &Array2<f64>) -> Result<(), LinalgError> {
    // Where is asked only when there is one: looking goes through the memory as it lies, in a tenth of the time.
    if a.fold(true, |finite, value| finite & value.is_finite()) {
        return Ok(());
    }
    match a.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), &value)) => Err(LinalgError::NotFinite { row, column, value }),
        None => Ok(()),
    }
}

fn no_convergence(solver: &'static str, a: &Array2<f64>) -> LinalgError {
    LinalgError::NoConvergence { solver, rows: a.nrows(), columns: a.ncols() }
}

#[cfg(test)]
mod tests;
