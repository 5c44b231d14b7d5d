//! Exit codes, and the last words before them.

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::hints::{self, Flags};
use super::terminal;
use crate::report::escaped_for_terminals;
use crate::{Blame, Error};

/// How a command ended. The codes are part of the interface and documented in `gan-metrics --help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done; a bound, if set, is met.
    Success,
    /// Done, but a score misses the bound that was set, or is worse than its baseline.
    BoundMissed,
    /// The arguments or the data are at fault.
    Usage,
    /// A model file is at fault.
    Model,
    /// The machine is at fault: a library, a device, a disk.
    Machine,
    /// A defect of this program.
    Bug,
    /// Stopped by the user.
    Interrupted,
}

impl Outcome {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Outcome::Success => 0,
            Outcome::BoundMissed => 1,
            Outcome::Usage => 2,
            Outcome::Model => 3,
            Outcome::Machine => 4,
            Outcome::Bug => 70,
            Outcome::Interrupted => 130,
        }
    }
}

impl From<Blame> for Outcome {
    fn from(blame: Blame) -> Self {
        match blame {
            Blame::Interrupted => Outcome::Interrupted,
            Blame::Input => Outcome::Usage,
            Blame::Model => Outcome::Model,
            Blame::Machine => Outcome::Machine,
            Blame::Bug => Outcome::Bug,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        ExitCode::from(outcome.code())
    }
}

/// Who tells how the process ended. Whoever is first does, and the other is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teller {
    /// The work, which has come to its end.
    Work,
    /// A signal, which does not wait for it.
    Signal,
}

static TELLER: Mutex<Option<Teller>> = Mutex::new(None);

impl Teller {
    /// Whether it is the one who tells.
    pub fn is_first(self) -> bool {
        *TELLER.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(self) == self
    }
}

/// Another command begins in the same process.
pub fn nothing_is_told() {
    *TELLER.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// The work tells from here on. If a signal ends the process just now, this waits until the process is gone.
pub fn work_tells() {
    while !Teller::Work.is_first() {
        thread::park();
    }
}

/// Prints what went wrong and says how to exit: as the error itself tells, whatever else has happened meanwhile.
pub fn report(error: &Error, flags: Flags, built_in: &hints::OwnCommand<'_>) -> Outcome {
    work_tells();
    let outcome = Outcome::from(error.blame());
    match outcome {
        // Its message says in a line what was interrupted and what is kept.
        Outcome::Interrupted => terminal::say(&escaped_for_terminals(&error.to_string())),
        _ => terminal::say(&format!("error: {}", escaped_lines(&error.to_string()))),
    }
    if let Some(hint) = hints::of(error, flags, built_in) {
        terminal::say(&format!("  {hint}"));
    }
    outcome
}

/// An error may name a file that is called anything; its lines stay lines.
fn escaped_lines(text: &str) -> String {
    text.lines().map(escaped_for_terminals).collect::<Vec<_>>().join("\n")
}
