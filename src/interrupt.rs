//! How long work is stopped: a flag that it asks now and then.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::error::{Blame, Blamed};

/// Between two looks at the flag on behalf of work that does not look itself.
const POLL: Duration = Duration::from_millis(50);

/// Whether work should stop. Long work holds one and [asks](Self::check) it often enough to stop within a second; what it
/// returns then is an ordinary error, so that everything unwinds and nothing is left behind.
///
/// Clones share the flag.
///
/// ```
/// use gan_metrics::Interrupt;
///
/// let interrupt = Interrupt::new();
/// let seen_by_the_work = interrupt.clone();
/// assert!(seen_by_the_work.check().is_ok());
/// interrupt.request();
/// assert!(seen_by_the_work.check().is_err());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Nobody has asked to stop yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop. Safe in a signal handler: one atomic store.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the work should stop.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// `Err` from the moment on when the work should stop.
    ///
    /// # Errors
    /// [`Interrupted`].
    pub fn check(&self) -> Result<(), Interrupted> {
        if self.is_requested() { Err(Interrupted) } else { Ok(()) }
    }

    /// What work finds that cannot ask, such as a factorisation of a large matrix. It runs on a thread of its own, which is left to
    /// end by itself when the work should stop: what it still finds is lost.
    pub(crate) fn deserting<T, W>(&self, work: W) -> Result<T, Interrupted>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        self.check()?;
        // A thread of the pool that waits might be one that the work needs.
        if rayon::current_thread_index().is_some() {
            return Ok(work());
        }
        let ((alive, ended), (give, given)) = (channel::<()>(), channel());
        let worker = thread::Builder::new().name("gan-metrics".into()).spawn(move || {
            // Dropped when the work ends, however it does.
            let _alive = alive;
            let work: W = given.recv().expect("work is given before the giver goes");
            work()
        });
        // Where no thread can be started there is still this one.
        let Ok(worker) = worker else { return Ok(work()) };
        give.send(work).unwrap_or_else(|_| unreachable!("the worker waits for it"));
        while ended.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
            self.check()?;
        }
        worker.join().map_err(|panic| resume_unwind(panic))
    }
}

/// The work was stopped because an [`Interrupt`] asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

impl Blamed for Interrupted {
    fn blame(&self) -> Blame {
        Blame::Interrupted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_cannot_ask_is_deserted() {
        let interrupt = Interrupt::new();
        assert_eq!(interrupt.deserting(|| 7), Ok(7));
        let (go_on, told) = channel::<()>();
        let in_work = interrupt.clone();
        let found = interrupt.deserting(move || {
            in_work.request();
            // Until the test is over.
            told.recv()
        });
        assert!(found.is_err());
        drop(go_on);
        assert_eq!(interrupt.deserting(|| unreachable!("it should not begin")), Err::<(), _>(Interrupted));
    }

    #[test]
    fn a_panic_is_passed_on() {
        let caught = std::panic::catch_unwind(|| Interrupt::new().deserting(|| panic!("of the work")));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"of the work"));
    }

    #[test]
    fn the_only_thread_of_a_pool_does_the_work_itself() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let sum = pool.install(|| Interrupt::new().deserting(|| rayon::join(|| 1, || 2)));
        assert_eq!(sum, Ok((1, 2)));
    }
}
