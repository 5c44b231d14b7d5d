//! Progress on stderr, and Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::evaluate::{Continue, PassObserver};
use indicatif::{ProgressBar, ProgressStyle};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From here on the first Ctrl-C (or SIGTERM) ends the pass between two batches, where nothing is half-written; the
/// second ends the process at once.
pub fn watch_for_interrupts() {
    // A handler that is there already, as in a test harness, is left alone.
    let _ = ctrlc::try_set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    });
}

/// Whether the user asked to stop.
pub fn was_interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// A bar with throughput and time to go; hidden when stderr is no terminal, or when asked to be quiet.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar for the set called `name`.
    pub fn new(name: String, quiet: bool) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::no_length() };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta} left")
            .expect("the template is well-formed");
        Self(bar.with_style(style).with_message(name))
    }
}

impl PassObserver for Progress {
    fn images_done(&mut self, done: usize, total: usize) -> Continue {
        self.0.set_length(total as u64);
        self.0.set_position(done as u64);
        if done == total {
            self.0.finish_and_clear();
        }
        if was_interrupted() { Continue::No } else { Continue::Yes }
    }
}
