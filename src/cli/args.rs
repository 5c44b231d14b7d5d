//! What users type. Nothing is checked here beyond its form.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gan_metrics::extractor::install::Source;
use gan_metrics::extractor::{Device, EngineChoice, ExtractorId, Layer, Layout, parse_triple};
use gan_metrics::image::ResizeMode;

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

const INPUTS: &str = "folder, .zip, .tar, .npz or .npy of images, IDX file (.gz too), or a statistics .npz";

/// `gan-metrics fid A B`
#[derive(Debug, Args)]
pub struct FidArgs {
    /// First set, usually the real images.
    #[arg(help = format!("First set, usually the real images: {INPUTS}"))]
    pub first: PathBuf,
    /// Second set, usually the generated images.
    #[arg(help = "Second set, usually the generated images: likewise")]
    pub second: PathBuf,
    /// Exit with code 1 when the distance is above this value.
    #[arg(long, value_name = "FID", value_parser = finite)]
    pub fail_above: Option<f64>,
    #[command(flatten)]
    pub extract: ExtractArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `gan-metrics is A`
#[derive(Debug, Args)]
pub struct InceptionScoreArgs {
    /// The images.
    #[arg(help = "The images: folder, .zip, .tar, .npz or .npy, or IDX file (.gz too)")]
    pub images: PathBuf,
    /// Number of splits.
    #[arg(long, default_value_t = 10)]
    pub splits: usize,
    /// Seed of numpy's RandomState that shuffles the images before splitting, as torch-fidelity does.
    #[arg(long, default_value_t = 2020)]
    pub seed: u32,
    /// Take the images as they come instead of shuffling.
    #[arg(long, value_enum, default_value_t = OrderArg::Shuffled)]
    pub order: OrderArg,
    /// Divisor of the variance over splits: their number (0: torch-fidelity) or one less (1: torchmetrics).
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=1))]
    pub ddof: u8,
    /// Exit with code 1 when the score is below this value.
    #[arg(long, value_name = "IS", value_parser = finite)]
    pub fail_below: Option<f64>,
    #[command(flatten)]
    pub extract: ExtractArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `gan-metrics score REAL FAKE`
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// The real images.
    #[arg(help = "The real images: folder, .zip, .tar, .npz or .npy, or IDX file (.gz too)")]
    pub real: PathBuf,
    /// The generated images.
    #[arg(help = "The generated images: likewise")]
    pub fake: PathBuf,
    /// Scores to compute, separated by commas [default: those of the preset].
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SCORES")]
    pub metrics: Vec<MetricArg>,
    /// Tool whose definitions and resize mode are followed.
    #[arg(long, value_enum, default_value_t = PresetArg::TorchFidelity)]
    pub preset: PresetArg,
    /// Images in each subset of the Kernel Inception Distance [default: 1000].
    #[arg(long, value_name = "N")]
    pub kid_subset_size: Option<usize>,
    #[command(flatten)]
    pub extract: ExtractArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// A score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum MetricArg {
    /// Fréchet distance.
    Fid,
    /// Inception Score of the generated images.
    Is,
    /// Kernel Inception Distance.
    Kid,
    /// Precision, recall, their F-score, density and coverage.
    Prdc,
    /// Monge Inception Distance.
    Mind,
    /// Memorisation-informed Fréchet distance.
    Mifid,
    /// Maximum mean discrepancy with a Gaussian kernel.
    Mmd,
    /// Vendi score of the generated images.
    Vendi,
    /// Fréchet distance at infinitely many generated images.
    FidInfinity,
    /// Inception Score at infinitely many generated images.
    IsInfinity,
    /// Near-duplicates among the generated images, and of real ones.
    Duplicates,
    /// All of them.
    All,
}

impl MetricArg {
    /// The scores that `All` stands for.
    pub const EACH: [Self; 11] = [
        Self::Fid,
        Self::Is,
        Self::Kid,
        Self::Prdc,
        Self::Mind,
        Self::Mifid,
        Self::Mmd,
        Self::Vendi,
        Self::FidInfinity,
        Self::IsInfinity,
        Self::Duplicates,
    ];
}

/// A tool whose definitions are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PresetArg {
    /// torch-fidelity: resize tf1; FID, IS, KID, precision and recall.
    TorchFidelity,
    /// pytorch-fid: resize torch; FID.
    PytorchFid,
    /// clean-fid: resize clean; FID and KID.
    CleanFid,
}

/// `gan-metrics stats IMAGES -o FILE`
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// The images.
    #[arg(help = "The images: folder, .zip, .tar, .npz or .npy, or IDX file (.gz too)")]
    pub images: PathBuf,
    /// Statistics file to write (.npz).
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// No progress on stderr.
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub extract: ExtractArgs,
}

/// `gan-metrics model …`
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Fetch the published weights of a network (91 MiB), verify and convert them.
    Install {
        /// Network to install.
        #[arg(value_name = "NAME", value_parser = |text: &str| text.parse::<ExtractorId>())]
        network: ExtractorId,
        /// A copy of the published file, or an address to fetch it from, instead of the authors' addresses.
        #[arg(long, value_name = "FILE|URL", value_parser = |text: &str| Ok::<_, String>(Source::parse(text)))]
        from: Option<Source>,
        /// No progress on stderr.
        #[arg(short, long)]
        quiet: bool,
    },
    /// Turn a PyTorch checkpoint of the FID Inception-v3's layout into an ONNX network for --model.
    Convert {
        /// Checkpoint (.pth) in either format of torch.save.
        checkpoint: PathBuf,
        /// ONNX file to write.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// List the networks and whether they are installed.
    List,
    /// Show inputs, outputs and origin of a network.
    Info {
        /// Name of a network, or an ONNX file.
        #[arg(value_name = "NAME|FILE")]
        network: PathBuf,
    },
    /// Print where the ONNX file of an installed network is.
    Path {
        /// Network.
        #[arg(value_name = "NAME", value_parser = |text: &str| text.parse::<ExtractorId>())]
        network: ExtractorId,
    },
    /// Remove an installed network.
    Remove {
        /// Network.
        #[arg(value_name = "NAME", value_parser = |text: &str| text.parse::<ExtractorId>())]
        network: ExtractorId,
    },
    /// Write a network as an ONNX file, for use elsewhere.
    Export {
        /// Network.
        #[arg(value_name = "NAME", value_parser = |text: &str| text.parse::<ExtractorId>())]
        network: ExtractorId,
        /// ONNX file to write.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
}

/// `gan-metrics doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Library file or folder of ONNX Runtime, instead of searching for it.
    #[arg(long, value_name = "PATH")]
    pub ort_library: Option<PathBuf>,
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

/// Order of the images before splitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OrderArg {
    /// Shuffled by numpy's RandomState.
    Shuffled,
    /// As they come.
    AsGiven,
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
