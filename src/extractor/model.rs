//! A network as a file and what must be known to feed it.

use std::path::{Path, PathBuf};

use super::input::InputSpec;
use super::pooling::Pooling;
use super::weights::WeightsError;
use super::weights::onnx::{OnnxError, read_whole};
use crate::error::{Blame, Blamed};
use crate::regular;

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
    #[error("`{0}` is not a layer of inception-v3: use 64, 192, 768 or 2048")]
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
    /// The input does not take images.
    #[error(
        "{name} takes `{input}`, which is not a batch of images: N×channels×height×width or N×height×width×channels, with one \
         channel or three, of float32, float16, float64 or uint8"
    )]
    NotImages {
        /// Name of the model.
        name: String,
        /// The input as the file describes it.
        input: String,
    },
    /// A batch of what the file declares would not fit any memory.
    #[error("{name} takes `{input}`: {values} numbers at once are more than {MOST_VALUES}")]
    TooLarge {
        /// Name of the model.
        name: String,
        /// The input as the file describes it.
        input: String,
        /// Numbers of a batch.
        values: u128,
    },
    /// The images that were described do not fit the input.
    #[error("{name} takes `{input}`, which images as N×{}×{}×{} do not fit", fed[0], fed[1], fed[2])]
    Shape {
        /// Name of the model.
        name: String,
        /// The input as the file describes it.
        input: String,
        /// Shape of an image as it would be fed.
        fed: [usize; 3],
        /// What said so.
        setting: ModelSetting,
    },
    /// An output does not hold numbers that can be features or logits.
    #[error("{name} outputs `{output}`: features and logits are float32, float16 or float64; export it so")]
    OutputType {
        /// Name of the model.
        name: String,
        /// The output as the file describes it.
        output: String,
    },
    /// Mean and standard deviation are on the wrong scale.
    #[error(
        "{name}: mean {} and std {} are on a scale of 0 to 1, and pixels are on that of 0 to 255: multiply them by 255, which \
         makes mean {} and std {}",
        list(mean), list(std), list(&scaled(mean)), list(&scaled(std))
    )]
    Scale {
        /// Name of the model.
        name: String,
        /// What would be subtracted.
        mean: [f32; 3],
        /// What would be divided by.
        std: [f32; 3],
    },
    /// Mean and standard deviation cannot be used.
    #[error("{name}: mean {} and std {}: they have to be finite, and std positive", list(mean), list(std))]
    Normalization {
        /// Name of the model.
        name: String,
        /// What would be subtracted.
        mean: [f32; 3],
        /// What would be divided by.
        std: [f32; 3],
    },
    /// A mean or standard deviation was given that the network has no use for.
    #[error("{name} takes {takes}: {what}")]
    Unnormalized {
        /// Name of the model.
        name: String,
        /// What it takes.
        takes: &'static str,
        /// What is wrong, and what to do.
        what: &'static str,
        /// What was given.
        setting: ModelSetting,
    },
    /// Features of many positions or tokens, in an order that the file does not tell.
    #[error(
        "{name} outputs `{output}`, many rows an image, which may be tokens or positions: say how they become one, by the mean \
         over positions (N×channels×positions), the mean over tokens (N×tokens×channels), the first token, or all values as \
         they are"
    )]
    ManyRows {
        /// Name of the model.
        name: String,
        /// The output as the file describes it.
        output: String,
    },
    /// A pooling that does not go with the output.
    #[error("{name} outputs `{output}`, of which {pooling} {}", if *no_effect { "would have no effect: it is one row an image" } else { "makes no row" })]
    Pooling {
        /// Name of the model.
        name: String,
        /// The output as the file describes it.
        output: String,
        /// What was asked for.
        pooling: Pooling,
        /// Whether it would change nothing; otherwise it does not go with the number of axes.
        no_effect: bool,
    },
    /// The features of an image would depend on the others in its batch, or on chance.
    #[error(
        "{name}: its node `{node}` ({operator}) is in training mode, so that what it says of an image depends on {}: export it in \
         evaluation mode (`model.eval()` in PyTorch)",
        if operator == "Dropout" { "chance" } else { "the others in its batch" }
    )]
    TrainingMode {
        /// Name of the model.
        name: String,
        /// Operator of the node.
        operator: String,
        /// Name of the node.
        node: String,
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
            | ModelError::Unspecified { .. }
            | ModelError::Shape { .. }
            | ModelError::Scale { .. }
            | ModelError::Normalization { .. }
            | ModelError::Unnormalized { .. }
            | ModelError::ManyRows { .. }
            | ModelError::Pooling { .. } => Blame::Input,
            ModelError::Io { .. }
            | ModelError::Onnx { .. }
            | ModelError::Weights { .. }
            | ModelError::Damaged { .. }
            | ModelError::NotPublished { .. }
            | ModelError::NotInstalled { .. }
            | ModelError::NotImages { .. }
            | ModelError::TooLarge { .. }
            | ModelError::OutputType { .. }
            | ModelError::TrainingMode { .. } => Blame::Model,
        }
    }
}

/// Numbers of a batch, of four bytes each, beyond which a size in a file is a mistake: 8.6 GB.
pub(super) const MOST_VALUES: u128 = 1 << 31;

/// Refuses an input of which a batch of so many has more numbers than any machine is meant for.
pub(super) fn check_size(name: &str, input: &impl ToString, batch: usize, values: &[usize]) -> Result<(), ModelError> {
    let values = values.iter().fold(batch.max(1) as u128, |product, &axis| product.saturating_mul(axis as u128));
    match values > MOST_VALUES {
        true => Err(ModelError::TooLarge { name: name.into(), input: input.to_string(), values }),
        false => Ok(()),
    }
}

fn list(values: &[f32; 3]) -> String {
    match values {
        [red, green, blue] if red == green && green == blue => red.to_string(),
        values => values.map(|value| value.to_string()).join(","),
    }
}

/// On the scale of 0 to 255, to six digits: 0.485 is meant to become 123.675, not 123.67499.
fn scaled(values: &[f32; 3]) -> [f32; 3] {
    values.map(|value| (f64::from(value) * 255e4).round() as f32 / 1e4)
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
    /// How features of many positions or tokens become one row an image; `None` where there is one already.
    pub pooling: Option<Pooling>,
}

/// Reads an ONNX file with the weights that lie beside it, naming it in the error.
pub(super) fn read_onnx(path: &Path) -> Result<Vec<u8>, ModelError> {
    read_whole(path).map_err(|source| match source {
        OnnxError::Io { path, source } => ModelError::Io { path, source },
        source => ModelError::Onnx { path: path.into(), source },
    })
}

/// Reads a file, naming it in the error.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    regular::read(path).map_err(|source| ModelError::Io { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrong_scale_is_named_with_the_right_one() {
        let (mean, std) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
        let message = ModelError::Scale { name: "x".into(), mean, std }.to_string();
        assert!(message.ends_with("mean 123.675,116.28,103.53 and std 58.395,57.12,57.375"), "{message}");
        let message = ModelError::Scale { name: "x".into(), mean: [0.5; 3], std: [0.5; 3] }.to_string();
        assert!(message.ends_with("mean 127.5 and std 127.5"), "{message}");
    }
}
