//! Where reports go.

use std::io::{self, Write};
use std::path::Path;

use crate::Result;
use crate::error::{Blame, Blamed};
use crate::output::Output;
use crate::report::{Report, Warning, WarningReport};

use super::args::OutputArgs;
use super::measure::Verbosity;

/// Standard output takes nothing.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
struct StdoutError(io::Error);

impl Blamed for StdoutError {
    fn blame(&self) -> Blame {
        Blame::Machine
    }
}

/// Writes to stdout. A reader that closed the pipe has what it wanted: that is success.
pub fn to_stdout(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other.map_err(StdoutError)?),
    }
}

/// Writes a file at once that appears whole or not at all. What takes work is [claimed](Output::claim) before it.
pub fn to_file(path: &Path, content: &[u8]) -> Result<()> {
    Ok(Output::claim(path)?.write_all(content)?)
}

/// Warnings of a command without a report, to stderr.
pub fn warn(warnings: &[Warning], verbosity: Verbosity) {
    let warnings: Vec<WarningReport> = warnings.iter().cloned().map(Into::into).collect();
    print_warnings(&warnings, verbosity);
}

fn print_warnings(warnings: &[WarningReport], verbosity: Verbosity) {
    if verbosity == Verbosity::Normal {
        for warning in warnings {
            eprintln!("warning: {}; {}", warning.message, warning.remedy);
        }
    }
}

/// Warnings to stderr, the report to where it was asked for.
pub fn emit(report: &Report, args: &OutputArgs) -> Result<()> {
    print_warnings(&report.warnings, args.quiet.into());
    let text = if args.json { report.to_json() } else { report.to_text() };
    match &args.output {
        Some(path) => to_file(path, text.as_bytes()),
        None => to_stdout(&text),
    }
}
