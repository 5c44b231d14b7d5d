//! The command line: [`run`] takes arguments and returns an exit code. `args` is what users type, `commands` turn it into
//! plans of the library and run them, `output` is where reports go, `exit` turns outcomes into codes.

mod args;
mod commands;
mod exit;
mod hints;
mod invocation;
mod numbers;
mod output;
mod panics;
mod progress;
mod terminal;

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::Result;
use args::{Cli, Command};
use exit::Outcome;
use hints::Flags;

/// Runs the program `gan-metrics`: parses the arguments, of which the first is the name of the program, runs the command
/// and reports errors on standard error. The codes are those that `gan-metrics --help` lists.
///
/// ```
/// use std::process::ExitCode;
///
/// assert_eq!(gan_metrics::cli::run(["gan-metrics", "--version"]), ExitCode::SUCCESS);
/// ```
pub fn run<A: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = A>) -> ExitCode {
    exit::nothing_is_told();
    progress::watch_for_signals();
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let outcome = panics::caught(|| match parse(&arguments) {
        Ok(cli) => command(&cli.command).unwrap_or_else(|error| {
            let flags = match cli.command {
                Command::Score(_) | Command::Check(_) => Flags::Prefixed,
                Command::Single(_) => Flags::Plain,
                _ => Flags::Missing,
            };
            let built_in = || invocation::with_the_built_in_network(&arguments, |words| parse(words).is_ok());
            exit::report(&error, flags, &built_in)
        }),
        Err(error) => {
            // clap prints help and version to stdout, usage errors to stderr.
            let _ = error.print();
            if error.use_stderr() { Outcome::Usage } else { Outcome::Success }
        }
    });
    exit::work_tells();
    outcome.into()
}

fn command(command: &Command) -> Result<Outcome> {
    match command {
        Command::Score(args) => commands::score::many(args),
        Command::Single(args) => commands::score::one(args),
        Command::Check(args) => commands::check::run(args),
        Command::Compare(args) => commands::compare::run(args),
        Command::Explain(args) => commands::explain::run(args),
        Command::Features(args) => commands::features::run(args),
        Command::Merge(args) => commands::merge::run(args),
        Command::Cache(command) => commands::cache::run(command),
        Command::Stats(args) => commands::stats::run(args),
        Command::Divergence(args) => commands::divergence::run(args),
        Command::Train(args) => commands::train::run(args),
        Command::Generate(args) => commands::generate::run(args),
        Command::Interpolate(args) => commands::interpolate::run(args),
        Command::Reconstruct(args) => commands::reconstruct::run(args),
        Command::Traverse(args) => commands::traverse::run(args),
        Command::Evaluate(args) => commands::evaluate::run(args),
        Command::Runs(command) => commands::runs::run(command),
        Command::Export(args) => commands::export::run(args),
        Command::Model(command) => commands::model::run(command),
        Command::Doctor(args) => commands::doctor::run(args),
        Command::Completions { shell } => commands::shell::completions(*shell),
        Command::Man => commands::shell::man(),
    }
}

fn parse<A: AsRef<OsStr>>(arguments: &[A]) -> Result<Cli, clap::Error> {
    let mut command = taking_negative_numbers(Cli::command());
    let mut matches =
        command.try_get_matches_from_mut(arguments.iter().map(|argument| argument.as_ref().to_owned()))?;
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
