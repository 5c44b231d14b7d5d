//! Matrix products on all threads.

use faer::linalg::matmul::{matmul as faer_matmul, triangular};
use faer::{Accum, MatMut, MatRef, get_global_parallelism};
use ndarray::{Array2, ArrayView2, CowArray, Ix2};

use crate::registers;

/// The same values in one of the two layouts that [`as_mat`] takes; copies only views with gaps or reversed axes.
fn contiguous(a: ArrayView2<'_, f64>) -> CowArray<'_, f64, Ix2> {
    if a.is_standard_layout() || a.t().is_standard_layout() {
        a.into()
    } else {
        // `to_owned` would keep reversed axes.
        a.as_standard_layout().into_owned().into()
    }
}

/// faer's view of a matrix in row-major or column-major order.
pub(super) fn as_mat<'a>(a: &'a CowArray<'_, f64, Ix2>) -> MatRef<'a, f64> {
    let (rows, columns) = a.dim();
    match a.as_slice() {
        Some(values) => MatRef::from_row_major_slice(values, rows, columns),
        None => {
            let values = a.as_slice_memory_order().expect("as_mat takes contiguous matrices");
            MatRef::from_column_major_slice(values, rows, columns)
        }
    }
}

fn as_mat_mut(a: &mut Array2<f64>) -> MatMut<'_, f64> {
    let (rows, columns) = a.dim();
    let values = a.as_slice_mut().expect("freshly made and accumulated matrices are row-major");
    MatMut::from_row_major_slice_mut(values, rows, columns)
}

/// The product `a·b` of an m×k and a k×n matrix.
///
/// # Panics
/// When the inner dimensions differ.
pub fn matmul(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Array2<f64> {
    assert_eq!(a.ncols(), b.nrows(), "matmul: inner dimensions differ");
    let mut product = Array2::zeros((a.nrows(), b.ncols()));
    let (a, b) = (contiguous(a), contiguous(b));
    faer_matmul(as_mat_mut(&mut product), Accum::Replace, as_mat(&a), as_mat(&b), 1.0, get_global_parallelism());
    registers::release();
    product
}

/// The product `aᵀ·b` of two lower triangular d×d matrices, in a third of the operations of [`matmul`].
///
/// # Panics
/// When the matrices are not square or differ in size.
pub fn matmul_lower_transposed(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    assert!(a.is_square() && a.dim() == b.dim(), "matmul_lower_transposed: unlike matrices");
    upper_times(a, b.view(), triangular::BlockStructure::TriangularLower)
}

/// The product `aᵀ·b` of a lower triangular d×d matrix and any d×n matrix, in half the operations of [`matmul`].
///
/// # Panics
/// When `a` is not square or has another number of rows than `b`.
pub fn lower_transposed_times(a: &Array2<f64>, b: ArrayView2<'_, f64>) -> Array2<f64> {
    assert!(a.is_square() && a.nrows() == b.nrows(), "lower_transposed_times: unlike matrices");
    upper_times(a, b, triangular::BlockStructure::Rectangular)
}

/// `aᵀ·b`, of which `aᵀ` is upper triangular and `b` is of that structure.
fn upper_times(a: &Array2<f64>, b: ArrayView2<'_, f64>, structure: triangular::BlockStructure) -> Array2<f64> {
    let mut product = Array2::zeros((a.ncols(), b.ncols()));
    let (a, b) = (contiguous(a.view()), contiguous(b));
    triangular::matmul(
        as_mat_mut(&mut product),
        triangular::BlockStructure::Rectangular,
        Accum::Replace,
        as_mat(&a).transpose(),
        triangular::BlockStructure::TriangularUpper,
        as_mat(&b),
        structure,
        1.0,
        get_global_parallelism(),
    );
    registers::release();
    product
}

/// Adds `rowsᵀ·rows` (d×d, from an n×d block) to the lower triangle of `gram`; the strict upper triangle is untouched.
///
/// # Panics
/// When `gram` is not d×d in row-major order.
pub fn add_gram_lower(gram: &mut Array2<f64>, rows: ArrayView2<'_, f64>) {
    assert_eq!(gram.dim(), (rows.ncols(), rows.ncols()), "add_gram_lower: the Gram matrix must be d×d");
    let rows = contiguous(rows);
    let rows = as_mat(&rows);
    triangular::matmul(
        as_mat_mut(gram),
        triangular::BlockStructure::TriangularLower,
        Accum::Add,
        rows.transpose(),
        triangular::BlockStructure::Rectangular,
        rows,
        triangular::BlockStructure::Rectangular,
        1.0,
        get_global_parallelism(),
    );
    registers::release();
}
