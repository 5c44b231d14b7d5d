//! Many scores at once, and what they are computed from.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Args, FromArgMatches, Subcommand, ValueEnum};

use super::network::{NoEffect, first_given};
use super::{ExtractArgs, OutputArgs, ReadingArgs, finite};
use crate::cli::commands::generate::OnnxGeneratorArgs;
use crate::evaluate::cache::FeatureCache;
use crate::evaluate::{CacheMode, Caching, Shard};
use crate::score::{Bound, Metric, Preset, ScoreNumber, Side, UnknownName};

pub(super) const SETS: &str =
    "folder, .zip, .tar, .npz or .npy of images, IDX file (.gz, .bz2, .xz or .zst too), or a feature file";
pub(super) const SETS_OR_STATISTICS: &str = "folder, .zip, .tar, .npz or .npy of images, IDX file (.gz, .bz2, .xz or .zst too), feature file, or a statistics .npz";

/// What all scores have in common.
#[derive(Debug, Clone, Args)]
pub struct ScoringArgs {
    /// Tool whose definitions and resize mode to follow: torch-fidelity, pytorch-fid, clean-fid, adm or dgm-eval.
    #[arg(long, value_name = "TOOL", default_value_t, help_heading = "Definitions")]
    #[arg(value_parser = |text: &str| text.parse::<Preset>())]
    pub preset: Preset,
    /// Add confidence intervals of this level, in percent, or none: each score is computed about 40 more times [default: 95
    /// if several generated sets are compared, else none].
    #[arg(long, value_name = "PERCENT|none", value_parser = level, help_heading = "Definitions")]
    pub ci: Option<Level>,
    #[command(flatten)]
    pub run: RunArgs,
}

/// What every command that scores sets takes of them: how they are read, the network, the cache, and where the report goes.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub reading: ReadingArgs,
    #[command(flatten)]
    pub extract: ExtractArgs,
    #[command(flatten)]
    pub cache: CacheArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The level of confidence intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Level {
    /// No intervals.
    None,
    /// Probability, between 0 and 1.
    Of(f64),
}

/// Whether features are kept for later runs.
#[derive(Debug, Clone, Args)]
pub struct CacheArgs {
    /// Whether features of images are taken from the cache and kept there [default: off].
    #[arg(long, value_enum, help_heading = "Cache")]
    pub cache: Option<CacheArg>,
    /// Size that the cache may grow to, such as 500M or 20G [default: 10G].
    #[arg(long, value_name = "SIZE", value_parser = bytes, help_heading = "Cache")]
    pub cache_limit: Option<u64>,
}

impl CacheArgs {
    /// Refuses a limit of nothing.
    pub fn check(&self) -> Result<(), NoEffect> {
        let limit =
            [("--cache-limit", self.cache_limit.is_some() && self.cache.is_none_or(|cache| cache == CacheArg::Off))];
        first_given(&limit, "the cache is not used; use it with --cache use")
    }

    /// Refuses whatever was given, for a run in which no network looks at images.
    pub fn refuse(&self) -> Result<(), NoEffect> {
        let flags = [("--cache", self.cache.is_some()), ("--cache-limit", self.cache_limit.is_some())];
        first_given(&flags, "it is for features that a network computes, and none runs")
    }

    /// The cache and what is done with it; `None` when it is not used.
    pub fn caching(&self) -> Option<Caching> {
        let mode = match self.cache? {
            CacheArg::Off => return None,
            CacheArg::Use => CacheMode::Use,
            CacheArg::Refresh => CacheMode::Refresh,
        };
        /// Fifty sets of 50,000 images, features and logits of inception-v3.
        const LIMIT: u64 = 10 << 30;
        Some(Caching { cache: FeatureCache::of_user(self.cache_limit.unwrap_or(LIMIT)), mode })
    }
}

/// What to do with the cache of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CacheArg {
    /// Neither read nor write it, so that nothing is left behind.
    Off,
    /// Take features from it, and keep those that it does not have yet.
    Use,
    /// Compute all features anew and keep them.
    Refresh,
}

/// The sets that scores are computed from: a real one where they compare, and one that is judged.
#[derive(Debug, Clone)]
pub struct SetsArgs {
    /// The real images.
    pub real: Option<PathBuf>,
    /// The sets of generated images, unless a generator makes one.
    pub fakes: Vec<PathBuf>,
    /// A generator in their place.
    pub generated: OnnxGeneratorArgs,
}

impl SetsArgs {
    /// Adds the arguments, given what may stand for a set; `real` is `None` for scores of one set.
    pub(super) fn augment(command: clap::Command, real: Option<&str>, fake: &str) -> clap::Command {
        let path = |id: &'static str, name: &'static str| {
            Arg::new(id).value_name(name).value_parser(clap::value_parser!(PathBuf))
        };
        let command = match real {
            Some(sets) => command.arg(path("real", "REAL").required(true).help(format!("The real images: {sets}"))),
            None => command,
        };
        let generated = path("fake", "FAKE").num_args(1..).required_unless_present("generator").help(format!(
            "The generated images: {fake}; several sets are compared with each other; not needed with --generator"
        ));
        OnnxGeneratorArgs::augment_args(command.arg(generated))
    }

    /// The files and folders that are read.
    pub fn inputs(&self) -> impl Iterator<Item = &Path> {
        self.real.iter().chain(&self.fakes).chain(&self.generated.generator).map(PathBuf::as_path)
    }

    pub(super) fn from_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let real = matches.try_get_one::<PathBuf>("real").ok().flatten().cloned();
        let fakes = matches.get_many::<PathBuf>("fake").into_iter().flatten().cloned().collect();
        let generated = OnnxGeneratorArgs::from_arg_matches(matches)?;
        Ok(Self { real, fakes, generated })
    }
}

impl FromArgMatches for SetsArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Self::from_matches(matches)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_matches(matches)?;
        Ok(())
    }
}

impl Args for SetsArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        Self::augment(command, Some(SETS_OR_STATISTICS), "likewise")
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

/// `gan-metrics score REAL FAKE…`
#[derive(Debug, Args)]
pub struct ScoreArgs {
    #[command(flatten)]
    pub sets: SetsArgs,
    #[arg(long, value_delimiter = ',', value_name = "SCORES", value_parser = metric_or_all, help = metrics_help())]
    pub metrics: Vec<MetricOrAll>,
    /// Add the FID of each class, if the images have classes, such as a folder for each.
    #[arg(long)]
    pub per_class: bool,
    #[command(flatten)]
    pub parameters: ParametersArgs,
    #[command(flatten)]
    pub bounds: NamedBoundsArgs,
    /// Draw the sets, as .svg or .png: features, spectra, and the worst and best generated images with their nearest real ones.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub plot: Option<PathBuf>,
    /// Write a report with all pictures as one HTML file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub scoring: ScoringArgs,
}

/// A score, or all that the sets allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricOrAll {
    One(Metric),
    All,
}

fn metric_or_all(name: &str) -> Result<MetricOrAll, UnknownName> {
    if name == "all" { Ok(MetricOrAll::All) } else { Ok(MetricOrAll::One(name.parse()?)) }
}

fn metrics_help() -> String {
    let names: Vec<&str> = Metric::all().map(|metric| metric.about().name).collect();
    format!(
        "Scores to compute, separated by commas: {}; all computes every score that the sets allow, except per-class [default: the scores of the preset that the sets allow]",
        names.join(", ")
    )
}

/// The parameters of every score, as `--SCORE-PARAMETER`.
#[derive(Debug, Clone, Default)]
pub struct ParametersArgs(pub Vec<(Metric, Vec<(&'static str, String)>)>);

impl ParametersArgs {
    fn from_matches(matches: &ArgMatches) -> Self {
        let of = |metric: Metric| {
            let about = metric.about();
            let given = about.parameters.iter().filter_map(|parameter| {
                let id = format!("{}-{}", about.name, parameter.name);
                Some((parameter.name, matches.get_one::<String>(&id)?.clone()))
            });
            (metric, given.collect::<Vec<_>>())
        };
        Self(Metric::all().map(of).filter(|(_, given)| !given.is_empty()).collect())
    }
}

impl FromArgMatches for ParametersArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self::from_matches(matches))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_matches(matches);
        Ok(())
    }
}

impl Args for ParametersArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        Metric::all().fold(command, |command, metric| {
            let about = metric.about();
            about.parameters.iter().fold(command, |command, parameter| {
                let name = format!("{}-{}", about.name, parameter.name);
                let argument = super::single::argument(parameter, name).hide_short_help(true);
                command.arg(argument.help_heading("Definitions of single scores"))
            })
        })
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

/// Bounds on scores by name.
#[derive(Debug, Clone, Default, Args)]
pub struct NamedBoundsArgs {
    /// Exit with code 1 when a score is above its value; several are separated by commas.
    #[arg(long, value_name = "NAME=VALUE", value_parser = named_limit, value_delimiter = ',')]
    fail_above: Vec<(ScoreNumber, f64)>,
    /// Exit with code 1 when a score is below its value; several are separated by commas.
    #[arg(long, value_name = "NAME=VALUE", value_parser = named_limit, value_delimiter = ',')]
    fail_below: Vec<(ScoreNumber, f64)>,
}

impl NamedBoundsArgs {
    /// The bounds.
    pub fn bounds(&self) -> Vec<Bound> {
        let of = |side, limits: &[(ScoreNumber, f64)]| -> Vec<Bound> {
            limits.iter().map(|&(score, limit)| Bound { score, side, limit }).collect()
        };
        [of(Side::AtMost, &self.fail_above), of(Side::AtLeast, &self.fail_below)].concat()
    }
}

fn named_limit(text: &str) -> Result<(ScoreNumber, f64), String> {
    let (name, limit) = text.split_once('=').ok_or("expected NAME=VALUE, such as fid=12")?;
    let number = name.parse::<ScoreNumber>().map_err(|error| error.to_string())?;
    Ok((number, finite(limit)?))
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
    /// Take only this part of the images, such as 2/8: `gan-metrics merge` puts the parts together.
    #[arg(long, value_name = "INDEX/COUNT")]
    pub shard: Option<Shard>,
    /// No progress on stderr.
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub reading: ReadingArgs,
    #[command(flatten)]
    pub extract: ExtractArgs,
    #[command(flatten)]
    pub cache: CacheArgs,
}

/// `gan-metrics features IMAGES -o FILE`
#[derive(Debug, Args)]
pub struct FeaturesArgs {
    /// The images.
    #[arg(help = "The images: folder, .zip, .tar, .npz or .npy, or IDX file (.gz, .bz2, .xz or .zst too)")]
    pub images: PathBuf,
    /// Feature file to write: .npz or .safetensors with everything, .npy with the features alone.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Also write the spatial features, which sFID compares: 8 KB per image.
    #[arg(long)]
    pub spatial: bool,
    /// Take only this part of the images, such as 2/8: `gan-metrics merge` puts the parts together.
    #[arg(long, value_name = "INDEX/COUNT")]
    pub shard: Option<Shard>,
    /// No progress on stderr.
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub reading: ReadingArgs,
    #[command(flatten)]
    pub extract: ExtractArgs,
    #[command(flatten)]
    pub cache: CacheArgs,
}

/// `gan-metrics merge PARTS -o FILE`
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The parts: files written by `features` or `stats` with --shard, or statistics files of sets without common images.
    #[arg(required = true, value_name = "PART")]
    pub parts: Vec<PathBuf>,
    /// File to write: .npz or .safetensors of features, .npz of statistics.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Numbers of images behind statistics files that do not say, in the order of these files.
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    pub images: Vec<u64>,
}

/// `gan-metrics cache …`
#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// List the contents of the cache of features.
    List,
    /// Remove everything from the cache of features.
    Clear,
}

fn level(text: &str) -> Result<Level, String> {
    if text == "none" {
        return Ok(Level::None);
    }
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent < 100.0 => Ok(Level::Of(percent / 100.0)),
        _ => Err("expected a percentage between 0 and 100, such as 95, or none".into()),
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
        assert_eq!((level("95"), level("99.5%")), (Ok(Level::Of(0.95)), Ok(Level::Of(0.995))));
        assert_eq!(level("none"), Ok(Level::None));
        assert!(level("100").is_err() && level("0").is_err() && level("x").is_err());
    }
}
