//! Factorisations by the system's LAPACK (OpenBLAS), through `ndarray-linalg`.

use ndarray::{Array1, Array2};
use ndarray_linalg::{Cholesky, EigValsh as _, Eigh as _, SVD, UPLO};

use super::{Eigh, LinalgError, finite, square_and_finite};

/// Name of the library behind the factorisations, for reports.
pub const NAME: &str = "lapack";

/// Eigenvalues (ascending) and eigenvectors of a symmetric matrix, read from its lower triangle.
///
/// Backward stable: each eigenvalue is exact to a small multiple of `ε·‖A‖₂`.
///
/// # Errors
/// [`LinalgError`] when the matrix is not square, not finite, or the iteration does not converge.
pub fn eigh(a: &Array2<f64>) -> Result<Eigh, LinalgError> {
    square_and_finite(a)?;
    let (values, vectors) = a.eigh(UPLO::Lower).map_err(|_| LinalgError::NoConvergence {
        solver: "symmetric eigenvalue",
        rows: a.nrows(),
        columns: a.ncols(),
    })?;
    Ok(Eigh { values, vectors })
}

/// Eigenvalues (ascending) of a symmetric matrix, read from its lower triangle.
///
/// Backward stable: each eigenvalue is exact to a small multiple of `ε·‖A‖₂`.
///
/// # Errors
/// [`LinalgError`] when the matrix is not square, not finite, or the iteration does not converge.
pub fn eigenvalues(a: &Array2<f64>) -> Result<Array1<f64>, LinalgError> {
    square_and_finite(a)?;
    a.eigvalsh(UPLO::Lower).map_err(|_| LinalgError::NoConvergence {
        solver: "symmetric eigenvalue",
        rows: a.nrows(),
        columns: a.ncols(),
    })
}

/// Cholesky factor `L` (lower triangular, `A = L·Lᵀ`) of a symmetric matrix, read from its lower triangle;
/// `None` when the matrix is not numerically positive definite.
///
/// # Errors
/// [`LinalgError`] when the matrix is not square or not finite.
pub fn cholesky(a: &Array2<f64>) -> Result<Option<Array2<f64>>, LinalgError> {
    square_and_finite(a)?;
    Ok(a.cholesky(UPLO::Lower).ok())
}

/// Singular values of any matrix, in descending order.
///
/// Backward stable: each value is exact to a small multiple of `ε·‖A‖₂`.
///
/// # Errors
/// [`LinalgError`] when the matrix is not finite or the iteration does not converge.
pub fn singular_values(a: &Array2<f64>) -> Result<Array1<f64>, LinalgError> {
    finite(a)?;
    a.svd(false, false).map(|(_, values, _)| values).map_err(|_| LinalgError::NoConvergence {
        solver: "singular value",
        rows: a.nrows(),
        columns: a.ncols(),
    })
}
