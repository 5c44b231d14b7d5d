//! ONNX files: writing networks as graphs, and reading what a file has for inputs and outputs.
//!
//! Graphs use operator set [`OPSET`] under IR version [`IR_VERSION`], which ONNX Runtime ≥ 1.8 and tract both run. The
//! same calls give the same bytes.

mod edges;
mod external;
mod graph;
mod model_file;
mod select;
mod training;
mod wire;

pub use edges::with_float32_edges;
pub use graph::{ConvolutionWeights, Graph, GraphValue, Window};
pub use model_file::{Dimension, ElementType, ModelFile, OnnxError, ValueInfo, read_whole};
pub use select::select_outputs;
pub use training::{TrainingMode, in_training_mode};

/// Version of the operator set that graphs are written in.
pub const OPSET: i64 = 13;

/// Version of the file format that graphs are written in; the first one with operator set 13.
pub const IR_VERSION: i64 = 7;

/// Name of the dynamic first axis of every input and output: the number of images.
pub const BATCH: &str = "N";

/// Keys of the metadata that every graph of this crate carries.
pub mod metadata {
    /// Name of the network.
    pub const MODEL: &str = "model";
    /// Where the weights came from: `sha256:` and the digest of the checkpoint, or `seeded:` and a seed.
    pub const SOURCE: &str = "source";
    /// Side of the square input, in pixels.
    pub const INPUT_SIZE: &str = "input_size";
    /// Means subtracted from red, green and blue levels (0–255), separated by commas.
    pub const MEAN: &str = "mean";
    /// Divisors of red, green and blue levels after the subtraction, separated by commas.
    pub const STD: &str = "std";
}

/// What a network expects of its images: `(level − mean) / std` per channel, levels 0–255, RGB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GraphInput {
    /// Side of the square input, in pixels.
    pub size: usize,
    /// Subtracted from the levels of red, green and blue.
    pub mean: [f32; 3],
    /// Divides the differences.
    pub std: [f32; 3],
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
