//! A network chosen, then read, then running.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;

use super::accumulator::Accumulator;
use super::measure::StageSeconds;
use super::partial::{Partial, WholeSet};
use super::pass::{self, OnBadImage, PassObserver, PassOptions, Portion};
use crate::Result;
use crate::extractor::{
    BatchAxis, CustomModel, ExtractorId, ExtractorInfo, FeatureExtractor, FeatureLayer, InputSpec, Model,
    NetworkExtractor, NetworkOptions, SpatialFeatures, USUAL_BATCH, full_batch, load,
};
use crate::image::ResizeMode;
use crate::interrupt::Interrupt;
use crate::score::{Need, Preset};
use crate::stats::{EngineProvenance, NetworkInput, Provenance};

/// A network of this crate or of a file.
#[derive(Debug, Clone)]
pub enum ModelChoice {
    /// One that this crate knows, and the layer that serves as features where there is a choice.
    Known(ExtractorId, Option<FeatureLayer>),
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
    /// efficientnet-lite0, which is part of this crate: it needs no weights, and its scores compare with no other network's.
    pub fn builtin() -> Self {
        Self { model: ModelChoice::Known(ExtractorId::EfficientNetLite0, None), ..Self::of(Preset::default()) }
    }

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

impl Preparation {
    fn of(input: &InputSpec, batch_size: usize, resize: ResizeMode) -> Self {
        Self {
            resize,
            width: input.width,
            height: input.height,
            mean: input.normalization.mean,
            std: input.normalization.std,
            batch_size,
            dtype: input.number.precision(),
        }
    }
}

/// A network that was read and checked.
pub struct NetworkPlan {
    model: Model,
    options: NetworkOptions,
    batch_size: usize,
    pass: PassOptions,
}

impl NetworkPlan {
    /// Reads the network.
    ///
    /// # Errors
    /// [`ModelError`](crate::extractor::ModelError) when it is not installed or cannot be used, and
    /// [`EngineError::BatchSize`](crate::extractor::EngineError::BatchSize) when it takes batches of another size only.
    pub fn new(choice: &NetworkChoice) -> Result<Self> {
        let model = match &choice.model {
            ModelChoice::Known(id, layer) => load(*id, choice.resize, *layer)?,
            ModelChoice::Custom(model) => model.load(choice.resize)?,
        };
        let pass = PassOptions { resize: choice.resize, on_bad_image: choice.on_bad_image };
        let batch_size = full_batch(choice.options.batch_size, model.batch_axis)?;
        Ok(Self { model, options: choice.options.clone(), batch_size, pass })
    }

    /// The network as it was read.
    pub fn model(&self) -> &Model {
        &self.model
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
    /// memory taken. A network that takes batches of one size keeps it.
    pub fn fit_batch(&mut self, images: usize) {
        if !matches!(self.model.batch_axis, BatchAxis::Fixed(_)) {
            self.batch_size = self.batch_size.min(images.max(USUAL_BATCH));
        }
    }

    /// How images are resized, and what is done about those that cannot be decoded.
    pub fn pass(&self) -> PassOptions {
        self.pass
    }

    /// How images will be prepared, for reports.
    pub fn preparation(&self) -> Preparation {
        Preparation::of(&self.model.input, self.batch_size, self.pass.resize)
    }

    /// Starts the engine.
    ///
    /// # Errors
    /// [`EngineError`](crate::extractor::EngineError) when the engine or the device is not there.
    pub fn start(&self) -> Result<Network> {
        let options = NetworkOptions { batch_size: Some(self.batch_size), ..self.options.clone() };
        Ok(Network::new(Box::new(NetworkExtractor::new(&self.model, &options)?), self.pass))
    }
}

/// What one pass gave.
pub struct Passed {
    /// What was gathered of the images.
    pub part: Partial,
    /// How long each stage took.
    pub seconds: StageSeconds,
    /// Digests of the images, as in [`PassSummary`](super::PassSummary).
    pub digests: BTreeSet<u64>,
}

/// A network that runs: images in, features out.
pub struct Network {
    extractor: Box<dyn FeatureExtractor>,
    pass: PassOptions,
}

impl Network {
    /// Whatever gives features of images, and how these are prepared for it.
    pub fn new(extractor: Box<dyn FeatureExtractor>, pass: PassOptions) -> Self {
        Self { extractor, pass }
    }

    /// What runs.
    pub fn info(&self) -> &ExtractorInfo {
        self.extractor.info()
    }

    /// What gives the features.
    pub fn extractor(&self) -> &dyn FeatureExtractor {
        &*self.extractor
    }

    /// How images are resized, and what is done about those that cannot be decoded.
    pub fn pass(&self) -> PassOptions {
        self.pass
    }

    /// How images are prepared, for reports.
    pub fn preparation(&self) -> Preparation {
        Preparation::of(self.extractor.input(), self.extractor.batch_size(), self.pass.resize)
    }

    /// How its features come about.
    pub fn provenance(&self) -> Provenance {
        let Preparation { resize, width, height, mean, std, dtype, .. } = self.preparation();
        let info = self.info();
        Provenance {
            version: env!("CARGO_PKG_VERSION").into(),
            extractor: info.name.clone(),
            model_sha256: info.model_sha256.clone(),
            layer: info.features_output.clone(),
            pooling: info.pooling.map(|pooling| pooling.to_string()),
            resize: resize.to_string(),
            n: 0,
            input: Some(NetworkInput { width, height, mean, std }),
            precision: Some(dtype.into()),
            engine: Some(EngineProvenance {
                name: info.engine.name.clone(),
                version: info.engine.version.clone(),
                provider: info.engine.provider.clone(),
            }),
            census: None,
        }
    }

    /// One pass over some images, into `gathered`; `named` keeps their names.
    ///
    /// # Errors
    /// [`EvaluateError`](super::EvaluateError).
    pub fn partial(
        &mut self,
        portion: Portion<'_>,
        mut gathered: Accumulator,
        named: bool,
        observer: &mut dyn PassObserver,
        interrupt: &Interrupt,
    ) -> Result<Passed> {
        gathered = gathered.expecting(portion.count());
        let summary = pass::run(&portion, &mut *self.extractor, self.pass, &mut gathered, observer, interrupt)?;
        let seconds = StageSeconds::from(&summary);
        let images = portion.images();
        let mut set = WholeSet::of(images);
        if portion.count() < images.len() {
            set = set.sampled(images);
        }
        let part = Partial::new(set, gathered);
        let part = match named {
            true => {
                let indices = part.gathered().indices().clone();
                let names: Vec<String> = indices.iter().map(|index| portion.name(index).into_owned()).collect();
                let labels = indices.iter().map(|index| portion.label(index).map(Cow::into_owned)).collect();
                let labels: Option<Vec<String>> = labels;
                let part = part.with_names(names.into_iter());
                match labels {
                    Some(labels) => part.with_labels(labels),
                    None => part,
                }
            }
            false => part,
        };
        let part = part.with_findings(summary.skipped, summary.census, Some(self.provenance()));
        Ok(Passed { part, seconds, digests: summary.digests })
    }
}
