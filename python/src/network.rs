//! The network that sees the images.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use gan_metrics::evaluate::{self, Accumulator, ModelChoice, NetworkChoice, NetworkPlan, OnBadImage, Portion, Shard};
use gan_metrics::extractor::weights::pth::StateDict;
use gan_metrics::extractor::weights::{WeightsError, inception_v3};
use gan_metrics::extractor::{CustomModel, EngineChoice, Layout, ModelError, models_folder};
use gan_metrics::output::Output;
use gan_metrics::score::Preset;
use gan_metrics::{Error, Result};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::json;

use crate::images::Images;
use crate::partial::Partial;
use crate::{blame, work};

/// What a dictionary says of a network; what it does not say is as in the preset.
pub struct Spec<'a, 'py>(pub &'a Bound<'py, PyDict>);

impl<'py> Spec<'_, 'py> {
    fn get<T>(&self, key: &str) -> PyResult<Option<T>>
    where
        T: for<'b> FromPyObject<'b, 'py, Error = PyErr>,
    {
        match self.0.get_item(key)? {
            Some(value) if !value.is_none() => value.extract().map(Some),
            _ => Ok(None),
        }
    }

    /// A word that the library reads.
    fn word<T>(&self, key: &str, read: impl FnOnce(&str) -> Result<T>) -> PyResult<Option<T>> {
        let word: Option<String> = self.get(key)?;
        let read = word.map(|word| read(&word)).transpose();
        read.map_err(|error| blame::exception(self.0.py(), &error))
    }

    /// The network.
    pub fn choice(&self, preset: Preset) -> PyResult<NetworkChoice> {
        let mut choice = NetworkChoice::of(preset);
        let layer = self.word("layer", |word| Ok(word.parse()?))?;
        choice.model = match (self.get::<PathBuf>("model")?, self.word("extractor", |word| Ok(word.parse()?))?) {
            (Some(path), _) => ModelChoice::Custom(self.custom(path)?),
            (None, extractor) => ModelChoice::Known(extractor.unwrap_or_default(), layer),
        };
        if let Some(resize) = self.word("resize", |word| Ok(word.parse()?))? {
            choice.resize = resize;
        }
        if self.get::<String>("on_bad_image")?.is_some_and(|what| what == "skip") {
            choice.on_bad_image = OnBadImage::Skip;
        }
        let options = &mut choice.options;
        options.engine = match self.get::<String>("engine")?.as_deref() {
            Some("onnxruntime") => EngineChoice::OnnxRuntime,
            Some("tract") => EngineChoice::Tract,
            _ => EngineChoice::Auto,
        };
        if let Some(device) = self.word("device", |word| word.parse().map_err(Error::other))? {
            options.device = device;
        }
        options.batch_size = self.get("batch_size")?;
        options.threads = self.get("threads")?;
        options.library = self.get("library")?;
        Ok(choice)
    }

    fn custom(&self, path: PathBuf) -> PyResult<CustomModel> {
        Ok(CustomModel {
            path,
            size: self.get("size")?,
            mean: self.get("mean")?,
            std: self.get("std")?,
            layout: self
                .get::<String>("layout")?
                .map(|order| if order == "NHWC" { Layout::Nhwc } else { Layout::Nchw }),
            input: self.get("input")?,
            features: self.get("features")?,
            pooling: self.word("pooling", |word| word.parse().map_err(Error::other))?,
            layer: self.word("layer", |word| Ok(word.parse()?))?,
            logits: self.get("logits")?,
        })
    }
}

/// What a word asks to keep of each image.
pub fn keeping(kept: &[String]) -> Accumulator {
    kept.iter().fold(Accumulator::of_nothing(), |gathered, kept| match kept.as_str() {
        "features" => gathered.with_features(),
        "logits" => gathered.with_logits(),
        "spatial" => gathered.with_spatial(),
        "statistics" => gathered.with_statistics(),
        _ => gathered.with_spatial_statistics(),
    })
}

/// A network that runs. One image after the other goes through it, whatever the number of threads that ask.
#[pyclass(frozen, module = "gan_metrics._native")]
pub struct Network(Mutex<evaluate::Network>);

#[pymethods]
impl Network {
    #[new]
    fn new(py: Python<'_>, spec: &Bound<'_, PyDict>, preset: &str, spatial: bool) -> PyResult<Self> {
        let preset = preset.parse::<Preset>().map_err(|error| blame::exception(py, &error.into()))?;
        let choice = Spec(spec).choice(preset)?;
        work::run(py, move |_| {
            let mut plan = NetworkPlan::new(&choice)?;
            if spatial {
                plan.want_spatial();
            }
            Ok(Self(Mutex::new(plan.start()?)))
        })
    }

    /// What runs, how images are prepared for it, and how its features come about, as JSON.
    fn about(&self, py: Python<'_>) -> PyResult<String> {
        work::run(py, |_| {
            let network = locked(&self.0);
            let about = json!({
                "extractor": network.info(), "preparation": network.preparation(), "provenance": network.provenance(),
            });
            Ok(about.to_string())
        })
    }

    /// One pass over some images, of which `kept` is kept; `names` keeps their names too. With `shard` they are that part of the
    /// images of a path; with `first` and `step` they are images of a longer stream.
    #[allow(clippy::too_many_arguments)] // Python's side gives them names.
    fn partial(
        &self,
        py: Python<'_>,
        images: Images<'_>,
        kept: Vec<String>,
        names: bool,
        shard: Option<String>,
        first: usize,
        step: usize,
    ) -> PyResult<Partial> {
        let streamed = !matches!(images, Images::Path(..));
        let lent = images.lend();
        work::run(py, move |interrupt| {
            let images = lent.open(interrupt)?;
            let shard: Option<Shard> = shard.map(|shard| shard.parse()).transpose()?;
            let portion = match shard {
                Some(shard) => Portion::of(&*images).range(shard.range(images.len())),
                None => Portion::of(&*images).numbered(first, step),
            };
            let passed = locked(&self.0).partial(portion, keeping(&kept), names, &mut (), interrupt)?;
            Ok(Partial(match shard {
                Some(shard) => passed.part.of_shard(shard),
                None if streamed => passed.part.of_growing_set(),
                None => passed.part,
            }))
        })
    }
}

/// What a lock guards, also after a panic: nothing here is left half-way.
pub fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The ONNX file of a PyTorch checkpoint of the FID Inception-v3: made on the first call, and found again by the content of the
/// checkpoint.
#[pyfunction]
pub fn converted(py: Python<'_>, checkpoint: PathBuf) -> PyResult<PathBuf> {
    work::run(py, move |_| {
        let state = StateDict::from_file(&checkpoint).map_err(WeightsError::from)?;
        let provenance: String = state.provenance().to_string();
        let name: String = provenance.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        // Another version may write another graph.
        let folder = models_folder().join("converted").join(env!("CARGO_PKG_VERSION"));
        let path = folder.join(format!("{name}.onnx"));
        if !path.is_file() {
            fs::create_dir_all(&folder)?;
            Output::claim(&path)?.write_all(&inception_v3::build(&state)?)?;
        }
        Ok(path)
    })
}

/// Where the ONNX file of an installed network is, or would be.
#[pyfunction]
pub fn installed_path(py: Python<'_>, name: &str) -> PyResult<PathBuf> {
    let id = name.parse().map_err(|error: ModelError| blame::exception(py, &error.into()))?;
    Ok(gan_metrics::extractor::installed_path(id))
}

/// The folder of everything that this package keeps.
#[pyfunction]
pub fn home_folder() -> PathBuf {
    gan_metrics::extractor::home_folder()
}
