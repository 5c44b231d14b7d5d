//! From arguments to a validated plan: every input is opened and every model read before the first image is decoded.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::evaluate::{OnBadImage, PassOptions};
use crate::extractor::{CustomModel, ExtractorId, Model, NetworkExtractor, NetworkOptions, SpatialFeatures, load};
use crate::image::{DataSet, ResizeMode};
use crate::report::Preparation;
use crate::score::{Need, Preset};
use crate::stats::{FeatureFile, StatsFile};

use super::args::{ExtractArgs, OnBadImageArg};
use super::measure::labels;

/// A set: images, or features or statistics that need no network.
pub enum Input {
    /// Images to run through the network.
    Images(DataSet),
    /// Features, and the file they come from.
    Features(PathBuf, Box<FeatureFile>),
    /// Statistics, and the file they come from.
    Statistics(PathBuf, Box<StatsFile>),
}

impl Input {
    /// Opens a path, whatever it is.
    pub fn open(path: &Path) -> Result<Self> {
        if StatsFile::sniff(path) {
            Ok(Self::Statistics(path.into(), Box::new(StatsFile::read(path)?)))
        } else if FeatureFile::sniff(path) {
            Ok(Self::Features(path.into(), Box::new(FeatureFile::read(path)?)))
        } else {
            Ok(Self::Images(DataSet::open(path)?))
        }
    }

    /// Whether scores can have this of the set; what images offer depends on the network.
    pub fn offers(&self, need: Need, plan: Option<&NetworkPlan>) -> bool {
        match (self, need) {
            (Self::Images(images), Need::Labels) => {
                let names: Vec<_> = (0..images.len()).map(|index| images.name(index)).collect();
                labels(&names).is_some()
            }
            (Self::Images(_), need) => plan.is_none_or(|plan| plan.offers(need)),
            (Self::Features(_, file), Need::Logits) => file.logits.is_some(),
            (Self::Features(_, file), Need::Spatial) => file.spatial.is_some(),
            (Self::Features(_, file), Need::Labels) => file.names.as_deref().and_then(labels).is_some(),
            (Self::Features(..), Need::Features | Need::Statistics) => true,
            (Self::Statistics(..), need) => need == Need::Statistics,
        }
    }
}

/// The resize mode of a tool.
fn resize_of(preset: Preset) -> ResizeMode {
    match preset {
        Preset::PytorchFid | Preset::DgmEval => ResizeMode::Torch,
        Preset::CleanFid => ResizeMode::Clean,
        _ => ResizeMode::Tf1,
    }
}

/// How a network is run.
pub fn network_options(args: &ExtractArgs) -> NetworkOptions {
    NetworkOptions {
        engine: args.engine.into(),
        device: args.device,
        batch_size: args.batch_size.into(),
        threads: args.threads.map(Into::into),
        library: args.ort_library.clone(),
        spatial: SpatialFeatures::Unwanted,
    }
}

/// A network and how to feed it, ready to be started.
pub struct NetworkPlan {
    model: Model,
    /// How the network is run.
    pub network: NetworkOptions,
    /// How images are prepared.
    pub pass: PassOptions,
}

impl NetworkPlan {
    /// Validates the arguments and reads the model. Where they name no resize mode, it is that of the preset.
    pub fn new(args: &ExtractArgs, preset: Preset) -> Result<Self> {
        let resize = args.resize.unwrap_or(resize_of(preset));
        let model = match &args.model {
            None => load(args.extractor.unwrap_or_default(), resize, args.layer)?,
            Some(path) => CustomModel {
                path: path.clone(),
                size: args.input_size,
                mean: args.mean,
                std: args.std,
                layout: args.layout.map(Into::into),
                input: args.input_name.clone(),
                features: args.features_output.clone(),
                logits: args.logits_output.clone(),
                layer: args.layer,
            }
            .load(resize)?,
        };
        let network = network_options(args);
        let on_bad_image = match args.on_bad_image {
            OnBadImageArg::Stop => OnBadImage::Stop,
            OnBadImageArg::Skip => OnBadImage::Skip,
        };
        Ok(Self { model, network, pass: PassOptions { resize, on_bad_image } })
    }

    /// Whether the network gives what scores need of images.
    pub fn offers(&self, need: Need) -> bool {
        match need {
            Need::Logits => self.model.logits_output.is_some(),
            Need::Spatial => self.model.spatial_output.is_some(),
            Need::Features | Need::Statistics | Need::Labels => true,
        }
    }

    /// A network by its name, run as `network` says, in the default resize mode.
    pub fn named(id: ExtractorId, network: NetworkOptions) -> Result<Self> {
        let resize = ResizeMode::default();
        let model = load(id, resize, None)?;
        Ok(Self { model, network, pass: PassOptions { resize, on_bad_image: OnBadImage::Stop } })
    }

    /// Starts the engine.
    pub fn start(&self) -> Result<NetworkExtractor> {
        Ok(NetworkExtractor::new(&self.model, &self.network)?)
    }

    /// How images are prepared, for the report.
    pub fn preparation(&self) -> Preparation {
        let input = &self.model.input;
        Preparation {
            resize: self.pass.resize,
            width: input.width,
            height: input.height,
            mean: input.normalization.mean,
            std: input.normalization.std,
            batch_size: self.network.batch_size,
            dtype: "float32",
        }
    }
}
