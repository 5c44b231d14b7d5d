//! Progress on stderr, and the signals that end it.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, OnceLock, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Interrupt;
use crate::evaluate::PassObserver;
use crate::report::escaped_for_terminals;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use super::exit::{Outcome, Teller};
use super::terminal;
use crate::output;

/// How long the work may take to notice that it should stop: a batch of a large network on a slow engine takes longer.
const GRACE: Duration = Duration::from_millis(900);

/// How long the end of the process waits for what may take forever, such as a reader of a pipe.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether the work has a state to save before it ends, however long that takes.
static SAVES_ITS_STATE: AtomicBool = AtomicBool::new(false);

/// Held while a result is written, so that only a second signal, or a reader that does not read, ends the process half-way.
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
    /// Two signals of one instant end the process once: the second would finish the progress line again.
    static ENDING: Mutex<()> = Mutex::new(());
    let _ending = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
    output::remove_temporaries();
    if Teller::Signal.is_first() {
        terminal::say_within(PATIENCE, "interrupted");
    } else {
        // The work is on its way out.
        thread::sleep(PATIENCE);
    }
    // Not `std::process::exit`: that runs the destructors of ONNX Runtime under the threads that still compute in it.
    signal_hook::low_level::exit(Outcome::Interrupted.code().into())
}

/// Ends work that has not noticed in time that it should stop.
fn end_after_grace() {
    thread::sleep(GRACE);
    // Let a result be written to its end, but do not wait for a reader that does not read.
    let patient_until = Instant::now() + PATIENCE;
    let _speaking = loop {
        match SPEAKING.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < patient_until => thread::sleep(Duration::from_millis(10)),
            tried => break tried,
        }
    };
    end();
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
    static WATCHED: Once = Once::new();
    WATCHED.call_once(signals::watch);
}

fn signalled() {
    match INTERRUPT.get() {
        Some(interrupt) if !interrupt.is_requested() => {
            interrupt.request();
            if !SAVES_ITS_STATE.load(Ordering::Relaxed) {
                thread::spawn(end_after_grace);
            }
            if io::stderr().is_terminal() {
                terminal::say_within(PATIENCE, "stopping…");
            }
        }
        _ => end(),
    }
}

#[cfg(unix)]
mod signals {
    use std::fs;
    use std::process::{Command, Stdio};
    use std::thread;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    /// Each signal by itself. One that is ignored, as SIGHUP under nohup and SIGINT in the background of a script, or that a
    /// program which embeds this one handles already, is left as it is.
    pub fn watch() {
        let ours = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_spoken_for(*signal));
        // Where signals cannot be handled they end the process, as they do by default.
        let Ok(mut signals) = Signals::new(ours) else { return };
        thread::spawn(move || signals.forever().for_each(|_| super::signalled()));
    }

    fn is_spoken_for(signal: i32) -> bool {
        listed(signal).unwrap_or_else(|| survived_by_a_shell(signal))
    }

    /// Whether Linux lists a signal among those that this process ignores or handles.
    pub(super) fn listed(signal: i32) -> Option<bool> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let has = |set: &str| {
            let mask = status.lines().find_map(|line| line.strip_prefix(set))?;
            Some(u64::from_str_radix(mask.trim(), 16).ok()? >> (signal - 1) & 1 == 1)
        };
        Some(has("SigIgn:")? || has("SigCgt:")?)
    }

    /// Elsewhere a child tells: it inherits which signals are ignored, and dies of the others.
    pub(super) fn survived_by_a_shell(signal: i32) -> bool {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("kill -{signal} $$")]).stdin(Stdio::null()).stdout(Stdio::null());
        shell.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }
}

#[cfg(not(unix))]
mod signals {
    /// Ctrl-C, unless a program that embeds this one handles it already.
    pub fn watch() {
        let _ = ctrlc::try_set_handler(super::signalled);
    }
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

    fn keeps_in_file(&mut self, set: &str, bytes: u64) {
        if !self.quiet {
            let (set, size, folder) = (escaped_for_terminals(set), HumanBytes(bytes), std::env::temp_dir());
            let note = format!(
                "note: {size} of features of {set} are kept in a temporary file in {} (TMPDIR); scores of statistics alone, such as \
                 FID, need none",
                folder.display()
            );
            self.bar.suspend(|| terminal::say(&note));
        }
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

#[cfg(all(test, unix))]
mod tests {
    use super::signals::{listed, survived_by_a_shell};
    use signal_hook::consts::SIGTERM;

    #[test]
    fn a_shell_tells_what_the_system_lists() {
        if let Some(listed) = listed(SIGTERM) {
            assert_eq!(survived_by_a_shell(SIGTERM), listed);
        }
    }
}
