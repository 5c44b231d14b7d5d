//! Standard error, for what is not a result.

use std::io::{self, Write};

/// Writes a line to stderr. Where that is impossible, on a full disk or after the reader has gone, the words are lost and
/// the work goes on: its results go elsewhere.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
