//! How long work is stopped: a flag that it asks now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Blame, Blamed};

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
