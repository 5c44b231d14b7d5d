//! What a run found, with everything that somebody needs to reproduce it; rendered as JSON or as text.
//!
//! [`Report`] *is* the JSON schema, documented in `docs/json.md`; the text is a view of the same values.

mod text;
mod warning;

use std::path::PathBuf;

use serde::Serialize;

pub use warning::{FEW_IMAGES, Warning};

use crate::evaluate::{PassSummary, SkippedImage};
use crate::extractor::ExtractorInfo;
use crate::image::ResizeMode;
use crate::linalg::Spectrum;
use crate::metrics::{
    DegreesOfFreedom, Directions, DuplicateOptions, Extrapolation, ExtrapolationOptions, Fid, InceptionScore,
    InceptionScoreOptions, Kid, KidOptions, Mifid, MifidOptions, Mind, Mmd, MmdOptions, NearDuplicates, Order, Prdc,
    PrdcOptions, Vendi, VendiOptions,
};
use crate::stats::Provenance;

/// Version of the JSON schema; grows when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// The result of one command.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of this crate.
    pub version: &'static str,
    /// The command, such as `fid`.
    pub command: &'static str,
    /// The scores.
    pub metrics: Metrics,
    /// What turned images into features; `null` when only statistics files were compared.
    pub extractor: Option<ExtractorInfo>,
    /// How images were prepared; `null` when only statistics files were compared.
    pub preparation: Option<Preparation>,
    /// Library behind the matrix factorisations.
    pub linalg: &'static str,
    /// The sets, in the order of the arguments.
    pub sets: Vec<SetReport>,
    /// What to be careful about.
    pub warnings: Vec<WarningReport>,
    /// Whether the score is within the bound that was set; `null` without one.
    pub within_bound: Option<bool>,
    /// Seconds spent on the metrics themselves, after the passes.
    pub metric_seconds: f64,
    /// Seconds of the whole command.
    pub total_seconds: f64,
}

/// The scores that were asked for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Metrics {
    /// Fréchet distance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fid: Option<FidReport>,
    /// Inception Score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inception_score: Option<InceptionScoreReport>,
    /// Kernel Inception Distance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<Defined<Kid, KidOptions>>,
    /// Precision, recall, density and coverage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prdc: Option<Defined<Prdc, PrdcOptions>>,
    /// Monge Inception Distance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mind: Option<Defined<Mind, Directions>>,
    /// Memorisation-informed Fréchet distance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mifid: Option<Defined<Mifid, MifidOptions>>,
    /// Maximum mean discrepancy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mmd: Option<Defined<Mmd, MmdOptions>>,
    /// Vendi score of the generated images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendi: Option<Defined<Vendi, VendiOptions>>,
    /// Fréchet distance at infinitely many generated images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fid_infinity: Option<Defined<Extrapolation, ExtrapolationOptions>>,
    /// Inception Score at infinitely many generated images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inception_score_infinity: Option<Defined<Extrapolation, ExtrapolationOptions>>,
    /// Near-duplicates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<Defined<Duplicates, DuplicateOptions>>,
}

/// A score and the definition it follows.
#[derive(Debug, Clone, Serialize)]
pub struct Defined<S, D> {
    /// The score.
    #[serde(flatten)]
    pub score: S,
    /// Its definition.
    pub definition: D,
}

impl<S, D> Defined<S, D> {
    /// A score and the definition it follows.
    pub fn new(score: S, definition: D) -> Self {
        Self { score, definition }
    }
}

/// Near-duplicates among the generated images, and between them and the real ones.
#[derive(Debug, Clone, Serialize)]
pub struct Duplicates {
    /// Among the generated images.
    pub within_fake: NearDuplicates,
    /// Generated images that look like a real one: memorised, or leaked.
    pub between: NearDuplicates,
}

/// A Fréchet distance.
#[derive(Debug, Clone, Serialize)]
pub struct FidReport {
    /// The distance.
    pub value: f64,
    /// Its part from the means.
    pub mean_term: f64,
    /// Its part from the covariances.
    pub trace_term: f64,
    /// Dimension of the features.
    pub dim: usize,
    /// Numerical ranks of both covariances.
    pub ranks: [usize; 2],
    /// Condition numbers of both covariances, where known.
    pub conditions: [Option<f64>; 2],
}

impl From<Fid> for FidReport {
    fn from(fid: Fid) -> Self {
        let Fid { value, mean_term, trace_term, spectra } = fid;
        let [Spectrum { dim, .. }, _] = spectra;
        Self {
            value,
            mean_term,
            trace_term,
            dim,
            ranks: spectra.map(|seen| seen.rank),
            conditions: spectra.map(|seen| seen.condition),
        }
    }
}

/// An Inception Score.
#[derive(Debug, Clone, Serialize)]
pub struct InceptionScoreReport {
    /// Mean over splits.
    pub mean: f64,
    /// Standard deviation over splits.
    pub std: f64,
    /// Number of splits.
    pub splits: usize,
    /// Seed of the permutation before splitting; `null` when the images were taken as they came.
    pub shuffle_seed: Option<u32>,
    /// 0 when the variance over splits was divided by their number, 1 when by one less.
    pub ddof: u8,
}

impl InceptionScoreReport {
    /// A score and the definition it follows.
    pub fn new(score: InceptionScore, options: InceptionScoreOptions) -> Self {
        let shuffle_seed = match options.order {
            Order::AsGiven => None,
            Order::Shuffled { seed } => Some(seed),
        };
        let ddof = match options.ddof {
            DegreesOfFreedom::Population => 0,
            DegreesOfFreedom::Sample => 1,
        };
        Self { mean: score.mean, std: score.std, splits: options.splits, shuffle_seed, ddof }
    }
}

/// How images were prepared for the network.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Preparation {
    /// Resize mode.
    pub resize: ResizeMode,
    /// Width that images were resized to.
    pub width: u32,
    /// Height that images were resized to.
    pub height: u32,
    /// Subtracted per channel on the 0–255 scale.
    pub mean: [f32; 3],
    /// Divided by per channel on the 0–255 scale.
    pub std: [f32; 3],
    /// Images in a batch.
    pub batch_size: usize,
    /// Type of the numbers that the network computed with.
    pub dtype: &'static str,
}

/// One of the sets.
#[derive(Debug, Clone, Serialize)]
pub struct SetReport {
    /// Path as given.
    pub path: PathBuf,
    /// `directory`, `zip`, … or `statistics`.
    pub kind: String,
    /// Images behind the score; `null` for a statistics file that does not tell.
    pub images: Option<u64>,
    /// Images left out.
    pub skipped: Vec<SkippedImage>,
    /// Where a statistics file says it comes from; `null` for images and for files of other tools.
    pub provenance: Option<Provenance>,
    /// Seconds per stage; `null` for a statistics file.
    pub seconds: Option<StageSeconds>,
}

/// Seconds per stage of a pass. Decoding overlaps with the network.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct StageSeconds {
    /// Decoding, resizing and normalising.
    pub decode: f64,
    /// The network.
    pub network: f64,
    /// Gathering statistics.
    pub statistics: f64,
    /// The whole pass.
    pub total: f64,
}

impl From<&PassSummary> for StageSeconds {
    fn from(summary: &PassSummary) -> Self {
        Self {
            decode: summary.decode.as_secs_f64(),
            network: summary.network.as_secs_f64(),
            statistics: summary.sink.as_secs_f64(),
            total: summary.total.as_secs_f64(),
        }
    }
}

/// A warning as reports carry it.
#[derive(Debug, Clone, Serialize)]
pub struct WarningReport {
    /// Stable identifier for programs.
    pub code: &'static str,
    /// What is the matter.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Report {
    /// JSON, indented, with a final newline.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).expect("a report holds only plain values");
        json.push('\n');
        json
    }

    /// Text for people.
    pub fn to_text(&self) -> String {
        text::render(self)
    }
}
