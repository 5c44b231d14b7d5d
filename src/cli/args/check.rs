//! A run beside a baseline.

use std::path::PathBuf;

use clap::Args;

use super::score::{ParametersArgs, RunArgs, SETS_OR_STATISTICS, SetsArgs};
use crate::cli::commands::generate::OnnxGeneratorArgs;
use crate::report::Tolerances;

/// `gan-metrics check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The run to judge.
    #[arg(value_name = "RUN|REAL")]
    #[arg(help = format!("A JSON report to judge, or, with FAKE, the real images: {SETS_OR_STATISTICS}"))]
    pub first: PathBuf,
    /// The generated images, likewise: the scores in the baseline are computed for them with its preset, and judged.
    #[arg(value_name = "FAKE")]
    pub fake: Option<PathBuf>,
    /// JSON report to compare with, as written by `score --json`.
    #[arg(long, value_name = "FILE")]
    pub baseline: PathBuf,
    /// How much worse than the baseline a number may be: a percentage of it (2%), standard errors of the change (3sigma) or
    /// an amount (0.01), for all numbers or by name (2%,kid=3sigma,recall=0.01) [default: 3sigma].
    #[arg(long, value_name = "TOLERANCE", allow_hyphen_values = true)]
    #[arg(value_parser = |text: &str| text.parse::<Tolerances>())]
    pub tolerance: Option<Tolerances>,
    /// Write the verdicts as JUnit XML, which GitLab and Jenkins read.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub junit: Option<PathBuf>,
    /// Also print the verdicts as workflow commands of GitHub Actions, after the text.
    #[arg(long, help_heading = "Output")]
    pub github: bool,
    /// Append the verdicts as a line of JSON to a log.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub append: Option<PathBuf>,
    #[command(flatten)]
    pub generated: OnnxGeneratorArgs,
    #[command(flatten)]
    pub parameters: ParametersArgs,
    #[command(flatten)]
    pub run: RunArgs,
}

impl CheckArgs {
    /// The sets to compute scores of; `None` where a report is judged.
    pub fn sets(&self) -> Option<SetsArgs> {
        let is_of_sets = self.fake.is_some() || self.generated.generator.is_some();
        is_of_sets.then(|| SetsArgs {
            real: Some(self.first.clone()),
            fakes: self.fake.iter().cloned().collect(),
            generated: self.generated.clone(),
        })
    }
}
