//! A model run by an engine.

use std::path::PathBuf;
use std::sync::Arc;

use ndarray::{ArrayD, ArrayView4, Axis};

use super::device::{Device, EngineChoice};
use super::engine::{Engine, EngineError, Fed, Program, ShortBatches, full_batch, most_threads};
use super::input::{InputSpec, Layout};
use super::model::{BatchAxis, Model};
use super::onnx_runtime::OnnxRuntimeEngine;
use super::pooling::{Pooling, rows};
use super::probe::Probed;
use super::tract::TractEngine;
use super::worker::Worker;
use super::{Extraction, ExtractorInfo, FeatureExtractor, Ticket, finite};
use crate::options::builders;
use crate::stats::{Features, Logits};

/// How a network is to be run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NetworkOptions {
    /// Which engine.
    pub engine: EngineChoice,
    /// Where.
    pub device: Device,
    /// Number of images of a full batch; 16, or the only number that the model takes, when `None`.
    pub batch_size: Option<usize>,
    /// Threads that the network runs on, at most eight for each core; the engine's own choice when `None`: of ONNX Runtime the physical
    /// cores, of tract all of them.
    pub threads: Option<usize>,
    /// A library file or folder of ONNX Runtime; searched for when `None`.
    pub library: Option<PathBuf>,
    /// Whether spatial features are extracted too.
    pub spatial: SpatialFeatures,
}

builders!(NetworkOptions {
    with_engine engine: EngineChoice,
    with_device device: Device,
    with_batch_size batch_size: Option<usize>,
    with_threads threads: Option<usize>,
    with_library library: Option<PathBuf>,
    with_spatial spatial: SpatialFeatures,
});

/// Whether spatial features, which sFID compares, are extracted beside the others: 8 KB an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpatialFeatures {
    /// They are not.
    #[default]
    Unwanted,
    /// They are, where the model has them.
    Wanted,
}

impl Default for NetworkOptions {
    fn default() -> Self {
        Self {
            engine: EngineChoice::Auto,
            device: Device::Auto,
            batch_size: None,
            threads: None,
            library: None,
            spatial: SpatialFeatures::Unwanted,
        }
    }
}

/// A model run by an engine, on a thread of its own, in batches of up to one size.
///
/// Up to [`BATCHES_IN_FLIGHT`](super::BATCHES_IN_FLIGHT) batches can be submitted before the first is waited for; one more
/// waits until a batch is done. A batch is copied when it is submitted, into one of as many buffers, which are used again
/// and again: beside them and what the engine itself needs, an extractor takes no memory.
///
/// A batch that is not full is run as it is where that changes no bit of an image's features: on tract, which runs every
/// image by itself, and on ONNX Runtime with the networks that this crate knows ([`BatchAxis::Invariant`](super::BatchAxis::Invariant)) on the CPU, on
/// x86-64. Elsewhere it is padded with zeros to the batch size; of networks that this crate does not know, the first batch is then run
/// twice, to find out whether an image is the same with other images beside it, and refused where it is not. Either way the features of an image are the same in
/// whatever batches a set is cut into, so that shards of a set together have the features of the set.
///
/// An extractor is [`Send`] and not [`Sync`]: each thread that extracts has its own. ONNX Runtime is loaded once per
/// process, from the place that [`NetworkOptions::library`] names, else from the first of those that
/// [`find_libraries`](super::find_libraries) searches.
///
/// # Telemetry
/// ONNX Runtime 1.32 for Linux, if not others, has telemetry that begins before a program can switch it off by a call: it
/// writes to `~/.cache/Microsoft` and the folder for temporary files. The variable
/// `ORT_DISABLE_TELEMETRY=1` in the environment of the process keeps it off. The program `gan-metrics` sets it first of all;
/// a program that uses this library has to do so too, before it starts a thread, since that is when setting a variable is
/// safe.
///
/// ```no_run
/// use gan_metrics::extractor::{ExtractorId, FeatureExtractor, NetworkExtractor, NetworkOptions, load};
/// use gan_metrics::image::ResizeMode;
/// use ndarray::Array4;
///
/// let model = load(ExtractorId::EfficientNetLite0, ResizeMode::Tf1, None)?;
/// let mut extractor = NetworkExtractor::new(&model, &NetworkOptions::default())?;
/// let (first, second) = (Array4::zeros(model.input.shape(16)), Array4::zeros(model.input.shape(5)));
/// let tickets = [extractor.submit(first.view()), extractor.submit(second.view())];
/// for ticket in tickets {
///     println!("{:?}", ticket.wait()?.features.view().dim()); // while the second batch runs, after the first
/// }
/// # Ok::<(), gan_metrics::Error>(())
/// ```
pub struct NetworkExtractor {
    worker: Worker,
    short_batches: ShortBatches,
    info: Arc<ExtractorInfo>,
    input: InputSpec,
    batch_size: usize,
}

impl NetworkExtractor {
    /// Readies `model` to run as `options` say.
    ///
    /// # Errors
    /// [`EngineError`] when the engine or the device is not there, or does not accept the model. Only
    /// [`EngineChoice::Auto`] and [`Device::Auto`] leave a choice, and [`ExtractorInfo::engine`] tells it.
    pub fn new(model: &Model, options: &NetworkOptions) -> Result<Self, EngineError> {
        let mut outputs = vec![model.features_output.as_str()];
        outputs.extend(model.logits_output.as_deref());
        let spatial = model.spatial_output.as_deref().filter(|_| options.spatial == SpatialFeatures::Wanted);
        outputs.extend(spatial);
        let item = &model.input.shape(1)[1..];
        let inputs = [Fed { name: &model.input_name, item }];
        let program = Program { onnx: &model.onnx, inputs: &inputs, batch_axis: model.batch_axis };
        let batch_size = full_batch(options.batch_size, model.batch_axis)?;
        let engine = engine(program, &outputs, batch_size, options)?;
        let short_batches = engine.short_batches();
        let engine = match short_batches {
            // Of these networks it is known, or each image is run by itself.
            ShortBatches::AsTheyAre => engine,
            ShortBatches::Padded if model.batch_axis == BatchAxis::Invariant => engine,
            ShortBatches::Padded => Box::new(Probed::new(engine, &outputs)),
        };
        let worker = Worker::start(engine)?;
        let info = ExtractorInfo {
            name: model.name.clone(),
            model_sha256: model.sha256.clone(),
            features_output: model.features_output.clone(),
            logits_output: model.logits_output.clone(),
            spatial_output: spatial.map(String::from),
            pooling: model.pooling,
            engine: worker.info().clone(),
        };
        Ok(Self { worker, short_batches, info: Arc::new(info), input: model.input, batch_size })
    }
}

/// The engine that the options ask for, ready to run.
pub(super) fn engine(
    program: Program<'_>,
    outputs: &[&str],
    batch_size: usize,
    options: &NetworkOptions,
) -> Result<Box<dyn Engine>, EngineError> {
    let NetworkOptions { engine, device, threads, ref library, .. } = *options;
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    if let Some(asked) = threads.filter(|&threads| threads > most_threads(cores)) {
        return Err(EngineError::Threads { asked, cores });
    }
    let onnx_runtime = || {
        OnnxRuntimeEngine::new(program, outputs, batch_size, device, library.as_deref(), threads)
            .map(|engine| Box::new(engine) as Box<dyn Engine>)
    };
    let on_cpu = matches!(device, Device::Auto | Device::Cpu);
    match engine {
        EngineChoice::OnnxRuntime => onnx_runtime(),
        EngineChoice::Tract if on_cpu => Ok(Box::new(TractEngine::new(program, outputs, threads)?)),
        EngineChoice::Tract => Err(EngineError::Device { device, engine, reason: "it runs on the CPU only".into() }),
        // A library that was named, or a device that only it can drive, leaves no room for another engine.
        EngineChoice::Auto if library.is_some() || !on_cpu => onnx_runtime(),
        EngineChoice::Auto => match onnx_runtime() {
            Err(EngineError::NoLibrary { .. }) => {
                let reason = "auto: no ONNX Runtime was found".into();
                Ok(Box::new(TractEngine::new(program, outputs, threads)?.because(reason)))
            }
            other => other,
        },
    }
}

impl FeatureExtractor for NetworkExtractor {
    fn info(&self) -> &ExtractorInfo {
        &self.info
    }

    fn input(&self) -> &InputSpec {
        &self.input
    }

    fn batch_size(&self) -> usize {
        self.batch_size
    }

    fn extract(&mut self, images: ArrayView4<'_, f32>) -> Result<Extraction, EngineError> {
        self.submit(images).wait()
    }

    fn submit(&mut self, images: ArrayView4<'_, f32>) -> Ticket {
        let n = images.len_of(Axis(0));
        if !(1..=self.batch_size).contains(&n) || images.shape()[1..] != self.input.shape(n)[1..] {
            let expected = self.input.shape(self.batch_size).to_vec();
            let got = images.shape().to_vec();
            return Ticket::new(move || Err(EngineError::Input { expected, got }));
        }
        let size = match self.short_batches {
            ShortBatches::AsTheyAre => n,
            ShortBatches::Padded => self.batch_size,
        };
        let shape = self.input.shape(size);
        let outputs = self.worker.submit(shape.to_vec(), |values| {
            match images.as_slice() {
                Some(images) => values.extend_from_slice(images),
                None => values.extend(images),
            }
            values.resize(shape.iter().product(), 0.0);
        });
        let info = Arc::clone(&self.info);
        let layout = self.input.layout;
        Ticket::new(move || extraction((&info, layout), outputs.wait()?, n))
    }
}

/// What the outputs that were asked for say of the first `n` images.
fn extraction(
    (info, layout): (&ExtractorInfo, Layout),
    outputs: Vec<ArrayD<f32>>,
    n: usize,
) -> Result<Extraction, EngineError> {
    let mut outputs = outputs.into_iter().map(|mut output| {
        output.slice_axis_inplace(Axis(0), (..n).into());
        output
    });
    let mut next = |name: &str, pooling| {
        rows((pooling, layout), name, outputs.next().expect("an engine returns every output asked for"))
    };
    let name = &info.features_output;
    let features = finite(name, next(name, info.pooling)?, Features::new)?;
    let logits = match &info.logits_output {
        Some(name) => Some(finite(name, next(name, None)?, Logits::new)?),
        None => None,
    };
    let spatial = match &info.spatial_output {
        Some(name) => Some(finite(name, next(name, Some(Pooling::Flatten))?, Features::new)?),
        None => None,
    };
    Ok(Extraction { features, logits, spatial })
}
