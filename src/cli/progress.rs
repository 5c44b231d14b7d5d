//! Progress on stderr, and the signals that end it.

use std::io::{self, IsTerminal};
use std::process;
use std::sync::OnceLock;

use crate::Interrupt;
use crate::evaluate::{Continue, PassObserver};
use indicatif::{ProgressBar, ProgressStyle};

use super::exit::Outcome;
use super::terminal;

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
        }
        _ => {
            // No destructor runs from here on.
            remove_temporaries();
            terminal::say("interrupted");
            process::exit(Outcome::Interrupted.code().into());
        }
    });
}

fn remove_temporaries() {}

/// A bar with throughput and time to go; hidden when stderr is not a terminal, or when asked to be quiet.
pub struct Progress {
    bar: ProgressBar,
    interrupt: Interrupt,
}

impl Progress {
    /// A bar for the set called `name`.
    pub fn new(name: String, quiet: bool) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::no_length() };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta} left")
            .expect("the template is well-formed");
        Self { bar: bar.with_style(style).with_message(name), interrupt: interrupt() }
    }
}

impl PassObserver for Progress {
    fn images_done(&mut self, done: usize, total: usize) -> Continue {
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
        if done == total {
            self.bar.finish_and_clear();
        }
        if self.interrupt.is_requested() { Continue::No } else { Continue::Yes }
    }
}
