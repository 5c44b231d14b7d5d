//! What a run found, with everything that somebody needs to reproduce it; rendered as JSON, text or HTML.
//!
//! [`Report`] *is* the JSON schema, documented in `docs/json.md`; the text and the page are views of the same values.
//! [`Recorded`] is a report read back, and [`Judgement`] holds one against another: a regression test, of which [`CheckReport`] is the
//! result, and [`junit()`], [`github()`] and [`log_line`] are what other programs read. A [`Comparison`] of two says which numbers
//! differ by more than chance, an [`Explanation`] in what the runs differ.

#[cfg(feature = "pictures")]
mod bitmap;
mod check;
mod comparison;
mod differing;
mod explanation;
mod foreseen;
mod github;
#[cfg(feature = "pictures")]
mod html;
mod judgement;
mod junit;
mod log;
#[cfg(feature = "pictures")]
mod pictures;
#[cfg(feature = "pictures")]
pub mod plot;
mod recorded;
mod recorded_set;
mod series;
mod text;
mod unlike;
mod warning;
mod warnings;

use serde::Serialize;

pub use check::CheckReport;
pub use comparison::{
    ComparabilityError, ComparedReport, Comparison, NumberComparison, SameImages, Test, Untested, Which,
};
pub use explanation::{Explanation, Finding, Pair, Unknown};
pub use github::github;
#[cfg(feature = "pictures")]
pub use html::page;
pub use judgement::{Change, ChangeVerdict, Judgement, JudgementError, Role, Tolerance, ToleranceError, Tolerances};
pub use junit::junit;
pub use log::log_line;
#[cfg(feature = "pictures")]
pub use pictures::{Grid, NEEDS, Pictures};
pub use recorded::{Recorded, RecordedError, RecordedFailure, RecordedInterval};
pub use series::{PairComparison, SeriesReport};
pub(crate) use text::entry;
pub use text::escaped as escaped_for_terminals;
pub use warning::{FEW_IMAGES, Warning};

pub use crate::evaluate::{
    ArraysReport, CacheUse, ChosenReport, GeneratorReport, Preparation, SetReport, StageSeconds,
};
use crate::evaluate::{Evaluated, Evaluator, Measured};
use crate::extractor::ExtractorInfo;
use crate::linalg;
use crate::metrics::Set;
use crate::score::{FailedPart, Failure, Preset, Scores, Verdict};

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
    /// The scores that could not be computed.
    pub failed: Vec<FailureReport>,
    /// The tool whose definitions the scores follow where nothing else was asked for.
    pub preset: Preset,
    /// What turned images into features; `null` when no network ran.
    pub extractor: Option<ExtractorInfo>,
    /// How images were prepared; `null` when no network ran.
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

/// A score that could not be computed, as reports carry it.
#[derive(Debug, Clone, Serialize)]
pub struct FailureReport {
    /// Name of the score.
    pub score: &'static str,
    /// What of it: the score itself, or its interval alone.
    pub part: FailedPart,
    /// Why.
    pub reason: String,
}

impl FailureReport {
    /// What failed, for people.
    fn what(&self) -> String {
        match self.part {
            FailedPart::Score => self.score.to_owned(),
            FailedPart::Interval => format!("the interval of {}", self.score),
        }
    }
}

/// A warning as reports carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WarningReport {
    /// Stable identifier for programs.
    pub code: &'static str,
    /// What is the matter.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// Warnings of a command that measures one set and has no report.
pub fn warnings_of_set(set: &SetReport, not_cached: Option<&str>) -> Vec<WarningReport> {
    let left_out = warnings::skipped(set).into_iter().chain(warnings::passed_over(set));
    let warnings = left_out.chain(warnings::unused_statistics(set)).chain(warnings::not_cached(set, not_cached));
    warnings.map(Into::into).collect()
}

impl Report {
    /// The report of a job done, by the command that asked for it.
    pub fn of(command: &'static str, done: &Evaluated) -> Self {
        let sets: Vec<&Measured> = done.real.iter().chain([&done.fake]).map(|set| &set.measured).collect();
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            command,
            failed: failures(&done.scores),
            metrics: done.scores.clone(),
            preset: done.plan.request.definitions.preset(),
            extractor: done.extractor.clone(),
            preparation: done.preparation,
            linalg: linalg::BACKEND,
            sets: sets.iter().map(|set| set.report.clone()).collect(),
            warnings: warnings::of(done).into_iter().map(Into::into).collect(),
            bounds: done.bounds.clone(),
            metric_seconds: done.metric_seconds,
            total_seconds: done.total_seconds,
        }
    }

    /// The report of the scores of images in memory, which took so many seconds to compute from their features.
    pub fn of_evaluator(command: &'static str, run: &Evaluator, scores: Scores, seconds: f64) -> Self {
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            command,
            failed: failures(&scores),
            preset: run.request().definitions.preset(),
            extractor: Some(run.network().info().clone()),
            preparation: Some(run.network().preparation()),
            linalg: linalg::BACKEND,
            sets: Set::BOTH.into_iter().filter_map(|set| run.set_report(set)).collect(),
            warnings: warnings::in_memory(run, &scores).into_iter().map(Into::into).collect(),
            bounds: Vec::new(),
            metrics: scores,
            metric_seconds: seconds,
            total_seconds: seconds,
        }
    }

    /// JSON, indented, with a final newline.
    pub fn to_json(&self) -> String {
        pretty(self)
    }

    /// Text for people.
    pub fn to_text(&self) -> String {
        text::render(self)
    }
}

fn failures(scores: &Scores) -> Vec<FailureReport> {
    let failure = |failure: &Failure| FailureReport {
        score: failure.metric.about().name,
        part: failure.part,
        reason: failure.error.to_string(),
    };
    scores.failed().iter().map(failure).collect()
}

/// JSON, indented, with a final newline.
pub(crate) fn pretty(report: &impl Serialize) -> String {
    let mut json = serde_json::to_string_pretty(report).expect("a report holds only plain values");
    json.push('\n');
    json
}
