//! The command line: [`run`] takes arguments and returns an exit code. `args` is what users type, `plan` is what it
//! means once validated, `commands` run plans, `exit` turns outcomes into codes.

mod args;
mod commands;
mod exit;
mod measure;
mod output;
mod panics;
mod pictures;
mod plan;
mod plot;
mod progress;
mod scoring;
mod terminal;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::Result;
use args::{Cli, Command};
use exit::Outcome;

/// Runs the program `gan-metrics`: parses the arguments, of which the first is the name of the program, runs the command
/// and reports errors on standard error. The codes are those that `gan-metrics --help` lists.
///
/// ```
/// use std::process::ExitCode;
///
/// assert_eq!(gan_metrics::cli::run(["gan-metrics", "--version"]), ExitCode::SUCCESS);
/// ```
pub fn run<A: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = A>) -> ExitCode {
    progress::watch_for_signals();
    let outcome = panics::caught(|| match Cli::try_parse_from(arguments) {
        Ok(cli) => command(&cli.command).unwrap_or_else(|error| exit::report(&error)),
        Err(error) => {
            // clap prints help and version to stdout, usage errors to stderr.
            let _ = error.print();
            if error.use_stderr() { Outcome::Usage } else { Outcome::Success }
        }
    });
    outcome.into()
}

fn command(command: &Command) -> Result<Outcome> {
    match command {
        Command::Fid(args) => commands::single::fid(args),
        Command::Is(args) => commands::single::inception_score(args),
        Command::Score(args) => commands::score::run(args),
        Command::Kid(args) => commands::single::kid(args),
        Command::Prdc(args) => commands::single::prdc(args),
        Command::Mind(args) => commands::single::mind(args),
        Command::Mmd(args) => commands::single::mmd(args),
        Command::Mifid(args) => commands::single::mifid(args),
        Command::Vendi(args) => commands::single::vendi(args),
        Command::FidInfinity(args) => commands::single::fid_infinity(args),
        Command::Duplicates(args) => commands::single::duplicates(args),
        Command::Features(args) => commands::features::run(args),
        Command::Cache(command) => commands::cache::run(command),
        Command::Stats(args) => commands::stats::run(args),
        Command::Divergence(args) => commands::divergence::run(args),
        Command::Train(args) => commands::train::run(args),
        Command::Generate(args) => commands::generate::run(args),
        Command::Export(args) => commands::export::run(args),
        Command::Model(command) => commands::model::run(command),
        Command::Doctor(args) => commands::doctor::run(args),
        Command::Completions { shell } => commands::shell::completions(*shell),
        Command::Man => commands::shell::man(),
    }
}
