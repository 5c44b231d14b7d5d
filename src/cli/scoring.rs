//! The one path of all scores: inputs → features, logits, statistics → the scores asked for → report.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use crate::Result;
use crate::error::{Blame, Blamed};
use crate::extractor::{ExtractorId, FeatureExtractor, SpatialFeatures};
use crate::linalg;
use crate::metrics::{JackknifeOptions, Set};
use crate::report::{FEW_IMAGES, Report, SCHEMA, SetReport, Warning};
use crate::score::{Bound, Definitions, FidReport, Metric, Need, Quantity, Request, ScoreError, Scores, score};

use super::args::ScoringArgs;
use super::exit::Outcome;
use super::measure::{Caching, Measured, Running, measure};
use super::output;
use super::plan::{Input, NetworkPlan};

/// A bound on a score that is not computed.
#[derive(Debug, thiserror::Error)]
#[error("there is a bound on {0}, which is not among the scores to compute: add it to --metrics, or drop the bound")]
struct BoundError(Quantity);

impl Blamed for BoundError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Which scores.
pub enum Selection {
    /// These; an error when a set does not allow one.
    Named(BTreeSet<Metric>),
    /// All that the sets allow, those of classes excepted; and these, with an error when a set does not allow one.
    AllAnd(BTreeSet<Metric>),
}

/// Scores to compute of sets.
pub struct Job<'a> {
    pub command: &'static str,
    /// The real set, for scores that compare.
    pub real: Option<&'a Path>,
    /// The set that is judged.
    pub fake: &'a Path,
    pub selection: Selection,
    pub definitions: Definitions,
    /// Bounds that decide the exit code; each on a score that is asked for.
    pub bounds: Vec<Bound>,
    /// What is needed of both sets besides, for pictures.
    pub also: &'a [Need],
    pub args: &'a ScoringArgs,
}

impl<'a> Job<'a> {
    /// A job for one score by the definitions of the preset, which the caller may change.
    pub fn of(
        command: &'static str,
        metric: Metric,
        real: Option<&'a Path>,
        fake: &'a Path,
        args: &'a ScoringArgs,
    ) -> Self {
        let definitions = Definitions::of(args.preset.into());
        let selection = Selection::Named([metric].into());
        Self { command, real, fake, selection, definitions, bounds: Vec::new(), also: &[], args }
    }
}

/// A job done.
pub struct Done {
    pub report: Report,
    /// The real set and its images, if any.
    pub real: Option<(Input, Measured)>,
    /// The set that was judged.
    pub fake: (Input, Measured),
}

/// Does a job.
pub fn run(job: &Job<'_>) -> Result<Done> {
    let started = Instant::now();
    let args = job.args;
    let real = job.real.map(Input::open).transpose()?;
    let fake = Input::open(job.fake)?;
    // Two files need no network, and so no weights.
    let has_images = real.iter().chain([&fake]).any(|input| matches!(input, Input::Images(_)));
    let mut plan = has_images.then(|| NetworkPlan::new(&args.extract, args.preset.into())).transpose()?;

    let intervals = args.ci.map(|percent| JackknifeOptions { level: percent / 100.0, ..JackknifeOptions::default() });
    let (metrics, mut warnings) =
        chosen(&job.selection, |metric| obstacle(metric, real.as_ref(), &fake, plan.as_ref()))?;
    if let Some(bound) = job.bounds.iter().find(|bound| !metrics.contains(&bound.score.metric())) {
        return Err(BoundError(bound.score).into());
    }
    let request = Request { metrics, definitions: job.definitions.clone(), intervals };
    let needs = |set| -> BTreeSet<Need> { request.needs(set).into_iter().chain(job.also.iter().copied()).collect() };
    let spatial = [Set::Real, Set::Fake].into_iter().any(|set| needs(set).contains(&Need::Spatial));
    if let Some(plan) = plan.as_mut().filter(|_| spatial) {
        plan.network.spatial = SpatialFeatures::Wanted;
    }

    let mut running = plan.map(Running::start).transpose()?;
    let (caching, verbosity) = (Caching::new(&args.cache), args.output.quiet.into());
    let real = match real {
        Some(input) => {
            let measured = measure(&input, running.as_mut(), &needs(Set::Real), &caching, verbosity)?;
            Some((input, measured))
        }
        None => None,
    };
    let measured = measure(&fake, running.as_mut(), &needs(Set::Fake), &caching, verbosity)?;
    let fake = (fake, measured);

    let scoring = Instant::now();
    let scores = score(&request, real.as_ref().map(|real| &real.1.data), &fake.1.data)?;
    let metric_seconds = scoring.elapsed().as_secs_f64();

    let sets: Vec<&Measured> = real.iter().map(|real| &real.1).chain([&fake.1]).collect();
    if let [real, fake] = sets[..] {
        warnings.extend(warnings_of_pair(&scores, [real, fake]));
    }
    warnings.extend(sets.iter().flat_map(|set| set.warnings.clone()));
    warnings.extend(warnings_of_run(running.as_ref(), &sets));
    let sets: Vec<SetReport> = sets.into_iter().map(|set| set.report.clone()).collect();
    let bounds = job.bounds.iter().filter_map(|bound| bound.judge(&scores)).collect();
    let report = Report {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        command: job.command,
        metrics: scores,
        preset: request.definitions.preset,
        extractor: running.as_ref().map(|running| running.extractor.info().clone()),
        preparation: running.as_ref().map(|running| running.plan.preparation()),
        linalg: linalg::BACKEND,
        sets,
        warnings: warnings.into_iter().map(Into::into).collect(),
        bounds,
        metric_seconds,
        total_seconds: started.elapsed().as_secs_f64(),
    };
    Ok(Done { report, real, fake })
}

/// Prints the report; how the command ends is for the bounds to say.
pub fn finish(report: Report, args: &ScoringArgs) -> Result<Outcome> {
    output::emit(&report, &args.output)?;
    let met = report.bounds.iter().all(|verdict| verdict.met);
    Ok(if met { Outcome::Success } else { Outcome::BoundMissed })
}

/// The scores to compute, and a warning for each that `all` leaves out.
fn chosen(
    selection: &Selection,
    obstacle: impl Fn(Metric) -> Option<ScoreError>,
) -> Result<(BTreeSet<Metric>, Vec<Warning>)> {
    let (Selection::Named(named) | Selection::AllAnd(named)) = selection;
    if let Some(error) = named.iter().find_map(|&metric| obstacle(metric)) {
        return Err(error.into());
    }
    let (mut metrics, mut warnings) = (named.clone(), Vec::new());
    if let Selection::AllAnd(_) = selection {
        for metric in Metric::ALL.into_iter().filter(|&metric| metric != Metric::PerClass) {
            match obstacle(metric) {
                Some(error) => warnings.push(Warning::LeftOut { metric, reason: error.to_string() }),
                None => {
                    metrics.insert(metric);
                }
            }
        }
    }
    Ok((metrics, warnings))
}

/// Why a score cannot be computed of these inputs, as far as can be told before anything is extracted.
fn obstacle(metric: Metric, real: Option<&Input>, fake: &Input, plan: Option<&NetworkPlan>) -> Option<ScoreError> {
    let missing = |set: Set, input: &Input| metric.missing(set, |need| input.offers(need, plan));
    match real {
        None if !metric.needs(Set::Real).is_empty() => Some(ScoreError::NoRealSet { metric }),
        None => missing(Set::Fake, fake),
        Some(real) => missing(Set::Real, real).or_else(|| missing(Set::Fake, fake)),
    }
}

/// What to be careful about when two sets are compared.
fn warnings_of_pair(scores: &Scores, pair: [&Measured; 2]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let path = |set: &Measured| set.report.path.display().to_string();
    let dim = |distance: &FidReport| distance.dim;
    let of_features = pair[0].data.features.as_ref().map(|features| features.dim());
    // The Fréchet distance of the highest dimension wants the most images.
    let dims = [scores.fid.as_ref().map(dim), scores.sfid.as_ref().map(dim), scores.mifid.as_ref().and(of_features)];
    let frechet = dims.into_iter().flatten().max();
    for (number, set) in pair.into_iter().enumerate() {
        if let Some(dim) = frechet
            && let Some(images) = set.report.images.filter(|&images| images < FEW_IMAGES.max(dim as u64))
        {
            warnings.push(Warning::FewImages { set: path(set), images, dim });
        }
        if set.provenance.is_none() {
            warnings.push(Warning::UnknownProvenance { set: path(set) });
        }
        for distance in [&scores.fid, &scores.sfid].into_iter().flatten() {
            if let Some(eigenvalue) = distance.clipped[number] {
                warnings.push(Warning::Clipped { set: path(set), eigenvalue });
            }
        }
    }
    if let (Some(ours), Some(theirs)) = (&pair[0].provenance, &pair[1].provenance) {
        let differences = ours.differences(theirs);
        if !differences.is_empty() {
            warnings.push(Warning::Incomparable { differences });
        }
    }
    if let (Some(_), [Some(real), Some(fake)]) = (&scores.prdc, pair.map(|set| set.report.images))
        && real != fake
        && scores.prdc.as_ref().is_some_and(|prdc| prdc.definition.subset.is_none())
    {
        warnings.push(Warning::UnequalNumbers { real, fake });
    }
    if pair[0].data.same_as(&pair[1].data) {
        warnings.push(Warning::IdenticalSets);
    }
    warnings
}

/// What every report has to say of the network and the sets.
fn warnings_of_run(running: Option<&Running>, sets: &[&Measured]) -> Vec<Warning> {
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
            .map(|set| &set.report)
            .filter(|set| !set.skipped.is_empty())
            .map(|set| Warning::Skipped { set: set.path.display().to_string(), count: set.skipped.len() }),
    );
    warnings
}
