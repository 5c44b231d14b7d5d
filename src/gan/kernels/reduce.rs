//! Sums over axes, and their reverse.

use rayon::prelude::*;

use crate::gan::buffer::Buffer;
use crate::gan::real::Real;

/// Elements that are added one after the other before partial sums are added.
const BLOCK: usize = 1 << 12;

/// Sum of a slice: eight running sums in blocks, which the compiler turns into vector additions, and whose rounding
/// error grows with the block and not with the slice.
pub fn sum<T: Real>(x: &[T]) -> T {
    sum_of(x, |x| x)
}

/// Sum of f(x).
pub fn sum_of<T: Real>(x: &[T], f: impl Fn(T) -> T) -> T {
    x.chunks(BLOCK).map(|block| sum_block(block, block, |x, _| f(x))).sum()
}

/// Sum of f(x, y).
pub fn sum_of_pairs<T: Real>(x: &[T], y: &[T], f: impl Fn(T, T) -> T) -> T {
    x.chunks(BLOCK).zip(y.chunks(BLOCK)).map(|(x, y)| sum_block(x, y, &f)).sum()
}

fn sum_block<T: Real>(x: &[T], y: &[T], f: impl Fn(T, T) -> T) -> T {
    const LANES: usize = 8;
    let (x_lanes, x_rest) = x.as_chunks::<LANES>();
    let (y_lanes, y_rest) = y.as_chunks::<LANES>();
    let mut sums = [T::ZERO; LANES];
    for (x, y) in x_lanes.iter().zip(y_lanes) {
        for ((sum, &x), &y) in sums.iter_mut().zip(x).zip(y) {
            *sum += f(x, y);
        }
    }
    let rest: T = x_rest.iter().zip(y_rest).map(|(&x, &y)| f(x, y)).sum();
    sums.into_iter().sum::<T>() + rest
}

/// Sum of a whole tensor, in blocks on all threads.
pub fn total<T: Real>(x: &[T]) -> T {
    total_of(x, |x| x)
}

/// Sum of f(x) over a whole tensor, in blocks on all threads.
pub fn total_of<T: Real>(x: &[T], f: impl Fn(T) -> T + Sync) -> T {
    const PARALLEL: usize = 1 << 16;
    if x.len() <= PARALLEL {
        return sum_of(x, f);
    }
    let parts: Vec<T> = x.par_chunks(PARALLEL).map(|part| sum_of(part, &f)).collect();
    parts.into_iter().sum()
}

/// An axis, or several neighbouring ones that are treated alike, of the larger shape.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Axis {
    /// Of the same length in both shapes.
    Kept(usize),
    /// Of length 1, or missing, in the smaller shape.
    Summed(usize),
}

/// How a smaller shape sits in a larger one after numpy's rules of broadcasting; `None` when it does not.
fn axes(large: &[usize], small: &[usize]) -> Option<Vec<Axis>> {
    let missing = large.len().checked_sub(small.len())?;
    let mut axes: Vec<Axis> = Vec::new();
    for (i, &length) in large.iter().enumerate() {
        let of_small = if i < missing { 1 } else { small[i - missing] };
        let axis = match of_small {
            same if same == length => Axis::Kept(length),
            1 => Axis::Summed(length),
            _ => return None,
        };
        match (axes.last_mut(), axis) {
            (Some(Axis::Kept(before)), Axis::Kept(length)) => *before *= length,
            (Some(Axis::Summed(before)), Axis::Summed(length)) => *before *= length,
            _ => axes.push(axis),
        }
    }
    Some(axes)
}

/// Whether `small` broadcasts to `large`.
pub fn broadcasts_to(small: &[usize], large: &[usize]) -> bool {
    axes(large, small).is_some()
}

/// Adds up the axes that `small` lacks or has with length 1.
///
/// # Panics
/// When `small` does not broadcast to `large`.
pub fn sum_to<T: Real>(x: &[T], large: &[usize], small: &[usize]) -> Buffer<T> {
    let axes = axes(large, small).expect("shapes are checked by the operation");
    let mut y = Buffer::zeroed(small.iter().product());
    match axes[..] {
        [Axis::Kept(n), ref rest @ ..] if worth_sharing(n, rest, x.len()) => {
            let (of_x, of_y) = (x.len() / n, y.len() / n);
            let parts = x.par_chunks(of_x).zip(y.par_chunks_mut(of_y)).with_min_len(WORTHWHILE.div_ceil(of_x));
            parts.for_each(|(x, y)| add_sums(x, rest, y));
        }
        _ => add_sums(x, &axes, &mut y),
    }
    y
}

/// Values that are worth a thread.
const WORTHWHILE: usize = 1 << 14;

/// Whether the parts along a first axis of length `n` are shared among threads. Single values are not parts.
fn worth_sharing(n: usize, rest: &[Axis], values: usize) -> bool {
    n > 1 && !rest.is_empty() && values > WORTHWHILE
}

fn add_sums<T: Real>(x: &[T], axes: &[Axis], y: &mut [T]) {
    match axes {
        [] | [Axis::Kept(_)] => y.iter_mut().zip(x).for_each(|(y, &x)| *y += x),
        [Axis::Summed(_)] => y[0] += sum(x),
        [Axis::Kept(n), rest @ ..] => {
            let (of_x, of_y) = (x.len() / n.max(&1), y.len() / n.max(&1));
            x.chunks(of_x.max(1)).zip(y.chunks_mut(of_y.max(1))).for_each(|(x, y)| add_sums(x, rest, y));
        }
        [Axis::Summed(n), rest @ ..] => {
            x.chunks((x.len() / n.max(&1)).max(1)).for_each(|x| add_sums(x, rest, y));
        }
    }
}

/// Repeats `x` along the axes that it lacks or has with length 1.
///
/// # Panics
/// When `small` does not broadcast to `large`.
pub fn broadcast<T: Real>(x: &[T], small: &[usize], large: &[usize]) -> Buffer<T> {
    let axes = axes(large, small).expect("shapes are checked by the operation");
    let mut y = Buffer::stale(large.iter().product());
    let len = y.len();
    match axes[..] {
        [Axis::Kept(n), ref rest @ ..] if worth_sharing(n, rest, len) => {
            let (of_x, of_y) = (x.len() / n, len / n);
            let parts = x.par_chunks(of_x).zip(y.par_chunks_mut(of_y)).with_min_len(WORTHWHILE.div_ceil(of_y));
            parts.for_each(|(x, y)| repeat(x, rest, y));
        }
        [Axis::Summed(n), ref rest @ ..] if worth_sharing(n, rest, len) => {
            let parts = y.par_chunks_mut(len / n).with_min_len(WORTHWHILE.div_ceil(len / n));
            parts.for_each(|y| repeat(x, rest, y));
        }
        _ => repeat(x, &axes, &mut y),
    }
    y
}

fn repeat<T: Real>(x: &[T], axes: &[Axis], y: &mut [T]) {
    match axes {
        [] | [Axis::Kept(_)] => y.copy_from_slice(x),
        [Axis::Summed(_)] => y.fill(x[0]),
        [Axis::Kept(n), rest @ ..] => {
            let (of_x, of_y) = (x.len() / n.max(&1), y.len() / n.max(&1));
            x.chunks(of_x.max(1)).zip(y.chunks_mut(of_y.max(1))).for_each(|(x, y)| repeat(x, rest, y));
        }
        [Axis::Summed(n), rest @ ..] => {
            let of_y = y.len() / n.max(&1);
            y.chunks_mut(of_y.max(1)).for_each(|y| repeat(x, rest, y));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_axes_of_a_kind_are_one() {
        use Axis::{Kept, Summed};
        assert_eq!(axes(&[2, 3, 4, 5], &[3, 1, 1]), Some(vec![Summed(2), Kept(3), Summed(20)]));
        assert_eq!(axes(&[2, 3], &[2, 3]), Some(vec![Kept(6)]));
        assert_eq!(axes(&[2, 3], &[]), Some(vec![Summed(6)]));
        assert_eq!(axes(&[2, 3], &[2]), None);
        assert_eq!(axes(&[3], &[2, 3]), None);
    }

    #[test]
    fn sums_and_repetitions_along_every_kind_of_axis() {
        let x: Vec<f64> = (0..24).map(f64::from).collect();
        let large = [2, 3, 4];
        assert_eq!(&sum_to(&x, &large, &[])[..], [276.0]);
        assert_eq!(&sum_to(&x, &large, &[3, 1])[..], [60.0, 92.0, 124.0]);
        assert_eq!(&sum_to(&x, &large, &[4])[..], [60.0, 66.0, 72.0, 78.0]);
        assert_eq!(&sum_to(&x, &large, &[2, 1, 1])[..], [66.0, 210.0]);
        assert_eq!(&broadcast(&[1.0, 2.0], &[2, 1], &[2, 3])[..], [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
        assert_eq!(&broadcast(&[1.0, 2.0], &[2], &[2, 2])[..], [1.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn what_is_shared_among_threads_is_what_one_thread_computes() {
        let shapes: [[&[usize]; 2]; 5] = [
            [&[50, 40, 20], &[50, 1, 20]],
            [&[50, 40, 20], &[40, 1]],
            [&[40, 1000], &[40, 1]],
            [&[40, 1000], &[1, 1]],
            [&[40, 1000], &[1000]],
        ];
        for [large, small] in shapes {
            let axes = axes(large, small).unwrap();
            let x: Vec<f64> = (0..large.iter().product()).map(|i: usize| (i as f64).sqrt()).collect();
            let mut sums = vec![0.0; small.iter().product()];
            add_sums(&x, &axes, &mut sums);
            assert_eq!(sum_to(&x, large, small)[..], sums, "{small:?}");
            let mut repeated = vec![0.0; x.len()];
            repeat(&sums, &axes, &mut repeated);
            assert_eq!(broadcast(&sums, small, large)[..], repeated, "{small:?}");
        }
    }

    #[test]
    fn long_sums_lose_little() {
        // Adding one by one in f32 would stop growing at 2²⁴.
        let ones = vec![1.0_f32; (1 << 24) + 1024];
        assert_eq!(total(&ones), ((1 << 24) + 1024) as f32);
    }
}
