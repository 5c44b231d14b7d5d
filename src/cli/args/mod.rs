//! What users type. Nothing is checked here beyond its form.

mod model;
mod score;

use std::path::PathBuf;

use crate::extractor::{Device, EngineChoice, ExtractorId, Layer, Layout, parse_triple};
use crate::image::ResizeMode;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::model::{DoctorArgs, ModelCommand};
pub use self::score::*;
use super::commands::divergence::DivergenceArgs;
use super::commands::export::ExportArgs;
use super::commands::generate::GenerateArgs;
use super::commands::train::TrainArgs;

const EXIT_CODES: &str = "\
Exit codes:
  0    done; the bound of --fail-above or --fail-below, if given, is met
  1    done, but the score misses the bound
  2    the arguments or the data are at fault
  3    a model file is at fault or not installed
  4    the machine is at fault: a library, a device, a disk
  70   a defect of this program
  130  interrupted";

/// How good are the samples of an image generator?
///
/// Computes the Fréchet Inception Distance, the Inception Score and their family with the numbers that the reference
/// implementations publish.
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
    /// Fréchet distance (FID) between two sets of images.
    Fid(FidArgs),
    /// Inception Score of a set of images.
    Is(InceptionScoreArgs),
    /// Every score of a set of generated images, from one pass.
    Score(ScoreArgs),
    /// Kernel Inception Distance.
    Kid(KidArgs),
    /// Precision, recall, density and coverage.
    Prdc(PrdcArgs),
    /// Monge Inception Distance.
    Mind(MindArgs),
    /// Maximum mean discrepancy, in the form of CMMD.
    Mmd(MmdArgs),
    /// Memorisation-informed Fréchet distance.
    Mifid(MifidArgs),
    /// Vendi score of a set of images.
    Vendi(VendiArgs),
    /// Fréchet distance extrapolated to infinitely many generated images.
    FidInfinity(FidInfinityArgs),
    /// Near-duplicates within and between two sets.
    Duplicates(DuplicatesArgs),
    /// Write the features of every image, to compute any score from later.
    Features(FeaturesArgs),
    /// List or clear the cache of features.
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Write the statistics of a set (mu and sigma, as pytorch-fid does), to compare against later.
    Stats(StatsArgs),
    /// Divergence between two distributions: probabilities, densities, Gaussians or samples.
    Divergence(DivergenceArgs),
    /// Train a generative adversarial network, scoring it on the way.
    Train(TrainArgs),
    /// Make images with a trained generator.
    Generate(GenerateArgs),
    /// Write a trained generator as an ONNX graph.
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

/// Which network sees the images, and how.
#[derive(Debug, Args)]
pub struct ExtractArgs {
    /// Network: inception-v3 (the scores of the literature) or efficientnet-lite0 (built in, its own scores).
    #[arg(long, value_name = "NAME", conflicts_with = "model", help_heading = "Network")]
    #[arg(value_parser = |text: &str| text.parse::<ExtractorId>())]
    pub extractor: Option<ExtractorId>,
    /// Layer of inception-v3 that serves as features: 64, 192, 768 or 2048 [default: 2048].
    #[arg(long, value_name = "LAYER", help_heading = "Network", conflicts_with = "features_output")]
    #[arg(value_parser = |text: &str| text.parse::<Layer>())]
    pub layer: Option<Layer>,
    /// An ONNX network of your own.
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub model: Option<PathBuf>,
    /// Input size of --model: WIDTHxHEIGHT, or one number for a square.
    #[arg(long, value_name = "SIZE", requires = "model", value_parser = size, help_heading = "Network")]
    pub input_size: Option<(u32, u32)>,
    /// Mean that --model subtracts, on the 0–255 scale: one number or R,G,B.
    #[arg(long, value_name = "MEAN", requires = "model", value_parser = triple, help_heading = "Network")]
    pub mean: Option<[f32; 3]>,
    /// Standard deviation that --model divides by, on the 0–255 scale: one number or R,G,B.
    #[arg(long, value_name = "STD", requires = "model", value_parser = triple, help_heading = "Network")]
    pub std: Option<[f32; 3]>,
    /// Order of the axes of --model's input.
    #[arg(long, requires = "model", value_enum, help_heading = "Network")]
    pub layout: Option<LayoutArg>,
    /// Name of --model's input.
    #[arg(long, value_name = "NAME", requires = "model", help_heading = "Network")]
    pub input_name: Option<String>,
    /// Output of --model that serves as features.
    #[arg(long, value_name = "NAME", requires = "model", help_heading = "Network")]
    pub features_output: Option<String>,
    /// Output of --model that serves as logits.
    #[arg(long, value_name = "NAME", requires = "model", help_heading = "Network")]
    pub logits_output: Option<String>,
    /// How images are resized: tf1 (torch-fidelity, original TensorFlow; the default), torch (pytorch-fid) or clean
    /// (clean-fid).
    #[arg(long, value_name = "MODE", help_heading = "Images")]
    #[arg(value_parser = |text: &str| text.parse::<ResizeMode>())]
    pub resize: Option<ResizeMode>,
    /// What to do about an image that cannot be decoded.
    #[arg(long, value_enum, default_value_t = OnBadImageArg::Stop, help_heading = "Images")]
    pub on_bad_image: OnBadImageArg,
    /// What runs the network.
    #[arg(long, value_enum, default_value_t = EngineArg::Auto, help_heading = "Engine")]
    pub engine: EngineArg,
    /// Where it runs: auto, cpu, cuda, cuda:N, tensorrt, openvino or coreml.
    #[arg(long, default_value_t = Device::Auto, help_heading = "Engine")]
    pub device: Device,
    /// Library file or folder of ONNX Runtime, instead of searching for it.
    #[arg(long, value_name = "PATH", help_heading = "Engine")]
    pub ort_library: Option<PathBuf>,
    /// Images in a batch.
    #[arg(long, value_name = "N", default_value = "16", value_parser = clap::value_parser!(u16).range(1..))]
    #[arg(help_heading = "Engine")]
    pub batch_size: u16,
    /// Threads inside ONNX Runtime [default: the physical cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Engine")]
    pub threads: Option<u16>,
}

/// What becomes of the report.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Print the report as JSON, with everything needed to reproduce it.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Write the report to a file instead of stdout.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// No progress and no warnings on stderr; the JSON report has the warnings all the same.
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
}

/// Order of the axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LayoutArg {
    /// Batch, channel, row, column.
    Nchw,
    /// Batch, row, column, channel.
    Nhwc,
}

impl From<LayoutArg> for Layout {
    fn from(layout: LayoutArg) -> Self {
        match layout {
            LayoutArg::Nchw => Layout::Nchw,
            LayoutArg::Nhwc => Layout::Nhwc,
        }
    }
}

/// What to do about a bad image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnBadImageArg {
    /// Stop with its name and the reason.
    Stop,
    /// Go on without it, and report it.
    Skip,
}

/// What runs the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineArg {
    /// ONNX Runtime where one is found, otherwise tract.
    Auto,
    /// ONNX Runtime or an error.
    Onnxruntime,
    /// The built-in engine: needs nothing, several times slower.
    Tract,
}

impl From<EngineArg> for EngineChoice {
    fn from(engine: EngineArg) -> Self {
        match engine {
            EngineArg::Auto => EngineChoice::Auto,
            EngineArg::Onnxruntime => EngineChoice::OnnxRuntime,
            EngineArg::Tract => EngineChoice::Tract,
        }
    }
}

fn finite(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err("expected a finite number".into()),
    }
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let side = |text: &str| match text.parse::<u32>() {
        Ok(side) if (1..=8192).contains(&side) => Ok(side),
        _ => Err("expected WIDTHxHEIGHT or one number, 1 to 8192 pixels".to_owned()),
    };
    match text.split_once(['x', '×']) {
        Some((width, height)) => Ok((side(width)?, side(height)?)),
        None => side(text).map(|side| (side, side)),
    }
}

fn triple(text: &str) -> Result<[f32; 3], String> {
    parse_triple(text).ok_or_else(|| "expected one number, or three separated by commas".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes() {
        assert_eq!(size("299"), Ok((299, 299)));
        assert_eq!(size("224x160"), Ok((224, 160)));
        for text in ["0", "x", "224x", "10000", "-3"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
