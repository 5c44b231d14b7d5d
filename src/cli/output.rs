//! Where reports go.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gan_metrics::error::{Blame, Blamed};
use gan_metrics::report::Report;
use gan_metrics::{Result, atomic};

use super::args::OutputArgs;

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
pub fn to_file(path: &Path, text: &str) -> Result<()> {
    let written = atomic::write(path, |file| file.write_all(text.as_bytes()));
    Ok(written.map_err(|source| OutputError::at(path, source))?)
}

/// Warnings to stderr, the report to where it was asked for.
pub fn emit(report: &Report, args: &OutputArgs) -> Result<()> {
    if !args.quiet {
        for warning in &report.warnings {
            eprintln!("warning: {}; {}", warning.message, warning.remedy);
        }
    }
    let text = if args.json { report.to_json() } else { report.to_text() };
    match &args.output {
        Some(path) => to_file(path, &text),
        None => to_stdout(&text),
    }
}
