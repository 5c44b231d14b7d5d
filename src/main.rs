//! The command line of `gan-metrics`: parse, plan, run, report, exit.

#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
