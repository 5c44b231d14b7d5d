//! A network as a file and what must be known to feed it.

use std::path::{Path, PathBuf};

use super::weights::WeightsError;
use super::weights::onnx::OnnxError;
use crate::error::{Blame, Blamed};
use crate::regular;

/// Order of the axes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Batch, channel, row, column: PyTorch.
    #[default]
    Nchw,
    /// Batch, row, column, channel: TensorFlow.
    Nhwc,
}

/// Per-channel normalisation `(x − mean)/std` of values on the 0–255 scale, red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Normalization {
    /// Subtracted.
    pub mean: [f32; 3],
    /// Divided by.
    pub std: [f32; 3],
}

impl Normalization {
    /// The same for all channels.
    pub const fn uniform(mean: f32, std: f32) -> Self {
        Self { mean: [mean; 3], std: [std; 3] }
    }
}

/// The images that a network takes.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct InputSpec {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Order of the axes.
    pub layout: Layout,
    /// What becomes of the values.
    pub normalization: Normalization,
}

impl InputSpec {
    /// Values of one image.
    pub fn values_per_image(&self) -> usize {
        3 * self.width as usize * self.height as usize
    }

    /// Shape of a batch of `n` images.
    pub fn shape(&self, n: usize) -> [usize; 4] {
        let (height, width) = (self.height as usize, self.width as usize);
        match self.layout {
            Layout::Nchw => [n, 3, height, width],
            Layout::Nhwc => [n, height, width, 3],
        }
    }

    /// Normalises one resized image, planar (channel, row, column) on the 0–255 scale, into its place in a batch.
    ///
    /// # Panics
    /// When a slice is not of [`Self::values_per_image`] values.
    pub fn prepare(&self, planar: &[f32], into: &mut [f32]) {
        let plane = self.width as usize * self.height as usize;
        assert_eq!((planar.len(), into.len()), (3 * plane, 3 * plane), "one image at a time");
        for (channel, values) in planar.chunks_exact(plane).enumerate() {
            let (mean, std) = (self.normalization.mean[channel], self.normalization.std[channel]);
            let normalised = values.iter().map(|value| (value - mean) / std);
            match self.layout {
                Layout::Nchw => {
                    into[channel * plane..][..plane].iter_mut().zip(normalised).for_each(|(to, value)| *to = value);
                }
                Layout::Nhwc => {
                    into[channel..].iter_mut().step_by(3).zip(normalised).for_each(|(to, value)| *to = value);
                }
            }
        }
    }
}

/// What a [`CustomModel`](super::CustomModel) says of a network that its file may leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelSetting {
    /// Width and height of the input.
    Size,
    /// Order of the axes of the input.
    Layout,
    /// What is subtracted from each channel.
    Mean,
    /// What each channel is divided by.
    Std,
    /// The input that takes the images.
    Input,
    /// The output that serves as features.
    Features,
    /// The layer of Inception-v3 that serves as features.
    Layer,
    /// The output that serves as logits.
    Logits,
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The weights or the graph are not what they should be.
    #[error("{name}: {source}")]
    Weights {
        /// Name of the model.
        name: String,
        /// What is wrong.
        source: WeightsError,
    },
    /// The file is not an ONNX model.
    #[error("{}: {source}", path.display())]
    Onnx {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong.
        source: OnnxError,
    },
    /// There is no such extractor.
    #[error("`{0}` names no extractor: use inception-v3, efficientnet-lite0, or the file of a custom network")]
    Unknown(String),
    /// The extractor's weights are not installed.
    #[error(
        "the weights of inception-v3 are not installed (looked for {}): install them, or use efficientnet-lite0, which \
         is built in and whose scores are its own",
        path.display()
    )]
    NotInstalled {
        /// Where they would be.
        path: PathBuf,
    },
    /// The installed file is not as it was installed.
    #[error("{} has changed since it was installed: remove it and install it again", path.display())]
    Damaged {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file in the place of the published network has other weights.
    #[error(
        "{} does not hold the published weights but `{weights}`: use it as a custom network, and install the published \
         one",
        path.display()
    )]
    NotPublished {
        /// Path of the file.
        path: PathBuf,
        /// Where its weights come from.
        weights: String,
    },
    /// There is no such layer.
    #[error("`{0}` is no layer of inception-v3: use 64, 192, 768 or 2048")]
    UnknownLayer(String),
    /// The network has no layers to choose from.
    #[error("{name} has one kind of features only: inception-v3 has layers to choose from")]
    NoLayers {
        /// Name of the model.
        name: String,
    },
    /// A name that the file does not have.
    #[error(
        "{name} has no {kind} `{wanted}`; it has {}",
        found.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    )]
    NoSuchName {
        /// Name of the model.
        name: String,
        /// `input` or `output`.
        kind: &'static str,
        /// Name asked for.
        wanted: String,
        /// Names that the file has.
        found: Vec<String>,
        /// What chooses another.
        setting: ModelSetting,
    },
    /// Something about the model must be said, since the file does not tell.
    #[error("{name} does not say {what}: it has to be given")]
    Unspecified {
        /// Name of the model.
        name: String,
        /// What is not known.
        what: String,
        /// What says it.
        setting: ModelSetting,
    },
}

impl Blamed for ModelError {
    fn blame(&self) -> Blame {
        match self {
            ModelError::Unknown(_)
            | ModelError::UnknownLayer(_)
            | ModelError::NoLayers { .. }
            | ModelError::NoSuchName { .. }
            | ModelError::Unspecified { .. } => Blame::Input,
            ModelError::Io { .. }
            | ModelError::Onnx { .. }
            | ModelError::Weights { .. }
            | ModelError::Damaged { .. }
            | ModelError::NotPublished { .. }
            | ModelError::NotInstalled { .. } => Blame::Model,
        }
    }
}

/// What is known of the first axis of a graph's input, that of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchAxis {
    /// The graph takes batches of this size alone.
    Fixed(usize),
    /// It takes batches of any size. Whether an image has the same features to the bit in each is not known.
    Open,
    /// It takes batches of any size, and of the networks that this crate knows it was measured that the features of an
    /// image are the same to the bit in each, wherever in the batch the image is.
    Invariant,
}

/// A network: an ONNX graph, its identity, and what it takes and gives.
#[derive(Debug, Clone)]
pub struct Model {
    /// Name for reports.
    pub name: String,
    /// The ONNX file.
    pub onnx: Vec<u8>,
    /// SHA-256 of the file the weights come from, in hexadecimal.
    pub sha256: String,
    /// Name of the graph's input.
    pub input_name: String,
    /// The images it takes.
    pub input: InputSpec,
    /// The batches it takes.
    pub batch_axis: BatchAxis,
    /// Output that serves as features.
    pub features_output: String,
    /// Output that serves as logits.
    pub logits_output: Option<String>,
    /// Output that holds the spatial features of sFID.
    pub spatial_output: Option<String>,
}

/// Reads a file, naming it in the error.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    regular::read(path).map_err(|source| ModelError::Io { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(layout: Layout) -> InputSpec {
        let normalization = Normalization { mean: [0.0, 1.0, 2.0], std: [1.0, 2.0, 4.0] };
        InputSpec { width: 2, height: 1, layout, normalization }
    }

    #[test]
    fn prepares_both_layouts() {
        let planar = [10.0, 20.0, 31.0, 41.0, 52.0, 62.0];
        let mut batch = [0.0; 6];
        spec(Layout::Nchw).prepare(&planar, &mut batch);
        assert_eq!(batch, [10.0, 20.0, 15.0, 20.0, 12.5, 15.0]);
        spec(Layout::Nhwc).prepare(&planar, &mut batch);
        assert_eq!(batch, [10.0, 15.0, 12.5, 20.0, 20.0, 15.0]);
        assert_eq!(spec(Layout::Nchw).shape(5), [5, 3, 1, 2]);
        assert_eq!(spec(Layout::Nhwc).shape(5), [5, 1, 2, 3]);
    }
}
