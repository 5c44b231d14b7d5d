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
use crate::image::Reading;
use crate::interrupt::Interrupt;
use crate::metrics::{Counts, JackknifeOptions, Set};
use crate::score::{
    Bound, Definitions, Metric, MetricError, Need, Offer, Plan, Preset, Request, ScoreNumber, Scores, Selection,
    UnknownName, Verdict, score,
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
    /// The set that is judged.
    pub fake: Judged,
    /// Which scores.
    pub selection: Selection,
    /// Their definitions.
    pub definitions: Definitions,
    /// Confidence intervals, if there are to be any.
    pub intervals: Option<JackknifeOptions>,
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
            fake: Judged::Path(fake),
            selection: Selection::where_possible(Metric::of_preset(preset)),
            definitions: Definitions::of(preset),
            intervals: None,
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
    /// [`UnknownName`] when there is no score of one of the names.
    pub fn scores<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownName> {
        Ok(Self { selection: Selection::named(Request::of(names)?.metrics), ..self })
    }
}

/// A job that can be done, as far as can be known before the first image is decoded.
pub struct Evaluation {
    started: Instant,
    real: Option<Input>,
    fake: Input,
    network: Option<NetworkPlan>,
    plan: Plan,
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
    /// # Errors
    /// Of opening and reading; [`MetricError::Dimension`] when two files do not belong together,
    /// [`PlanError`](crate::score::PlanError) when a score that was named cannot be had of these sets, [`BoundError`] when there is a bound on a score that is not computed.
    pub fn plan(job: Job, interrupt: &Interrupt) -> Result<Self> {
        let started = Instant::now();
        if let Some(bound) = job.bounds.iter().find(|bound| !job.selection.contains(bound.score.metric())) {
            return Err(BoundError { number: bound.score, left_out: None }.into());
        }
        // A path that leads nowhere is said before the other one is listed.
        let judged = match &job.fake {
            Judged::Path(path) => Some(path),
            Judged::Generated(_) => None,
        };
        if let Some(path) = job.real.iter().chain(judged).find(|path| !path.exists()) {
            Input::open(path, interrupt)?;
        }
        let real = job.real.map(|path| Input::open_as(&path, &job.reading, interrupt)).transpose()?;
        let fake = match job.fake {
            Judged::Path(path) => Input::open_as(&path, &job.reading, interrupt)?,
            Judged::Generated(generator) => Input::ToGenerate(generator),
        };
        if let [Some(real), Some(fake)] = [real.as_ref().and_then(Input::dim), fake.dim()]
            && real != fake
        {
            return Err(MetricError::Dimension { real, fake }.into());
        }
        let input = |set| match set {
            Set::Real => real.as_ref(),
            Set::Fake => Some(&fake),
        };
        let plan = |network: Option<&NetworkPlan>| {
            let offer = Offer {
                has_real: real.is_some(),
                counts: Counts { real: real.as_ref().and_then(Input::count), fake: fake.count() },
                has: &|set, need| input(set).is_some_and(|input| input.offers(need, network)),
                apart: &|set| input(set).is_some_and(Input::has_statistics_apart),
            };
            Plan::new(&job.selection, job.definitions.clone(), job.intervals, &offer)
        };
        // First without the network, which takes a while to read; files need none, and so no weights.
        let mut planned = plan(None)?;
        let mut network = None;
        let needs = |plan: &Plan, set| -> BTreeSet<Need> {
            plan.request.needs(set).into_iter().chain(job.also.iter().copied()).collect()
        };
        let seen = |plan: &Plan| -> Vec<(Set, &Input)> {
            let inputs = Set::BOTH.into_iter().filter_map(|set| Some((set, input(set)?)));
            inputs.filter(|(set, input)| input.needs_network(&needs(plan, *set))).collect()
        };
        if !seen(&planned).is_empty() {
            let mut read = NetworkPlan::new(&job.network)?;
            planned = plan(Some(&read))?;
            let seen = seen(&planned);
            let wants_spatial = |(set, input): &(Set, &Input)| {
                !input.has_statistics_apart() && needs(&planned, *set).contains(&Need::Spatial)
            };
            if seen.iter().any(wants_spatial) {
                read.want_spatial();
            }
            let largest = seen.iter().filter_map(|(_, input)| input.count()).max();
            read.fit_batch(largest.unwrap_or_default());
            network = Some(read);
        }
        if let Some(bound) = job.bounds.iter().find(|bound| !planned.request.metrics.contains(&bound.score.metric())) {
            let left_out = planned.left_out.into_iter().find(|left_out| left_out.metric == bound.score.metric());
            return Err(BoundError { number: bound.score, left_out: left_out.map(|left_out| left_out.reason) }.into());
        }
        let (bounds, also, caching) = (job.bounds, job.also, job.caching);
        Ok(Self { started, real, fake, network, plan: planned, bounds, also, caching })
    }

    /// What will be computed, and what the sets do not allow.
    pub fn planned(&self) -> &Plan {
        &self.plan
    }

    /// The sets, the real one first.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.real.iter().chain([&self.fake])
    }

    /// The network, where one runs.
    pub fn network(&self) -> Option<&NetworkPlan> {
        self.network.as_ref()
    }

    /// Whether a network runs.
    pub fn runs_network(&self) -> bool {
        self.network.is_some()
    }

    /// Does the work.
    ///
    /// # Errors
    /// Of the passes, and within a second of the interrupt one that blames it. A score that fails is among
    /// [`Scores::failed`].
    pub fn run(self, observer: &mut dyn PassObserver, interrupt: &Interrupt) -> Result<Evaluated> {
        let Self { started, real, fake, network, plan, bounds, also, caching } = self;
        let needs =
            |set| -> BTreeSet<Need> { plan.request.needs(set).into_iter().chain(also.iter().copied()).collect() };
        let mut measurer = Measurer::start(network, Caching::parts(caching))?;
        let mut measure = |mut input: Input, set| -> Result<MeasuredSet> {
            let measured = measurer.measure(&mut input, &needs(set), observer, interrupt)?;
            Ok(MeasuredSet { input, measured })
        };
        let real = real.map(|input| measure(input, Set::Real)).transpose()?;
        let fake = measure(fake, Set::Fake)?;

        let scoring = Instant::now();
        let data = real.as_ref().map(|real| &real.measured.data);
        let scores = score(&plan.request, data, &fake.measured.data, interrupt)?;
        let metric_seconds = scoring.elapsed().as_secs_f64();
        Ok(Evaluated {
            bounds: bounds.iter().filter_map(|bound| bound.judge(&scores)).collect(),
            scores,
            extractor: measurer.network().map(|network| network.info().clone()),
            preparation: measurer.network().map(Network::preparation),
            plan,
            real,
            fake,
            metric_seconds,
            total_seconds: started.elapsed().as_secs_f64(),
        })
    }
}
