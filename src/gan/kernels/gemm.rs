//! Matrix products of slices.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use crate::gan::real::Real;
use crate::registers;

/// Whether the transpose of a matrix is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transposed {
    /// The matrix as it is.
    No,
    /// Its transpose.
    Yes,
}

impl Transposed {
    /// The other one.
    pub fn flip(self) -> Self {
        match self {
            Transposed::No => Transposed::Yes,
            Transposed::Yes => Transposed::No,
        }
    }
}

/// Whether a product replaces what was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// It does.
    Replace,
    /// It is added.
    Add,
}

/// How many threads multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// The one that asks: for products that are themselves computed in parallel.
    One,
    /// All of the rayon pool.
    All,
}

/// A row-major matrix or some of its columns, or the transpose of that.
pub struct Matrix<'a, T> {
    values: &'a [T],
    rows: usize,
    columns: usize,
    part: Range<usize>,
    transposed: Transposed,
}

impl<'a, T: Real> Matrix<'a, T> {
    /// `rows`×`columns` values in row-major order.
    pub fn new(values: &'a [T], rows: usize, columns: usize) -> Self {
        debug_assert_eq!(values.len(), rows * columns);
        Matrix { values, rows, columns, part: 0..columns, transposed: Transposed::No }
    }

    /// Some of its columns.
    pub fn part(mut self, columns: Range<usize>) -> Self {
        self.part = columns;
        self
    }

    /// The transpose, if asked for.
    pub fn transposed(mut self, transposed: Transposed) -> Self {
        self.transposed = transposed;
        self
    }

    /// The transpose.
    pub fn t(self) -> Self {
        self.transposed(Transposed::Yes)
    }

    fn view(&self) -> MatRef<'a, T> {
        let view = MatRef::from_row_major_slice(self.values, self.rows, self.columns);
        let view = view.subcols(self.part.start, self.part.len());
        match self.transposed {
            Transposed::No => view,
            Transposed::Yes => view.transpose(),
        }
    }
}

/// `c` ← a·b or c + a·b, with c in row-major order.
pub fn gemm<T: Real>(c: &mut [T], store: Store, a: Matrix<'_, T>, b: Matrix<'_, T>, threads: Threads) {
    let columns = b.view().ncols();
    gemm_part(c, columns, 0..columns, store, a, b, threads);
}

/// As [`gemm`], for some columns of a matrix c that has `columns` of them.
pub fn gemm_part<T: Real>(
    c: &mut [T],
    columns: usize,
    part: Range<usize>,
    store: Store,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    threads: Threads,
) {
    let (a, b) = (a.view(), b.view());
    let c = MatMut::from_row_major_slice_mut(c, a.nrows(), columns).subcols_mut(part.start, part.len());
    let accumulate = match store {
        Store::Replace => Accum::Replace,
        Store::Add => Accum::Add,
    };
    let parallelism = match threads {
        Threads::One => Par::Seq,
        Threads::All => Par::rayon(0),
    };
    matmul(c, accumulate, a, b, T::ONE, parallelism);
    match threads {
        Threads::One => registers::release(),
        Threads::All => registers::release_everywhere(),
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn no_thread_keeps_its_registers_in_use() {
        let (a, mut c) = (vec![0.5_f32; 256 * 256], vec![0.0_f32; 256 * 256]);
        for threads in [Threads::One, Threads::All] {
            gemm(&mut c, Store::Replace, Matrix::new(&a, 256, 256), Matrix::new(&a, 256, 256), threads);
            let others = rayon::broadcast(|_| registers::in_use());
            assert!(registers::in_use() != Some(true), "{threads:?}");
            assert!(threads == Threads::One || !others.contains(&Some(true)), "{threads:?}");
        }
    }
}
