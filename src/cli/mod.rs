//! The command line: [`run`] takes arguments and returns an exit code. `args` is what users type, `plan` is what it
//! means once validated, `commands` run plans, `exit` turns outcomes into codes.

mod args;
mod commands;
mod exit;
mod measure;
mod numbers;
mod output;
mod pictures;
mod plan;
mod plot;
mod progress;
mod scoring;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use args::{Cli, Command};

/// Runs the program `gan-metrics`: parses the arguments, of which the first is the name of the program, runs the command
/// and reports errors on standard error. The codes are those that `gan-metrics --help` lists.
///
/// ```
/// use std::process::ExitCode;
///
/// assert_eq!(gan_metrics::cli::run(["gan-metrics", "--version"]), ExitCode::SUCCESS);
/// ```
pub fn run<A: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = A>) -> ExitCode {
    let cli = match parse(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // clap prints help and version to stdout, usage errors to stderr.
            let _ = error.print();
            return if error.use_stderr() { exit::Outcome::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    let outcome = match &cli.command {
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
    };
    outcome.unwrap_or_else(|error| exit::report(&error)).into()
}

fn parse<A: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = A>) -> Result<Cli, clap::Error> {
    let mut command = taking_negative_numbers(Cli::command());
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Hands a number below zero to the option before it, whose parser names the range; clap would take it for a flag and
/// suggest `-- -1`.
fn taking_negative_numbers(command: clap::Command) -> clap::Command {
    let takes_values = |arg: &clap::Arg| !arg.is_positional() && arg.get_action().takes_values();
    command
        .mut_args(|arg| if takes_values(&arg) { arg.allow_negative_numbers(true) } else { arg })
        .mut_subcommands(taking_negative_numbers)
}
