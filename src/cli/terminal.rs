//! Standard error, for what is not a result.

use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Writes a line to stderr. Where that is impossible, on a full disk or after the reader has gone, the words are lost and
/// the work goes on: its results go elsewhere.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Like [`say`], but waits no longer than `patience` for a reader that does not read.
pub fn say_within(patience: Duration, line: &'static str) {
    let (said, is_said) = mpsc::channel();
    thread::spawn(move || {
        say(line);
        let _ = said.send(());
    });
    let _ = is_said.recv_timeout(patience);
}
