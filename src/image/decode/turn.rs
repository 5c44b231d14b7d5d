//! A bound on the pixels of all images that are being decoded, whatever the number of threads: a few small files can announce gigabytes.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, PoisonError};

/// Pixels in work at once, of all threads together: one and a half times the largest image, or eleven photographs of 24 million pixels. While they
/// are decoded, they take at most 11 bytes each.
const IN_WORK: u64 = 1 << 28;

/// Pixels in work.
static PIXELS: Mutex<u64> = Mutex::new(0);
/// Told when there are fewer.
static FEWER: Condvar = Condvar::new();

thread_local! {
    /// Pixels that this thread has in work, and how many [turns](in_turn) it is in.
    static HELD: Cell<(u64, u32)> = const { Cell::new((0, 0)) };
}

/// Does work in which images are decoded and used; what their pixels [took](take) of the bound is given back at its end.
pub(crate) fn in_turn<R>(work: impl FnOnce() -> R) -> R {
    struct Turn;
    impl Drop for Turn {
        fn drop(&mut self) {
            let (held, turns) = HELD.get();
            if turns > 1 {
                return HELD.set((held, turns - 1));
            }
            HELD.set((0, 0));
            if held > 0 {
                *PIXELS.lock().unwrap_or_else(PoisonError::into_inner) -= held;
                FEWER.notify_all();
            }
        }
    }
    let (held, turns) = HELD.get();
    HELD.set((held, turns + 1));
    let _turn = Turn;
    work()
}

/// Waits until there is room for an image of so many pixels. A thread that has an image in work already goes on: waiting for itself would
/// never end.
pub(super) fn take(area: u64) {
    let (held, turns) = HELD.get();
    let mut pixels = PIXELS.lock().unwrap_or_else(PoisonError::into_inner);
    while held == 0 && *pixels > 0 && *pixels + area > IN_WORK {
        pixels = FEWER.wait(pixels).unwrap_or_else(PoisonError::into_inner);
    }
    // Outside of a turn nobody would give it back.
    if turns > 0 {
        *pixels += area;
        HELD.set((held + area, turns));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn large_images_wait_for_each_other_and_all_have_their_turn() {
        let (in_work, most) = (AtomicU64::new(0), AtomicU64::new(0));
        let area = IN_WORK / 2 + 1;
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        in_turn(|| {
                            // A decoder that looks twice, and a turn within a turn, do not wait for themselves.
                            take(area);
                            in_turn(|| take(1));
                            most.fetch_max(in_work.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            thread::yield_now();
                            in_work.fetch_sub(1, Ordering::SeqCst);
                        });
                    }
                });
            }
        });
        assert_eq!(most.into_inner(), 1);
        assert_eq!(HELD.get(), (0, 0));
    }

    #[test]
    fn an_image_beyond_the_bound_has_its_turn_alone() {
        in_turn(|| take(2 * IN_WORK));
        assert_eq!(HELD.get(), (0, 0));
    }
}
