//! What an engine is: it takes a batch and returns the outputs asked for.

use std::io;
use std::path::PathBuf;

use ndarray::{ArrayD, ArrayViewD};

use super::device::{Device, EngineChoice};
use super::model::BatchAxis;
use crate::error::{Blame, Blamed};
use crate::stats::FeaturesError;

/// The engine and the device that really run a network.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct EngineInfo {
    /// `onnxruntime` or `tract`.
    pub name: String,
    /// Full version of the engine, as it says itself: `1.32.0`.
    pub version: String,
    /// Execution provider that runs it, such as `cpu` or `cuda:0`.
    pub provider: String,
    /// Library file of ONNX Runtime.
    pub library: Option<PathBuf>,
    /// Why this engine and provider, where the user left the choice open.
    pub reason: Option<String>,
}

/// Why a network cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// No usable ONNX Runtime was found.
    #[error(
        "no ONNX Runtime (1.{oldest} or newer) was found; looked at:\n{}\n\
         install one with `pip install onnxruntime`, name its library by ORT_DYLIB_PATH, or run on the built-in engine",
        lines(searched)
    )]
    NoLibrary {
        /// Oldest minor version that can be used.
        oldest: u32,
        /// Where it was looked for, and what was wrong there.
        searched: Vec<String>,
    },
    /// Another ONNX Runtime is in use already; a process can load one.
    #[error("ONNX Runtime is loaded from {}, a process cannot also load {}", loaded.display(), wanted.display())]
    OtherLibrary {
        /// Library in use.
        loaded: PathBuf,
        /// Library asked for.
        wanted: PathBuf,
    },
    /// So many threads that they would only wait for each other.
    #[error("{asked} threads would wait for each other on the {cores} cores of this machine: ask for {} at most", most_threads(*cores))]
    Threads {
        /// How many were asked for.
        asked: usize,
        /// Cores that this process may use.
        cores: usize,
    },
    /// The engine cannot run on that device.
    #[error("{engine} cannot run on {device}: {reason}")]
    Device {
        /// Device asked for.
        device: Device,
        /// Engine in question.
        engine: EngineChoice,
        /// What is missing, and what to do.
        reason: String,
    },
    /// The engine does not accept the model.
    #[error("{engine} does not accept the model: {reason}")]
    Model {
        /// Engine in question.
        engine: EngineChoice,
        /// What it said.
        reason: String,
    },
    /// A batch is not of the network's shape.
    #[error("a batch of shape {got:?} was given; the network takes 1 to {} images of shape {:?}", expected[0], &expected[1..])]
    Input {
        /// Shape of a full batch.
        expected: Vec<usize>,
        /// Shape of the batch that was given.
        got: Vec<usize>,
    },
    /// The model takes batches of one size, and another was asked for.
    #[error("the model takes batches of {fixed} only, not of {wanted}: use that batch size")]
    BatchSize {
        /// The size that the model was exported for.
        fixed: usize,
        /// The size asked for.
        wanted: usize,
    },
    /// A batch size of zero was asked for.
    #[error("the batch size is 0; a batch holds at least one image")]
    NoBatch,
    /// The network cannot be computed, which shows only when it runs.
    #[error("{engine} cannot run the network on a batch: {reason}")]
    Graph {
        /// Engine in question.
        engine: EngineChoice,
        /// What it said.
        reason: String,
    },
    /// The engine failed on a batch.
    #[error("{engine} failed on a batch: {reason}")]
    Run {
        /// Engine in question.
        engine: EngineChoice,
        /// What it said.
        reason: String,
    },
    /// The engine panicked: on this batch, or on one before it, after which it runs no more.
    #[error("{engine} panicked: {reason}")]
    Panicked {
        /// Name of the engine.
        engine: String,
        /// What it said.
        reason: String,
    },
    /// The system gives no thread to run the engine on.
    #[error("no thread can be started for the engine: {source}")]
    Thread {
        /// What the system said.
        source: io::Error,
    },
    /// An output has an unexpected shape.
    #[error(
        "output `{output}` has shape {got:?} for a batch of {batch}: features and logits must have one row an image"
    )]
    Shape {
        /// Name of the output.
        output: String,
        /// Its shape.
        got: Vec<usize>,
        /// Number of images in the batch.
        batch: usize,
    },
    /// What the network says of an image depends on its batch.
    #[error(
        "output `{output}` of an image differs by {relative:.1e} of its length with other images in the batch: the network looks at \
         a batch as a whole, or rolls dice; export it so that each image is seen for itself (`model.eval()` in PyTorch)"
    )]
    BatchDependent {
        /// Name of the output.
        output: String,
        /// By how much it differs, relative to its Euclidean norm.
        relative: f64,
    },
    /// An output has positions or tokens, and nothing says what becomes of them.
    #[error(
        "output `{output}` has shape {got:?} for a batch: an image has positions or tokens there, and nothing says how they \
         become one row"
    )]
    Axes {
        /// Name of the output.
        output: String,
        /// Its shape.
        got: Vec<usize>,
    },
    /// An output holds values that are not finite.
    #[error("output `{output}`: {source}")]
    Output {
        /// Name of the output.
        output: String,
        /// Where the value is: the row is the index of the image in its batch.
        source: FeaturesError,
    },
}

impl Blamed for EngineError {
    fn blame(&self) -> Blame {
        match self {
            EngineError::Threads { .. }
            | EngineError::Input { .. }
            | EngineError::BatchSize { .. }
            | EngineError::NoBatch
            | EngineError::Axes { .. } => Blame::Input,
            EngineError::Panicked { .. } => Blame::Bug,
            EngineError::NoLibrary { .. } | EngineError::OtherLibrary { .. } | EngineError::Device { .. } => {
                Blame::Machine
            }
            EngineError::Run { .. } | EngineError::Thread { .. } => Blame::Machine,
            EngineError::Model { .. }
            | EngineError::Graph { .. }
            | EngineError::Shape { .. }
            | EngineError::BatchDependent { .. }
            | EngineError::Output { .. } => Blame::Model,
        }
    }
}

/// More threads than this on so many cores take longer for each that is added: 200 on two cores take minutes to begin.
pub(super) fn most_threads(cores: usize) -> usize {
    8 * cores
}

fn lines(searched: &[String]) -> String {
    searched.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// What is fed to an input of a graph.
#[derive(Clone, Copy)]
pub(super) struct Fed<'a> {
    /// Name of the input.
    pub name: &'a str,
    /// Shape of the input behind its first axis, that of the batch.
    pub item: &'a [usize],
}

impl Fed<'_> {
    /// Shape of a batch.
    pub fn shape(&self, batch: usize) -> Vec<usize> {
        [&[batch], self.item].concat()
    }
}

/// What an engine runs: a graph that takes and gives `float32`.
#[derive(Clone, Copy)]
pub(super) struct Program<'a> {
    /// The ONNX file.
    pub onnx: &'a [u8],
    /// Its inputs.
    pub inputs: &'a [Fed<'a>],
    /// What is known of their first axis.
    pub batch_axis: BatchAxis,
}

/// Images of a full batch where nothing is said.
pub(crate) const USUAL_BATCH: usize = 16;

/// Number of images of a full batch: as asked for, or as the graph takes, or the usual.
///
/// # Errors
/// [`EngineError::BatchSize`] and [`EngineError::NoBatch`].
pub(crate) fn full_batch(wanted: Option<usize>, axis: BatchAxis) -> Result<usize, EngineError> {
    match (wanted, axis) {
        (Some(0), _) => Err(EngineError::NoBatch),
        (Some(wanted), BatchAxis::Fixed(fixed)) if wanted != fixed => Err(EngineError::BatchSize { fixed, wanted }),
        (_, BatchAxis::Fixed(fixed)) => Ok(fixed),
        (wanted, _) => Ok(wanted.unwrap_or(USUAL_BATCH)),
    }
}

/// What becomes of a batch that is not full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShortBatches {
    /// It is run as it is: the engine gives an image the same bits in a batch of any size.
    AsTheyAre,
    /// It is filled up to the batch size: the engine takes no other, or might give an image other bits in it.
    Padded,
}

/// A network ready to run batches of up to one size.
pub(super) trait Engine: Send {
    /// What runs, and where.
    fn info(&self) -> &EngineInfo;

    /// What becomes of a batch that is not full.
    fn short_batches(&self) -> ShortBatches;

    /// The outputs asked for when the engine was made, in that order, each with as many entries along its first axis as there
    /// are in the batch: one array for each input.
    fn run(&mut self, batch: &[ArrayViewD<'_, f32>]) -> Result<Vec<ArrayD<f32>>, EngineError>;
}

/// An output of which the first axis is that of the batch.
pub(super) fn one_an_image(
    output: &str,
    shape: &[usize],
    values: Vec<f32>,
    batch: usize,
) -> Result<ArrayD<f32>, EngineError> {
    let wrong = || EngineError::Shape { output: output.into(), got: shape.to_vec(), batch };
    if shape.first() != Some(&batch) || batch == 0 {
        return Err(wrong());
    }
    ArrayD::from_shape_vec(shape, values).map_err(|_| wrong())
}
