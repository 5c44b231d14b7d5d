//! Where reports go.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Blame, Blamed};
use crate::report::{Report, Warning, WarningReport};
use crate::{Result, atomic};

use super::args::OutputArgs;
use super::measure::Verbosity;
use super::terminal;

/// A report cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to {}: {source}", to.as_deref().map_or("standard output".into(), |path| path.display().to_string()))]
pub struct OutputError {
    to: Option<PathBuf>,
    source: io::Error,
}

impl OutputError {
    /// The file at `path` is the one in question.
    pub fn at(path: &Path, source: io::Error) -> Self {
        Self { to: Some(path.into()), source }
    }
}

impl Blamed for OutputError {
    fn blame(&self) -> Blame {
        match self.source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Blame::Input,
            _ => Blame::Machine,
        }
    }
}

/// Writes to stdout. A reader that closed the pipe has what it wanted: that is success.
pub fn to_stdout(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other.map_err(|source| OutputError { to: None, source })?),
    }
}

/// Writes a file that appears whole or not at all.
pub fn to_file(path: &Path, content: &[u8]) -> Result<()> {
    let written = atomic::write(path, |file| file.write_all(content));
    Ok(written.map_err(|source| OutputError::at(path, source))?)
}

/// Warnings of a command without a report, to stderr.
pub fn warn(warnings: &[Warning], verbosity: Verbosity) {
    let warnings: Vec<WarningReport> = warnings.iter().cloned().map(Into::into).collect();
    print_warnings(&warnings, verbosity);
}

fn print_warnings(warnings: &[WarningReport], verbosity: Verbosity) {
    if verbosity == Verbosity::Normal {
        for warning in warnings {
            terminal::say(&format!("warning: {}; {}", warning.message, warning.remedy));
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
