//! Copies of parts of rows.

use rayon::prelude::*;

use crate::gan::real::Real;

/// A part of every row of a matrix.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Length of a row.
    pub row: usize,
    /// Where the part begins in it.
    pub start: usize,
}

/// Copies `len` values of every row of `source` into a part of every row of `target`.
pub fn copy_parts<T: Real>(target: &mut [T], to: Part, source: &[T], from: Part, len: usize) {
    /// Shorter parts are copied together by one thread.
    const SHORTEST: usize = 1 << 14;
    if len == 0 {
        return;
    }
    let rows = target.par_chunks_mut(to.row).zip(source.par_chunks(from.row)).with_min_len(SHORTEST.div_ceil(len));
    rows.for_each(|(target, source)| target[to.start..][..len].copy_from_slice(&source[from.start..][..len]));
}
