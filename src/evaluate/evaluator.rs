//! Scores of images that come little by little, as those of a training loop do.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::Path;

use super::accumulator::{Accumulator, data_of};
use super::cache::{CacheError, CacheKey, FeatureCache};
use super::measure::SetReport;
use super::network::{Network, NetworkChoice, NetworkPlan};
use super::partial::{Partial, WholeSet};
use super::pass::Portion;
use super::shard::Shard;
use crate::Result;
use crate::error::{Blame, Blamed};
use crate::image::ImageSource;
use crate::interrupt::Interrupt;
use crate::metrics::Set;
use crate::score::{MetricError, Need, Request, Scores, SetData, score};
use crate::stats::{FeatureFile, Provenance, StatsFile};

/// Why an evaluator cannot take what it is given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluatorError {
    /// The network gives nothing that one of the scores needs.
    #[error("{reason}")]
    Network {
        /// The first such score, and what is missing.
        reason: MetricError,
    },
    /// The real set was given whole.
    #[error("the real set was given as a reference: images are added to the fake set only")]
    HasReference,
    /// A reference has other features than this network gives.
    #[error("the reference was computed differently ({}): compute it with this network", differences.join("; "))]
    Incomparable {
        /// In which ways.
        differences: Vec<String>,
    },
    /// A reference does not hold what one of the scores needs.
    #[error("{reason}")]
    Reference {
        /// The first such score, and what is missing.
        reason: MetricError,
    },
}

impl Blamed for EvaluatorError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// A real set that is known whole: statistics, features, or the merged parts of one.
///
/// ```no_run
/// use std::path::Path;
///
/// use gan_metrics::evaluate::Reference;
/// use gan_metrics::stats::StatsFile;
///
/// let reference: Reference = StatsFile::read(Path::new("cifar10.npz"))?.into();
/// # Ok::<(), gan_metrics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Reference {
    content: Content,
    provenance: Option<Provenance>,
}

#[derive(Debug, Clone)]
enum Content {
    Statistics(Box<StatsFile>),
    Features(Box<FeatureFile>),
    Part(Box<Partial>),
}

impl From<StatsFile> for Reference {
    fn from(file: StatsFile) -> Self {
        let provenance = file.provenance.clone();
        Self { content: Content::Statistics(Box::new(file)), provenance }
    }
}

impl From<FeatureFile> for Reference {
    fn from(file: FeatureFile) -> Self {
        let provenance = file.provenance.clone();
        Self { content: Content::Features(Box::new(file)), provenance }
    }
}

impl From<Partial> for Reference {
    fn from(part: Partial) -> Self {
        let provenance = part.provenance();
        Self { content: Content::Part(Box::new(part)), provenance }
    }
}

impl Reference {
    fn into_data(self, needs: &BTreeSet<Need>, interrupt: &Interrupt) -> Result<SetData> {
        match self.content {
            Content::Statistics(file) => {
                Ok(SetData { statistics: Some(file.gaussian), spatial: file.spatial, ..SetData::default() })
            }
            Content::Features(file) => Ok(data_of(*file, needs, interrupt)?),
            Content::Part(part) => Ok(part.into_data(needs, interrupt)?),
        }
    }
}

/// The real set.
enum Real {
    /// It is added to. What scores need of it is made once, until it grows.
    Growing(Box<Partial>, OnceCell<Box<SetData>>),
    /// It is known whole. Its covariance is factorised once.
    Whole(Box<SetData>, Option<Box<Provenance>>),
}

impl Real {
    fn growing(part: Partial) -> Self {
        Self::Growing(Box::new(part), OnceCell::new())
    }
}

/// Scores of images in memory, batch by batch: `update`, `compute`, `reset`, `merge`, as torchmetrics has them, over every score of
/// the [registry](crate::metrics::registry).
///
/// Looking changes nothing: [`compute`](Self::compute) may be called at any time. State goes to [bytes](Partial::to_bytes) and back.
/// How images are cut into batches changes no bit of a score; what merging several evaluators changes says [`Partial`].
///
/// It is `Send` and not `Sync`: one for each thread, merged in the end, or one behind a lock.
///
/// ```
/// use gan_metrics::evaluate::{Evaluator, NetworkChoice};
/// use gan_metrics::image::ImageArray;
/// use gan_metrics::metrics::Set;
/// use gan_metrics::score::Request;
/// use ndarray::Array4;
///
/// let real = Array4::from_shape_fn((6, 16, 16, 3), |(n, y, x, c)| (40 * n + 7 * y + 3 * x + c) as u8);
/// let fake = Array4::from_shape_fn((6, 3, 16, 16), |(n, c, y, x)| ((n + c + y * x) % 9) as f32 / 4.5 - 1.0);
///
/// let mut run = Evaluator::new(&NetworkChoice::builtin(), Request::of(["fid", "vendi"])?)?;
/// run.update(Set::Real, &ImageArray::nhwc(real.view())?)?;
/// run.update(Set::Fake, &ImageArray::nchw_f32(fake.view(), [-1.0, 1.0])?)?;
/// let scores = run.compute()?;
/// assert!(scores.number("fid").unwrap() > 0.0);
///
/// run.reset(Set::Fake); // the next poll; the real set stays
/// # Ok::<(), gan_metrics::Error>(())
/// ```
pub struct Evaluator {
    network: Network,
    request: Request,
    shard: Shard,
    interrupt: Interrupt,
    real: Real,
    fake: Partial,
    not_cached: Option<CacheError>,
}

impl Evaluator {
    /// Reads and starts the network, for these scores.
    ///
    /// # Errors
    /// [`ModelError`](crate::extractor::ModelError) and [`EngineError`](crate::extractor::EngineError) when the network is not installed
    /// or cannot run here; [`EvaluatorError::Network`] when it does not give what a score needs.
    pub fn new(network: &NetworkChoice, request: Request) -> Result<Self> {
        let mut plan = NetworkPlan::new(network)?;
        for metric in &request.metrics {
            for set in Set::BOTH {
                if let Some(reason) = metric.about().missing(set, |need| plan.offers(need)) {
                    return Err(EvaluatorError::Network { reason }.into());
                }
            }
        }
        if Set::BOTH.into_iter().any(|set| request.needs(set).contains(&Need::Spatial)) {
            plan.want_spatial();
        }
        Ok(Self::with_network(plan.start()?, request))
    }

    /// As [`Self::new`], with a network that runs already, or whatever else gives features.
    pub fn with_network(network: Network, request: Request) -> Self {
        let part = |set| empty(&network, &request, set);
        let (real, fake) = (Real::growing(part(Set::Real)), part(Set::Fake));
        Self { network, request, shard: Shard::WHOLE, interrupt: Interrupt::new(), real, fake, not_cached: None }
    }

    /// Takes the real set whole. Its covariance is factorised once, on the first Fréchet distance.
    ///
    /// # Errors
    /// [`EvaluatorError`] when it was computed differently or does not hold what a score needs.
    pub fn with_reference(mut self, reference: impl Into<Reference>) -> Result<Self> {
        let reference = reference.into();
        let provenance = reference.provenance.clone().map(Box::new);
        let differences =
            reference.provenance.as_ref().map_or(Vec::new(), |known| known.differences(&self.network.provenance()));
        if !differences.is_empty() {
            return Err(EvaluatorError::Incomparable { differences }.into());
        }
        let data = reference.into_data(&self.request.needs(Set::Real), &self.interrupt)?;
        for metric in &self.request.metrics {
            if let Some(reason) = metric.about().missing(Set::Real, |need| data.holds(need)) {
                return Err(EvaluatorError::Reference { reason }.into());
            }
        }
        self.real = Real::Whole(Box::new(data), provenance);
        Ok(self)
    }

    /// Takes the real set whole, from its images. With a cache their features are found again by the content of the images, and kept
    /// for the next time.
    ///
    /// # Errors
    /// As [`Self::with_reference`], and those of reading, decoding and the network.
    pub fn with_reference_images(mut self, images: &dyn ImageSource, cache: Option<&FeatureCache>) -> Result<Self> {
        let Some(cache) = cache else {
            let gathered = Accumulator::of_needs(&self.request.needs(Set::Real));
            let part = self.pass(Portion::of(images), gathered, Set::Real)?;
            return self.with_reference(part);
        };
        let resize = self.network.pass().resize;
        let key = CacheKey::new_with(images, self.network.extractor(), resize, &self.interrupt)?;
        if let Some(found) = cache.find(&key) {
            return self.with_reference(found);
        }
        let part = self.pass(Portion::of(images), Accumulator::of_everything(), Set::Real)?;
        let complete = part.skipped().is_empty();
        let file = part.into_feature_file().expect("a pass that succeeds has images");
        // What images are left out of has no place in the cache.
        if complete {
            self.not_cached = cache.store(&key, &file).err();
        }
        self.with_reference(file)
    }

    /// Says which of several evaluators this is: the images of each are dealt out in turn, as PyTorch's `DistributedSampler` does,
    /// so that merging puts them back in the order of the whole.
    pub fn with_shard(self, shard: Shard) -> Self {
        Self { shard, ..self }
    }

    /// Lets an interrupt stop the work.
    pub fn with_interrupt(self, interrupt: Interrupt) -> Self {
        Self { interrupt, ..self }
    }

    /// The network that runs: what it is, and how images are prepared for it.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Why the features of the reference could not be kept in the cache: no reason to stop, since they are at hand.
    pub fn not_cached(&self) -> Option<&CacheError> {
        self.not_cached.as_ref()
    }

    /// The scores to compute.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Adds images to a set.
    ///
    /// # Errors
    /// [`EvaluateError`](super::EvaluateError) when an image cannot be decoded or the network fails, and then nothing is added;
    /// [`EvaluatorError::HasReference`].
    pub fn update(&mut self, set: Set, images: &dyn ImageSource) -> Result<()> {
        let before = self.partial(set).ok_or(EvaluatorError::HasReference)?;
        let (rows, seen) = (before.gathered().rows_to_extend(), before.images() + before.skipped().len());
        let portion = Portion::of(images).numbered(self.shard.dealt(seen), self.shard.count());
        let added = self.pass(portion, rows, set)?;
        match (set, &mut self.real) {
            (Set::Fake, _) => self.fake.extend(added)?,
            (Set::Real, Real::Growing(ours, known)) => {
                known.take();
                ours.extend(added)?;
            }
            (Set::Real, Real::Whole(..)) => unreachable!("it has no part"),
        }
        Ok(())
    }

    /// The scores of all images so far, each for itself: one that fails, as with too few images, is among [`Scores::failed`].
    ///
    /// Where the request asks for [intervals](Request::intervals), each number comes with its standard error and its bias: that
    /// of a Fréchet distance of few images is large.
    ///
    /// # Errors
    /// [`Interrupted`](crate::Interrupted).
    pub fn compute(&self) -> Result<Scores> {
        let data = |part: &Partial, set| part.clone().into_data(&self.request.needs(set), &self.interrupt);
        let fake = data(&self.fake, Set::Fake)?;
        let real = match &self.real {
            Real::Whole(data, _) => Some(&**data),
            Real::Growing(part, _) if part.images() == 0 => None,
            Real::Growing(part, known) => match known.get() {
                Some(data) => Some(&**data),
                None => {
                    let data = Box::new(data(part, Set::Real)?);
                    Some(&**known.get_or_init(|| data))
                }
            },
        };
        Ok(score(&self.request, real, &fake, &self.interrupt)?)
    }

    /// Forgets the images of a set; a reference goes as well.
    pub fn reset(&mut self, set: Set) {
        let part = empty(&self.network, &self.request, set);
        match set {
            Set::Real => self.real = Real::growing(part),
            Set::Fake => self.fake = part,
        }
    }

    /// What is known of the images that were added to a set, to be sent elsewhere; `None` for a reference.
    pub fn partial(&self, set: Set) -> Option<&Partial> {
        match (set, &self.real) {
            (Set::Fake, _) => Some(&self.fake),
            (Set::Real, Real::Growing(part, _)) => Some(part),
            (Set::Real, Real::Whole(..)) => None,
        }
    }

    /// What reports say of a set; `None` of a real set of which nothing is known.
    pub fn set_report(&self, set: Set) -> Option<SetReport> {
        let of = |images: Option<u64>| SetReport::of(Path::new(title(set)), "memory", images);
        match (self.partial(set), &self.real) {
            (Some(part), _) if set == Set::Real && part.images() == 0 => None,
            (Some(part), _) => {
                let (skipped, provenance) = (part.skipped().to_vec(), part.provenance());
                Some(SetReport { skipped, provenance, ..of(Some(part.images() as u64)) })
            }
            (None, Real::Whole(data, provenance)) => {
                let provenance = provenance.as_deref().cloned();
                Some(SetReport { provenance, ..of(data.images().map(|images| images as u64)) })
            }
            (None, Real::Growing(..)) => unreachable!("what grows is a part"),
        }
    }

    /// Joins images that were added elsewhere. Those of several evaluators have [a shard](Self::with_shard) each.
    ///
    /// # Errors
    /// [`PartialError`](super::PartialError) when they were computed differently, hold other things or the same image; [`EvaluatorError::HasReference`].
    pub fn merge(&mut self, set: Set, part: Partial) -> Result<()> {
        match (set, &mut self.real) {
            (Set::Fake, _) => self.fake.merge(part)?,
            (Set::Real, Real::Growing(ours, known)) => {
                known.take();
                ours.merge(part)?;
            }
            (Set::Real, Real::Whole(..)) => return Err(EvaluatorError::HasReference.into()),
        }
        Ok(())
    }

    fn pass(&mut self, portion: Portion<'_>, gathered: Accumulator, set: Set) -> Result<Partial> {
        // Classes are in the names.
        let named = self.request.needs(set).contains(&Need::Labels);
        Ok(self.network.partial(portion, gathered, named, &mut (), &self.interrupt)?.part)
    }
}

/// What a set is called, for people.
fn title(set: Set) -> &'static str {
    match set {
        Set::Real => "the real set",
        Set::Fake => "the fake set",
    }
}

/// What is known of a set before its first image.
fn empty(network: &Network, request: &Request, set: Set) -> Partial {
    let whole = WholeSet { title: title(set).into(), images: None, listing: None, sample: None };
    Partial::new(whole, Accumulator::of_needs(&request.needs(set))).with_findings(
        Vec::new(),
        Default::default(),
        Some(network.provenance()),
    )
}
