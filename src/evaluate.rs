//! One pass over a data set: decode and resize on all cores, run the network, hand the features on.
//!
//! ```text
//! rayon: decode ─► resize ─► normalise ─► batch ══(bounded queue)══► network ─► sink
//! ```
//!
//! Decoding works ahead of the network by at most two batches, so that neither waits for the other and the memory in
//! flight is bounded: four batches of images, `12·width·height` bytes an image; 69 MB for 299×299 at 16 images a batch.
//! Images are numbered by their order in the data set, whatever order they were decoded in, so that results do not depend
//! on timing.

pub mod cache;

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use ndarray::{Array2, ArrayView2, ArrayView4, Axis, concatenate};
use rayon::prelude::*;

use crate::error::{Blame, Blamed};
use crate::extractor::{EngineError, Extraction, FeatureExtractor, InputSpec};
use crate::image::{DataSet, ImageError, ResizeError, ResizeMode, Resizer};
use crate::stats::{FeatureStatistics, Features, FeaturesError, Gaussian, Logits, MomentsError};

/// Batches that may wait for the network.
const QUEUE: usize = 2;

/// What to do about an image that cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnBadImage {
    /// Stop with its name and the reason.
    #[default]
    Stop,
    /// Go on without it, and report it.
    Skip,
}

/// Why a pass failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// An image cannot be decoded.
    #[error("{0}\nto go on without such images, use --on-bad-image skip")]
    Image(#[source] ImageError),
    /// The network takes images of no size.
    #[error(transparent)]
    Resize(#[from] ResizeError),
    /// The network failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The network gave an image features that are not finite.
    #[error("{image}: {source}")]
    NotFinite {
        /// Name of the image.
        image: String,
        /// Which output, and where in it.
        source: EngineError,
    },
    /// No image was left.
    #[error("none of the {images} images of {name} could be decoded; the first: {first}")]
    NothingLeft {
        /// Name of the data set.
        name: String,
        /// Number of images it has.
        images: usize,
        /// What was wrong with the first.
        first: String,
    },
    /// The features do not fit together.
    #[error(transparent)]
    Moments(#[from] MomentsError),
    /// The pass was interrupted by its observer.
    #[error("interrupted after {done} of {total} images")]
    Interrupted {
        /// Images done.
        done: usize,
        /// Images in the data set.
        total: usize,
    },
}

impl Blamed for EvaluateError {
    fn blame(&self) -> Blame {
        match self {
            EvaluateError::Image(error) => error.blame(),
            EvaluateError::Resize(error) => error.blame(),
            EvaluateError::Engine(error) => error.blame(),
            EvaluateError::NotFinite { source, .. } => source.blame(),
            EvaluateError::NothingLeft { .. } | EvaluateError::Moments(_) => Blame::Input,
            EvaluateError::Interrupted { .. } => Blame::Interrupted,
        }
    }
}

/// An image that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SkippedImage {
    /// Name within the data set.
    pub name: String,
    /// What was wrong.
    pub reason: String,
}

/// What a pass did.
#[derive(Debug, Clone)]
pub struct PassSummary {
    /// Images that went through the network.
    pub images: usize,
    /// Images left out.
    pub skipped: Vec<SkippedImage>,
    /// Time spent decoding, resizing and normalising, which overlaps with the network.
    pub decode: Duration,
    /// Time spent in the network.
    pub network: Duration,
    /// Time spent by the sink.
    pub sink: Duration,
    /// Time of the whole pass.
    pub total: Duration,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continue {
    /// Go on.
    Yes,
    /// Stop with [`EvaluateError::Interrupted`].
    No,
}

/// Watches a pass.
pub trait PassObserver {
    /// Called after every batch with the number of images that are done, skipped ones included.
    fn images_done(&mut self, done: usize, total: usize) -> Continue;
}

/// An observer that never interferes.
impl PassObserver for () {
    fn images_done(&mut self, _done: usize, _total: usize) -> Continue {
        Continue::Yes
    }
}

/// How a pass prepares images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassOptions {
    /// How images are resized.
    pub resize: ResizeMode,
    /// What to do about images that cannot be decoded.
    pub on_bad_image: OnBadImage,
}

/// Takes the features of each batch, in the order of the images.
pub trait FeatureSink {
    /// Takes one batch.
    ///
    /// # Errors
    /// [`MomentsError`] when the features do not fit those seen before.
    fn take(&mut self, extraction: Extraction) -> Result<(), MomentsError>;
}

/// Gathers what was asked for, and nothing else.
#[derive(Debug, Default)]
pub struct Collector {
    statistics: Reduced,
    features: Gathered<Features>,
    logits: Gathered<Logits>,
    spatial_statistics: Reduced,
    spatial: Gathered<Features>,
}

/// The rows of all batches.
#[derive(Debug, Default)]
enum Gathered<T> {
    Wanted(Vec<T>),
    #[default]
    Unwanted,
}

impl<T> Gathered<T> {
    fn push(&mut self, batch: T) {
        if let Gathered::Wanted(batches) = self {
            batches.push(batch);
        }
    }

    /// The rows of all batches; `None` when there are none.
    fn joined(&self, view: impl Fn(&T) -> ArrayView2<'_, f32>) -> Option<Array2<f32>> {
        let Gathered::Wanted(batches) = self else { return None };
        let views: Vec<_> = batches.iter().map(view).collect();
        concatenate(Axis(0), &views).ok()
    }
}

/// Mean and covariance of all batches.
#[derive(Debug, Default)]
enum Reduced {
    Wanted(Option<FeatureStatistics>),
    #[default]
    Unwanted,
}

impl Reduced {
    fn push(&mut self, batch: &Features) -> Result<(), MomentsError> {
        match self {
            Reduced::Wanted(statistics) => {
                statistics.get_or_insert_with(|| FeatureStatistics::new(batch.dim())).push(batch)
            }
            Reduced::Unwanted => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<Gaussian, MomentsError> {
        match std::mem::take(self) {
            Reduced::Wanted(Some(statistics)) => statistics.finish(),
            _ => Err(MomentsError::TooFew { got: 0 }),
        }
    }
}

impl Collector {
    /// Gathers nothing yet.
    pub fn of_nothing() -> Self {
        Self::default()
    }

    /// Gathers statistics only; memory does not grow with the number of images.
    pub fn of_statistics() -> Self {
        Self::of_nothing().with_statistics()
    }

    /// Gathers mean and covariance of the features too: `8·d²` bytes.
    pub fn with_statistics(self) -> Self {
        Self { statistics: Reduced::Wanted(None), ..self }
    }

    /// Gathers the logits too: `4·classes` bytes an image.
    pub fn with_logits(self) -> Self {
        Self { logits: Gathered::Wanted(Vec::new()), ..self }
    }

    /// Gathers the features too: `4·d` bytes an image.
    pub fn with_features(self) -> Self {
        Self { features: Gathered::Wanted(Vec::new()), ..self }
    }

    /// Gathers mean and covariance of the spatial features too: 33 MB.
    pub fn with_spatial_statistics(self) -> Self {
        Self { spatial_statistics: Reduced::Wanted(None), ..self }
    }

    /// Gathers the spatial features too: 8 KB an image.
    pub fn with_spatial(self) -> Self {
        Self { spatial: Gathered::Wanted(Vec::new()), ..self }
    }

    /// Mean and covariance of the features, which are gathered anew from here on.
    ///
    /// # Errors
    /// [`MomentsError::TooFew`] with fewer than two images, or when they were not asked for.
    pub fn gaussian(&mut self) -> Result<Gaussian, MomentsError> {
        self.statistics.finish()
    }

    /// As [`Self::gaussian`], of the spatial features.
    ///
    /// # Errors
    /// [`MomentsError::TooFew`] with fewer than two images, or when they were not asked for or the model has none.
    pub fn spatial_gaussian(&mut self) -> Result<Gaussian, MomentsError> {
        self.spatial_statistics.finish()
    }

    /// The features of all images; `None` when they were not asked for.
    pub fn features(&self) -> Option<Features> {
        let all = self.features.joined(Features::view)?;
        Some(Features::new(all).expect("each batch was valid"))
    }

    /// The logits of all images; `None` when they were not asked for or the model has none.
    pub fn logits(&self) -> Option<Logits> {
        let all = self.logits.joined(Logits::view)?;
        Some(Logits::new(all).expect("each batch was valid"))
    }

    /// The spatial features of all images; `None` when they were not asked for or the model has none.
    pub fn spatial(&self) -> Option<Features> {
        let all = self.spatial.joined(Features::view)?;
        Some(Features::new(all).expect("each batch was valid"))
    }
}

impl FeatureSink for Collector {
    fn take(&mut self, extraction: Extraction) -> Result<(), MomentsError> {
        let Extraction { features, logits, spatial } = extraction;
        self.statistics.push(&features)?;
        self.features.push(features);
        if let Some(logits) = logits {
            self.logits.push(logits);
        }
        if let Some(spatial) = spatial {
            self.spatial_statistics.push(&spatial)?;
            self.spatial.push(spatial);
        }
        Ok(())
    }
}

/// Images ready for the network, and those that could not be readied.
struct Batch {
    values: Vec<f32>,
    names: Vec<String>,
    skipped: Vec<SkippedImage>,
    time: Duration,
}

/// Runs every image of `images` through `extractor` into `sink`.
///
/// # Errors
/// [`EvaluateError`] when an image cannot be decoded (unless skipped), the network fails, no image is left, or
/// `observer` interrupts.
pub fn run(
    images: &DataSet,
    extractor: &mut dyn FeatureExtractor,
    options: PassOptions,
    sink: &mut dyn FeatureSink,
    observer: &mut dyn PassObserver,
) -> Result<PassSummary, EvaluateError> {
    let started = Instant::now();
    let input = *extractor.input();
    let batch_size = extractor.batch_size();
    let resizer = Resizer::new(options.resize, input.width, input.height)?;
    let (sender, receiver) = sync_channel(QUEUE);
    std::thread::scope(|scope| {
        // When the consumer fails it drops the receiver, and the producer stops at its next batch.
        scope.spawn(move || {
            for start in (0..images.len()).step_by(batch_size) {
                let range = start..(start + batch_size).min(images.len());
                let batch = prepare(images, range, input, &resizer, options.on_bad_image);
                let failed = batch.is_err();
                if sender.send(batch).is_err() || failed {
                    return;
                }
            }
        });
        let mut summary = consume(images, receiver, extractor, sink, observer)?;
        summary.total = started.elapsed();
        Ok(summary)
    })
}

/// Decodes, resizes and normalises some images, on all cores.
fn prepare(
    images: &DataSet,
    range: std::ops::Range<usize>,
    input: InputSpec,
    resizer: &Resizer,
    on_bad_image: OnBadImage,
) -> Result<Batch, EvaluateError> {
    let started = Instant::now();
    let stride = input.values_per_image();
    let mut values = vec![0.0; range.len() * stride];
    let outcomes: Vec<Result<(), ImageError>> = values
        .par_chunks_exact_mut(stride)
        .zip(range.clone())
        .map_init(
            || (resizer.clone(), vec![0.0; stride]),
            |(resizer, planar), (into, index)| {
                resizer.resize(&images.load(index)?, planar).expect("the buffer has the size of the input");
                input.prepare(planar, into);
                Ok(())
            },
        )
        .collect();
    let mut batch = Batch { values, names: Vec::new(), skipped: Vec::new(), time: Duration::ZERO };
    for (slot, (index, outcome)) in range.zip(outcomes).enumerate() {
        let name = images.name(index).to_string();
        match outcome {
            Ok(()) => {
                // Close the gaps that skipped images leave.
                let kept = batch.names.len();
                batch.values.copy_within(slot * stride..(slot + 1) * stride, kept * stride);
                batch.names.push(name);
            }
            Err(error) if on_bad_image == OnBadImage::Stop => return Err(EvaluateError::Image(error)),
            Err(error) => batch.skipped.push(SkippedImage { name, reason: error.to_string() }),
        }
    }
    batch.values.truncate(batch.names.len() * stride);
    batch.time = started.elapsed();
    Ok(batch)
}

fn consume(
    images: &DataSet,
    batches: Receiver<Result<Batch, EvaluateError>>,
    extractor: &mut dyn FeatureExtractor,
    sink: &mut dyn FeatureSink,
    observer: &mut dyn PassObserver,
) -> Result<PassSummary, EvaluateError> {
    let mut summary = PassSummary {
        images: 0,
        skipped: Vec::new(),
        decode: Duration::ZERO,
        network: Duration::ZERO,
        sink: Duration::ZERO,
        total: Duration::ZERO,
    };
    for batch in batches {
        let batch = batch?;
        summary.decode += batch.time;
        summary.skipped.extend(batch.skipped);
        if !batch.names.is_empty() {
            let network = Instant::now();
            let extraction = extract(extractor, &batch.values, &batch.names)?;
            summary.network += network.elapsed();
            let sinking = Instant::now();
            sink.take(extraction)?;
            summary.sink += sinking.elapsed();
            summary.images += batch.names.len();
        }
        let done = summary.images + summary.skipped.len();
        if observer.images_done(done, images.len()) == Continue::No {
            return Err(EvaluateError::Interrupted { done, total: images.len() });
        }
    }
    match summary.skipped.first() {
        Some(first) if summary.images == 0 => Err(EvaluateError::NothingLeft {
            name: images.path().display().to_string(),
            images: images.len(),
            first: format!("{}: {}", first.name, first.reason),
        }),
        _ => Ok(summary),
    }
}

fn extract(
    extractor: &mut dyn FeatureExtractor,
    values: &[f32],
    names: &[String],
) -> Result<Extraction, EvaluateError> {
    let shape = extractor.input().shape(names.len());
    let view = ArrayView4::from_shape(shape, values).expect("a batch holds whole images");
    extractor.extract(view).map_err(|error| match &error {
        EngineError::Output { source: FeaturesError::NotFinite { row, .. }, .. } => {
            EvaluateError::NotFinite { image: names[*row].clone(), source: error }
        }
        _ => EvaluateError::Engine(error),
    })
}
