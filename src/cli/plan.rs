//! From arguments to a validated plan: every input is opened and every model read before the first image is decoded.

use std::path::{Path, PathBuf};

use gan_metrics::Result;
use gan_metrics::evaluate::{OnBadImage, PassOptions};
use gan_metrics::extractor::{CustomModel, ExtractorId, Model, NetworkExtractor, NetworkOptions, load};
use gan_metrics::image::{DataSet, ResizeMode};
use gan_metrics::report::Preparation;
use gan_metrics::stats::StatsFile;

use super::args::{ExtractArgs, OnBadImageArg};

/// A set: images, or statistics that need no network.
pub enum Input {
    /// Images to run through the network.
    Images(DataSet),
    /// Statistics, and the file they come from.
    Statistics(PathBuf, Box<StatsFile>),
}

impl Input {
    /// Opens a path, whatever it is.
    pub fn open(path: &Path) -> Result<Self> {
        match StatsFile::sniff(path) {
            true => Ok(Self::Statistics(path.into(), Box::new(StatsFile::read(path)?))),
            false => Ok(Self::Images(DataSet::open(path)?)),
        }
    }
}

/// A network and how to feed it, ready to be started.
pub struct NetworkPlan {
    model: Model,
    network: NetworkOptions,
    /// How images are prepared.
    pub pass: PassOptions,
}

impl NetworkPlan {
    /// Validates the arguments and reads the model.
    pub fn new(args: &ExtractArgs) -> Result<Self> {
        Self::with_resize(args, ResizeMode::default())
    }

    /// As [`Self::new`], with another resize mode where the arguments name none.
    pub fn with_resize(args: &ExtractArgs, resize: ResizeMode) -> Result<Self> {
        let resize = args.resize.unwrap_or(resize);
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
        let network = NetworkOptions {
            engine: args.engine.into(),
            device: args.device,
            batch_size: args.batch_size.into(),
            threads: args.threads.map(Into::into),
            library: args.ort_library.clone(),
        };
        let on_bad_image = match args.on_bad_image {
            OnBadImageArg::Stop => OnBadImage::Stop,
            OnBadImageArg::Skip => OnBadImage::Skip,
        };
        Ok(Self { model, network, pass: PassOptions { resize, on_bad_image } })
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
