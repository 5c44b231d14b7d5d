//! Progress on stderr, and the signals that end it.

use std::io::{self, IsTerminal};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use crate::Interrupt;
use crate::evaluate::PassObserver;
use crate::report::escaped_for_terminals;
use indicatif::{ProgressBar, ProgressStyle};

use super::exit::Outcome;
use super::terminal;
use crate::output;

/// How long the work may take to notice that it should stop: a batch of a large network on a slow engine takes longer.
const GRACE: Duration = Duration::from_millis(900);

/// Whether the work has a state to save before it ends, however long that takes.
static SAVES_ITS_STATE: AtomicBool = AtomicBool::new(false);

/// Held while a result is written, so that only a second signal ends the process half-way.
static SPEAKING: Mutex<()> = Mutex::new(());

/// From here on the first signal waits for the work to end by itself.
pub fn save_state_before_the_end() {
    SAVES_ITS_STATE.store(true, Ordering::Relaxed);
}

/// Says something as a whole, even if the work was told to stop meanwhile.
pub fn as_a_whole<R>(say: impl FnOnce() -> R) -> R {
    let _speaking = SPEAKING.lock().unwrap_or_else(PoisonError::into_inner);
    say()
}

/// Ends the process. No destructor runs, but nothing is left: outputs appear when they are complete, or not at all.
fn end() -> ! {
    output::remove_temporaries();
    terminal::say("interrupted");
    process::exit(Outcome::Interrupted.code().into());
}

/// Set as soon as some work asks for it. Until then there is nobody to stop, and a signal ends the process.
static INTERRUPT: OnceLock<Interrupt> = OnceLock::new();

/// Tells work whether the user has asked to stop. Whoever takes it must ask at least once a second.
pub fn interrupt() -> Interrupt {
    INTERRUPT.get_or_init(Interrupt::new).clone()
}

/// From here on the first Ctrl-C, SIGTERM or SIGHUP lets work that [asks](interrupt) come to an orderly end. A second
/// one, or the first where no work asks, ends the process.
pub fn watch_for_signals() {
    // Where one of these signals is handled already, by a program that embeds this one, or ignored, as under nohup, all are
    // left as they are.
    let _ = ctrlc::try_set_handler(|| match INTERRUPT.get() {
        Some(interrupt) if !interrupt.is_requested() => {
            interrupt.request();
            if io::stderr().is_terminal() {
                terminal::say("stopping…");
            }
            if !SAVES_ITS_STATE.load(Ordering::Relaxed) {
                thread::spawn(|| {
                    thread::sleep(GRACE);
                    as_a_whole(|| end())
                });
            }
        }
        _ => end(),
    });
}

/// A bar for each set with throughput and time to go; hidden when stderr is not a terminal, or when asked to be quiet.
pub struct Progress {
    bar: ProgressBar,
    quiet: bool,
}

impl Progress {
    /// No bar yet.
    pub fn new(quiet: bool) -> Self {
        Self { bar: ProgressBar::hidden(), quiet }
    }
}

impl PassObserver for Progress {
    fn begins(&mut self, set: &str, images: usize) {
        let bar = if self.quiet { ProgressBar::hidden() } else { ProgressBar::new(images as u64) };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta} left")
            .expect("the template is well-formed");
        self.bar = bar.with_style(style).with_message(escaped_for_terminals(set));
    }

    fn images_done(&mut self, done: usize, total: usize) {
        self.bar.set_position(done as u64);
        if done == total {
            self.bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    /// Whatever ended the work, its bar must not stand before the words that follow.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
