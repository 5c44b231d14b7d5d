//! The one story of all scores: what is asked for → a plan → the passes → the scores.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use super::cache::FeatureCache;
use super::input::{Input, SetGenerator};
use super::measure::{CacheMode, Measured, Measurer};
use super::network::{Network, NetworkChoice, NetworkPlan, Preparation};
use super::pass::PassObserver;
use crate::Result;
use crate::error::{Blame, Blamed};
use crate::extractor::ExtractorInfo;
use crate::image::{DataSet, DataSetError, Reading};
use crate::interrupt::Interrupt;
use crate::metrics::{Counts, Set};
use crate::score::{
    AskedIntervals, Bound, Definitions, Metric, MetricError, Need, Offer, Plan, PlanError, Preset, Request,
    ScoreNumber, Scores, Selection, UnknownName, Verdict, score,
};

/// A bound on a score that is not computed.
#[derive(Debug, thiserror::Error)]
#[error("there is a bound on {number}, which is not among the scores to compute: {}", left_out.as_ref().map_or_else(
    || "compute it too, or drop the bound".to_owned(), ToString::to_string
))]
pub struct BoundError {
    /// What is bounded.
    pub number: ScoreNumber,
    /// Why the sets do not allow it, where it was to be computed if possible.
    pub left_out: Option<MetricError>,
}

impl Blamed for BoundError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// The set that is judged.
pub enum Judged {
    /// Images, features or statistics.
    Path(PathBuf),
    /// Images to be generated.
    Generated(Box<dyn SetGenerator>),
}

impl Judged {
    /// The path of a set that is there.
    fn path(&self) -> Option<&PathBuf> {
        match self {
            Judged::Path(path) => Some(path),
            Judged::Generated(_) => None,
        }
    }
}

/// The cache of features, and what is done with it.
#[derive(Debug, Clone)]
pub struct Caching {
    /// The cache.
    pub cache: FeatureCache,
    /// What is done with it.
    pub mode: CacheMode,
}

impl Caching {
    /// The cache, if there is one, and what is done with it.
    pub fn parts(caching: Option<Self>) -> (Option<FeatureCache>, CacheMode) {
        caching.map_or((None, CacheMode::Off), |Self { cache, mode }| (Some(cache), mode))
    }
}

/// What to compute, of which sets.
pub struct Job {
    /// The real set, for scores that compare.
    pub real: Option<PathBuf>,
    /// The sets that are judged: one or more, each of which is scored against the same real set.
    pub fakes: Vec<Judged>,
    /// Which scores.
    pub selection: Selection,
    /// Their definitions.
    pub definitions: Definitions,
    /// Confidence intervals, if there are to be any.
    pub intervals: AskedIntervals,
    /// Bounds to judge the scores by.
    pub bounds: Vec<Bound>,
    /// What is needed of both sets besides, for pictures.
    pub also: &'static [Need],
    /// What the paths do not tell of the sets.
    pub reading: Reading,
    /// Which network sees images.
    pub network: NetworkChoice,
    /// Where features are kept; `None` for nowhere.
    pub caching: Option<Caching>,
}

impl Job {
    /// The scores of torch-fidelity that the sets allow, in its definitions.
    pub fn new(real: Option<PathBuf>, fake: PathBuf) -> Self {
        let preset = Preset::default();
        Self {
            real,
            fakes: vec![Judged::Path(fake)],
            selection: Selection::where_possible(Metric::of_preset(preset)),
            definitions: Definitions::of(preset),
            intervals: AskedIntervals::None,
            bounds: Vec::new(),
            also: &[],
            reading: Reading::default(),
            network: NetworkChoice::of(preset),
            caching: None,
        }
    }

    /// The scores of these names instead.
    ///
    /// # Errors
    /// [`UnknownName`] when one of the names is not that of a score.
    pub fn scores<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownName> {
        Ok(Self { selection: Selection::named(Request::of(names)?.metrics), ..self })
    }
}

/// A job that can be done, as far as can be known before the first image is decoded.
pub struct Evaluation {
    started: Instant,
    real: Option<Input>,
    fakes: Vec<(Input, Plan)>,
    network: Option<NetworkPlan>,
    bounds: Vec<Bound>,
    also: &'static [Need],
    caching: Option<Caching>,
}

/// A set and what was measured of it.
pub struct MeasuredSet {
    /// The set.
    pub input: Input,
    /// What was measured.
    pub measured: Measured,
}

/// A job done.
pub struct Evaluated {
    /// The scores, and those that failed.
    pub scores: Scores,
    /// What was to be computed, and what the sets did not allow.
    pub plan: Plan,
    /// What became of the bounds.
    pub bounds: Vec<Verdict>,
    /// The real set, if any.
    pub real: Option<MeasuredSet>,
    /// The set that was judged.
    pub fake: MeasuredSet,
    /// What turned images into features, if there were any.
    pub extractor: Option<ExtractorInfo>,
    /// How images were prepared, if there were any.
    pub preparation: Option<Preparation>,
    /// Seconds spent on the scores themselves, after the passes.
    pub metric_seconds: f64,
    /// Seconds of everything.
    pub total_seconds: f64,
}

impl Evaluation {
    /// Opens the sets, reads the network and checks what was asked for against what they offer.
    ///
    /// # Panics
    /// When no set is judged.
    ///
    /// # Errors
    /// Of opening and reading; [`MetricError::Dimension`] when two files do not belong together,
    /// [`PlanError`](crate::score::PlanError) when a score that was named cannot be had of these sets, [`BoundError`] when there is a bound on a score that is not computed.
    pub fn plan(job: Job, interrupt: &Interrupt) -> Result<Self> {
        assert!(!job.fakes.is_empty(), "a job judges at least one set");
        let started = Instant::now();
        if let Some(bound) = job.bounds.iter().find(|bound| !job.selection.contains(bound.score.metric())) {
            return Err(BoundError { number: bound.score, left_out: None }.into());
        }
        // A path that leads nowhere is said before another one is listed.
        let paths = job.real.iter().chain(job.fakes.iter().filter_map(Judged::path));
        if let Some(path) = paths.clone().find(|path| !path.exists() && !DataSet::is_collective(path)) {
            Input::open(path, interrupt)?;
        }
        let real = job.real.as_deref().map(|path| Input::open_as(path, &job.reading, interrupt)).transpose()?;
        let open = |judged| match judged {
            Judged::Path(path) => Input::open_as(&path, &job.reading, interrupt),
            Judged::Generated(generator) => Ok(Input::ToGenerate(generator)),
        };
        let fakes = job.fakes.into_iter().map(open).collect::<Result<Vec<_>>>()?;
        for fake in &fakes {
            if let [Some(real), Some(fake)] = [real.as_ref().and_then(Input::dim), fake.dim()]
                && real != fake
            {
                return Err(MetricError::Dimension { real, fake }.into());
            }
        }
        let plan = |fake: &Input, network: Option<&NetworkPlan>| {
            let input = |set| match set {
                Set::Real => real.as_ref(),
                Set::Fake => Some(fake),
            };
            let offer = Offer {
                has_real: real.is_some(),
                counts: Counts { real: real.as_ref().and_then(Input::count), fake: fake.count() },
                has: &|set, need| input(set).is_some_and(|input| input.offers(need, network)),
                apart: &|set| input(set).is_some_and(Input::has_statistics_apart),
            };
            Plan::new(&job.selection, job.definitions.clone(), job.intervals, &offer)
        };
        let plan_all = |network: Option<&NetworkPlan>| -> Result<Vec<Plan>> {
            let planned =
                fakes.iter().map(|fake| plan(fake, network).map_err(|error| explained(error, real.as_ref(), fake)));
            planned.collect()
        };
        // First without the network, which takes a while to read; files need none, and so no weights.
        let mut planned = plan_all(None)?;
        let mut network = None;
        if !seen(real.as_ref(), &fakes, &planned, job.also).is_empty() {
            let mut read = NetworkPlan::new(&job.network)?;
            planned = plan_all(Some(&read))?;
            let seen = seen(real.as_ref(), &fakes, &planned, job.also);
            if seen.iter().any(|(input, needs)| !input.has_statistics_apart() && needs.contains(&Need::Spatial)) {
                read.want_spatial();
            }
            let largest = seen.iter().filter_map(|(input, _)| input.count()).max();
            read.fit_batch(largest.unwrap_or_default());
            network = Some(read);
        }
        for plan in &planned {
            if let Some(bound) = job.bounds.iter().find(|bound| !plan.request.metrics.contains(&bound.score.metric())) {
                let left_out = plan.left_out.iter().find(|left_out| left_out.metric == bound.score.metric());
                let left_out = left_out.map(|left_out| left_out.reason.clone());
                return Err(BoundError { number: bound.score, left_out }.into());
            }
        }
        let (bounds, also, caching) = (job.bounds, job.also, job.caching);
        let fakes = fakes.into_iter().zip(planned).collect();
        Ok(Self { started, real, fakes, network, bounds, also, caching })
    }

    /// What will be computed of each set that is judged, and what the sets do not allow.
    pub fn planned(&self) -> impl Iterator<Item = &Plan> {
        self.fakes.iter().map(|(_, plan)| plan)
    }

    /// The sets, the real one first.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.real.iter().chain(self.fakes.iter().map(|(fake, _)| fake))
    }

    /// The network, where one runs.
    pub fn network(&self) -> Option<&NetworkPlan> {
        self.network.as_ref()
    }

    /// Whether a network runs.
    pub fn runs_network(&self) -> bool {
        self.network.is_some()
    }

    /// Does the work of a job with one set that is judged; of several, [`Self::run_each`] tells of more than the last.
    ///
    /// # Errors
    /// Of the passes, and within a second of the interrupt one that blames it. A score that fails is among
    /// [`Scores::failed`].
    pub fn run(self, observer: &mut dyn PassObserver, interrupt: &Interrupt) -> Result<Evaluated> {
        self.run_each(observer, interrupt, |_| ())
    }

    /// Does the work, tells of each set that is judged as soon as it is scored, and returns the last. The real set is measured
    /// once, and of the others no more than one is in memory.
    ///
    /// # Errors
    /// As [`Self::run`]. What was told before an error is not affected by it.
    pub fn run_each(
        self,
        observer: &mut dyn PassObserver,
        interrupt: &Interrupt,
        mut tell: impl FnMut(&Evaluated),
    ) -> Result<Evaluated> {
        let Self { started, real, fakes, network, bounds, also, caching } = self;
        let of_real = needs(fakes.iter().map(|(_, plan)| plan), Set::Real, also);
        let mut measurer = Measurer::start(network, Caching::parts(caching))?;
        let extractor = measurer.network().map(|network| network.info().clone());
        let preparation = measurer.network().map(Network::preparation);
        let mut measure = |mut input: Input, needs: &BTreeSet<Need>| -> Result<MeasuredSet> {
            let measured = measurer.measure(&mut input, needs, observer, interrupt)?;
            Ok(MeasuredSet { input, measured })
        };
        let mut real = real.map(|input| measure(input, &of_real)).transpose()?;
        let (mut told, mut last) = (started, None);
        for (input, plan) in fakes {
            if let Some(Evaluated { real: measured, .. }) = last.take() {
                real = measured;
            }
            let fake = measure(input, &needs([&plan], Set::Fake, also))?;
            let scoring = Instant::now();
            let data = real.as_ref().map(|real| &real.measured.data);
            let scores = score(&plan.request, data, &fake.measured.data, interrupt)?;
            let done = Evaluated {
                bounds: bounds.iter().filter_map(|bound| bound.judge(&scores)).collect(),
                scores,
                extractor: extractor.clone(),
                preparation,
                plan,
                real: real.take(),
                fake,
                metric_seconds: scoring.elapsed().as_secs_f64(),
                total_seconds: told.elapsed().as_secs_f64(),
            };
            told = Instant::now();
            tell(&done);
            last = Some(done);
        }
        Ok(last.expect("a job has a set that is judged"))
    }
}

/// A score of classes that is not possible, with what is wrong with the classes that a set has.
fn explained(error: PlanError, real: Option<&Input>, fake: &Input) -> crate::Error {
    if let PlanError::Score { reason: MetricError::Missing { need: Need::Labels, set, .. }, .. } = &error {
        let input = match set {
            Set::Real => real,
            Set::Fake => Some(fake),
        };
        if let Some(images) = input.and_then(Input::images)
            && let Some(reason) = images.untold_classes()
        {
            return DataSetError::NoClasses { path: images.path().to_owned(), reason: reason.to_owned() }.into();
        }
    }
    error.into()
}

/// What the scores of some plans need of a set, and what is needed besides.
fn needs<'a>(plans: impl IntoIterator<Item = &'a Plan>, set: Set, also: &[Need]) -> BTreeSet<Need> {
    let of_scores = plans.into_iter().flat_map(|plan| plan.request.needs(set));
    of_scores.chain(also.iter().copied()).collect()
}

/// The sets that the network looks at, with what is needed of each.
fn seen<'a>(
    real: Option<&'a Input>,
    fakes: &'a [Input],
    plans: &[Plan],
    also: &[Need],
) -> Vec<(&'a Input, BTreeSet<Need>)> {
    let real = real.map(|input| (input, needs(plans, Set::Real, also)));
    let fakes = fakes.iter().zip(plans).map(|(input, plan)| (input, needs([plan], Set::Fake, also)));
    real.into_iter().chain(fakes).filter(|(input, needs)| input.needs_network(needs)).collect()
}
