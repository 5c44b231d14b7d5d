//! Where the largest values are.

use std::cmp::Ordering;

use rayon::prelude::*;

use crate::gan::real::Real;

/// Results that are worth a thread.
const WORTHWHILE: usize = 1 << 12;

/// Place of the largest of some values: the first one of equal ones. What is not a number counts as largest, so that it
/// does not get lost.
fn largest<T: Real>(x: &[T], places: impl Iterator<Item = usize>) -> usize {
    let exceeds = |a: T, b: T| match a.partial_cmp(&b) {
        Some(order) => order == Ordering::Greater,
        None => b.partial_cmp(&b).is_some(),
    };
    places.reduce(|best, place| if exceeds(x[place], x[best]) { place } else { best }).expect("at least one value")
}

/// Places of the largest values along an axis, given the number of values in front of it, on it (at least one) and
/// behind it.
pub fn largest_along<T: Real>(x: &[T], [before, length, behind]: [usize; 3]) -> Vec<usize> {
    let place = |result: usize| {
        let first = result / behind * length * behind + result % behind;
        largest(x, (0..length).map(|i| first + i * behind))
    };
    (0..before * behind).into_par_iter().with_min_len(WORTHWHILE).map(place).collect()
}

/// Places of the largest pixels of squares of this side, in images of this width that can be cut into such squares.
pub fn largest_of_squares<T: Real>(x: &[T], width: usize, side: usize) -> Vec<usize> {
    let small_width = width / side;
    let place = |result: usize| {
        let first = result / small_width * side * width + result % small_width * side;
        largest(x, (0..side * side).map(|i| first + i / side * width + i % side))
    };
    (0..x.len() / (side * side)).into_par_iter().with_min_len(WORTHWHILE).map(place).collect()
}
