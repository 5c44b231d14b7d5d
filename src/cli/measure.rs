//! From an input to what scores need of it: read from a file or the cache, or extracted by one pass.

use std::collections::{BTreeSet, HashSet};

use crate::Result;
use crate::evaluate::cache::{CacheKey, FeatureCache};
use crate::evaluate::{self, Collector, PassSummary};
use crate::extractor::{FeatureExtractor, NetworkExtractor, home_folder};
use crate::image::DataSet;
use crate::report::{CacheUse, SetReport, StageSeconds, Warning};
use crate::score::{Need, SetData};
use crate::stats::{FeatureFile, FeatureStatistics, Features, Gaussian, MomentsError, Provenance};

use super::args::{CacheArg, CacheArgs};
use super::plan::{Input, NetworkPlan};
use super::progress::Progress;

/// Whether progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// Progress and warnings on stderr.
    Normal,
    /// Neither.
    Quiet,
}

impl From<bool> for Verbosity {
    fn from(quiet: bool) -> Self {
        if quiet { Verbosity::Quiet } else { Verbosity::Normal }
    }
}

/// A network in use: the plan and the engine that runs it.
pub struct Running {
    pub plan: NetworkPlan,
    pub extractor: NetworkExtractor,
}

impl Running {
    pub fn start(plan: NetworkPlan) -> Result<Self> {
        let extractor = plan.start()?;
        Ok(Self { plan, extractor })
    }

    /// One pass over a set of images.
    fn pass(&mut self, images: &DataSet, sink: &mut Collector, verbosity: Verbosity) -> Result<PassSummary> {
        let name = images.path().file_name().unwrap_or(images.path().as_os_str()).to_string_lossy().into_owned();
        let mut progress = Progress::new(name, verbosity == Verbosity::Quiet);
        Ok(evaluate::run(images, &mut self.extractor, self.plan.pass, sink, &mut progress)?)
    }

    /// How features of this run come about.
    fn provenance(&self, images: usize) -> Provenance {
        let info = self.extractor.info();
        Provenance {
            version: env!("CARGO_PKG_VERSION").into(),
            extractor: info.name.clone(),
            model_sha256: info.model_sha256.clone(),
            layer: info.features_output.clone(),
            resize: self.plan.pass.resize.to_string(),
            n: images as u64,
        }
    }
}

/// How the cache is used.
pub struct Caching {
    cache: FeatureCache,
    mode: CacheArg,
}

impl Caching {
    pub fn new(args: &CacheArgs) -> Self {
        Self { cache: features_cache(args.cache_limit), mode: args.cache }
    }
}

/// The user's cache of features.
pub fn features_cache(limit: u64) -> FeatureCache {
    FeatureCache::at(home_folder().join("features"), limit)
}

/// A set, and what is known of it.
pub struct Measured {
    pub data: SetData,
    /// How its features came about, where known.
    pub provenance: Option<Provenance>,
    /// The index of the image behind each row, where the set holds images.
    pub rows: Vec<usize>,
    pub report: SetReport,
    pub warnings: Vec<Warning>,
}

impl Measured {
    /// A set that was measured before, as its file tells.
    fn from_file(data: SetData, report: SetReport, provenance: &Option<Provenance>) -> Self {
        let report = SetReport { provenance: provenance.clone(), ..report };
        Self { data, provenance: provenance.clone(), rows: Vec::new(), report, warnings: Vec::new() }
    }
}

/// What scores need of an input.
pub fn measure(
    input: &Input,
    running: Option<&mut Running>,
    needs: &BTreeSet<Need>,
    caching: &Caching,
    verbosity: Verbosity,
) -> Result<Measured> {
    match (input, running) {
        (Input::Statistics(path, file), _) => {
            let data = SetData { statistics: Some(file.gaussian.clone()), ..SetData::default() };
            let report = SetReport::of(path, "statistics", file.gaussian.n());
            Ok(Measured::from_file(data, report, &file.provenance))
        }
        (Input::Features(path, file), _) => {
            let report = SetReport::of(path, "features", Some(file.features.len() as u64));
            Ok(Measured::from_file(data_of((**file).clone(), needs)?, report, &file.provenance))
        }
        (Input::Images(images), Some(running)) if caching.mode == CacheArg::Off => {
            measure_streaming(images, running, needs, verbosity)
        }
        (Input::Images(images), Some(running)) => {
            let Extracted { file, report, rows, warnings } = extract(images, running, caching, verbosity)?;
            let provenance = file.provenance.clone();
            Ok(Measured { data: data_of(file, needs)?, provenance, rows, report, warnings })
        }
        (Input::Images(_), None) => unreachable!("a network is started whenever an input has images"),
    }
}

/// One pass that keeps nothing but what is needed.
pub fn measure_streaming(
    images: &DataSet,
    running: &mut Running,
    needs: &BTreeSet<Need>,
    verbosity: Verbosity,
) -> Result<Measured> {
    let mut collector = Collector::of_nothing();
    for need in needs {
        collector = match need {
            Need::Statistics => collector.with_statistics(),
            Need::Features => collector.with_features(),
            Need::Logits => collector.with_logits(),
            Need::Spatial => collector.with_spatial_statistics(),
            Need::Labels => collector,
        };
    }
    let summary = running.pass(images, &mut collector, verbosity)?;
    let rows = kept(images, &summary);
    // Classes are in the names, and near-duplicates, which need features, are told by them.
    let named = needs.contains(&Need::Labels) || needs.contains(&Need::Features);
    let names = named.then(|| names(images, &rows));
    let data = SetData {
        statistics: needs.contains(&Need::Statistics).then(|| collector.gaussian()).transpose()?,
        spatial: needs.contains(&Need::Spatial).then(|| collector.spatial_gaussian()).transpose()?,
        features: collector.features(),
        logits: collector.logits(),
        labels: names.as_deref().filter(|_| needs.contains(&Need::Labels)).and_then(labels),
        names,
    };
    let provenance = Some(running.provenance(summary.images));
    Ok(Measured { data, provenance, rows, report: report_of_pass(images, summary), warnings: Vec::new() })
}

/// Everything that a network says of a set.
pub struct Extracted {
    pub file: FeatureFile,
    pub report: SetReport,
    rows: Vec<usize>,
    pub warnings: Vec<Warning>,
}

/// Everything that the network says of the images, from the cache where it may be.
pub fn extract(images: &DataSet, running: &mut Running, caching: &Caching, verbosity: Verbosity) -> Result<Extracted> {
    let resize = running.plan.pass.resize;
    // An image that cannot be read has no place in the cache; the pass will say what is wrong with it.
    let key = |running: &Running| match caching.mode {
        CacheArg::Off => None,
        CacheArg::Use | CacheArg::Refresh => CacheKey::new(images, &running.extractor, resize).ok(),
    };
    let before = key(running);
    if let Some(key) = before.as_ref().filter(|_| caching.mode == CacheArg::Use)
        && let Some(found) = caching.cache.find(key)
    {
        let rows: Vec<usize> = (0..images.len()).collect();
        let file = FeatureFile { names: Some(names(images, &rows)), ..found };
        let report = SetReport {
            cache: Some(CacheUse::Hit),
            ..SetReport::of(images.path(), images.kind(), Some(rows.len() as u64))
        };
        return Ok(Extracted { file, report, rows, warnings: Vec::new() });
    }
    let mut collector = Collector::of_nothing().with_features().with_logits().with_spatial();
    let summary = running.pass(images, &mut collector, verbosity)?;
    let rows = kept(images, &summary);
    let mut file = FeatureFile {
        features: collector.features().expect("a pass that succeeds has images"),
        logits: collector.logits(),
        spatial: collector.spatial(),
        names: None,
        provenance: Some(running.provenance(summary.images)),
    };
    let mut report = report_of_pass(images, summary);
    let mut warnings = Vec::new();
    if caching.mode != CacheArg::Off {
        let stored = match &before {
            _ if !report.skipped.is_empty() => Err("images were left out".to_owned()),
            // What changed during the pass may have been seen in either state.
            Some(before) if key(running).as_ref() == Some(before) => {
                caching.cache.store(before, &file).map_err(|error| error.to_string())
            }
            _ => Err("its images changed while they were read".to_owned()),
        };
        report.cache = Some(if stored.is_ok() { CacheUse::Stored } else { CacheUse::NotStored });
        let set = || report.path.display().to_string();
        warnings.extend(stored.err().map(|reason| Warning::NotCached { set: set(), reason }));
    }
    file.names = Some(names(images, &rows));
    Ok(Extracted { file, report, rows, warnings })
}

/// What is needed of features at hand.
fn data_of(file: FeatureFile, needs: &BTreeSet<Need>) -> Result<SetData> {
    let gaussian = |features: &Features| -> Result<Gaussian, MomentsError> {
        let mut statistics = FeatureStatistics::new(features.dim());
        statistics.push(features)?;
        statistics.finish()
    };
    let FeatureFile { features, logits, spatial, names, .. } = file;
    let statistics = needs.contains(&Need::Statistics).then(|| gaussian(&features)).transpose()?;
    let spatial = spatial.filter(|_| needs.contains(&Need::Spatial));
    Ok(SetData {
        statistics,
        spatial: spatial.as_ref().map(gaussian).transpose()?,
        features: Some(features),
        logits,
        labels: names.as_deref().filter(|_| needs.contains(&Need::Labels)).and_then(labels),
        names,
    })
}

/// The indices of the images that went through the network.
fn kept(images: &DataSet, summary: &PassSummary) -> Vec<usize> {
    let skipped: HashSet<&str> = summary.skipped.iter().map(|skipped| skipped.name.as_str()).collect();
    (0..images.len()).filter(|&index| !skipped.contains(images.name(index).as_ref())).collect()
}

fn names(images: &DataSet, rows: &[usize]) -> Vec<String> {
    rows.iter().map(|&index| images.name(index).into_owned()).collect()
}

/// The class of each image: the folder that it is in. `None` unless each is in one.
pub fn labels<S: AsRef<str>>(names: &[S]) -> Option<Vec<String>> {
    names.iter().map(|name| name.as_ref().rsplit_once('/').map(|(folder, _)| folder.to_owned())).collect()
}

fn report_of_pass(images: &DataSet, summary: PassSummary) -> SetReport {
    SetReport {
        seconds: Some(StageSeconds::from(&summary)),
        skipped: summary.skipped,
        ..SetReport::of(images.path(), images.kind(), Some(summary.images as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::labels;

    #[test]
    fn folders_are_classes_where_every_image_is_in_one() {
        assert_eq!(labels(&["cat/1.png", "dog/big/2.png"]).unwrap(), ["cat", "dog/big"]);
        assert_eq!(labels(&["cat/1.png", "2.png"]), None);
    }
}
