//! Axes in another order.

use rayon::prelude::*;

use crate::gan::buffer::Buffer;
use crate::gan::real::Real;

/// Side of the squares in which a matrix is transposed: a few of them fit the nearest cache.
const TILE: usize = 32;

/// Values that are worth a thread.
const WORTHWHILE: usize = 1 << 14;

/// An axis of the result, or several that neighbour each other on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    length: usize,
    /// Distance of neighbours in the source.
    stride: usize,
}

/// The axes of the result; those of length 1 are left out.
fn axes(shape: &[usize], order: &[usize]) -> Vec<Axis> {
    let mut axes: Vec<Axis> = Vec::new();
    for &axis in order.iter().filter(|&&axis| shape[axis] != 1) {
        let (length, stride) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
        match axes.last_mut() {
            Some(before) if before.stride == length * stride => {
                *before = Axis { length: before.length * length, stride };
            }
            _ => axes.push(Axis { length, stride }),
        }
    }
    axes
}

/// Where the values begin that have this number, row-major, among all positions of some axes.
fn offset(axes: &[Axis], mut number: usize) -> usize {
    let mut offset = 0;
    for axis in axes.iter().rev() {
        offset += number % axis.length * axis.stride;
        number /= axis.length;
    }
    offset
}

/// The values of `x`, of this shape, so that axis i of the result is axis `order[i]` of `x`.
pub fn permute<T: Real>(x: &[T], shape: &[usize], order: &[usize]) -> Buffer<T> {
    let mut y = Buffer::stale(x.len());
    if y.is_empty() {
        return y;
    }
    let axes = axes(shape, order);
    let single = Axis { length: 1, stride: 0 };
    // The last two axes are copied as a matrix, whose place the others give.
    let (outer, rows, columns) = match axes[..] {
        [] => (&axes[..], single, single),
        [columns] => (&axes[..0], single, columns),
        [ref outer @ .., rows, columns] => (outer, rows, columns),
    };
    let (matrix, band) = (rows.length * columns.length, TILE * columns.length);
    y.par_chunks_mut(matrix).with_min_len(WORTHWHILE.div_ceil(matrix)).enumerate().for_each(|(number, y)| {
        let x = &x[offset(outer, number)..];
        let bands = y.par_chunks_mut(band).with_min_len(WORTHWHILE.div_ceil(band)).enumerate();
        bands.for_each(|(i, y)| copy_rows(y, &x[i * TILE * rows.stride..], rows.stride, columns));
    });
    y
}

/// Copies a few rows.
fn copy_rows<T: Real>(y: &mut [T], x: &[T], row_stride: usize, columns: Axis) {
    if columns.stride == 1 {
        let rows = y.chunks_exact_mut(columns.length).enumerate();
        rows.for_each(|(i, row)| row.copy_from_slice(&x[i * row_stride..][..columns.length]));
        return;
    }
    for start in (0..columns.length).step_by(TILE) {
        for (i, row) in y.chunks_exact_mut(columns.length).enumerate() {
            let end = columns.length.min(start + TILE);
            let x = x[i * row_stride + start * columns.stride..].iter().step_by(columns.stride.max(1));
            row[start..end].iter_mut().zip(x).for_each(|(y, &x)| *y = x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every value by itself.
    fn slow(x: &[f64], shape: &[usize], order: &[usize]) -> Vec<f64> {
        let axes: Vec<_> = (0..shape.len())
            .map(|i| Axis { length: shape[order[i]], stride: shape[order[i] + 1..].iter().product() })
            .collect();
        (0..x.len()).map(|i| x[offset(&axes, i)]).collect()
    }

    #[test]
    fn neighbours_that_stay_neighbours_are_one_axis() {
        let of = |length, stride| Axis { length, stride };
        assert_eq!(axes(&[2, 3, 4, 5], &[0, 2, 3, 1]), [of(2, 60), of(20, 1), of(3, 20)]);
        assert_eq!(axes(&[2, 3, 4], &[0, 1, 2]), [of(24, 1)]);
        assert_eq!(axes(&[2, 1, 4], &[1, 2, 0]), [of(4, 1), of(2, 4)]);
        assert_eq!(axes(&[1, 1], &[1, 0]), []);
    }

    #[test]
    fn every_order_of_small_and_of_large_shapes() {
        let orders = [[0, 1, 2, 3], [0, 2, 3, 1], [0, 3, 1, 2], [3, 2, 1, 0], [1, 0, 2, 3], [2, 3, 0, 1], [0, 1, 3, 2]];
        for shape in [[2, 3, 4, 5], [1, 3, 1, 5], [3, 40, 33, 70], [70, 1, 65, 3], [1, 1, 1, 1]] {
            let x: Vec<f64> = (0..shape.iter().product::<usize>()).map(|i| i as f64).collect();
            for order in orders {
                assert_eq!(permute(&x, &shape, &order)[..], slow(&x, &shape, &order), "{shape:?} {order:?}");
            }
        }
    }
}
