//! Where reports go.

use std::io::{self, Write};
use std::path::Path;

use super::args::OutputArgs;
use super::{progress, terminal};
use crate::Result;
use crate::error::{Blame, Blamed};
use crate::output::{Output, Outputs};
use crate::report::plot::Format;
use crate::report::{WarningReport, escaped_for_terminals};

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

/// Claims the file of a picture, which is drawn in the format that its name asks for.
pub fn claim_picture(path: Option<&Path>, outputs: &mut Outputs) -> Result<Option<(Format, Output)>> {
    path.map(|path| Ok((Format::of(path)?, outputs.claim(path)?))).transpose()
}

/// Writes what was found to the file that was claimed, else to stdout.
pub fn write(file: Option<Output>, text: &str) -> Result<()> {
    progress::as_a_whole(|| {
        let Some(file) = file else { return to_stdout(text) };
        let written = file.write_all(text.as_bytes());
        if written.is_err() {
            // An hour of work does not end with a disk that is full.
            to_stdout(text)?;
        }
        Ok(written?)
    })
}

/// Warnings to stderr, unless it is to be quiet.
pub fn warn(warnings: &[WarningReport], quiet: bool) {
    if !quiet {
        for warning in warnings {
            let message = escaped_for_terminals(&warning.message);
            terminal::say(&format!("warning: {message}; {}", warning.remedy));
        }
    }
}

/// Where a report will go.
pub struct Destination {
    file: Option<Output>,
    json: bool,
    quiet: bool,
}

impl Destination {
    /// Claims the file, if one was named.
    pub fn claim(args: &OutputArgs, outputs: &mut Outputs) -> Result<Self> {
        let file = args.output.as_deref().map(|path| outputs.claim(path)).transpose()?;
        Ok(Self { file, json: args.json, quiet: args.quiet })
    }

    /// Writes a report there, of which one of these is made. Its text ends with the warnings; where that is not what people see,
    /// they go to stderr too.
    pub fn emit(
        self,
        warnings: &[WarningReport],
        json: impl FnOnce() -> String,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.json || self.file.is_some() {
            warn(warnings, self.quiet);
        }
        let rendered = if self.json { json() } else { text() };
        write(self.file, &rendered)
    }
}
