//! What a run found, with everything that somebody needs to reproduce it; rendered as JSON or as text.
//!
//! [`Report`] *is* the JSON schema, documented in `docs/json.md`; the text is a view of the same values.

mod text;
mod warning;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use warning::{FEW_IMAGES, Warning};

use crate::evaluate::{PassSummary, SkippedImage};
use crate::extractor::{EngineInfo, ExtractorInfo};
use crate::image::ResizeMode;
use crate::score::{Preset, Scores, Verdict};
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
    pub metrics: Scores,
    /// The tool whose definitions the scores follow where nothing else was asked for.
    pub preset: Preset,
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
    /// The bounds that were set, and what became of them.
    pub bounds: Vec<Verdict>,
    /// Seconds spent on the metrics themselves, after the passes.
    pub metric_seconds: f64,
    /// Seconds of the whole command.
    pub total_seconds: f64,
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
    /// `folder`, `zip`, …, `features`, `statistics` or `generator`.
    pub kind: String,
    /// Images behind the score; `null` for a statistics file that does not tell.
    pub images: Option<u64>,
    /// Images left out.
    pub skipped: Vec<SkippedImage>,
    /// Where a statistics or feature file says it comes from; `null` for images and for files of other tools.
    pub provenance: Option<Provenance>,
    /// How its images were generated; `null` for images that were there.
    pub generator: Option<GeneratorReport>,
    /// What became of the cache of features; `null` when it was not used.
    pub cache: Option<CacheUse>,
    /// Seconds per stage; `null` when nothing was extracted.
    pub seconds: Option<StageSeconds>,
}

impl SetReport {
    /// A set of which nothing more is known than what it is and how many images are behind it.
    pub fn of(path: &Path, kind: impl ToString, images: Option<u64>) -> Self {
        Self {
            path: path.into(),
            kind: kind.to_string(),
            images,
            skipped: Vec::new(),
            provenance: None,
            generator: None,
            cache: None,
            seconds: None,
        }
    }
}

/// How images were generated, with all that is needed to do it again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GeneratorReport {
    /// SHA-256 of the ONNX file, in hexadecimal.
    pub sha256: String,
    /// Distribution and length of the latents, such as `normal:100`.
    pub latent: String,
    /// Seed of the latents.
    pub seed: u64,
    /// Values that became black and white.
    pub pixel_range: [f32; 2],
    /// The engine and the device that ran it.
    pub engine: EngineInfo,
}

/// What became of the cache of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CacheUse {
    /// The features came from it.
    Hit,
    /// They were computed and stored in it.
    Stored,
    /// They were computed and could not be stored; a warning says why.
    NotStored,
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
