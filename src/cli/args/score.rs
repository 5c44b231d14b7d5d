//! Scores, and what they are computed from.

use std::path::PathBuf;

use crate::metrics::Set;
use crate::score::{Bound, Metric, Preset, Quantity, Side};
use clap::{Args, Subcommand, ValueEnum};

use super::{ExtractArgs, OutputArgs, finite};
use crate::cli::commands::generate::OnnxGeneratorArgs;

const SETS: &str = "folder, .zip, .tar, .npz or .npy of images, IDX file (.gz too), or a feature file";
const SETS_OR_STATISTICS: &str =
    "folder, .zip, .tar, .npz or .npy of images, IDX file (.gz too), feature file, or a statistics .npz";

/// What all scores have in common.
#[derive(Debug, Args)]
pub struct ScoringArgs {
    /// Tool whose definitions and resize mode are followed.
    #[arg(long, value_enum, default_value_t = PresetArg::TorchFidelity, help_heading = "Definitions")]
    pub preset: PresetArg,
    /// Add confidence intervals of this level, in percent: each score is computed 40 times more.
    #[arg(long, value_name = "PERCENT", value_parser = percent, help_heading = "Definitions")]
    pub ci: Option<f64>,
    #[command(flatten)]
    pub extract: ExtractArgs,
    #[command(flatten)]
    pub cache: CacheArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Whether features are kept for later runs.
#[derive(Debug, Args)]
pub struct CacheArgs {
    /// Whether the features of images are looked for in the cache and kept there.
    #[arg(long, value_enum, default_value_t = CacheArg::Off, help_heading = "Cache")]
    pub cache: CacheArg,
    /// Size that the cache may grow to, such as 500M or 20G.
    #[arg(long, value_name = "SIZE", default_value = "10G", value_parser = bytes, help_heading = "Cache")]
    pub cache_limit: u64,
}

/// What to do with the cache of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CacheArg {
    /// Neither read nor write it: nothing is left behind that was not asked for.
    Off,
    /// Take features from it, and keep those that it does not have.
    Use,
    /// Compute all features anew and keep them.
    Refresh,
}

/// Two sets of images or features.
#[derive(Debug, Args)]
pub struct PairArgs {
    /// The real images.
    #[arg(help = format!("The real images: {SETS}"))]
    pub real: PathBuf,
    /// The generated images.
    #[arg(help = "The generated images: likewise")]
    pub fake: PathBuf,
}

/// A bound on a score that is better when lower.
#[derive(Debug, Args)]
pub struct FailAboveArgs {
    /// Exit with code 1 when the score is above this value.
    #[arg(long, value_name = "SCORE", value_parser = finite, allow_negative_numbers = true)]
    fail_above: Option<f64>,
}

impl FailAboveArgs {
    /// The bound on a score.
    pub fn on(&self, score: Quantity) -> Vec<Bound> {
        self.fail_above.map(|limit| Bound { score, side: Side::AtMost, limit }).into_iter().collect()
    }
}

/// A bound on a score that is better when higher.
#[derive(Debug, Args)]
pub struct FailBelowArgs {
    /// Exit with code 1 when the score is below this value.
    #[arg(long, value_name = "SCORE", value_parser = finite, allow_negative_numbers = true)]
    fail_below: Option<f64>,
}

impl FailBelowArgs {
    /// The bound on a score.
    pub fn on(&self, score: Quantity) -> Vec<Bound> {
        self.fail_below.map(|limit| Bound { score, side: Side::AtLeast, limit }).into_iter().collect()
    }
}

/// Bounds on scores by name.
#[derive(Debug, Args)]
pub struct NamedBoundsArgs {
    /// Exit with code 1 when a score is above its value: fid=12, or several separated by commas.
    #[arg(long, value_name = "NAME=VALUE", value_parser = named_limit, value_delimiter = ',')]
    fail_above: Vec<(Quantity, f64)>,
    /// Exit with code 1 when a score is below its value: is=9,recall=0.5.
    #[arg(long, value_name = "NAME=VALUE", value_parser = named_limit, value_delimiter = ',')]
    fail_below: Vec<(Quantity, f64)>,
}

impl NamedBoundsArgs {
    /// The bounds.
    pub fn bounds(&self) -> Vec<Bound> {
        let of = |side, limits: &[(Quantity, f64)]| -> Vec<Bound> {
            limits.iter().map(|&(score, limit)| Bound { score, side, limit }).collect()
        };
        [of(Side::AtMost, &self.fail_above), of(Side::AtLeast, &self.fail_below)].concat()
    }
}

fn named_limit(text: &str) -> Result<(Quantity, f64), String> {
    let (name, limit) = text.split_once('=').ok_or("expected NAME=VALUE, such as fid=12")?;
    Ok((name.parse()?, finite(limit)?))
}

/// `gan-metrics fid A B`
#[derive(Debug, Args)]
pub struct FidArgs {
    /// First set, usually the real images.
    #[arg(help = format!("First set, usually the real images: {SETS_OR_STATISTICS}"))]
    pub first: PathBuf,
    /// Second set, usually the generated images.
    #[arg(help = "Second set, usually the generated images: likewise, or none with --generator")]
    // Each by itself: a flag that requires --generator does not when something present conflicts with that one.
    #[arg(conflicts_with_all = ["generator", "latent", "images", "seed", "pixel_range"])]
    #[arg(required_unless_present = "generator")]
    pub second: Option<PathBuf>,
    #[command(flatten)]
    pub generated: OnnxGeneratorArgs,
    #[command(flatten)]
    pub bound: FailAboveArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
}

/// `gan-metrics is A`
#[derive(Debug, Args)]
pub struct InceptionScoreArgs {
    /// The images.
    #[arg(help = format!("The images: {SETS}"))]
    pub images: PathBuf,
    /// Number of splits [default: that of the preset, 10].
    #[arg(long, value_name = "N")]
    pub splits: Option<usize>,
    /// Seed of numpy's RandomState that shuffles the images before splitting [default: that of the preset, 2020].
    #[arg(long)]
    pub seed: Option<u32>,
    /// Whether images are shuffled before splitting [default: as the preset has it].
    #[arg(long, value_enum)]
    pub order: Option<OrderArg>,
    /// Divisor of the variance over splits: their number (0: torch-fidelity) or one less (1: torchmetrics).
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=1))]
    pub ddof: Option<u8>,
    #[command(flatten)]
    pub bound: FailBelowArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
}

/// Order of the images before splitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OrderArg {
    /// Shuffled by numpy's RandomState.
    Shuffled,
    /// As they come.
    AsGiven,
}

/// `gan-metrics kid REAL FAKE`
#[derive(Debug, Args)]
pub struct KidArgs {
    #[command(flatten)]
    pub pair: PairArgs,
    /// Number of subsets [default: 100].
    #[arg(long, value_name = "N")]
    pub subsets: Option<usize>,
    /// Images in each subset [default: 1000].
    #[arg(long, value_name = "N")]
    pub subset_size: Option<usize>,
    /// Kernel [default: polynomial, (x·y/d + 1)³].
    #[arg(long, value_enum)]
    pub kernel: Option<KernelArg>,
    /// Bandwidth of the rbf kernel.
    #[arg(long, value_name = "SIGMA", default_value_t = 10.0, value_parser = finite)]
    pub sigma: f64,
    /// Seed of numpy's RandomState that draws the subsets [default: that of the preset].
    #[arg(long)]
    pub seed: Option<u32>,
    #[command(flatten)]
    pub bound: FailAboveArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
}

/// A kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KernelArg {
    /// (x·y/d + 1)³.
    Polynomial,
    /// exp(−‖x−y‖²/2σ²).
    Rbf,
}

/// `gan-metrics prdc REAL FAKE`
#[derive(Debug, Args)]
pub struct PrdcArgs {
    #[command(flatten)]
    pub pair: PairArgs,
    /// Neighbours that balls reach to, for all four scores [default: those of the preset].
    #[arg(long, value_name = "K")]
    pub k: Option<usize>,
    #[command(flatten)]
    pub bounds: NamedBoundsArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
}

/// `gan-metrics mind REAL FAKE`
#[derive(Debug, Args)]
pub struct MindArgs {
    #[command(flatten)]
    pub pair: PairArgs,
    /// Number of directions.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub directions: usize,
    /// Generator of the directions: torch's, as torch-fidelity, or numpy's, which leaves no image out.
    #[arg(long, value_enum, default_value_t = GeneratorArg::Torch)]
    pub generator: GeneratorArg,
    /// Seed of the generator.
    #[arg(long, default_value_t = 2020)]
    pub seed: u32,
    #[command(flatten)]
    pub bound: FailAboveArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
}

/// A generator of random directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GeneratorArg {
    /// torch.randn.
    Torch,
    /// numpy's RandomState.
    Numpy,
}

/// `gan-metrics mmd REAL FAKE`
#[derive(Debug, Args)]
pub struct MmdArgs {
    #[command(flatten)]
    pub pair: PairArgs,
    /// Kernel.
    #[arg(long, value_enum, default_value_t = KernelArg::Rbf)]
    pub kernel: KernelArg,
    /// Bandwidth of the rbf kernel.
    #[arg(long, value_name = "SIGMA", default_value_t = 10.0, value_parser = finite)]
    pub sigma: f64,
    /// Estimate: biased as CMMD, or unbiased.
    #[arg(long, value_enum, default_value_t = EstimatorArg::Biased)]
    pub estimator: EstimatorArg,
    /// Length of the features: scaled to one as CMMD, or as they are.
    #[arg(long, value_enum, default_value_t = LengthArg::Unit)]
    pub length: LengthArg,
    /// Factor of the result.
    #[arg(long, default_value_t = 1000.0, value_parser = finite)]
    pub scale: f64,
    #[command(flatten)]
    pub bound: FailAboveArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
}

/// An estimate of a mean discrepancy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EstimatorArg {
    /// Means over all pairs.
    Biased,
    /// Means over pairs of different images.
    Unbiased,
}

/// Length of the features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LengthArg {
    /// One.
    Unit,
    /// As they are.
    AsGiven,
}

/// `gan-metrics mifid REAL FAKE`
#[derive(Debug, Args)]
pub struct MifidArgs {
    #[command(flatten)]
    pub pair: PairArgs,
    /// Cosine distance from which on nothing counts as memorised.
    #[arg(long, default_value_t = 0.1, value_parser = finite)]
    pub threshold: f64,
    /// Images whose nearest distances are averaged: real (torchmetrics) or fake (Bai et al.).
    #[arg(long, value_enum, default_value_t = SetArg::Real)]
    pub mean_over: SetArg,
    #[command(flatten)]
    pub bound: FailAboveArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
}

/// One of two sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SetArg {
    /// The real images.
    Real,
    /// The generated images.
    Fake,
}

impl From<SetArg> for Set {
    fn from(set: SetArg) -> Self {
        match set {
            SetArg::Real => Set::Real,
            SetArg::Fake => Set::Fake,
        }
    }
}

/// `gan-metrics vendi IMAGES`
#[derive(Debug, Args)]
pub struct VendiArgs {
    /// The images.
    #[arg(help = format!("The images: {SETS}"))]
    pub images: PathBuf,
    /// Order of the entropy; `inf` for that of the commonest image.
    #[arg(long, value_name = "Q", default_value_t = 1.0)]
    pub order: f64,
    #[command(flatten)]
    pub bound: FailBelowArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
}

/// `gan-metrics fid-infinity REAL FAKE`
#[derive(Debug, Args)]
pub struct FidInfinityArgs {
    /// The real images.
    #[arg(help = format!("The real images: {SETS_OR_STATISTICS}"))]
    pub real: PathBuf,
    /// The generated images.
    #[arg(help = format!("The generated images: {SETS}"))]
    pub fake: PathBuf,
    /// Numbers of images that the line is fitted to.
    #[arg(long, value_name = "N", default_value_t = 15)]
    pub points: usize,
    /// Smallest number of images [default: a tenth of them, at most 5000].
    #[arg(long, value_name = "N")]
    pub smallest: Option<usize>,
    /// Seed of numpy's RandomState that draws the subsets.
    #[arg(long, default_value_t = 2020)]
    pub seed: u32,
    #[command(flatten)]
    pub bound: FailAboveArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
}

/// `gan-metrics duplicates REAL FAKE`
#[derive(Debug, Args)]
pub struct DuplicatesArgs {
    #[command(flatten)]
    pub pair: PairArgs,
    /// Largest distance of near-duplicates, in units of the median distance to the nearest other image.
    #[arg(long, default_value_t = 0.25, value_parser = finite)]
    pub threshold: f64,
    /// Pairs listed at most.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: usize,
    #[command(flatten)]
    pub scoring: ScoringArgs,
}

/// `gan-metrics score REAL FAKE`
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// The real images.
    #[arg(help = format!("The real images: {SETS_OR_STATISTICS}"))]
    pub real: PathBuf,
    /// The generated images.
    #[arg(help = "The generated images: likewise")]
    pub fake: PathBuf,
    /// Scores to compute, separated by commas [default: those of the preset].
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SCORES")]
    pub metrics: Vec<MetricArg>,
    /// Add the FID of each class, where the images of each are in a folder of their own.
    #[arg(long)]
    pub per_class: bool,
    /// Images in each subset of the Kernel Inception Distance [default: 1000].
    #[arg(long, value_name = "N")]
    pub kid_subset_size: Option<usize>,
    #[command(flatten)]
    pub bounds: NamedBoundsArgs,
    /// Draw the sets: .svg for all pictures, .png for the worst generated images with their nearest real ones.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub plot: Option<PathBuf>,
    /// Write a report with all pictures as one HTML file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub scoring: ScoringArgs,
}

/// A score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum MetricArg {
    /// Fréchet distance.
    Fid,
    /// Fréchet distance of the spatial features of inception-v3.
    Sfid,
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
    /// Near-duplicates within each set, and of real images.
    Duplicates,
    /// Fréchet distance of each class.
    PerClass,
    /// All of them that the sets allow, per class ones excepted.
    All,
}

impl MetricArg {
    /// The score; `None` for all of them.
    pub fn metric(self) -> Option<Metric> {
        Some(match self {
            MetricArg::Fid => Metric::Fid,
            MetricArg::Sfid => Metric::Sfid,
            MetricArg::Is => Metric::InceptionScore,
            MetricArg::Kid => Metric::Kid,
            MetricArg::Prdc => Metric::Prdc,
            MetricArg::Mind => Metric::Mind,
            MetricArg::Mifid => Metric::Mifid,
            MetricArg::Mmd => Metric::Mmd,
            MetricArg::Vendi => Metric::Vendi,
            MetricArg::FidInfinity => Metric::FidInfinity,
            MetricArg::IsInfinity => Metric::InceptionScoreInfinity,
            MetricArg::Duplicates => Metric::Duplicates,
            MetricArg::PerClass => Metric::PerClass,
            MetricArg::All => return None,
        })
    }
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
    /// The evaluator of ADM (guided-diffusion): resize tf1; FID, sFID, IS, precision and recall.
    Adm,
    /// dgm-eval with --model inception: resize torch; FID, FID∞, KID, IS, precision, recall, density, coverage, Vendi.
    DgmEval,
}

impl From<PresetArg> for Preset {
    fn from(preset: PresetArg) -> Self {
        match preset {
            PresetArg::TorchFidelity => Preset::TorchFidelity,
            PresetArg::PytorchFid => Preset::PytorchFid,
            PresetArg::CleanFid => Preset::CleanFid,
            PresetArg::Adm => Preset::Adm,
            PresetArg::DgmEval => Preset::DgmEval,
        }
    }
}

/// `gan-metrics stats IMAGES -o FILE`
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// The images.
    #[arg(help = format!("The images: {SETS}"))]
    pub images: PathBuf,
    /// Statistics file to write (.npz).
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// No progress on stderr.
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub extract: ExtractArgs,
    #[command(flatten)]
    pub cache: CacheArgs,
}

/// `gan-metrics features IMAGES -o FILE`
#[derive(Debug, Args)]
pub struct FeaturesArgs {
    /// The images.
    #[arg(help = "The images: folder, .zip, .tar, .npz or .npy, or IDX file (.gz too)")]
    pub images: PathBuf,
    /// Feature file to write: .npz or .safetensors with everything, .npy with the features alone.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Write the spatial features too, which sFID compares: 8 KB an image.
    #[arg(long)]
    pub spatial: bool,
    /// No progress on stderr.
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub extract: ExtractArgs,
    #[command(flatten)]
    pub cache: CacheArgs,
}

/// `gan-metrics cache …`
#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// List what is in the cache of features.
    List,
    /// Remove everything from the cache of features.
    Clear,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent < 100.0 => Ok(percent),
        _ => Err("expected a percentage between 0 and 100, such as 95".into()),
    }
}

fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || "expected a number of bytes, with K, M, G or T for powers of 1024, such as 20G".to_owned();
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_uppercase().trim_end_matches("IB").trim_end_matches('B') {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        _ => return Err(wrong()),
    };
    digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_percentages() {
        assert_eq!(bytes("500M"), Ok(500 << 20));
        assert_eq!(bytes("20GiB"), Ok(20 << 30));
        assert_eq!((bytes("7"), bytes("1k"), bytes("3B")), (Ok(7), Ok(1024), Ok(3)));
        for text in ["", "G", "-1", "2X", "99999999999T"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert_eq!((percent("95"), percent("99.5%")), (Ok(95.0), Ok(99.5)));
        assert!(percent("100").is_err() && percent("0").is_err() && percent("x").is_err());
    }
}
