//! One pass over a data set: decode and resize on all cores, run the network, hand the features on.
//!
//! ```text
//! rayon: decode ─► resize ─► normalise ─► batch ══(bounded queue)══► submit ─► network ─► wait ─► sink
//! ```
//!
//! Decoding, the network and the sink work at the same time: two batches are [submitted](FeatureExtractor::submit), so that
//! the network is at the second while the sink takes the features of the first. An image that cannot be decoded, or that has
//! features that are not finite, stops a pass when those before it are done, so that the first in the order of the images
//! is reported.
//!
//! Memory in flight is bounded, whatever is slowest: one batch is being decoded, two wait, one is being handed over, and
//! the network has copies of two. These six take `12·width·height` bytes an image of three channels, 103 MB for 299×299 at 16 images a batch;
//! beside them are the features of one batch.
//! Images are numbered by their order in the data set, whatever order they were decoded in, so that results do not depend
//! on timing.

use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use ndarray::ArrayView4;
use rayon::prelude::*;

use super::rows::GatherError;
use crate::error::{Blame, Blamed};
use crate::extractor::{BATCHES_IN_FLIGHT, Channels, EngineError, Extraction, FeatureExtractor, InputSpec, Ticket};
use crate::image::decode::in_turn;
use crate::image::{ImageError, ImageSource, Origin, ResizeError, ResizeMode, Resizer};
use crate::interrupt::Interrupt;
use crate::options::builders;
use crate::stats::{Census, FeaturesError};

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
    /// The features do not fit together, or there is no room for them.
    #[error(transparent)]
    Gather(#[from] GatherError),
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
            EvaluateError::Gather(error) => error.blame(),
            EvaluateError::NothingLeft { .. } => Blame::Input,
            EvaluateError::Interrupted { .. } => Blame::Interrupted,
        }
    }
}

/// An image that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
    /// What these were: their content, encodings and sizes.
    pub census: Census,
    /// Digests of these, shortened to 64 bits: equal for equal files.
    pub digests: BTreeSet<u64>,
    /// Images left out.
    pub skipped: Vec<SkippedImage>,
    /// Time spent decoding, resizing and normalising, which overlaps with the network.
    pub decode: Duration,
    /// Time in which the network had a batch, which overlaps with decoding and, beside a network that works on a thread of
    /// its own, with the sink.
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

    /// Called after the first batch, when it is known that so many bytes will be [kept in a temporary
    /// file](FeatureSink::bytes_in_file) of the set.
    fn keeps_in_file(&mut self, _set: &str, _bytes: u64) {}

    /// Called after every batch with the number of images that are done, skipped ones included.
    fn images_done(&mut self, _done: usize, _total: usize) {}
}

/// An observer that does not look.
impl PassObserver for () {}

/// How a pass prepares images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PassOptions {
    /// How images are resized.
    pub resize: ResizeMode,
    /// What to do about images that cannot be decoded.
    pub on_bad_image: OnBadImage,
}

builders!(PassOptions {
    with_resize resize: ResizeMode,
    with_on_bad_image on_bad_image: OnBadImage,
});

impl PassOptions {
    /// Images resized like this; a bad one ends the pass.
    pub const fn new(resize: ResizeMode) -> Self {
        PassOptions { resize, on_bad_image: OnBadImage::Stop }
    }
}

/// Takes the features of each batch, in the order of the images.
pub trait FeatureSink {
    /// Takes one batch: the indices of its images in the set, ascending, and what the network said of each.
    ///
    /// # Errors
    /// [`GatherError`] when the features do not fit those seen before, or there is no room for them.
    fn take(&mut self, indices: &[usize], extraction: Extraction) -> Result<(), GatherError>;

    /// Bytes that it will have written to a temporary file when it has taken all images, as far as is known after the first batch; zero
    /// where all stays in memory.
    fn bytes_in_file(&self) -> u64 {
        0
    }
}

/// Images ready for the network, and those that could not be readied.
struct Batch {
    values: Vec<f32>,
    /// Indices of the images that are ready.
    indices: Vec<usize>,
    census: Census,
    digests: BTreeSet<u64>,
    skipped: Vec<SkippedImage>,
    time: Duration,
}

/// Some images of a source, and which images of a set they are.
///
/// ```
/// use gan_metrics::evaluate::Portion;
/// use gan_metrics::image::RgbImage;
///
/// let images = vec![RgbImage::new(1, 1, vec![0; 3])?; 10];
/// // A part of a folder: each image keeps its number.
/// assert_eq!(Portion::of(&images).range(4..7).indices().collect::<Vec<_>>(), [4, 5, 6]);
/// // The next batch of a stream, of which another process has every other image.
/// assert_eq!(Portion::of(&images).range(0..3).numbered(20, 2).indices().collect::<Vec<_>>(), [20, 22, 24]);
/// # Ok::<(), gan_metrics::Error>(())
/// ```
#[derive(Clone)]
pub struct Portion<'a> {
    images: &'a dyn ImageSource,
    range: Range<usize>,
    first: usize,
    step: usize,
}

impl<'a> Portion<'a> {
    /// All images of a source, which is the set.
    pub fn of(images: &'a dyn ImageSource) -> Self {
        Self { images, range: 0..images.len(), first: 0, step: 1 }
    }

    /// Those of these places in the source only.
    pub fn range(self, range: Range<usize>) -> Self {
        Self { range, ..self }
    }

    /// Numbers the image at place 0 of the source `first` in the set, the one at place 1 `first + step`, and so on.
    pub fn numbered(self, first: usize, step: usize) -> Self {
        Self { first, step, ..self }
    }

    /// The source.
    pub fn images(&self) -> &'a dyn ImageSource {
        self.images
    }

    /// Number of images that it has.
    pub(super) fn count(&self) -> usize {
        self.range.len()
    }

    /// The indices of the images in the set.
    pub fn indices(&self) -> impl Iterator<Item = usize> + '_ {
        self.range.clone().map(|place| self.index(place))
    }

    /// Index in the set of the image at a place of the source.
    fn index(&self, place: usize) -> usize {
        self.first + self.step * place
    }

    /// The place in the source of an image of the set.
    fn place(&self, index: usize) -> usize {
        (index - self.first) / self.step.max(1)
    }

    /// The class of an image of the set, where the source tells.
    pub fn label(&self, index: usize) -> Option<Cow<'a, str>> {
        self.images.label(self.place(index))
    }

    /// What an image of the set is called.
    pub fn name(&self, index: usize) -> Cow<'a, str> {
        self.images.name(self.place(index))
    }
}

/// Runs some images through `extractor` into `sink`.
///
/// # Errors
/// [`EvaluateError`] when an image cannot be decoded (unless skipped), the network fails, or no image is left;
/// [`EvaluateError::Interrupted`] after the batch during which the interrupt came.
pub fn run(
    portion: &Portion<'_>,
    extractor: &mut dyn FeatureExtractor,
    options: PassOptions,
    sink: &mut dyn FeatureSink,
    observer: &mut dyn PassObserver,
    interrupt: &Interrupt,
) -> Result<PassSummary, EvaluateError> {
    let started = Instant::now();
    let Portion { images, ref range, .. } = *portion;
    let title = images.title();
    let name = Path::new(&*title).file_name().map_or(title.clone(), |name| name.to_string_lossy());
    observer.begins(&name, range.len());
    let input = *extractor.input();
    let batch_size = extractor.batch_size();
    let resizer = Resizer::new(options.resize, input.width, input.height)?;
    let (sender, receiver) = sync_channel(QUEUE);
    std::thread::scope(|scope| {
        // When the consumer fails it drops the receiver, and the producer stops at its next batch.
        scope.spawn(move || {
            for start in range.clone().step_by(batch_size) {
                let of_batch = start..(start + batch_size).min(range.end);
                let batch = prepare(portion, of_batch, input, &resizer, options.on_bad_image);
                let failed = batch.is_err();
                if sender.send(batch).is_err() || failed {
                    return;
                }
            }
        });
        let mut summary = consume(portion, receiver, extractor, sink, observer, interrupt)?;
        summary.total = started.elapsed();
        Ok(summary)
    })
}

/// Decodes, resizes and normalises some images, on all cores.
fn prepare(
    portion: &Portion<'_>,
    range: Range<usize>,
    input: InputSpec,
    resizer: &Resizer,
    on_bad_image: OnBadImage,
) -> Result<Batch, EvaluateError> {
    let started = Instant::now();
    let stride = input.values_per_image();
    let planar = 3 * input.width as usize * input.height as usize;
    let mut values = vec![0.0; range.len() * stride];
    let outcomes: Vec<Result<([u32; 2], Origin), ImageError>> = values
        .par_chunks_exact_mut(stride)
        .zip(range.clone())
        .map_init(
            || (resizer.clone(), vec![0.0; planar]),
            |(resizer, planar), (into, place)| {
                // Until it is resized, an image counts towards what may be in memory.
                in_turn(|| {
                    let (image, origin) = portion.images.load_with_origin(place)?;
                    let image = match input.channels {
                        Channels::Rgb => image,
                        Channels::Gray => image.to_gray(),
                    };
                    resizer.resize(&image, planar).expect("the buffer has the size of the input");
                    input.prepare(planar, into);
                    Ok(([image.width(), image.height()], origin))
                })
            },
        )
        .collect();
    let mut batch = Batch {
        values,
        indices: Vec::with_capacity(range.len()),
        census: Census::default(),
        digests: BTreeSet::new(),
        skipped: Vec::new(),
        time: Duration::ZERO,
    };
    for (slot, (place, outcome)) in range.zip(outcomes).enumerate() {
        let index = portion.index(place);
        match outcome {
            Ok((size, origin)) => {
                batch.digests.insert(short(&origin.digest));
                batch.census.add(index, &origin.digest, origin.encoding.to_string(), size, [input.width, input.height]);
                // Close the gaps that skipped images leave.
                let kept = batch.indices.len();
                batch.values.copy_within(slot * stride..(slot + 1) * stride, kept * stride);
                batch.indices.push(index);
            }
            Err(error) if on_bad_image == OnBadImage::Stop => return Err(EvaluateError::Image(error)),
            Err(error) => {
                batch.census.left_out += 1;
                let (name, reason) = (portion.images.name(place).into_owned(), error.to_string());
                batch.skipped.push(SkippedImage { index, name, reason });
            }
        }
    }
    batch.values.truncate(batch.indices.len() * stride);
    batch.time = started.elapsed();
    Ok(batch)
}

/// A batch that was submitted.
struct InFlight {
    batch: Batch,
    /// When it was submitted.
    since: Instant,
    /// `None` when none of its images could be readied.
    ticket: Option<Ticket>,
}

/// The beginning of a digest: among a million images, two share one by accident in one of 30 million sets.
fn short(digest: &[u8; 32]) -> u64 {
    u64::from_le_bytes(*digest.first_chunk().expect("a digest is longer"))
}

/// Hands a batch to the network, and gives back its memory.
fn submit(extractor: &mut dyn FeatureExtractor, mut batch: Batch) -> InFlight {
    let since = Instant::now();
    let values = std::mem::take(&mut batch.values);
    let ticket = (!batch.indices.is_empty()).then(|| {
        let shape = extractor.input().shape(batch.indices.len());
        extractor.submit(ArrayView4::from_shape(shape, &values).expect("a batch holds whole images"))
    });
    InFlight { batch, since, ticket }
}

fn consume(
    portion: &Portion<'_>,
    batches: Receiver<Result<Batch, EvaluateError>>,
    extractor: &mut dyn FeatureExtractor,
    sink: &mut dyn FeatureSink,
    observer: &mut dyn PassObserver,
    interrupt: &Interrupt,
) -> Result<PassSummary, EvaluateError> {
    let (images, total) = (portion.images, portion.range.len());
    let mut summary = PassSummary {
        images: 0,
        census: Census::default(),
        digests: BTreeSet::new(),
        skipped: Vec::new(),
        decode: Duration::ZERO,
        network: Duration::ZERO,
        sink: Duration::ZERO,
        total: Duration::ZERO,
    };
    // In the order of the images. An error waits for its turn, so that the first one is reported.
    let mut flight: VecDeque<Result<InFlight, EvaluateError>> = VecDeque::with_capacity(BATCHES_IN_FLIGHT);
    let mut network_done = Instant::now();
    loop {
        let next = match flight.len() {
            0 => batches.recv().ok(),
            BATCHES_IN_FLIGHT.. => None,
            // While the next batch is not decoded yet, the last one is finished.
            _ => batches.try_recv().ok(),
        };
        if let Some(batch) = next {
            flight.push_back(batch.map(|batch| submit(extractor, batch)));
            continue;
        }
        let Some(oldest) = flight.pop_front() else { break };
        let InFlight { batch, since, ticket } = oldest?;
        summary.decode += batch.time;
        summary.skipped.extend(batch.skipped);
        summary.census.merge(&batch.census);
        summary.digests.extend(batch.digests);
        if let Some(ticket) = ticket {
            let extraction = ticket.wait().map_err(|error| of_image(error, &batch.indices, portion))?;
            // It had the batch since then, or since it was done with the one before.
            let sinking = Instant::now();
            summary.network += sinking - since.max(network_done);
            network_done = sinking;
            sink.take(&batch.indices, extraction)?;
            summary.sink += sinking.elapsed();
            if summary.images == 0 && sink.bytes_in_file() > 0 {
                observer.keeps_in_file(&images.title(), sink.bytes_in_file());
            }
            summary.images += batch.indices.len();
        }
        let done = summary.images + summary.skipped.len();
        observer.images_done(done, total);
        if interrupt.is_requested() {
            return Err(EvaluateError::Interrupted { done, total });
        }
    }
    match summary.skipped.first() {
        Some(first) if summary.images == 0 => Err(EvaluateError::NothingLeft {
            name: images.title().into_owned(),
            images: total,
            first: format!("{}: {}", first.name, first.reason),
        }),
        _ => Ok(summary),
    }
}

/// An error of a batch, with the name of the image that it is about, where it is about one.
fn of_image(error: EngineError, indices: &[usize], portion: &Portion<'_>) -> EvaluateError {
    let row = match &error {
        EngineError::Output { source: FeaturesError::NotFinite { row, .. }, .. } => indices.get(*row),
        _ => None,
    };
    match row {
        Some(&index) => EvaluateError::NotFinite { image: portion.name(index).into_owned(), source: error },
        None => EvaluateError::Engine(error),
    }
}
