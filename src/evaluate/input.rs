//! A set as it is given: images, images to be generated, or what was measured of some before.

use std::any::Any;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::measure::{ArraysReport, classes_of};
use super::network::NetworkPlan;
use super::partial::Partial;
use super::pass::PassObserver;
use crate::Result;
use crate::extractor::{EngineInfo, RangeSource};
use crate::image::{DataSet, DataSetError, Reading};
use crate::interrupt::Interrupt;
use crate::score::Need;
use crate::stats::archive::ArrayArchive;
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
    /// By how much, relative to its length, the first image differed in another batch, where that is beyond rounding.
    pub batch_dependence: Option<f64>,
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

/// Images, and statistics that the same file holds of more of their kind: a reference batch of ADM. As in its evaluator, Fréchet
/// distances are of the statistics, and everything else is of the images.
pub struct Batch {
    /// The images.
    pub images: DataSet,
    /// The statistics.
    pub statistics: StatsFile,
}

impl Batch {
    /// Whether the statistics of the file serve a need, and not the images. Where there are statistics, those of the spatial features
    /// are never of the images: a score of both kinds would compare unlike sets.
    pub fn has_statistics_for(need: Need) -> bool {
        matches!(need, Need::Statistics | Need::Spatial)
    }
}

/// A set.
pub enum Input {
    /// Images to run through the network.
    Images(DataSet),
    /// Images to run through the network, and statistics beside them.
    Batch(Box<Batch>),
    /// Images to generate, and then to run through the network.
    ToGenerate(Box<dyn SetGenerator>),
    /// Images that were generated.
    Generated(PathBuf, Box<GeneratedImages>),
    /// Features, the file they come from, and the array of that file where it has several.
    Features(PathBuf, Box<FeatureFile>, Option<String>),
    /// Statistics, the file they come from, and the set of them that was asked for.
    Statistics(PathBuf, Box<StatsFile>, Option<String>),
}

impl Input {
    /// Opens a path, whatever it is.
    ///
    /// # Errors
    /// The error of the kind of file that it is.
    pub fn open(path: &Path, interrupt: &Interrupt) -> Result<Self> {
        Self::open_as(path, &Reading::default(), interrupt)
    }

    /// [`Self::open`], read as it is said to be. An array that is asked for, and that the file has, is taken alone; so is a set of
    /// statistics of a pickle.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_as(path: &Path, reading: &Reading, interrupt: &Interrupt) -> Result<Self> {
        let array = reading.array.as_deref();
        if Partial::sniff(path) {
            Self::of_part(path)
        } else if StatsFile::sniff(path) && !array.is_some_and(|array| in_archive(path, array)) {
            match DataSet::open_unverified(path, reading, interrupt) {
                Ok(images) => Ok(Self::Batch(Box::new(Batch { images, statistics: StatsFile::read(path)? }))),
                Err(DataSetError::StatisticsFile { .. } | DataSetError::Pickle { .. }) => {
                    let file = StatsFile::read_set(path, array)?;
                    Ok(Self::Statistics(path.into(), Box::new(file), reading.array.clone()))
                }
                Err(error) => Err(error.into()),
            }
        } else if FeatureFile::sniff_array(path, array) {
            let file = FeatureFile::read_array(path, array)?;
            Ok(Self::Features(path.into(), Box::new(file), FeatureFile::array_in(path, array)))
        } else {
            match DataSet::open_as(path, reading, interrupt) {
                Ok(images) => Ok(Self::Images(images)),
                // Which array is missing.
                Err(error @ DataSetError::StatisticsFile { .. }) => {
                    Err(StatsFile::read(path).err().map_or(error.into(), Into::into))
                }
                Err(error) => Err(error.into()),
            }
        }
    }

    /// The whole set that the file of a part holds: with one shard, a part is the whole.
    fn of_part(path: &Path) -> Result<Self> {
        let part = Partial::read(path)?;
        part.check_complete(part.shards())?;
        if part.gathered().features().is_none() {
            let (gaussian, provenance) = (part.gathered().gaussian()?, part.provenance());
            let file = StatsFile { gaussian, provenance, spatial: None };
            return Ok(Self::Statistics(path.into(), Box::new(file), None));
        }
        let file = part.into_feature_file().expect("the features are there");
        Ok(Self::Features(path.into(), Box::new(file), None))
    }

    /// The path that it was given by.
    pub fn path(&self) -> &Path {
        match self {
            Self::Images(images) => images.path(),
            Self::Batch(batch) => batch.images.path(),
            Self::ToGenerate(generator) => generator.path(),
            Self::Generated(path, _) | Self::Features(path, ..) | Self::Statistics(path, ..) => path,
        }
    }

    /// Whether there are images, or will be.
    pub fn holds_images(&self) -> bool {
        self.images().is_some() || matches!(self, Self::ToGenerate(_))
    }

    /// Whether a network must look at it to serve these needs.
    pub fn needs_network(&self, needs: &BTreeSet<Need>) -> bool {
        match self {
            Self::Batch(_) => needs.iter().any(|&need| !Batch::has_statistics_for(need)),
            _ => self.holds_images(),
        }
    }

    /// Its images, where there are any.
    pub fn images(&self) -> Option<&DataSet> {
        match self {
            Self::Images(images) => Some(images),
            Self::Batch(batch) => Some(&batch.images),
            Self::Generated(_, generated) => Some(&generated.images),
            Self::ToGenerate(_) | Self::Features(..) | Self::Statistics(..) => None,
        }
    }

    /// Number of images behind it, where known.
    pub fn count(&self) -> Option<usize> {
        match self {
            Self::Images(images) => Some(images.len()),
            Self::Batch(batch) => Some(batch.images.len()),
            Self::Generated(_, generated) => Some(generated.images.len()),
            Self::ToGenerate(generator) => Some(generator.images()),
            Self::Features(_, file, _) => Some(file.features.len()),
            Self::Statistics(_, file, _) => file.gaussian.n()?.try_into().ok(),
        }
    }

    /// Dimension of its features, where a file tells.
    pub fn dim(&self) -> Option<usize> {
        match self {
            Self::Features(_, file, _) => Some(file.features.dim()),
            Self::Statistics(_, file, _) => Some(file.gaussian.dim()),
            Self::Batch(batch) => Some(batch.statistics.gaussian.dim()),
            Self::Images(_) | Self::ToGenerate(_) | Self::Generated(..) => None,
        }
    }

    /// Whether scores can have this of the set. What images offer depends on the network; without one, on nothing.
    pub fn offers(&self, need: Need, network: Option<&NetworkPlan>) -> bool {
        match (self, need) {
            (Self::Batch(batch), Need::Spatial) => batch.statistics.spatial.is_some(),
            (Self::Batch(_), Need::Statistics) => true,
            (Self::Images(images), Need::Labels) => has_labels(images),
            (Self::Batch(batch), Need::Labels) => has_labels(&batch.images),
            (Self::ToGenerate(_) | Self::Generated(..), Need::Labels) => false,
            (Self::Images(_) | Self::Batch(_) | Self::ToGenerate(_) | Self::Generated(..), need) => {
                network.is_none_or(|network| network.offers(need))
            }
            (Self::Features(_, file, _), Need::Logits) => file.logits.is_some(),
            (Self::Features(_, file, _), Need::Spatial) => file.spatial.is_some(),
            (Self::Features(_, file, _), Need::Labels) => {
                classes_of(file.labels.as_deref(), file.names.as_deref()).is_some()
            }
            (Self::Features(..), Need::Features | Need::Statistics) => true,
            (Self::Statistics(_, file, _), Need::Spatial) => file.spatial.is_some(),
            (Self::Statistics(..), need) => need == Need::Statistics,
        }
    }

    /// Whether its statistics are of other images than those that are at hand.
    pub fn has_statistics_apart(&self) -> bool {
        matches!(self, Self::Batch(_))
    }

    /// The arrays of its file that serve these needs; `None` where it is not a file of several arrays.
    pub fn arrays(&self, needs: &BTreeSet<Need>) -> Option<ArraysReport> {
        let pair = |pair: Option<[String; 2]>| pair.map(|names| names.join(", "));
        let of_statistics = |path: &Path, set: Option<&str>| {
            let [statistics, spatial_statistics] = StatsFile::arrays_in(path, set).map(pair);
            ArraysReport { statistics, spatial_statistics, ..ArraysReport::default() }
        };
        let of_images = |images: &DataSet| images.array().map(str::to_owned);
        let arrays = match self {
            Self::Images(images) => ArraysReport { images: of_images(images), ..ArraysReport::default() },
            Self::Features(_, _, array) => ArraysReport { features: array.clone(), ..ArraysReport::default() },
            Self::Statistics(path, _, set) => of_statistics(path, set.as_deref()),
            Self::Batch(batch) => {
                let found = of_statistics(batch.images.path(), None);
                let needed = |need, array: Option<String>| array.filter(|_| needs.contains(&need));
                ArraysReport {
                    images: of_images(&batch.images).filter(|_| self.needs_network(needs)),
                    statistics: needed(Need::Statistics, found.statistics),
                    spatial_statistics: needed(Need::Spatial, found.spatial_statistics),
                    ..ArraysReport::default()
                }
            }
            Self::ToGenerate(_) | Self::Generated(..) => ArraysReport::default(),
        };
        (arrays != ArraysReport::default()).then_some(arrays)
    }
}

/// Whether an `.npz` file has an array of this name, or a pickle a set of statistics.
pub fn has_array(path: &Path, name: &str) -> bool {
    in_archive(path, name) || StatsFile::sets_in(path).iter().any(|found| found == name)
}

fn in_archive(path: &Path, name: &str) -> bool {
    ArrayArchive::names_in(path).iter().any(|found| found == name)
}

/// Whether each image has a class.
fn has_labels(images: &DataSet) -> bool {
    class_names(images).is_some()
}

/// The class of each image of a set: as the set tells, or by the folder that it is in. `None` where neither says.
pub fn class_names(images: &DataSet) -> Option<Vec<String>> {
    let names: Vec<_> = (0..images.len()).map(|index| images.name(index).into_owned()).collect();
    classes_of(images.labels(), Some(&names))
}
