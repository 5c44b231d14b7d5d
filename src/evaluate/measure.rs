//! From an input to what scores need of it: read from a file or the cache, or extracted by one pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::accumulator::{Accumulator, data_of};
use super::cache::{CacheKey, FeatureCache};
use super::input::{Batch, GeneratedImages, GeneratorReport, Input};
use super::network::{Network, NetworkPlan, Passed};
use super::partial::Partial;
use super::pass::{PassObserver, PassSummary, Portion, SkippedImage};
use crate::Result;
use crate::image::{Choice, DataSet};
use crate::interrupt::Interrupt;
use crate::score::{Need, SetData};
use crate::stats::{FeatureFile, Provenance, StatsFile};

/// What is done with the cache of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheMode {
    /// Neither read nor write it.
    #[default]
    Off,
    /// Take features from it, and keep those that it does not have.
    Use,
    /// Compute all features anew and keep them.
    Refresh,
}

/// What became of the cache of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CacheUse {
    /// The features came from it.
    Hit,
    /// They were computed and stored in it.
    Stored,
    /// They were computed and could not be stored; a warning says why.
    NotStored,
}

/// Seconds per stage of a pass. Decoding overlaps with the network.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct StageSeconds {
    /// Decoding, resizing and normalising.
    pub decode: f64,
    /// The network.
    pub network: f64,
    /// Gathering statistics.
    pub statistics: f64,
    /// The whole pass.
    pub total: f64,
}

impl From<&PassSummary> for StageSeconds {
    fn from(summary: &PassSummary) -> Self {
        Self {
            decode: summary.decode.as_secs_f64(),
            network: summary.network.as_secs_f64(),
            statistics: summary.sink.as_secs_f64(),
            total: summary.total.as_secs_f64(),
        }
    }
}

/// The arrays of an `.npz` file, or of a pickle of statistics, that a set came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ArraysReport {
    /// The images that the network saw.
    pub images: Option<String>,
    /// The features of every image.
    pub features: Option<String>,
    /// Mean and covariance of the features.
    pub statistics: Option<String>,
    /// Mean and covariance of the spatial features.
    pub spatial_statistics: Option<String>,
}

/// Images that were chosen of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChosenReport {
    /// How many.
    pub images: usize,
    /// Of how many.
    pub of: usize,
    /// Seed of the choice.
    pub seed: u32,
}

/// Where a set came from and what became of it, as reports hold it.
#[derive(Debug, Clone, Serialize)]
pub struct SetReport {
    /// Path as given.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// `folder`, `zip`, …, `features`, `statistics`, `generator`, or `memory` for images of an
    /// [`Evaluator`](super::Evaluator).
    pub kind: String,
    /// The arrays that it came from; `null` for what is not an archive of arrays.
    pub arrays: Option<ArraysReport>,
    /// Images behind the score; `null` for a statistics file that does not tell.
    pub images: Option<u64>,
    /// Which images of how many were taken; `null` for all.
    pub chosen: Option<ChosenReport>,
    /// Images left out.
    pub skipped: Vec<SkippedImage>,
    /// Images beside those of the set that are of formats that are not decoded here, counted by format.
    pub passed_over: BTreeMap<String, u64>,
    /// Files of the set that hold statistics beside their images, which were not looked at.
    #[serde(skip)]
    pub unused_statistics: usize,
    /// How its features came about and what its images were; `null` for files of other tools.
    pub provenance: Option<Provenance>,
    /// How its images were generated; `null` for images that were there.
    pub generator: Option<GeneratorReport>,
    /// What became of the cache of features; `null` when it was not used.
    pub cache: Option<CacheUse>,
    /// Seconds per stage; `null` when nothing was extracted.
    pub seconds: Option<StageSeconds>,
}

/// A path as text: what of it is not UTF-8 is replaced, as no report can hold it.
fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

impl SetReport {
    /// A set of images, of which so many were seen.
    pub fn of_images(images: &DataSet, seen: usize) -> Self {
        let passed_over = images.passed_over();
        let chosen = images.choice().map(|(Choice { images, seed }, of)| ChosenReport { images, of, seed });
        let unused_statistics = images.unused_statistics();
        let of = Self::of(images.path(), images.kind(), Some(seen as u64));
        Self { passed_over, unused_statistics, chosen, ..of }
    }

    /// Whether its statistics are of other images than those that the network saw.
    pub fn has_statistics_apart(&self) -> bool {
        self.arrays.as_ref().is_some_and(|arrays| arrays.images.is_some() && arrays.statistics.is_some())
    }

    /// A set of which nothing more is known than what it is and how many images are behind it.
    pub fn of(path: &Path, kind: impl ToString, images: Option<u64>) -> Self {
        Self {
            path: path.into(),
            kind: kind.to_string(),
            arrays: None,
            images,
            chosen: None,
            skipped: Vec::new(),
            passed_over: BTreeMap::new(),
            unused_statistics: 0,
            provenance: None,
            generator: None,
            cache: None,
            seconds: None,
        }
    }
}

/// A set, and what is known of it.
pub struct Measured {
    /// What scores need of it.
    pub data: SetData,
    /// How its features came about, where known.
    pub provenance: Option<Provenance>,
    /// The index of the image behind each row, where the set holds images.
    pub rows: Vec<usize>,
    /// Digests of the images, shortened to 64 bits, where they were seen: equal for equal files.
    pub digests: BTreeSet<u64>,
    /// Where it came from and what became of it.
    pub report: SetReport,
    /// Why its features were not kept in the cache, where they should have been.
    pub not_cached: Option<String>,
}

impl Measured {
    /// A set that was measured before, as its file tells.
    fn from_file(data: SetData, report: SetReport, provenance: &Option<Provenance>) -> Self {
        let report = SetReport { provenance: provenance.clone(), ..report };
        let (provenance, digests) = (provenance.clone(), BTreeSet::new());
        Self { data, provenance, rows: Vec::new(), digests, report, not_cached: None }
    }
}

/// Everything that a network says of a set of images.
pub struct Extracted {
    /// Features, logits, names and where they come from.
    pub file: FeatureFile,
    /// Where the set came from and what became of it.
    pub report: SetReport,
    /// Why the features were not kept in the cache, where they should have been.
    pub not_cached: Option<String>,
    rows: Vec<usize>,
    digests: BTreeSet<u64>,
}

/// A network in use, and the cache beside it.
pub struct Measurer {
    network: Option<Network>,
    cache: Option<FeatureCache>,
    mode: CacheMode,
}

impl Measurer {
    /// Starts the network, where there is one. Without a network only files can be measured.
    ///
    /// # Errors
    /// [`EngineError`](crate::extractor::EngineError) when the engine or the device is not there.
    pub fn start(network: Option<NetworkPlan>, (cache, mode): (Option<FeatureCache>, CacheMode)) -> Result<Self> {
        Ok(Self { network: network.map(|network| network.start()).transpose()?, cache, mode })
    }

    /// The network that runs, if one does.
    pub fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    /// The network that runs.
    ///
    /// # Panics
    /// Without a network.
    pub fn network_mut(&mut self) -> &mut Network {
        self.network.as_mut().expect("images are measured with a network")
    }

    /// What scores need of an input. One that is to be generated is generated.
    ///
    /// # Errors
    /// Of reading, generating, decoding or running, and within a second of the interrupt one that blames it.
    ///
    /// # Panics
    /// When a network must look at the input, and there is none.
    pub fn measure(
        &mut self,
        input: &mut Input,
        needs: &BTreeSet<Need>,
        observer: &mut dyn PassObserver,
        interrupt: &Interrupt,
    ) -> Result<Measured> {
        if let Input::ToGenerate(generator) = input {
            let images = generator.generate(observer, interrupt)?;
            *input = Input::Generated(generator.path().to_owned(), Box::new(images));
        }
        let mut measured = match &*input {
            Input::Statistics(path, file, _) => Ok(measured_before(path, file)),
            Input::Batch(batch) if !input.needs_network(needs) => {
                Ok(measured_before(batch.images.path(), &batch.statistics))
            }
            Input::Batch(batch) => {
                let Batch { images, statistics } = &**batch;
                images.verify(interrupt)?;
                let of_images = needs.iter().copied().filter(|&need| !Batch::has_statistics_for(need)).collect();
                let mut measured = self.measure_images(images, &of_images, observer, interrupt)?;
                measured.data.statistics = needs.contains(&Need::Statistics).then(|| statistics.gaussian.clone());
                measured.data.spatial = statistics.spatial.clone().filter(|_| needs.contains(&Need::Spatial));
                Ok(measured)
            }
            Input::Features(path, file, _) => {
                let report = SetReport::of(path, "features", Some(file.features.len() as u64));
                Ok(Measured::from_file(data_of((**file).clone(), needs, interrupt)?, report, &file.provenance))
            }
            Input::Images(images) => self.measure_images(images, needs, observer, interrupt),
            Input::Generated(path, generated) => {
                let GeneratedImages { images, report, .. } = &**generated;
                let measured = self.measure_images(images, needs, observer, interrupt)?;
                let report = SetReport {
                    path: path.clone(),
                    kind: "generator".into(),
                    generator: Some(report.clone()),
                    ..measured.report
                };
                Ok(Measured { report, ..measured })
            }
            Input::ToGenerate(_) => unreachable!("it was generated"),
        }?;
        measured.report.arrays = input.arrays(needs);
        Ok(measured)
    }

    fn measure_images(
        &mut self,
        images: &DataSet,
        needs: &BTreeSet<Need>,
        observer: &mut dyn PassObserver,
        interrupt: &Interrupt,
    ) -> Result<Measured> {
        if self.mode == CacheMode::Off {
            return self.measure_streaming(images, needs, observer, interrupt);
        }
        let Extracted { file, report, rows, digests, not_cached } = self.extract(images, observer, interrupt)?;
        let provenance = file.provenance.clone();
        Ok(Measured { data: data_of(file, needs, interrupt)?, provenance, rows, digests, report, not_cached })
    }

    /// One pass that keeps nothing but what is needed.
    ///
    /// # Errors
    /// As [`Self::measure`].
    ///
    /// # Panics
    /// Without a network.
    pub fn measure_streaming(
        &mut self,
        images: &DataSet,
        needs: &BTreeSet<Need>,
        observer: &mut dyn PassObserver,
        interrupt: &Interrupt,
    ) -> Result<Measured> {
        // Classes are in the names, and images that scores find, which need features, are told by them.
        let named = needs.contains(&Need::Labels) || needs.contains(&Need::Features);
        let gathered = Accumulator::of_needs(needs);
        let network = self.network_mut();
        let Passed { part, seconds, digests } =
            network.partial(Portion::of(images), gathered, named, observer, interrupt)?;
        let rows = part.gathered().indices().iter().collect();
        let (report, provenance) = (report_of_pass(images, &part, seconds), part.provenance());
        Ok(Measured { data: part.into_data(needs, interrupt)?, provenance, rows, digests, report, not_cached: None })
    }

    /// Everything that the network says of the images, from the cache where it may be.
    ///
    /// # Errors
    /// As [`Self::measure`].
    ///
    /// # Panics
    /// Without a network.
    pub fn extract(
        &mut self,
        images: &DataSet,
        observer: &mut dyn PassObserver,
        interrupt: &Interrupt,
    ) -> Result<Extracted> {
        let before = self.key(images, interrupt);
        interrupt.check()?;
        if let (CacheMode::Use, Some(key), Some(cache)) = (self.mode, &before, &self.cache)
            && let Some(found) = cache.find(key)
        {
            let rows: Vec<usize> = (0..images.len()).collect();
            let file = FeatureFile { names: Some(names(images, &rows)), labels: told(images, &rows), ..found };
            let report = SetReport {
                provenance: file.provenance.clone(),
                cache: Some(CacheUse::Hit),
                ..SetReport::of_images(images, rows.len())
            };
            return Ok(Extracted { file, report, rows, digests: BTreeSet::new(), not_cached: None });
        }
        let everything = Accumulator::of_everything();
        let network = self.network_mut();
        let Passed { part, seconds, digests } =
            network.partial(Portion::of(images), everything, false, observer, interrupt)?;
        let rows: Vec<usize> = part.gathered().indices().iter().collect();
        let mut report = report_of_pass(images, &part, seconds);
        let mut file = part.into_feature_file().expect("a pass that succeeds has images");
        let mut not_cached = None;
        if let Some(cache) = self.cache.as_ref().filter(|_| self.mode != CacheMode::Off) {
            let stored = match &before {
                _ if !report.skipped.is_empty() => Err("images were left out".to_owned()),
                // What changed during the pass may have been seen in either state.
                Some(before) if self.key(images, interrupt).as_ref() == Some(before) => {
                    cache.store(before, &file).map_err(|error| error.to_string())
                }
                _ => Err("its images changed while they were read".to_owned()),
            };
            interrupt.check()?;
            report.cache = Some(if stored.is_ok() { CacheUse::Stored } else { CacheUse::NotStored });
            not_cached = stored.err();
        }
        (file.names, file.labels) = (Some(names(images, &rows)), told(images, &rows));
        Ok(Extracted { file, report, rows, digests, not_cached })
    }

    /// The name of the images' features in the cache, where it is used. An image that cannot be read has no place in it; the
    /// pass will say what is wrong with it.
    fn key(&self, images: &DataSet, interrupt: &Interrupt) -> Option<CacheKey> {
        let network = self.network.as_ref()?;
        match self.mode {
            CacheMode::Off => None,
            CacheMode::Use | CacheMode::Refresh => {
                CacheKey::new_with(images, network.extractor(), network.pass().resize, interrupt).ok()
            }
        }
    }
}

/// A set of which statistics are known, and no more.
fn measured_before(path: &Path, StatsFile { gaussian, provenance, spatial }: &StatsFile) -> Measured {
    let (statistics, spatial) = (Some(gaussian.clone()), spatial.clone());
    let report = SetReport::of(path, "statistics", gaussian.n());
    Measured::from_file(SetData { statistics, spatial, ..SetData::default() }, report, provenance)
}

/// The names of the images behind some rows.
fn names(images: &DataSet, rows: &[usize]) -> Vec<String> {
    rows.iter().map(|&index| images.name(index).into_owned()).collect()
}

/// The class of each image: the folder that it is in, without the folders around all classes. `None` unless each is in one.
pub fn labels<S: AsRef<str>>(names: &[S]) -> Option<Vec<String>> {
    let folders: Vec<&str> = names.iter().map(|name| Some(name.as_ref().rsplit_once('/')?.0)).collect::<Option<_>>()?;
    let mut around = 0;
    // As long as all go on with the same folder, and none ends with it.
    while let Some(first) = folders.first().and_then(|folder| folder[around..].split_inclusive('/').next())
        && first.ends_with('/')
        && folders.iter().all(|folder| folder[around..].starts_with(first))
    {
        around += first.len();
    }
    Some(folders.into_iter().map(|folder| folder[around..].to_owned()).collect())
}

/// The class of each image: as it was told, or by its name.
pub(super) fn classes_of(told: Option<&[String]>, names: Option<&[String]>) -> Option<Vec<String>> {
    told.map(<[String]>::to_vec).or_else(|| names.and_then(labels))
}

/// The classes of the images behind some rows, where the set tells.
fn told(images: &DataSet, rows: &[usize]) -> Option<Vec<String>> {
    let labels = images.labels()?;
    Some(rows.iter().map(|&index| labels[index].clone()).collect())
}

fn report_of_pass(images: &DataSet, part: &Partial, seconds: StageSeconds) -> SetReport {
    SetReport {
        seconds: Some(seconds),
        skipped: part.skipped().to_vec(),
        provenance: part.provenance(),
        ..SetReport::of_images(images, part.images())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_classes_where_every_image_is_in_one() {
        assert_eq!(labels(&["cat/1.png", "dog/big/2.png"]).unwrap(), ["cat", "dog/big"]);
        assert_eq!(labels(&["cat/1.png", "2.png"]), None);
        assert_eq!(labels(&["data/cat/1.png", "data/dog/2.png"]).unwrap(), ["cat", "dog"]);
        assert_eq!(labels(&["a/b/cat/1.png", "a/b/cat/2.png"]).unwrap(), ["cat", "cat"], "a class is left");
        assert_eq!(labels(&["data/1.png", "data/dog/2.png"]).unwrap(), ["data", "data/dog"]);
        assert_eq!(labels(&["da/1.png", "data/2.png"]).unwrap(), ["da", "data"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf8_can_be_reported() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/data/\xff"));
        let report = serde_json::to_value(SetReport::of(path, "folder", Some(2))).unwrap();
        assert_eq!(report["path"], "/data/\u{fffd}");
    }
}
