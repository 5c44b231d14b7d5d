//! What an engine is: it takes a batch and returns the outputs asked for.

use std::path::PathBuf;

use ndarray::{Array2, ArrayViewD};

use super::device::{Device, EngineChoice};
use crate::error::{Blame, Blamed};
use crate::stats::FeaturesError;

/// The engine and the device that really run a network.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct EngineInfo {
    /// `onnxruntime` or `tract`.
    pub name: String,
    /// Version of the engine.
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
         install one with `pip install onnxruntime`, name its library with --ort-library or ORT_DYLIB_PATH, \
         or run on the built-in engine with --engine tract",
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
    /// The engine failed on a batch.
    #[error("{engine} failed on a batch: {reason}")]
    Run {
        /// Engine in question.
        engine: EngineChoice,
        /// What it said.
        reason: String,
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
            EngineError::NoLibrary { .. } | EngineError::OtherLibrary { .. } | EngineError::Device { .. } => {
                Blame::Machine
            }
            EngineError::Run { .. } => Blame::Machine,
            EngineError::Model { .. } | EngineError::Shape { .. } | EngineError::Output { .. } => Blame::Model,
        }
    }
}

fn lines(searched: &[String]) -> String {
    searched.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// What an engine runs: a graph with one input.
#[derive(Clone, Copy)]
pub(super) struct Program<'a> {
    /// The ONNX file.
    pub onnx: &'a [u8],
    /// Name of the input.
    pub input_name: &'a str,
    /// Shape of the input behind its first axis, that of the batch.
    pub item: &'a [usize],
}

impl Program<'_> {
    /// Shape of a batch.
    pub fn shape(&self, batch: usize) -> Vec<usize> {
        [&[batch], self.item].concat()
    }
}

/// A network ready to run at one batch size.
pub(super) trait Engine: Send {
    /// What runs, and where.
    fn info(&self) -> &EngineInfo;

    /// The outputs asked for when the engine was made, in that order, each with one row an image.
    fn run(&mut self, batch: ArrayViewD<'_, f32>) -> Result<Vec<Array2<f32>>, EngineError>;
}

/// One row an image: an output of any rank, flattened behind its first axis.
pub(super) fn one_row_an_image(
    output: &str,
    shape: &[usize],
    values: Vec<f32>,
    batch: usize,
) -> Result<Array2<f32>, EngineError> {
    let wrong = || EngineError::Shape { output: output.into(), got: shape.to_vec(), batch };
    if shape.first() != Some(&batch) || batch == 0 {
        return Err(wrong());
    }
    Array2::from_shape_vec((batch, values.len() / batch), values).map_err(|_| wrong())
}
