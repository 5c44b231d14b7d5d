//! `gan-metrics runs`: training runs side by side.

mod compare;
mod record;
mod table;

use clap::Subcommand;

use crate::Result;
use crate::cli::exit::Outcome;
pub use compare::CompareArgs;

/// What is done with runs.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Print a table of the scores of runs on the same data, with the scores of real samples against real ones.
    Compare(CompareArgs),
}

/// Does it.
pub fn run(command: &RunsCommand) -> Result<Outcome> {
    match command {
        RunsCommand::Compare(args) => compare::run(args),
    }
}
