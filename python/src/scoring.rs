//! Scores of what paths and arrays of features hold.

use std::path::PathBuf;

use gan_metrics::evaluate::{CacheMode, Caching, Evaluation, Job, Judged, PassObserver, cache::FeatureCache};
use gan_metrics::metrics::Set;
use gan_metrics::report::{NEEDS, Pictures, Report, page};
use gan_metrics::score::{Need, SetData, score};
use gan_metrics::stats::{Features, Gaussian, Logits};
use gan_metrics::{Interrupt, Result};
use numpy::PyReadonlyArray2;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::images::reading;
use crate::network::Spec;
use crate::request::Asked;
use crate::{blame, work};

/// Fifty sets of 50,000 images, features and logits of inception-v3: as on the command line.
const CACHE_LIMIT: u64 = 10 << 30;

/// Tells a Python function of the set, the images that are done and their number, after every batch.
struct Told {
    function: Option<Py<PyAny>>,
    set: String,
}

impl PassObserver for Told {
    fn begins(&mut self, set: &str, images: usize) {
        self.set = set.to_owned();
        self.images_done(0, images);
    }

    fn images_done(&mut self, done: usize, total: usize) {
        let Some(function) = self.function.take() else { return };
        self.function = Python::attach(|py| match function.call1(py, (&self.set, done, total)) {
            Ok(_) => Some(function),
            Err(error) => {
                // What goes wrong with a display must not cost the scores.
                error.write_unraisable(py, None);
                None
            }
        });
    }
}

/// What of the sets the paths do not tell: array, range of floats, images to choose and their seed.
type Told3 = (Option<String>, Option<(f32, f32)>, Option<(usize, u32)>);

/// The report of two paths as JSON, with the pictures as SVG and the page as HTML where they are wanted.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // Python's side gives them names.
pub fn score_paths(
    py: Python<'_>,
    real: Option<PathBuf>,
    fake: PathBuf,
    spec: &Bound<'_, PyDict>,
    asked: Asked,
    told: Told3,
    cache: Option<bool>,
    pictures: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<(String, Option<(String, String)>)> {
    let failed = |error| blame::exception(py, &error);
    let network = Spec(spec).choice(asked.preset().map_err(failed)?)?;
    let (array, range, choice) = told;
    let reading = reading(array, range, choice);
    work::run(py, move |interrupt| {
        let mut job = Job::new(real, fake.clone());
        job.fakes = vec![Judged::Path(fake)];
        job.selection = asked.selection()?;
        job.definitions = asked.definitions()?;
        job.intervals = asked.intervals();
        job.reading = reading;
        job.network = network;
        job.also = if pictures { &NEEDS } else { &[] };
        job.caching = cache.map(|anew| Caching {
            cache: FeatureCache::of_user(CACHE_LIMIT),
            mode: if anew { CacheMode::Refresh } else { CacheMode::Use },
        });
        let mut observer = Told { function: progress, set: String::new() };
        let done = Evaluation::plan(job, interrupt)?.run(&mut observer, interrupt)?;
        let report = Report::of("score", &done);
        let drawn = match pictures {
            true => {
                let pictures = Pictures::of(&done, interrupt)?;
                Some((pictures.svg(), page(&report, &pictures)))
            }
            false => None,
        };
        Ok((report.to_json(), drawn))
    })
}

/// What is known of a set: features, class scores.
type Rows<'py> = (PyReadonlyArray2<'py, f32>, Option<PyReadonlyArray2<'py, f32>>);

/// The scores of features at hand, as the JSON of `metrics` and a list of those that failed.
#[pyfunction]
pub fn score_features(
    py: Python<'_>,
    real: Option<Rows<'_>>,
    fake: Rows<'_>,
    asked: Asked,
) -> PyResult<(String, Vec<(String, String)>)> {
    let real =
        real.as_ref().map(|(features, logits)| (features.as_array(), logits.as_ref().map(|rows| rows.as_array())));
    let fake = (fake.0.as_array(), fake.1.as_ref().map(|rows| rows.as_array()));
    work::run(py, move |interrupt| {
        let request = asked.request()?;
        let data = |(features, logits): (_, Option<_>), set| -> Result<SetData> {
            let needs = request.needs(set);
            let features = Features::new(gan_metrics::ndarray::ArrayView2::to_owned(&features))?;
            let logits = logits.map(|rows: gan_metrics::ndarray::ArrayView2<'_, f32>| Logits::new(rows.to_owned()));
            Ok(SetData {
                statistics: of_features(&features, needs.contains(&Need::Statistics), interrupt)?,
                features: Some(features),
                logits: logits.transpose()?,
                ..SetData::default()
            })
        };
        let real = real.map(|rows| data(rows, Set::Real)).transpose()?;
        let scores = score(&request, real.as_ref(), &data(fake, Set::Fake)?, interrupt)?;
        let failed =
            scores.failed().iter().map(|failure| (failure.metric.about().name.into(), failure.error.to_string()));
        let failed = failed.collect();
        Ok((serde_json::to_string(&scores).expect("a report holds only plain values"), failed))
    })
}

fn of_features(features: &Features, wanted: bool, interrupt: &Interrupt) -> Result<Option<Gaussian>> {
    Ok(if wanted { Some(Gaussian::of_until(features, interrupt)?) } else { None })
}
