//! A panic is a defect of this program, and is reported as one.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

use super::exit::{self, Outcome};
use super::terminal;
use crate::foreign;

/// Does the work. A panic is reported in one line and unwinds, so that no temporaries are left.
pub fn caught(work: impl FnOnce() -> Outcome) -> Outcome {
    let before = panic::take_hook();
    // A panic in one thread causes another in the thread that waits for it.
    let told = Once::new();
    panic::set_hook(Box::new(move |panic| {
        if !foreign::is_at_work() {
            told.call_once(|| tell(panic));
        }
    }));
    // Nothing that the work has touched is used after it.
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(before);
    outcome.unwrap_or(Outcome::Bug)
}

fn tell(panic: &PanicHookInfo<'_>) {
    exit::work_tells();
    let place = panic.location().map_or(String::new(), |location| format!(" at {location}"));
    let reason = panic.payload_as_str().unwrap_or("no reason was given").replace('\n', " ");
    let version = env!("CARGO_PKG_VERSION");
    terminal::say(&format!(
        "error: this is a defect of gan-metrics {version}{place}: {reason}; please report it, with the command that you ran"
    ));
    // Where RUST_BACKTRACE asks for one.
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        terminal::say(&backtrace.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_defect_and_everything_unwinds() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = caught(|| {
            let _temporary = tempfile::tempfile_in(folder.path()).unwrap();
            let _named = tempfile::NamedTempFile::new_in(folder.path()).unwrap();
            std::thread::scope(|scope| scope.spawn(|| panic!("provoked by a test")).join().unwrap());
            Outcome::Success
        });
        assert_eq!(outcome, Outcome::Bug);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(caught(|| Outcome::BoundMissed), Outcome::BoundMissed);
    }
}
