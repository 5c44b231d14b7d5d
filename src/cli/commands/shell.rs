//! `gan-metrics completions SHELL` and `gan-metrics man`: made from the same definition as the parser.

use crate::Result;
use clap::CommandFactory;

use crate::cli::args::Cli;
use crate::cli::exit::Outcome;
use crate::cli::output;

/// Prints completions.
pub fn completions(shell: clap_complete::Shell) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "gan-metrics", &mut script);
    output::to_stdout(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Success)
}

/// Prints the manual page.
pub fn man() -> Result<Outcome> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).expect("a Vec takes any bytes");
    output::to_stdout(&String::from_utf8_lossy(&page))?;
    Ok(Outcome::Success)
}
