//! Distances of the rows of N×B×C arrays from each other, for each of B groups of C values.

use rayon::prelude::*;

use crate::gan::buffer::Buffer;
use crate::gan::real::Real;

/// The axes of such an array.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    /// Rows.
    pub count: usize,
    /// Groups of a row.
    pub groups: usize,
    /// Values of a group.
    pub values: usize,
}

fn sign<T: Real>(x: T) -> T {
    if x > T::ZERO {
        T::ONE
    } else if x < T::ZERO {
        -T::ONE
    } else {
        T::ZERO
    }
}

impl Rows {
    fn row_len(self) -> usize {
        self.groups * self.values
    }

    /// Σ_c f(place of ibc, place of jbc) for all i, j and b: N×N×B.
    fn sums<T: Real>(self, f: impl Fn(usize, usize) -> T + Sync) -> Buffer<T> {
        let Rows { count, groups, values } = self;
        let mut sums = Buffer::stale(count * count * groups);
        sums.par_chunks_mut((count * groups).max(1)).enumerate().for_each(|(i, sums)| {
            for (number, sum) in sums.iter_mut().enumerate() {
                let (j, group) = (number / groups, number % groups);
                let (of_i, of_j) = (i * self.row_len() + group * values, j * self.row_len() + group * values);
                *sum = (0..values).map(|c| f(of_i + c, of_j + c)).sum();
            }
        });
        sums
    }

    /// Σ_c |m_ibc − m_jbc|.
    pub fn distances<T: Real>(self, m: &[T]) -> Buffer<T> {
        self.sums(|i, j| (m[i] - m[j]).abs())
    }

    /// How fast the distances grow when m moves by h: Σ_c sign(m_ibc − m_jbc)·(h_ibc − h_jbc).
    pub fn growth<T: Real>(self, h: &[T], m: &[T]) -> Buffer<T> {
        self.sums(|i, j| sign(m[i] - m[j]) * (h[i] - h[j]))
    }

    /// The transpose of that: Σ_j (g_ijb + g_jib)·sign(m_ibc − m_jbc).
    pub fn pull<T: Real>(self, g: &[T], m: &[T]) -> Buffer<T> {
        let Rows { count, groups, values } = self;
        let mut pull = Buffer::zeroed(m.len());
        pull.par_chunks_mut(self.row_len().max(1)).enumerate().for_each(|(i, pull)| {
            for j in 0..count {
                for group in 0..groups {
                    let weight = g[(i * count + j) * groups + group] + g[(j * count + i) * groups + group];
                    let (of_i, of_j) = (i * self.row_len() + group * values, j * self.row_len() + group * values);
                    let signs = m[of_i..][..values].iter().zip(&m[of_j..][..values]).map(|(&a, &b)| sign(a - b));
                    let pull = &mut pull[group * values..][..values];
                    pull.iter_mut().zip(signs).for_each(|(pull, sign)| *pull += weight * sign);
                }
            }
        });
        pull
    }
}
