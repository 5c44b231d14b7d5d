//! Factorisations by `faer`, of finite matrices that are not empty; `None` where the iteration does not converge.

use ::faer::linalg::solvers::{Llt, SelfAdjointEigen};
use ::faer::{MatRef, Side};
use ndarray::{Array1, Array2, ShapeBuilder};

use super::Eigh;
use super::gemm::as_mat;

pub const NAME: &str = "faer";

/// The same matrix, in the column-major order that faer keeps it in.
fn to_array(a: MatRef<'_, f64>) -> Array2<f64> {
    let mut values = Vec::with_capacity(a.nrows() * a.ncols());
    (0..a.ncols()).for_each(|column| values.extend(a.col(column).iter()));
    Array2::from_shape_vec((a.nrows(), a.ncols()).f(), values).expect("as many values as the matrix has")
}

pub fn eigh(a: &Array2<f64>) -> Option<Eigh> {
    let decomposition = SelfAdjointEigen::new(as_mat(&a.into()), Side::Lower).ok()?;
    Some(Eigh {
        values: Array1::from_iter(decomposition.S().column_vector().iter().copied()),
        vectors: to_array(decomposition.U()),
    })
}

pub fn eigenvalues(a: &Array2<f64>) -> Option<Array1<f64>> {
    as_mat(&a.into()).self_adjoint_eigenvalues(Side::Lower).map(Array1::from_vec).ok()
}

pub fn cholesky(a: &Array2<f64>) -> Option<Array2<f64>> {
    Llt::new(as_mat(&a.into()), Side::Lower).ok().map(|factor| to_array(factor.L()))
}

pub fn singular_values(a: &Array2<f64>) -> Option<Array1<f64>> {
    as_mat(&a.into()).singular_values().map(Array1::from_vec).ok()
}
