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

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use ndarray::ArrayView4;
use rayon::prelude::*;

use crate::error::{Blame, Blamed};
use crate::extractor::{EngineError, Extraction, FeatureExtractor, InputSpec};
use crate::image::{DataSet, ImageError, ResizeError, ResizeMode, Resizer};
use crate::interrupt::Interrupt;
use crate::stats::{FeaturesError, MomentsError};

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
    #[error(transparent)]
    Image(ImageError),
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
    /// The pass was stopped.
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
    /// Index in the data set: names are for people, and need not tell images apart.
    pub index: usize,
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

/// Watches passes.
pub trait PassObserver {
    /// Called before the first image of a set, by a name for people.
    fn begins(&mut self, _set: &str, _images: usize) {}

    /// Called after every batch with the number of images that are done, skipped ones included.
    fn images_done(&mut self, _done: usize, _total: usize) {}
}

/// An observer that does not look.
impl PassObserver for () {}

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
/// [`EvaluateError`] when an image cannot be decoded (unless skipped), the network fails, or no image is left;
/// [`EvaluateError::Interrupted`] after the batch during which the interrupt came.
pub fn run(
    images: &DataSet,
    extractor: &mut dyn FeatureExtractor,
    options: PassOptions,
    sink: &mut dyn FeatureSink,
    observer: &mut dyn PassObserver,
    interrupt: &Interrupt,
) -> Result<PassSummary, EvaluateError> {
    let started = Instant::now();
    let name = images.path().file_name().unwrap_or(images.path().as_os_str()).to_string_lossy();
    observer.begins(&name, images.len());
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
        let mut summary = consume(images, receiver, extractor, sink, observer, interrupt)?;
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
            Err(error) => batch.skipped.push(SkippedImage { index, name, reason: error.to_string() }),
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
    interrupt: &Interrupt,
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
        observer.images_done(done, images.len());
        if interrupt.is_requested() {
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
