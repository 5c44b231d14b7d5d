//! From resized images to features: which network, read from where, run by which engine.
//!
//! A [`Model`] is an ONNX graph with what must be known to feed it. An engine ([`EngineChoice`]) runs it: ONNX Runtime,
//! found on the machine and loaded at run time, or tract, which is part of this crate. [`NetworkExtractor`] joins the
//! two into a [`FeatureExtractor`], the only thing the rest of the crate sees. Nothing here falls back silently: what
//! runs is in [`ExtractorInfo`].

mod custom;
mod device;
mod engine;
mod generator;
mod input;
pub mod install;
mod library;
mod model;
mod network;
mod onnx_runtime;
mod pooling;
mod probe;
mod registry;
mod ticket;
mod tract;
pub mod weights;
mod worker;

use ndarray::{Array2, ArrayView4};

pub use custom::{CustomModel, parse_triple};
pub use device::{Device, EngineChoice, ParseDeviceError};
pub use engine::{EngineError, EngineInfo};
pub(crate) use engine::{USUAL_BATCH, full_batch};
pub use generator::{GeneratorFile, ImageShape, OnnxGenerator, OnnxGeneratorError, RangeSource, parse_range};
pub use input::{Channels, InputSpec, Layout, Normalization, Number};
pub use library::{FoundLibrary, OLDEST_MINOR_VERSION, find_libraries};
pub use model::{BatchAxis, Model, ModelError, ModelSetting};
pub use network::{NetworkExtractor, NetworkOptions, SpatialFeatures};
pub use onnx_runtime::{Provider, available_providers};
pub use pooling::{ParsePoolingError, Pooling};
pub use registry::{ExtractorId, FeatureLayer, home_folder, installed_files, installed_path, load, models_folder};
pub use ticket::Ticket;
pub use worker::BATCHES_IN_FLIGHT;

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
    /// How features of many positions or tokens became one row an image; `None` where the network does so itself.
    pub pooling: Option<Pooling>,
    /// The engine and the device that really ran it.
    pub engine: EngineInfo,
}

/// Turns batches of images into features.
///
/// Only [`Self::extract`] has to be written. An extractor whose network works beside its caller writes [`Self::submit`] as
/// well, as [`NetworkExtractor`] does; a pass then keeps [`BATCHES_IN_FLIGHT`] batches submitted, and reduces the features of
/// one while the network is at the next.
///
/// Extractors are [`Send`] and need not be [`Sync`]: each thread that extracts has its own.
pub trait FeatureExtractor: Send {
    /// What runs.
    fn info(&self) -> &ExtractorInfo;

    /// The images it takes.
    fn input(&self) -> &InputSpec;

    /// Number of images of a full batch.
    ///
    /// The features of an image must not depend on how many others are in its batch, nor on its place among them: sets are
    /// cut into batches and shards anywhere.
    fn batch_size(&self) -> usize;

    /// Features of 1 to [`Self::batch_size`] images, already normalised and laid out as [`Self::input`] says.
    ///
    /// # Errors
    /// [`EngineError::Input`] when the images are not of that number and shape; another [`EngineError`] when the engine
    /// fails or returns what the model did not promise; values that are not finite are reported with the index of the image.
    fn extract(&mut self, images: ArrayView4<'_, f32>) -> Result<Extraction, EngineError>;

    /// Begins with such a batch; [`Ticket::wait`] gives what [`Self::extract`] would, errors included. May wait until an
    /// earlier batch is done; unless overridden, it waits until this one is.
    fn submit(&mut self, images: ArrayView4<'_, f32>) -> Ticket {
        let extraction = self.extract(images);
        Ticket::new(move || extraction)
    }
}

/// Features or logits from the raw output of an engine.
fn finite<T>(
    output: &str,
    values: Array2<f32>,
    new: impl FnOnce(Array2<f32>) -> Result<T, FeaturesError>,
) -> Result<T, EngineError> {
    new(values).map_err(|source| EngineError::Output { output: output.into(), source })
}
