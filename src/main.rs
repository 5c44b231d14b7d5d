//! The program `gan-metrics`: [`gan_metrics::cli::run`] on the arguments of the process.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    gan_metrics::cli::run(std::env::args_os())
}
