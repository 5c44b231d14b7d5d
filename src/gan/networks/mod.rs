//! Networks: graphs of layers as plain data, and the tensors that belong to them.
//!
//! Inputs and outputs go by the names of [`name`], so that a system, a checkpoint and an exported file speak of the same
//! things.

mod footprint;
mod graph;
mod network;
mod spectral;

pub use footprint::Footprint;
pub(crate) use footprint::{check_bytes, check_numbers, numbers};
pub use graph::{Graph, GraphBuilder, Node, Port, Source};
pub use network::{Network, Outputs, Parameter};

/// Names of inputs and outputs.
pub mod name {
    /// Images, N×C×H×W: what critics and encoders take, what generators give.
    pub const IMAGES: &str = "images";
    /// The noise that a generator starts from.
    pub const Z: &str = "z";
    /// Classes, one-hot: N×K.
    pub const LABELS: &str = "labels";
    /// Steps of a diffusion: N×1.
    pub const TIME: &str = "time";
    /// A critic's verdict before any sigmoid: N×1 (or N×1×1×1).
    pub const LOGIT: &str = "logit";
    /// What a critic's last hidden layer sees: N×F.
    pub const FEATURES: &str = "features";
    /// Logits of pixels that are 0 or 1: N×C×H×W.
    pub const LOGITS: &str = "logits";
    /// Logits of classes: N×K.
    pub const CLASSES: &str = "classes";
    /// What an autoencoder keeps of an image: N×L.
    pub const CODE: &str = "code";
    /// The image that an autoencoder makes of its code.
    pub const RECONSTRUCTION: &str = "reconstruction";
    /// Mean of a normal distribution.
    pub const MEAN: &str = "mean";
    /// Logarithm of its variance.
    pub const LOG_VARIANCE: &str = "log_variance";
    /// The normal noise that is seen in noisy images: N×C×H×W.
    pub const NOISE: &str = "noise";
    /// Logarithm of what a coupling of a flow multiplies by.
    pub const LOG_SCALE: &str = "log_scale";
    /// What it adds.
    pub const SHIFT: &str = "shift";
}
