//! Factorisations by `faer`.

use ::faer::linalg::solvers::{Llt, SelfAdjointEigen};
use ::faer::{MatRef, Side};
use ndarray::{Array1, Array2, ShapeBuilder};

use super::gemm::as_mat;
use super::{Eigh, LinalgError, finite, square_and_finite};

/// Name of the library behind the factorisations, for reports.
pub const NAME: &str = "faer";

/// The same matrix, in the column-major order that faer keeps it in.
fn to_array(a: MatRef<'_, f64>) -> Array2<f64> {
    let mut values = Vec::with_capacity(a.nrows() * a.ncols());
    (0..a.ncols()).for_each(|column| values.extend(a.col(column).iter()));
    Array2::from_shape_vec((a.nrows(), a.ncols()).f(), values).expect("as many values as the matrix has")
}

/// Eigenvalues (ascending) and eigenvectors of a symmetric matrix, read from its lower triangle.
///
/// Backward stable: each eigenvalue is exact to a small multiple of `ε·‖A‖₂`.
///
/// # Errors
/// [`LinalgError`] when the matrix is not square, not finite, or the iteration does not converge.
pub fn eigh(a: &Array2<f64>) -> Result<Eigh, LinalgError> {
    square_and_finite(a)?;
    let decomposition = SelfAdjointEigen::new(as_mat(&a.into()), Side::Lower).map_err(|_| {
        LinalgError::NoConvergence { solver: "symmetric eigenvalue", rows: a.nrows(), columns: a.ncols() }
    })?;
    Ok(Eigh {
        values: Array1::from_iter(decomposition.S().column_vector().iter().copied()),
        vectors: to_array(decomposition.U()),
    })
}

/// Eigenvalues (ascending) of a symmetric matrix, read from its lower triangle.
///
/// Backward stable: each eigenvalue is exact to a small multiple of `ε·‖A‖₂`.
///
/// # Errors
/// [`LinalgError`] when the matrix is not square, not finite, or the iteration does not converge.
pub fn eigenvalues(a: &Array2<f64>) -> Result<Array1<f64>, LinalgError> {
    square_and_finite(a)?;
    as_mat(&a.into())
        .self_adjoint_eigenvalues(Side::Lower)
        .map(Array1::from_vec)
        .map_err(|_| LinalgError::NoConvergence { solver: "symmetric eigenvalue", rows: a.nrows(), columns: a.ncols() })
}

/// Cholesky factor `L` (lower triangular, `A = L·Lᵀ`) of a symmetric matrix, read from its lower triangle;
/// `None` when the matrix is not numerically positive definite.
///
/// # Errors
/// [`LinalgError`] when the matrix is not square or not finite.
pub fn cholesky(a: &Array2<f64>) -> Result<Option<Array2<f64>>, LinalgError> {
    square_and_finite(a)?;
    Ok(Llt::new(as_mat(&a.into()), Side::Lower).ok().map(|factor| to_array(factor.L())))
}

/// Singular values of any matrix, in descending order.
///
/// Backward stable: each value is exact to a small multiple of `ε·‖A‖₂`.
///
/// # Errors
/// [`LinalgError`] when the matrix is not finite or the iteration does not converge.
pub fn singular_values(a: &Array2<f64>) -> Result<Array1<f64>, LinalgError> {
    finite(a)?;
    as_mat(&a.into()).singular_values().map(Array1::from_vec).map_err(|_| LinalgError::NoConvergence {
        solver: "singular value",
        rows: a.nrows(),
        columns: a.ncols(),
    })
}
