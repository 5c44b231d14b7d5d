//! From resized images to features: which network, read from where, run by which engine.
//!
//! A [`Model`] is an ONNX graph with what must be known to feed it. An engine ([`EngineChoice`]) runs it: ONNX Runtime,
//! found on the machine and loaded at run time, or tract, which is part of this crate. [`NetworkExtractor`] joins the
//! two into a [`FeatureExtractor`], the only thing the rest of the crate sees. Nothing here falls back silently: what
//! runs is in [`ExtractorInfo`].

mod device;
mod engine;
mod generator;
pub mod install;
mod library;
mod model;
mod network;
mod onnx_runtime;
mod registry;
mod tract;
pub mod weights;

use ndarray::{Array2, ArrayView4};

pub use device::{Device, EngineChoice, ParseDeviceError};
pub use engine::{EngineError, EngineInfo};
pub use generator::{GeneratorError, GeneratorFile, ImageShape, OnnxGenerator, parse_range};
pub use library::{FoundLibrary, OLDEST_MINOR_VERSION, find_libraries};
pub use model::{InputSpec, Layout, Model, ModelError, Normalization};
pub use network::{NetworkExtractor, NetworkOptions, SpatialFeatures};
pub use onnx_runtime::{Provider, available_providers};
pub use registry::{
    CustomModel, ExtractorId, Layer, home_folder, installed_files, installed_path, load, models_folder, parse_triple,
};

use crate::stats::{Features, FeaturesError, Logits};

/// What a network says of a batch of images.
#[derive(Debug, Clone)]
pub struct Extraction {
    /// Features, one row an image.
    pub features: Features,
    /// Class scores, one row an image, when the model has them.
    pub logits: Option<Logits>,
    /// Spatial features, one row an image, when the model has them and they are [wanted](NetworkOptions::spatial).
    pub spatial: Option<Features>,
}

/// What ran, for reports.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ExtractorInfo {
    /// Name of the extractor: `inception-v3`, `efficientnet-lite0`, or the file name of a user's model.
    pub name: String,
    /// SHA-256 of the weights, in hexadecimal.
    pub model_sha256: String,
    /// Output that serves as features.
    pub features_output: String,
    /// Output that serves as logits, when there is one.
    pub logits_output: Option<String>,
    /// Output that serves as spatial features, when they were wanted.
    pub spatial_output: Option<String>,
    /// The engine and the device that really ran it.
    pub engine: EngineInfo,
}

/// Turns batches of images into features.
pub trait FeatureExtractor: Send {
    /// What runs.
    fn info(&self) -> &ExtractorInfo;

    /// The images it takes.
    fn input(&self) -> &InputSpec;

    /// Number of images of a full batch. Every batch is computed at this size, shorter ones padded, so that the
    /// features of an image do not depend on how many there are.
    fn batch_size(&self) -> usize;

    /// Features of 1 to [`Self::batch_size`] images, already normalised and laid out as [`Self::input`] says.
    ///
    /// # Errors
    /// [`EngineError`] when the engine fails or returns what the model did not promise; values that are not finite are
    /// reported with the index of the image.
    fn extract(&mut self, images: ArrayView4<'_, f32>) -> Result<Extraction, EngineError>;
}

/// Features or logits from the raw output of an engine.
fn finite<T>(
    output: &str,
    values: Array2<f32>,
    new: impl FnOnce(Array2<f32>) -> Result<T, FeaturesError>,
) -> Result<T, EngineError> {
    new(values).map_err(|source| EngineError::Output { output: output.into(), source })
}
