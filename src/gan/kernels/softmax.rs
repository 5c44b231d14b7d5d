//! Exponentials of rows against their sum.

use rayon::prelude::*;

use super::reduce::{sum_of, sum_of_pairs};
use crate::gan::buffer::Buffer;
use crate::gan::real::Real;

/// Values that are worth a thread.
const WORTHWHILE: usize = 1 << 13;

fn rows_of_a_thread(columns: usize) -> usize {
    WORTHWHILE.div_ceil(columns)
}

/// What is subtracted before exponentials are taken: the largest value, if it is finite.
fn shift_of<T: Real>(row: &[T]) -> T {
    let largest = row.iter().fold(T::of(f64::NEG_INFINITY), |largest, &x| T::max(largest, x));
    if largest.to_f64().is_finite() { largest } else { T::ZERO }
}

/// ln Σ eˣ of every row of at least one value.
pub fn log_sum_exp<T: Real>(x: &[T], columns: usize) -> Buffer<T> {
    let mut y = Buffer::stale(x.len() / columns);
    let rows = y.par_iter_mut().zip(x.par_chunks(columns)).with_min_len(rows_of_a_thread(columns));
    rows.for_each(|(y, row)| {
        let shift = shift_of(row);
        *y = shift + sum_of(row, |x| (x - shift).exp()).ln();
    });
    y
}

/// eˣ/Σ eˣ within every row of at least one value.
pub fn softmax<T: Real>(x: &[T], columns: usize) -> Buffer<T> {
    let mut y = Buffer::stale(x.len());
    let rows = y.par_chunks_mut(columns).zip(x.par_chunks(columns)).with_min_len(rows_of_a_thread(columns));
    rows.for_each(|(y, row)| {
        let shift = shift_of(row);
        y.iter_mut().zip(row).for_each(|(y, &x)| *y = (x - shift).exp());
        let inverse = T::ONE / sum_of(y, |e| e);
        y.iter_mut().for_each(|y| *y = inverse * *y);
    });
    y
}

/// y·(g − Σ g·y) within every row: the derivative of softmax in terms of what it gave.
pub fn softmax_derivative<T: Real>(g: &[T], y: &[T], columns: usize) -> Buffer<T> {
    let mut derivative = Buffer::stale(y.len());
    let rows = derivative.par_chunks_mut(columns).zip(g.par_chunks(columns)).zip(y.par_chunks(columns));
    rows.with_min_len(rows_of_a_thread(columns)).for_each(|((derivative, g), y)| {
        let mean = sum_of_pairs(g, y, |g, y| g * y);
        derivative.iter_mut().zip(g).zip(y).for_each(|((derivative, &g), &y)| *derivative = y * (g - mean));
    });
    derivative
}
