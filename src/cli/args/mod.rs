//! What users type. Nothing is checked here beyond its form.

mod check;
mod model;
mod network;
mod reading;
mod reports;
mod score;
mod single;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use self::check::CheckArgs;
pub use self::model::{DoctorArgs, ModelCommand};
pub use self::network::{EngineArg, ExtractArgs, NoEffect, first_given};
pub use self::reading::{ReadingArgs, parse_pixel_range};
pub use self::reports::ReportsArgs;
pub use self::score::{
    CacheArgs, CacheCommand, FeaturesArgs, Level, MergeArgs, MetricOrAll, ParametersArgs, ScoreArgs, ScoringArgs,
    SetsArgs, StatsArgs,
};
pub use self::single::SingleArgs;
use super::commands::divergence::DivergenceArgs;
use super::commands::evaluate::EvaluateArgs;
use super::commands::export::ExportArgs;
use super::commands::generate::GenerateArgs;
use super::commands::interpolate::InterpolateArgs;
use super::commands::reconstruct::ReconstructArgs;
use super::commands::runs::RunsCommand;
use super::commands::train::TrainArgs;
use super::commands::traverse::TraverseArgs;

const EXIT_CODES: &str = "\
Exit codes:
  0    done; the bound of --fail-above or --fail-below, if given, is met
  1    done, but a score misses its bound, or is worse than its baseline
  2    the arguments or the data are at fault
  3    a model file is at fault or not installed
  4    the machine is at fault: a library, a device, a disk
  70   a defect of this program
  130  interrupted";

/// How good are the samples of an image generator?
///
/// Computes the Fréchet Inception Distance, the Inception Score and related scores, with the same numbers as the reference
/// implementations.
#[derive(Debug, Parser)]
#[command(version, after_long_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compute every score of a set of generated images in one pass.
    Score(ScoreArgs),
    #[command(flatten)]
    Single(SingleArgs),
    /// Judge a report or two sets against a baseline: a regression test for the quality of samples.
    Check(CheckArgs),
    /// Show which numbers of two reports differ by more than the choice of images explains.
    Compare(ReportsArgs),
    /// Show how the runs of two reports differ in what moves scores.
    Explain(ReportsArgs),
    /// Write the features of every image, from which any score can be computed later.
    Features(FeaturesArgs),
    /// Merge what `features` or `stats` wrote for the parts of a set.
    Merge(MergeArgs),
    /// List or clear the cache of features.
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Write the statistics of a set (mu and sigma, as pytorch-fid does), to compare against later.
    Stats(StatsArgs),
    /// Compute a divergence between two distributions: probabilities, densities, Gaussians or samples.
    Divergence(DivergenceArgs),
    /// Train a generative adversarial network, scoring it on the way.
    Train(TrainArgs),
    /// Make images with a trained generator.
    Generate(GenerateArgs),
    /// Write a grid of images between images of a trained generator.
    Interpolate(InterpolateArgs),
    /// Write a grid of images and of their reconstructions by a model.
    Reconstruct(ReconstructArgs),
    /// Write a grid that shows the effect of the class or the code of a trained generator.
    Traverse(TraverseArgs),
    /// Measure how likely images are under a trained model, or how many of their classes it recognises.
    Evaluate(EvaluateArgs),
    /// Compare training runs.
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Write a trained network as an ONNX graph.
    Export(ExportArgs),
    /// Install, convert, list and inspect networks.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Show which engines, devices and models this machine has, and how to get what is missing.
    Doctor(DoctorArgs),
    /// Print shell completions.
    Completions {
        /// Shell to complete in.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, in roff.
    Man,
}

/// What becomes of the report.
#[derive(Debug, Clone, Args)]
pub struct OutputArgs {
    /// Print the report as JSON, with everything needed to reproduce it.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Write the report to a file instead of stdout.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// No progress and no warnings on stderr; the report has the warnings all the same.
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
}

fn finite(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err("expected a finite number".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
