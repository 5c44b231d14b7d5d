//! The commands: each takes its arguments, makes a plan, runs it and reports.

pub mod divergence;
pub mod doctor;
pub mod export;
pub mod fid;
pub mod generate;
pub mod inception_score;
pub mod model;
pub mod score;
pub mod shell;
pub mod stats;
pub mod train;

use std::time::{Duration, Instant};

use gan_metrics::Result;
use gan_metrics::evaluate::{self, Collector, PassSummary};
use gan_metrics::extractor::{ExtractorId, ExtractorInfo, FeatureExtractor, NetworkExtractor};
use gan_metrics::image::DataSet;
use gan_metrics::linalg;
use gan_metrics::report::{Metrics, Report, SCHEMA, SetReport, StageSeconds, Warning};
use gan_metrics::stats::{Provenance, StatsFile};

use super::plan::{Input, NetworkPlan};
use super::progress::Progress;

/// Whether progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// Progress and warnings on stderr.
    Normal,
    /// Neither.
    Quiet,
}

impl From<bool> for Verbosity {
    fn from(quiet: bool) -> Self {
        if quiet { Verbosity::Quiet } else { Verbosity::Normal }
    }
}

/// A network in use: the plan and the engine that runs it.
struct Running {
    plan: NetworkPlan,
    extractor: NetworkExtractor,
}

impl Running {
    fn start(plan: NetworkPlan) -> Result<Self> {
        let extractor = plan.start()?;
        Ok(Self { plan, extractor })
    }

    /// One pass over a set of images.
    fn pass(&mut self, images: &DataSet, sink: &mut Collector, verbosity: Verbosity) -> Result<PassSummary> {
        let name = images.path().file_name().unwrap_or(images.path().as_os_str()).to_string_lossy().into_owned();
        let mut progress = Progress::new(name, verbosity == Verbosity::Quiet);
        Ok(evaluate::run(images, &mut self.extractor, self.plan.pass, sink, &mut progress)?)
    }

    /// How statistics of this run come about.
    fn provenance(&self, images: u64) -> Provenance {
        let info = self.extractor.info();
        Provenance {
            version: env!("CARGO_PKG_VERSION").into(),
            extractor: info.name.clone(),
            model_sha256: info.model_sha256.clone(),
            layer: info.features_output.clone(),
            resize: self.plan.pass.resize.to_string(),
            n: images,
        }
    }
}

/// A set after its pass.
struct Measured {
    statistics: StatsFile,
    report: SetReport,
}

/// The statistics of an input: read, or computed by a pass.
fn measure(input: &Input, running: Option<&mut Running>, verbosity: Verbosity) -> Result<Measured> {
    match (input, running) {
        (Input::Images(images), Some(running)) => {
            let mut collector = Collector::of_statistics();
            let summary = running.pass(images, &mut collector, verbosity)?;
            let gaussian = collector.gaussian()?;
            let provenance = running.provenance(summary.images as u64);
            let report = report_of_pass(images, summary);
            Ok(Measured { statistics: StatsFile { gaussian, provenance: Some(provenance) }, report })
        }
        (Input::Images(_), None) => unreachable!("a network is started whenever an input has images"),
        (Input::Statistics(path, file), _) => {
            let report = SetReport {
                path: path.clone(),
                kind: "statistics".into(),
                images: file.gaussian.n(),
                skipped: Vec::new(),
                provenance: file.provenance.clone(),
                seconds: None,
            };
            Ok(Measured { statistics: (**file).clone(), report })
        }
    }
}

fn report_of_pass(images: &DataSet, summary: PassSummary) -> SetReport {
    SetReport {
        path: images.path().into(),
        kind: images.kind().to_string(),
        images: Some(summary.images as u64),
        seconds: Some(StageSeconds::from(&summary)),
        skipped: summary.skipped,
        provenance: None,
    }
}

/// What every report has to say of the network and the sets.
fn warnings_of_run(running: Option<&Running>, sets: &[SetReport]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(info) = running.map(|running| running.extractor.info()) {
        if info.engine.name == "tract" {
            warnings.push(Warning::Tract);
        }
        if info.name != ExtractorId::InceptionV3.to_string() {
            warnings.push(Warning::OwnExtractor { name: info.name.clone() });
        }
    }
    warnings.extend(
        sets.iter()
            .filter(|set| !set.skipped.is_empty())
            .map(|set| Warning::Skipped { set: set.path.display().to_string(), count: set.skipped.len() }),
    );
    warnings
}

/// Times of a command.
struct Clock {
    started: Instant,
    metrics: Duration,
}

impl Clock {
    fn start() -> Self {
        Self { started: Instant::now(), metrics: Duration::ZERO }
    }

    fn metrics<T>(&mut self, compute: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = compute();
        self.metrics += started.elapsed();
        result
    }
}

fn report(
    command: &'static str,
    metrics: Metrics,
    running: Option<&Running>,
    sets: Vec<SetReport>,
    warnings: Vec<Warning>,
    within_bound: Option<bool>,
    clock: Clock,
) -> Report {
    let info = |running: &Running| -> ExtractorInfo { running.extractor.info().clone() };
    Report {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        command,
        metrics,
        extractor: running.map(info),
        preparation: running.map(|running| running.plan.preparation()),
        linalg: linalg::BACKEND,
        sets,
        warnings: warnings.into_iter().map(Into::into).collect(),
        within_bound,
        metric_seconds: clock.metrics.as_secs_f64(),
        total_seconds: clock.started.elapsed().as_secs_f64(),
    }
}
