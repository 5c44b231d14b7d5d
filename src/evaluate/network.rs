//! A network chosen, read, and ready to be started.

use serde::Serialize;

use super::pass::{OnBadImage, PassOptions};
use crate::Result;
use crate::extractor::{
    CustomModel, ExtractorId, Layer, Model, NetworkExtractor, NetworkOptions, SpatialFeatures, load,
};
use crate::image::ResizeMode;
use crate::score::{Need, Preset};

/// A network of this crate or of a file.
#[derive(Debug, Clone)]
pub enum ModelChoice {
    /// One that this crate knows, and the layer that serves as features where there is a choice.
    Known(ExtractorId, Option<Layer>),
    /// One in a file.
    Custom(CustomModel),
}

/// Which network sees the images, and how.
#[derive(Debug, Clone)]
pub struct NetworkChoice {
    /// The network.
    pub model: ModelChoice,
    /// How images are resized.
    pub resize: ResizeMode,
    /// What to do about images that cannot be decoded.
    pub on_bad_image: OnBadImage,
    /// What runs the network, where.
    pub options: NetworkOptions,
}

impl NetworkChoice {
    /// The network and the resize mode of a tool.
    pub fn of(preset: Preset) -> Self {
        Self {
            model: ModelChoice::Known(ExtractorId::default(), None),
            resize: match preset {
                Preset::PytorchFid | Preset::DgmEval => ResizeMode::Torch,
                Preset::CleanFid => ResizeMode::Clean,
                _ => ResizeMode::Tf1,
            },
            on_bad_image: OnBadImage::default(),
            options: NetworkOptions::default(),
        }
    }
}

/// How images are prepared for the network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Preparation {
    /// Resize mode.
    pub resize: ResizeMode,
    /// Width that images are resized to.
    pub width: u32,
    /// Height that images are resized to.
    pub height: u32,
    /// Subtracted per channel on the 0–255 scale.
    pub mean: [f32; 3],
    /// Divided by per channel on the 0–255 scale.
    pub std: [f32; 3],
    /// Images in a batch.
    pub batch_size: usize,
    /// Type of the numbers that the network computes with.
    pub dtype: &'static str,
}

/// A network that was read and checked.
pub struct NetworkPlan {
    model: Model,
    options: NetworkOptions,
    pass: PassOptions,
}

impl NetworkPlan {
    /// Reads the network.
    ///
    /// # Errors
    /// [`ModelError`](crate::extractor::ModelError) when it is not installed or cannot be used.
    pub fn new(choice: &NetworkChoice) -> Result<Self> {
        let model = match &choice.model {
            ModelChoice::Known(id, layer) => load(*id, choice.resize, *layer)?,
            ModelChoice::Custom(model) => model.load(choice.resize)?,
        };
        let pass = PassOptions { resize: choice.resize, on_bad_image: choice.on_bad_image };
        Ok(Self { model, options: choice.options.clone(), pass })
    }

    /// Whether the network gives what scores need of images.
    pub fn offers(&self, need: Need) -> bool {
        match need {
            Need::Logits => self.model.logits_output.is_some(),
            Need::Spatial => self.model.spatial_output.is_some(),
            Need::Features | Need::Statistics | Need::Labels => true,
        }
    }

    /// Has the spatial features extracted too.
    pub fn want_spatial(&mut self) {
        self.options.spatial = SpatialFeatures::Wanted;
    }

    /// Keeps a batch from being larger than the largest set, beyond the usual size: all of a batch is computed, and its
    /// memory taken.
    pub fn fit_batch(&mut self, images: usize) {
        let usual = NetworkOptions::default().batch_size;
        self.options.batch_size = self.options.batch_size.min(images.max(usual));
    }

    /// How a pass prepares images.
    pub fn pass(&self) -> PassOptions {
        self.pass
    }

    /// How images are prepared, for reports.
    pub fn preparation(&self) -> Preparation {
        let input = &self.model.input;
        Preparation {
            resize: self.pass.resize,
            width: input.width,
            height: input.height,
            mean: input.normalization.mean,
            std: input.normalization.std,
            batch_size: self.options.batch_size,
            dtype: "float32",
        }
    }

    /// Starts the engine.
    ///
    /// # Errors
    /// [`EngineError`](crate::extractor::EngineError) when the engine or the device is not there.
    pub fn start(&self) -> Result<NetworkExtractor> {
        Ok(NetworkExtractor::new(&self.model, &self.options)?)
    }
}
