//! `gan-metrics train`: a training run in a folder of its own.
//!
//! Raw arguments become a [`plan::Plan`] (networks, data, what is written when), the plan a trainer, and the trainer
//! tells a [`watcher::Watcher`] what happens, which writes the folder.

pub mod data;
pub mod folder;
mod history;
mod list;
mod plan;
pub mod point_scores;
pub mod points;
pub mod scoring;
mod settings;
mod watcher;

use std::path::{Path, PathBuf};

use crate::Result;
use crate::extractor::{Device, ExtractorId};
use crate::score::ScoreNumber;
use clap::Args;

use crate::cli::args::{EngineArg, parse_pixel_range};
use crate::cli::exit::Outcome;
use crate::cli::numbers::whole;
use crate::cli::output;
use crate::cli::progress;
use plan::Plan;
use settings::SettingsArgs;
use watcher::Watcher;

/// `gan-metrics train --data IMAGES --out FOLDER --steps N`
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// List all models, objectives and regularizers, with their papers.
    #[arg(long, exclusive = true)]
    pub list: bool,
    #[command(flatten)]
    pub run: RunArgs,
}

/// A run.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Images to learn from: folder, .zip, .tar, .npz, .npy or IDX file, compressed or not; repeat the flag for several
    /// sets. Points for --model points: gaussians:8 (a ring), gaussians:25 (a grid), or rows of numbers in .npy or .npz.
    #[arg(long, value_name = "IMAGES", required_unless_present_any = ["resume", "list"])]
    pub data: Vec<PathBuf>,
    /// Values of black and white in arrays of floating-point numbers, such as 0,1.
    #[arg(long, value_name = "BLACK,WHITE", allow_hyphen_values = true, value_parser = parse_pixel_range)]
    #[arg(conflicts_with = "resume")]
    pub pixel_range: Option<[f32; 2]>,
    /// Folder of the run: config.toml, checkpoint.safetensors, metrics.csv, curves.svg and .png, and samples/.
    #[arg(long, value_name = "FOLDER", required_unless_present = "list")]
    out: Option<PathBuf>,
    /// Steps of the generator, including those before a --resume.
    #[arg(long, value_name = "N", required_unless_present = "list", value_parser = whole(1..=u64::MAX))]
    steps: Option<u64>,
    /// Resume the run in --out, with its settings and its data, exactly as if it had not stopped.
    #[arg(long)]
    pub resume: bool,
    #[command(flatten)]
    pub settings: SettingsArgs,
    #[command(flatten)]
    pub watch: WatchArgs,
}

impl RunArgs {
    /// Folder of the run.
    pub fn out(&self) -> &Path {
        self.out.as_deref().expect("the parser asks for it")
    }

    /// Steps of the generator.
    pub fn steps(&self) -> u64 {
        self.steps.expect("the parser asks for it")
    }
}

/// What is written, shown and scored on the way.
#[derive(Debug, Args)]
#[command(next_help_heading = "Watching")]
pub struct WatchArgs {
    /// Steps between checkpoints; the last step always has one [default: 500].
    #[arg(long, value_name = "N", value_parser = whole(1..=u64::MAX))]
    pub checkpoint_every: Option<u64>,
    /// Steps between sample grids; the last step always has one [default: 500].
    #[arg(long, value_name = "N", value_parser = whole(1..=u64::MAX))]
    pub sample_every: Option<u64>,
    /// Steps between scores against the training data.
    #[arg(long, value_name = "N", value_parser = whole(1..=u64::MAX))]
    pub score_every: Option<u64>,
    /// Scores to compute, separated by commas: fid, is, kid, precision, recall … (as in the bounds of `score`) [default:
    /// fid, and coverage with 20 to 5000 training images].
    #[arg(long, value_name = "SCORES", value_delimiter = ',', requires = "score_every")]
    #[arg(value_parser = |text: &str| text.parse::<ScoreNumber>())]
    pub scores: Option<Vec<ScoreNumber>>,
    /// Generated images, or points, that scores are computed from.
    #[arg(long, value_name = "N", default_value_t = 2048, requires = "score_every")]
    #[arg(value_parser = whole(2..=1_000_000_u32))]
    pub score_images: u32,
    /// Network of the scores: efficientnet-lite0 (built in; not comparable with published scores) or inception-v3 [default:
    /// efficientnet-lite0].
    #[arg(long, value_name = "NAME", requires = "score_every")]
    #[arg(value_parser = |text: &str| text.parse::<ExtractorId>())]
    pub score_extractor: Option<ExtractorId>,
    /// What runs the network of the scores [default: auto].
    #[arg(long, value_enum, requires = "score_every")]
    pub engine: Option<EngineArg>,
    /// Where the network of the scores runs: auto, cpu, cuda, cuda:N, tensorrt, openvino or coreml [default: auto].
    #[arg(long, requires = "score_every")]
    pub device: Option<Device>,
    /// Library file or folder of ONNX Runtime, instead of searching for it.
    #[arg(long, value_name = "PATH", requires = "score_every")]
    pub ort_library: Option<PathBuf>,
    /// Threads for training [default: all, with --resume as many as the run began with]; another number may round
    /// differently.
    #[arg(long, value_name = "N", value_parser = whole(1..=u16::MAX))]
    pub threads: Option<u16>,
    /// No progress, no table, no warnings.
    #[arg(short, long)]
    pub quiet: bool,
}

/// Trains.
pub fn run(args: &TrainArgs) -> Result<Outcome> {
    if args.list {
        output::to_stdout(&list::text())?;
        return Ok(Outcome::Success);
    }
    let args = &args.run;
    let (plan, mut trainer) = Plan::new(args)?;
    progress::save_state_before_the_end();
    let mut watcher = Watcher::new(plan, &trainer)?;
    let trained = trainer.run(args.steps(), &mut watcher);
    // Whatever ended the run, what was measured until then is kept.
    watcher.finish(&trainer, trained)
}
