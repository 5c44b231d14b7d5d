//! Two reports of earlier runs.

use std::path::PathBuf;

use clap::Args;

/// Two reports, and what becomes of what is found in them.
#[derive(Debug, Args)]
pub struct ReportsArgs {
    /// JSON report of a run, as written by `gan-metrics score REAL FAKE --ci 95 --json -o first.json`.
    #[arg(value_name = "FIRST")]
    pub first: PathBuf,
    /// JSON report of another run.
    #[arg(value_name = "SECOND")]
    pub second: PathBuf,
    /// Print the result as JSON.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Write the result to a file instead of stdout.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
}
