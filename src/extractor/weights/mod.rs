//! Network weights: reading checkpoints, writing ONNX graphs.
//!
//! A network is a function from a [`StateDict`](pth::StateDict) to the bytes of an ONNX model: [`pth`] reads the
//! checkpoint, [`inception_v3`] and [`efficientnet_lite`] know the architectures, [`onnx`] writes the graph. No Python
//! takes part.

pub mod efficientnet_lite;
pub mod inception_v3;
mod layers;
pub mod onnx;
pub mod pth;

use std::fmt;

use crate::error::{Blame, Blamed};
use pth::PthError;

pub use layers::BatchNormForm;

/// Why a network could not be built from a checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The checkpoint belongs to another network.
    #[error("the checkpoint is not one of {network}: {mismatch}")]
    Mismatch {
        /// The network asked for.
        network: &'static str,
        /// Every tensor that is missing, unknown or of another shape.
        mismatch: Mismatch,
    },
    /// A tensor holds NaN or an infinity.
    #[error("tensor `{name}` of the checkpoint holds {value} at element {index}: the file is damaged")]
    NotFinite {
        /// Name of the tensor.
        name: String,
        /// Row-major index of the first such element.
        index: usize,
        /// The element.
        value: f32,
    },
    /// A running variance is negative.
    #[error("tensor `{name}` of the checkpoint holds the variance {value} at element {index}: the file is damaged")]
    Variance {
        /// Name of the tensor.
        name: String,
        /// Index of the first such element.
        index: usize,
        /// The element.
        value: f32,
    },
    /// The checkpoint could not be read.
    #[error(transparent)]
    Checkpoint(#[from] PthError),
}

impl Blamed for WeightsError {
    fn blame(&self) -> Blame {
        match self {
            WeightsError::Checkpoint(error) => error.blame(),
            _ => Blame::Model,
        }
    }
}

/// How the tensors of a checkpoint differ from those of a network. Shown in full.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mismatch {
    /// Tensors that the network needs and the checkpoint lacks.
    pub missing: Vec<String>,
    /// Tensors that the checkpoint has and the network does not know.
    pub unexpected: Vec<String>,
    /// Tensors of another shape: name, expected shape, shape found.
    pub misshaped: Vec<(String, Vec<usize>, Vec<usize>)>,
}

impl Mismatch {
    fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshaped.is_empty()
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shapes: Vec<String> = self
            .misshaped
            .iter()
            .map(|(name, expected, found)| format!("{name} {found:?} instead of {expected:?}"))
            .collect();
        let parts = [("missing", &self.missing), ("unexpected", &self.unexpected), ("of another shape", &shapes)];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("{} {what} ({})", names.len(), names.join(", ")))
            .collect();
        f.write_str(&parts.join("; "))
    }
}
