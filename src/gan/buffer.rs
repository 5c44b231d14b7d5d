//! Storage of tensors, used again from step to step.
//!
//! The activations of a step are as large as those of the step before. Handing them back to the system and asking for
//! them anew costs a page fault for every 4 KiB; a free list costs a look-up, and keeps the memory of a training run
//! at the peak of its first step. The list is one for all threads: what a worker fills, another thread drops.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::real::Real;

/// Shorter buffers come from the allocator, which is good at them.
const SHORTEST_POOLED: usize = 4096;

/// Free buffers by length.
#[derive(Debug, Default)]
pub struct Pool<T>(Mutex<HashMap<usize, Vec<Vec<T>>>>);

impl<T> Pool<T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Vec<Vec<T>>>> {
        // Nothing that can panic runs while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Values of a tensor, or scratch space; goes back to the free list when it is dropped, if it was asked for there. Values that
/// were made elsewhere go back to the allocator: nobody takes them from the list, which would grow with every step.
#[derive(Debug)]
pub(crate) struct Buffer<T: Real> {
    values: Vec<T>,
    is_pooled: bool,
}

impl<T: Real> Buffer<T> {
    /// Space of which every value will be overwritten: what it holds is unspecified.
    pub fn stale(len: usize) -> Self {
        Self::pooled(take(len).unwrap_or_else(|| vec![T::ZERO; len]))
    }

    /// Space full of one value.
    pub fn full(len: usize, value: T) -> Self {
        let Some(mut values) = take(len) else { return Self::pooled(vec![value; len]) };
        values.fill(value);
        Self::pooled(values)
    }

    /// Space full of zeros.
    pub fn zeroed(len: usize) -> Self {
        Self::full(len, T::ZERO)
    }

    fn pooled(values: Vec<T>) -> Self {
        let is_pooled = values.len() >= SHORTEST_POOLED;
        Buffer { values, is_pooled }
    }
}

fn take<T: Real>(len: usize) -> Option<Vec<T>> {
    if len < SHORTEST_POOLED {
        return None;
    }
    T::pool().lock().get_mut(&len).and_then(Vec::pop)
}

impl<T: Real> From<Vec<T>> for Buffer<T> {
    fn from(values: Vec<T>) -> Self {
        Buffer { values, is_pooled: false }
    }
}

impl<T: Real> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::stale(self.len());
        copy.copy_from_slice(self);
        copy
    }
}

impl<T: Real> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T: Real> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values
    }
}

impl<T: Real> Drop for Buffer<T> {
    fn drop(&mut self) {
        if self.is_pooled {
            let values = std::mem::take(&mut self.values);
            T::pool().lock().entry(values.len()).or_default().push(values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_buffer_is_used_again_and_zeroed_on_demand() {
        const LEN: usize = 5003;
        let mut first = Buffer::<f32>::zeroed(LEN);
        first.fill(7.0);
        let address = first.as_ptr();
        drop(first);
        let second = Buffer::<f32>::zeroed(LEN);
        assert_eq!(second.as_ptr(), address);
        assert!(second.iter().all(|&value| value == 0.0));
    }

    #[test]
    fn what_one_thread_fills_and_another_drops_is_used_again() {
        const LEN: usize = 5009;
        let fill = || std::thread::spawn(|| Buffer::<f32>::zeroed(LEN)).join().unwrap();
        let first = fill();
        let address = first.as_ptr();
        drop(first);
        assert_eq!(fill().as_ptr(), address);
    }

    #[test]
    fn values_made_elsewhere_do_not_pile_up() {
        const LEN: usize = 5011;
        drop(Buffer::from(vec![1.0_f32; LEN]));
        assert!(f32::pool().lock().get(&LEN).is_none_or(Vec::is_empty));
        // A copy of them is asked for like any other buffer.
        let copy = Buffer::from(vec![1.0_f32; LEN]).clone();
        drop(copy);
        assert_eq!(f32::pool().lock()[&LEN].len(), 1);
    }

    #[test]
    fn clones_are_independent() {
        let first = Buffer::from(vec![1.0_f64; 5000]);
        let mut second = first.clone();
        second[0] = 2.0;
        assert_eq!((first[0], second[0], second[1]), (1.0, 2.0, 1.0));
    }
}
