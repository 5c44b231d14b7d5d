//! `gan-metrics train`: a training run in a folder of its own.
//!
//! Raw arguments become a [`plan::Plan`] (networks, data, what is written when), the plan a trainer, and the trainer
//! tells a [`watcher::Watcher`] what happens, which writes the folder.

mod data;
mod folder;
mod grid;
mod history;
mod plan;
mod scoring;
mod watcher;

use std::path::PathBuf;

use crate::Result;
use crate::extractor::{Device, ExtractorId};
use crate::gan::models::ModelSpec;
use crate::gan::objective::Objective;
use crate::gan::train::{Latent, TrainConfig};
use crate::score::ScoreNumber;
use clap::{Args, ValueEnum};

use crate::cli::args::EngineArg;
use crate::cli::exit::Outcome;
use crate::cli::numbers::{seed, whole};
use crate::cli::progress;
use plan::Plan;
use watcher::Watcher;

/// `gan-metrics train --data IMAGES --out FOLDER --steps N`
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Images to learn from: folder, .zip, .tar, .npz, .npy or IDX file (.gz too); several sets by repeating it.
    #[arg(long, value_name = "IMAGES", required_unless_present = "resume")]
    pub data: Vec<PathBuf>,
    /// Folder of the run: config.toml, checkpoint.safetensors, metrics.csv, curves.svg and samples/.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Steps of the generator, those before a --resume included.
    #[arg(long, value_name = "N", value_parser = whole(1..=u64::MAX))]
    pub steps: u64,
    /// Go on with the run in --out, with its settings and its data, exactly as if it had not stopped.
    #[arg(long)]
    pub resume: bool,
    #[command(flatten)]
    pub settings: SettingsArgs,
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// What is trained, and how. A run that is resumed keeps what it began with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model and training")]
pub struct SettingsArgs {
    /// Networks: dcgan (convolutional) or mlp (fully connected) [default: dcgan].
    #[arg(long, value_enum, conflicts_with = "resume")]
    pub model: Option<ModelArg>,
    /// Side of the images; others are cropped to a square and resized [default: 64].
    #[arg(long, value_name = "PIXELS", conflicts_with = "resume", value_parser = whole(1..=ModelSpec::LARGEST))]
    pub size: Option<usize>,
    /// 1 (gray) or 3 (RGB) [default: 1 where every image is gray].
    #[arg(long, value_name = "N", conflicts_with = "resume", value_parser = whole(1_usize..=3))]
    pub channels: Option<usize>,
    /// Length of z [default: 100, for mlp 128].
    #[arg(long, value_name = "N", conflicts_with = "resume", value_parser = whole(1..=ModelSpec::LARGEST))]
    pub latent_size: Option<usize>,
    /// Distribution of z: normal or uniform [default: normal].
    #[arg(long, value_name = "NAME", conflicts_with = "resume", value_parser = |text: &str| text.parse::<Latent>())]
    pub latent: Option<Latent>,
    /// Channels of the widest resolution of both networks, or the hidden width of mlp [default: 64, for mlp 256].
    #[arg(long, value_name = "N", conflicts_with = "resume", value_parser = whole(1..=ModelSpec::LARGEST))]
    pub width: Option<usize>,
    /// Images in a batch [default: 64].
    #[arg(long, value_name = "N", conflicts_with = "resume", value_parser = whole(2..=TrainConfig::LARGEST_BATCH))]
    pub batch_size: Option<usize>,
    /// Game: non-saturating, minimax, f-gan:NAME, wasserstein, wasserstein-gp, least-squares or hinge
    /// [default: non-saturating].
    #[arg(long, value_name = "NAME", conflicts_with = "resume", value_parser = |text: &str| text.parse::<Objective>())]
    pub objective: Option<Objective>,
    /// Steps of the discriminator for each one of the generator [default: 1].
    #[arg(long, value_name = "K", conflicts_with = "resume")]
    #[arg(value_parser = whole(1..=TrainConfig::MOST_CRITIC_STEPS))]
    pub critic_steps: Option<usize>,
    /// Learning rate of Adam for both networks [default: 0.0002].
    #[arg(long, value_name = "RATE", conflicts_with = "resume")]
    pub learning_rate: Option<f64>,
    /// First moment's decay of Adam [default: 0.5].
    #[arg(long, value_name = "BETA", conflicts_with = "resume")]
    pub beta1: Option<f64>,
    /// Label of real images in minimax and non-saturating: below 1 for one-sided label smoothing [default: 1].
    #[arg(long, value_name = "P", conflicts_with = "resume")]
    pub real_label: Option<f64>,
    /// Draw samples from a moving average of the generator's weights with this decay, such as 0.999.
    #[arg(long, value_name = "DECAY", conflicts_with = "resume")]
    pub average_decay: Option<f64>,
    /// Shorten gradients to this norm.
    #[arg(long, value_name = "NORM", conflicts_with = "resume")]
    pub clip_norm: Option<f64>,
    /// Seed of weights, order and noise [default: 0].
    #[arg(long, conflicts_with = "resume", value_parser = seed)]
    pub seed: Option<u64>,
}

/// What is written, shown and scored on the way.
#[derive(Debug, Args)]
#[command(next_help_heading = "Watching")]
pub struct WatchArgs {
    /// Steps between checkpoints; the last step has one in any case [default: 500].
    #[arg(long, value_name = "N", value_parser = whole(1..=u64::MAX))]
    pub checkpoint_every: Option<u64>,
    /// Steps between sample grids; the last step has one in any case [default: 500].
    #[arg(long, value_name = "N", value_parser = whole(1..=u64::MAX))]
    pub sample_every: Option<u64>,
    /// Steps between scores against the training data.
    #[arg(long, value_name = "N", value_parser = whole(1..=u64::MAX))]
    pub score_every: Option<u64>,
    /// Scores to compute, separated by commas: fid, is, kid, precision, recall … (as in the bounds of `score`).
    #[arg(long, value_name = "SCORES", value_delimiter = ',', default_value = "fid", requires = "score_every")]
    #[arg(value_parser = |text: &str| text.parse::<ScoreNumber>())]
    pub scores: Vec<ScoreNumber>,
    /// Generated images that scores are computed from.
    #[arg(long, value_name = "N", default_value_t = 2048, requires = "score_every")]
    #[arg(value_parser = whole(2..=1_000_000_u32))]
    pub score_images: u32,
    /// Network of the scores: efficientnet-lite0 (built in, its own scores) or inception-v3.
    #[arg(long, value_name = "NAME", default_value_t = ExtractorId::EfficientNetLite0, requires = "score_every")]
    #[arg(value_parser = |text: &str| text.parse::<ExtractorId>())]
    pub score_extractor: ExtractorId,
    /// What runs the network of the scores.
    #[arg(long, value_enum, default_value_t = EngineArg::Auto, requires = "score_every")]
    pub engine: EngineArg,
    /// Where the network of the scores runs: auto, cpu, cuda, cuda:N, tensorrt, openvino or coreml.
    #[arg(long, default_value_t = Device::Auto, requires = "score_every")]
    pub device: Device,
    /// Library file or folder of ONNX Runtime, instead of searching for it.
    #[arg(long, value_name = "PATH", requires = "score_every")]
    pub ort_library: Option<PathBuf>,
    /// Threads that train [default: all, with --resume those that the run began with]; another number may round
    /// differently.
    #[arg(long, value_name = "N", value_parser = whole(1..=u16::MAX))]
    pub threads: Option<u16>,
    /// No progress, no table, no warnings.
    #[arg(short, long)]
    pub quiet: bool,
}

/// A pair of networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModelArg {
    /// Convolutional: 16, 28, 32, 64 or 128 pixels.
    Dcgan,
    /// Fully connected, any size.
    Mlp,
}

/// Trains.
pub fn run(args: &TrainArgs) -> Result<Outcome> {
    let (plan, mut trainer) = Plan::new(args)?;
    progress::save_state_before_the_end();
    let mut watcher = Watcher::new(plan, &trainer)?;
    let trained = trainer.run(args.steps, &mut watcher);
    // Whatever ended the run, what was measured until then is kept.
    watcher.finish(&trainer, trained)
}
