//! Factorisations by the system's LAPACK (OpenBLAS), through `ndarray-linalg`, which is not to be given a matrix without
//! entries: LAPACK refuses it, or reads beyond it.

use ndarray::{Array1, Array2, ShapeBuilder};
use ndarray_linalg::{CholeskyInto, EigValshInto, EighInto, SVDInto, UPLO};

use super::{Eigh, LinalgError, finite, square_and_finite};

/// Name of the library behind the factorisations, for reports.
pub const NAME: &str = "lapack";

/// A copy in the column-major order that LAPACK knows: of a row-major matrix, `UPLO::Lower` of `ndarray-linalg` reads the
/// upper triangle.
fn columns_of(a: &Array2<f64>) -> Array2<f64> {
    let mut columns = Array2::zeros(a.raw_dim().f());
    columns.assign(a);
    columns
}

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
    let (values, vectors) = columns_of(a).eigh_into(UPLO::Lower).map_err(|_| LinalgError::NoConvergence {
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
    if a.is_empty() {
        return Ok(Array1::zeros(0));
    }
    columns_of(a).eigvalsh_into(UPLO::Lower).map_err(|_| LinalgError::NoConvergence {
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
    if a.is_empty() {
        return Ok(Some(a.clone()));
    }
    Ok(columns_of(a).cholesky_into(UPLO::Lower).ok())
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
    columns_of(a).svd_into(false, false).map(|(_, values, _)| values).map_err(|_| LinalgError::NoConvergence {
        solver: "singular value",
        rows: a.nrows(),
        columns: a.ncols(),
    })
}
