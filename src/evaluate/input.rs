//! A set as it is given: images, images to be generated, or what was measured of some before.

use std::any::Any;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::measure::labels;
use super::network::NetworkPlan;
use super::partial::Partial;
use super::pass::PassObserver;
use crate::Result;
use crate::extractor::{EngineInfo, RangeSource};
use crate::image::DataSet;
use crate::interrupt::Interrupt;
use crate::score::Need;
use crate::stats::{FeatureFile, StatsFile};

/// How images were generated, with all that is needed to do it again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GeneratorReport {
    /// SHA-256 of the ONNX file, in hexadecimal.
    pub sha256: String,
    /// Distribution and length of the latents, such as `normal:100`.
    pub latent: String,
    /// Seed of the latents and labels.
    pub seed: u64,
    /// Number of classes, from which labels were drawn with equal probability; `None` of a generator that takes no labels.
    pub classes: Option<usize>,
    /// Values that became black and white.
    pub pixel_range: [f32; 2],
    /// Where these come from.
    pub pixel_range_source: RangeSource,
    /// The least and the greatest value that it output.
    pub values: [f32; 2],
    /// The engine and the device that ran it.
    pub engine: EngineInfo,
}

/// Images that were generated.
pub struct GeneratedImages {
    /// The images.
    pub images: DataSet,
    /// How they came about.
    pub report: GeneratorReport,
    /// Whatever must live as long as the images, such as the folder they are in.
    pub guard: Box<dyn Any + Send>,
}

/// A set that does not exist yet, and how it is made.
pub trait SetGenerator: Send {
    /// The file that makes it.
    fn path(&self) -> &Path;

    /// Number of images that it will have.
    fn images(&self) -> usize;

    /// Makes it.
    ///
    /// # Errors
    /// Whatever is in the way, and within a second of the interrupt an error that [blames](crate::Error::blame) it.
    fn generate(&mut self, observer: &mut dyn PassObserver, interrupt: &Interrupt) -> Result<GeneratedImages>;
}

/// A set.
pub enum Input {
    /// Images to run through the network.
    Images(DataSet),
    /// Images to generate, and then to run through the network.
    ToGenerate(Box<dyn SetGenerator>),
    /// Images that were generated.
    Generated(PathBuf, Box<GeneratedImages>),
    /// Features, and the file they come from.
    Features(PathBuf, Box<FeatureFile>),
    /// Statistics, and the file they come from.
    Statistics(PathBuf, Box<StatsFile>),
}

impl Input {
    /// Opens a path, whatever it is.
    ///
    /// # Errors
    /// The error of the kind of file that it is.
    pub fn open(path: &Path, interrupt: &Interrupt) -> Result<Self> {
        if Partial::sniff(path) {
            Self::of_part(path)
        } else if StatsFile::sniff(path) {
            Ok(Self::Statistics(path.into(), Box::new(StatsFile::read(path)?)))
        } else if FeatureFile::sniff(path) {
            Ok(Self::Features(path.into(), Box::new(FeatureFile::read(path)?)))
        } else {
            Ok(Self::Images(DataSet::open_with(path, interrupt)?))
        }
    }

    /// The whole set that the file of a part holds: with one shard, a part is the whole.
    fn of_part(path: &Path) -> Result<Self> {
        let part = Partial::read(path)?;
        part.check_complete(part.shards())?;
        if part.gathered().features().is_none() {
            let (gaussian, provenance) = (part.gathered().gaussian()?, part.provenance());
            return Ok(Self::Statistics(path.into(), Box::new(StatsFile { gaussian, provenance })));
        }
        let file = part.into_feature_file().expect("the features are there");
        Ok(Self::Features(path.into(), Box::new(file)))
    }

    /// The path that it was given by.
    pub fn path(&self) -> &Path {
        match self {
            Self::Images(images) => images.path(),
            Self::ToGenerate(generator) => generator.path(),
            Self::Generated(path, _) | Self::Features(path, _) | Self::Statistics(path, _) => path,
        }
    }

    /// Whether a network must look at it.
    pub fn needs_network(&self) -> bool {
        self.images().is_some() || matches!(self, Self::ToGenerate(_))
    }

    /// Its images, where there are any.
    pub fn images(&self) -> Option<&DataSet> {
        match self {
            Self::Images(images) => Some(images),
            Self::Generated(_, generated) => Some(&generated.images),
            Self::ToGenerate(_) | Self::Features(..) | Self::Statistics(..) => None,
        }
    }

    /// Number of images behind it, where known.
    pub fn count(&self) -> Option<usize> {
        match self {
            Self::Images(images) => Some(images.len()),
            Self::Generated(_, generated) => Some(generated.images.len()),
            Self::ToGenerate(generator) => Some(generator.images()),
            Self::Features(_, file) => Some(file.features.len()),
            Self::Statistics(_, file) => file.gaussian.n()?.try_into().ok(),
        }
    }

    /// Dimension of its features, where a file tells.
    pub fn dim(&self) -> Option<usize> {
        match self {
            Self::Features(_, file) => Some(file.features.dim()),
            Self::Statistics(_, file) => Some(file.gaussian.dim()),
            Self::Images(_) | Self::ToGenerate(_) | Self::Generated(..) => None,
        }
    }

    /// Whether scores can have this of the set. What images offer depends on the network; without one, on nothing.
    pub fn offers(&self, need: Need, network: Option<&NetworkPlan>) -> bool {
        match (self, need) {
            (Self::Images(images), Need::Labels) => {
                let names: Vec<_> = (0..images.len()).map(|index| images.name(index)).collect();
                labels(&names).is_some()
            }
            (Self::ToGenerate(_) | Self::Generated(..), Need::Labels) => false,
            (Self::Images(_) | Self::ToGenerate(_) | Self::Generated(..), need) => {
                network.is_none_or(|network| network.offers(need))
            }
            (Self::Features(_, file), Need::Logits) => file.logits.is_some(),
            (Self::Features(_, file), Need::Spatial) => file.spatial.is_some(),
            (Self::Features(_, file), Need::Labels) => file.names.as_deref().and_then(labels).is_some(),
            (Self::Features(..), Need::Features | Need::Statistics) => true,
            (Self::Statistics(..), need) => need == Need::Statistics,
        }
    }
}
