//! Why a generator cannot be used.

use crate::error::{Blame, Blamed};
use crate::extractor::engine::EngineError;
use crate::extractor::model::ModelError;

/// Why a generator cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxGeneratorError {
    /// The file cannot be read, or lacks something that was asked for.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine does not run it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// It takes more than a latent and labels.
    #[error(
        "{name} takes the inputs {}: only generators of one latent (N×length of float32, float16 or float64), and of labels \
         (N or N×1 of int64 or int32, or N×classes) beside it, can be run",
        inputs.join(", ")
    )]
    Inputs {
        /// Name of the file.
        name: String,
        /// What it takes.
        inputs: Vec<String>,
    },
    /// The length of the latent is not known, or is not that of the file.
    #[error("{name} takes a latent `{input}`{}: its length has to be given", asked(wanted))]
    Latent {
        /// Name of the file.
        name: String,
        /// The input as the file describes it.
        input: String,
        /// Length asked for.
        wanted: Option<usize>,
    },
    /// The number of classes is not known, or is not that of the file.
    #[error("{name} takes labels `{input}`{}", match wanted {
        None => ": the number of classes has to be given".to_owned(),
        Some(wanted) => format!(", which are not of {wanted} classes"),
    })]
    Classes {
        /// Name of the file.
        name: String,
        /// The input as the file describes it.
        input: String,
        /// Number asked for.
        wanted: Option<usize>,
    },
    /// What it takes besides a latent is a code.
    #[error(
        "{name} takes a code ({code} categories and numbers) and no labels, and codes are not drawn here: make the images of its checkpoint \
         with `generate`, and use those"
    )]
    Code {
        /// Name of the file.
        name: String,
        /// Numbers of categories and of numbers.
        code: String,
    },
    /// A number of classes was given for a generator that takes no labels.
    #[error("{name} takes no labels: a number of classes would have no effect")]
    NoLabels {
        /// Name of the file.
        name: String,
    },
    /// The values of black and of white were given for a generator that outputs bytes.
    #[error("{name} outputs bytes, which are pixels as they are: values of black and white would have no effect")]
    Bytes {
        /// Name of the file.
        name: String,
    },
    /// Its metadata says of black and white what cannot be.
    #[error(
        "{name} has the metadata entry `pixel_range` with `{text}`, which is not two numbers that differ, such as `-1,1`: give the values of black \
         and white, or correct it"
    )]
    Range {
        /// Name of the file.
        name: String,
        /// What it says.
        text: String,
    },
    /// None of several outputs goes by a usual name.
    #[error("{name} has the outputs {}: export it with the one that holds the images called `images`", outputs.join(", "))]
    Outputs {
        /// Name of the file.
        name: String,
        /// Names of its outputs.
        outputs: Vec<String>,
    },
    /// The output is not a batch of images.
    #[error(
        "{name} outputs `{output}`, which is not a batch of images: N×channels×height×width or N×height×width×channels, with one \
         channel or three, of float32, float16, float64 or uint8"
    )]
    Images {
        /// Name of the file.
        name: String,
        /// The output as the file describes it, or as it came.
        output: String,
    },
    /// Images changed their size.
    #[error("output `{output}` has images of shape {got:?} after some of {first:?}: a set needs images of one size")]
    Size {
        /// Name of the output.
        output: String,
        /// Shape of the first images: channels, height, width.
        first: [usize; 3],
        /// Shape of later ones.
        got: [usize; 3],
    },
}

fn asked(wanted: &Option<usize>) -> String {
    wanted.map_or(String::new(), |length| format!(", not {length} numbers"))
}

impl Blamed for OnnxGeneratorError {
    fn blame(&self) -> Blame {
        match self {
            OnnxGeneratorError::Model(error) => error.blame(),
            OnnxGeneratorError::Engine(error) => error.blame(),
            OnnxGeneratorError::Latent { .. }
            | OnnxGeneratorError::Classes { .. }
            | OnnxGeneratorError::NoLabels { .. }
            | OnnxGeneratorError::Bytes { .. } => Blame::Input,
            OnnxGeneratorError::Inputs { .. }
            | OnnxGeneratorError::Code { .. }
            | OnnxGeneratorError::Range { .. }
            | OnnxGeneratorError::Outputs { .. }
            | OnnxGeneratorError::Images { .. }
            | OnnxGeneratorError::Size { .. } => Blame::Model,
        }
    }
}
