//! Factorisations by the system's LAPACK (OpenBLAS), through `ndarray-linalg`, of finite matrices that are not empty;
//! `None` where the iteration does not converge.

use ndarray::{Array1, Array2, ShapeBuilder};
use ndarray_linalg::{CholeskyInto, EigValshInto, EighInto, SVDInto, UPLO};

use super::Eigh;

pub const NAME: &str = "lapack";

/// A copy in the column-major order that LAPACK knows: of a row-major matrix, `UPLO::Lower` of `ndarray-linalg` reads the
/// upper triangle.
fn columns_of(a: &Array2<f64>) -> Array2<f64> {
    let mut columns = Array2::zeros(a.raw_dim().f());
    columns.assign(a);
    columns
}

pub fn eigh(a: &Array2<f64>) -> Option<Eigh> {
    let (values, vectors) = columns_of(a).eigh_into(UPLO::Lower).ok()?;
    Some(Eigh { values, vectors })
}

pub fn eigenvalues(a: &Array2<f64>) -> Option<Array1<f64>> {
    columns_of(a).eigvalsh_into(UPLO::Lower).ok()
}

pub fn cholesky(a: &Array2<f64>) -> Option<Array2<f64>> {
    columns_of(a).cholesky_into(UPLO::Lower).ok()
}

pub fn singular_values(a: &Array2<f64>) -> Option<Array1<f64>> {
    columns_of(a).svd_into(false, false).ok().map(|(_, values, _)| values)
}
