//! Loops over elements.

use rayon::prelude::*;

use crate::gan::buffer::Buffer;
use crate::gan::real::Real;

/// Elements that a thread takes at once; shorter arrays are not worth a second thread.
const CHUNK: usize = 1 << 14;

/// f(x) of every element.
pub fn map<T: Real>(x: &[T], f: impl Fn(T) -> T + Sync) -> Buffer<T> {
    let mut y = Buffer::stale(x.len());
    let run = |(y, x): (&mut [T], &[T])| y.iter_mut().zip(x).for_each(|(y, &x)| *y = f(x));
    if x.len() <= CHUNK {
        run((&mut y, x));
    } else {
        y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(run);
    }
    y
}

/// f(a, b) of every pair of elements.
pub fn zip<T: Real>(a: &[T], b: &[T], f: impl Fn(T, T) -> T + Sync) -> Buffer<T> {
    debug_assert_eq!(a.len(), b.len());
    let mut y = Buffer::stale(a.len());
    let run = |((y, a), b): ((&mut [T], &[T]), &[T])| {
        y.iter_mut().zip(a).zip(b).for_each(|((y, &a), &b)| *y = f(a, b));
    };
    if a.len() <= CHUNK {
        run(((&mut y, a), b));
    } else {
        y.par_chunks_mut(CHUNK).zip(a.par_chunks(CHUNK)).zip(b.par_chunks(CHUNK)).for_each(run);
    }
    y
}

/// Changes every element of `y` by that of `x`.
pub fn update<T: Real>(y: &mut [T], x: &[T], f: impl Fn(&mut T, T) + Sync) {
    debug_assert_eq!(y.len(), x.len());
    let run = |(y, x): (&mut [T], &[T])| y.iter_mut().zip(x).for_each(|(y, &x)| f(y, x));
    if y.len() <= CHUNK {
        run((y, x));
    } else {
        y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(run);
    }
}

/// Changes every element of `y` and of a state of the same length by that of `x`.
pub fn update_with_state<T: Real>(y: &mut [T], state: &mut [T], x: &[T], f: impl Fn(&mut T, &mut T, T) + Sync) {
    debug_assert!(y.len() == x.len() && y.len() == state.len());
    let run = |((y, state), x): ((&mut [T], &mut [T]), &[T])| {
        y.iter_mut().zip(state).zip(x).for_each(|((y, state), &x)| f(y, state, x));
    };
    if y.len() <= CHUNK {
        run(((y, state), x));
    } else {
        y.par_chunks_mut(CHUNK).zip(state.par_chunks_mut(CHUNK)).zip(x.par_chunks(CHUNK)).for_each(run);
    }
}

/// Changes every element of `y` and of two states of the same length by that of `x`.
pub fn update_with_states<T: Real>(
    y: &mut [T],
    [first, second]: [&mut [T]; 2],
    x: &[T],
    f: impl Fn(&mut T, &mut T, &mut T, T) + Sync,
) {
    debug_assert!(y.len() == x.len() && y.len() == first.len() && y.len() == second.len());
    let run = |y: &mut [T], [first, second]: [&mut [T]; 2], x: &[T]| {
        y.iter_mut().zip(first).zip(second).zip(x).for_each(|(((y, first), second), &x)| f(y, first, second, x));
    };
    if y.len() <= CHUNK {
        run(y, [first, second], x);
    } else {
        let states = first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK));
        let all = y.par_chunks_mut(CHUNK).zip(states).zip(x.par_chunks(CHUNK));
        all.for_each(|((y, (first, second)), x)| run(y, [first, second], x));
    }
}
