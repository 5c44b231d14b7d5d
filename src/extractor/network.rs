//! A model run by an engine.

use std::path::PathBuf;

use ndarray::{Array4, ArrayView4, Axis, s};

use super::device::{Device, EngineChoice};
use super::engine::{Engine, EngineError, Program};
use super::model::{InputSpec, Model};
use super::onnx_runtime::OnnxRuntimeEngine;
use super::tract::TractEngine;
use super::{Extraction, ExtractorInfo, FeatureExtractor, finite};
use crate::stats::{Features, Logits};

/// How a network is to be run.
#[derive(Debug, Clone)]
pub struct NetworkOptions {
    /// Which engine.
    pub engine: EngineChoice,
    /// Where.
    pub device: Device,
    /// Number of images of a batch.
    pub batch_size: usize,
    /// Threads inside ONNX Runtime; its own choice (the physical cores) when `None`.
    pub threads: Option<usize>,
    /// A library file or folder of ONNX Runtime; searched for when `None`.
    pub library: Option<PathBuf>,
    /// Whether spatial features are extracted too.
    pub spatial: SpatialFeatures,
}

/// Whether spatial features, which sFID compares, are extracted beside the others: 8 KB an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpatialFeatures {
    /// They are not.
    #[default]
    Unwanted,
    /// They are, where the model has them.
    Wanted,
}

impl Default for NetworkOptions {
    fn default() -> Self {
        Self {
            engine: EngineChoice::Auto,
            device: Device::Auto,
            batch_size: 16,
            threads: None,
            library: None,
            spatial: SpatialFeatures::Unwanted,
        }
    }
}

/// A model run by an engine at a fixed batch size.
pub struct NetworkExtractor {
    engine: Box<dyn Engine>,
    info: ExtractorInfo,
    input: InputSpec,
    batch_size: usize,
    padded: Array4<f32>,
}

impl NetworkExtractor {
    /// Readies `model` to run as `options` say.
    ///
    /// # Errors
    /// [`EngineError`] when the engine or the device is not there, or does not accept the model. Only
    /// [`EngineChoice::Auto`] and [`Device::Auto`] leave a choice, and [`ExtractorInfo::engine`] tells it.
    ///
    /// # Panics
    /// When the batch size is zero.
    pub fn new(model: &Model, options: &NetworkOptions) -> Result<Self, EngineError> {
        assert!(options.batch_size > 0, "a batch holds at least one image");
        let mut outputs = vec![model.features_output.as_str()];
        outputs.extend(model.logits_output.as_deref());
        let spatial = model.spatial_output.as_deref().filter(|_| options.spatial == SpatialFeatures::Wanted);
        outputs.extend(spatial);
        let item = &model.input.shape(1)[1..];
        let program = Program { onnx: &model.onnx, input_name: &model.input_name, item };
        let engine = engine(program, &outputs, options)?;
        let info = ExtractorInfo {
            name: model.name.clone(),
            model_sha256: model.sha256.clone(),
            features_output: model.features_output.clone(),
            logits_output: model.logits_output.clone(),
            spatial_output: spatial.map(String::from),
            engine: engine.info().clone(),
        };
        let padded = Array4::zeros(model.input.shape(options.batch_size));
        Ok(Self { engine, info, input: model.input, batch_size: options.batch_size, padded })
    }
}

/// The engine that the options ask for, ready to run.
pub(super) fn engine(
    program: Program<'_>,
    outputs: &[&str],
    options: &NetworkOptions,
) -> Result<Box<dyn Engine>, EngineError> {
    let NetworkOptions { engine, device, batch_size, threads, ref library, .. } = *options;
    let onnx_runtime = || {
        OnnxRuntimeEngine::new(program, outputs, batch_size, device, library.as_deref(), threads)
            .map(|engine| Box::new(engine) as Box<dyn Engine>)
    };
    let on_cpu = matches!(device, Device::Auto | Device::Cpu);
    match engine {
        EngineChoice::OnnxRuntime => onnx_runtime(),
        EngineChoice::Tract if on_cpu => Ok(Box::new(TractEngine::new(program, outputs)?)),
        EngineChoice::Tract => Err(EngineError::Device {
            device,
            engine,
            reason: "tract runs on the CPU only; use --engine onnxruntime, or --device cpu".into(),
        }),
        // A library that was named, or a device that only it can drive, leaves no room for another engine.
        EngineChoice::Auto if library.is_some() || !on_cpu => onnx_runtime(),
        EngineChoice::Auto => match onnx_runtime() {
            Err(EngineError::NoLibrary { .. }) => {
                let reason = "auto: no ONNX Runtime was found (see `gan-metrics doctor`)".into();
                Ok(Box::new(TractEngine::new(program, outputs)?.because(reason)))
            }
            other => other,
        },
    }
}

impl FeatureExtractor for NetworkExtractor {
    fn info(&self) -> &ExtractorInfo {
        &self.info
    }

    fn input(&self) -> &InputSpec {
        &self.input
    }

    fn batch_size(&self) -> usize {
        self.batch_size
    }

    fn extract(&mut self, images: ArrayView4<'_, f32>) -> Result<Extraction, EngineError> {
        let n = images.len_of(Axis(0));
        assert!((1..=self.batch_size).contains(&n), "{n} images in a batch of {}", self.batch_size);
        let outputs = if n == self.batch_size {
            self.engine.run(images.into_dyn())?
        } else {
            self.padded.slice_mut(s![..n, .., .., ..]).assign(&images);
            self.padded.slice_mut(s![n.., .., .., ..]).fill(0.0);
            self.engine.run(self.padded.view().into_dyn())?
        };
        let mut outputs = outputs.into_iter().map(|output| output.slice_move(s![..n, ..]));
        let mut next = || outputs.next().expect("an engine returns every output asked for");
        let features = finite(&self.info.features_output, next(), Features::new)?;
        let logits = match &self.info.logits_output {
            Some(name) => Some(finite(name, next(), Logits::new)?),
            None => None,
        };
        let spatial = match &self.info.spatial_output {
            Some(name) => Some(finite(name, next(), Features::new)?),
            None => None,
        };
        Ok(Extraction { features, logits, spatial })
    }
}
