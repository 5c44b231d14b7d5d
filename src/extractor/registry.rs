//! The extractors: built in, installed, or a user's own file.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::input::{Channels, InputSpec, Layout, Normalization, Number};
use super::model::{BatchAxis, Model, ModelError, read};
use super::weights::onnx::{self, ModelFile, metadata};
use super::weights::{efficientnet_lite, inception_v3};
use crate::digest::sha256;
use crate::image::ResizeMode;

/// An extractor known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExtractorId {
    /// The FID Inception-v3 with the weights of 2015-12-05: the scores of the literature.
    #[default]
    InceptionV3,
    /// EfficientNet-lite0, part of this crate: a score of its own, for quick looks and training loops.
    EfficientNetLite0,
}

impl ExtractorId {
    /// All extractors.
    pub const ALL: [Self; 2] = [Self::InceptionV3, Self::EfficientNetLite0];
}

impl fmt::Display for ExtractorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ExtractorId::InceptionV3 => inception_v3::NAME,
            ExtractorId::EfficientNetLite0 => efficientnet_lite::NAME,
        })
    }
}

impl FromStr for ExtractorId {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|id| id.to_string() == text);
        known.ok_or_else(|| ModelError::Unknown(text.into()))
    }
}

/// The folder of everything that this crate keeps: `$GAN_METRICS_HOME`, otherwise `gan-metrics` in the user's cache folder
/// (`$XDG_CACHE_HOME`, `~/Library/Caches`, `%LOCALAPPDATA%` or `~/.cache`).
pub fn home_folder() -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // Where nothing is set, the system's own records tell; a cache in whatever folder this is would be lost.
    let home = || env::home_dir().filter(|home| !home.as_os_str().is_empty()).unwrap_or_else(env::temp_dir);
    set("GAN_METRICS_HOME").unwrap_or_else(|| {
        let cache = set("XDG_CACHE_HOME").or_else(|| set("LOCALAPPDATA"));
        let cache = cache.unwrap_or_else(|| match cfg!(target_os = "macos") {
            true => home().join("Library/Caches"),
            false => home().join(".cache"),
        });
        cache.join("gan-metrics")
    })
}

/// The folder of installed models: `models` in the [`home_folder`].
pub fn models_folder() -> PathBuf {
    home_folder().join("models")
}

/// Where the ONNX file of an installed extractor is.
pub fn installed_path(id: ExtractorId) -> PathBuf {
    models_folder().join(format!("{id}.onnx"))
}

/// The files that an installation leaves, those of a broken transfer included.
pub fn installed_files(id: ExtractorId) -> Vec<PathBuf> {
    let onnx = installed_path(id);
    vec![digest_path(&onnx), part_path(&models_folder(), id), onnx]
}

/// Where a transfer keeps what has arrived.
pub(super) fn part_path(folder: &Path, id: ExtractorId) -> PathBuf {
    folder.join(format!(".{id}.pth.part"))
}

/// Where the features are taken from in Inception-v3, by their number, as torch-fidelity and pytorch-fid name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FeatureLayer {
    /// After the first max pool.
    Pool64,
    /// After the second max pool.
    Pool192,
    /// `Mixed_6e`.
    Mixed768,
    /// `pool3`: the features of the literature.
    #[default]
    Pool2048,
}

impl FeatureLayer {
    /// All layers.
    pub const ALL: [Self; 4] = [Self::Pool64, Self::Pool192, Self::Mixed768, Self::Pool2048];

    /// Name of the graph's output.
    pub fn output(self) -> &'static str {
        match self {
            FeatureLayer::Pool64 => "features_64",
            FeatureLayer::Pool192 => "features_192",
            FeatureLayer::Mixed768 => "features_768",
            FeatureLayer::Pool2048 => "pool3",
        }
    }
}

impl fmt::Display for FeatureLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FeatureLayer::Pool64 => "64",
            FeatureLayer::Pool192 => "192",
            FeatureLayer::Mixed768 => "768",
            FeatureLayer::Pool2048 => "2048",
        })
    }
}

impl FromStr for FeatureLayer {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|layer| layer.to_string() == text);
        known.ok_or_else(|| ModelError::UnknownLayer(text.into()))
    }
}

/// Loads a named extractor for images resized in the given mode.
///
/// Inception's input is `(x − 128)/128`, except in the mode `torch`, which matches pytorch-fid down to its
/// `2·(x/255) − 1`.
///
/// # Errors
/// [`ModelError::NotInstalled`] when the weights of Inception-v3 are not on the machine; others when they are damaged,
/// or when a layer is asked for of a network that has one only.
pub fn load(id: ExtractorId, resize: ResizeMode, layer: Option<FeatureLayer>) -> Result<Model, ModelError> {
    match id {
        ExtractorId::EfficientNetLite0 if layer.is_some() => Err(ModelError::NoLayers { name: id.to_string() }),
        ExtractorId::EfficientNetLite0 => {
            let damaged = |source| ModelError::Weights { name: id.to_string(), source };
            Ok(Model {
                name: id.to_string(),
                sha256: sha256(efficientnet_lite::CHECKPOINT),
                onnx: efficientnet_lite::build().map_err(damaged)?,
                input_name: INPUT.into(),
                input: square(&efficientnet_lite::INPUT),
                batch_axis: BatchAxis::Invariant,
                features_output: "features".into(),
                logits_output: Some("logits".into()),
                spatial_output: None,
                pooling: None,
            })
        }
        ExtractorId::InceptionV3 => {
            let path = installed_path(id);
            if !path.is_file() {
                return Err(ModelError::NotInstalled { path });
            }
            inception(&path, resize, layer.unwrap_or_default())
        }
    }
}

/// Name of the input of every graph that this crate writes.
pub(super) const INPUT: &str = "images";

fn square(&onnx::GraphInput { size, mean, std }: &onnx::GraphInput) -> InputSpec {
    let size = size as u32;
    InputSpec {
        width: size,
        height: size,
        layout: Layout::Nchw,
        normalization: Normalization { mean, std },
        channels: Channels::Rgb,
        number: Number::Float32,
    }
}

/// An installed network, read and found undamaged.
pub(super) struct InstalledFile {
    pub(super) onnx: Vec<u8>,
    pub(super) file: ModelFile,
}

/// Where the digest of an installed network is kept.
pub(super) fn digest_path(onnx: &Path) -> PathBuf {
    onnx.with_extension("onnx.sha256")
}

/// Reads an installed network and compares it with the digest taken when it was installed.
pub(super) fn read_installed(path: &Path) -> Result<InstalledFile, ModelError> {
    let onnx = read(path)?;
    let digest = read(&digest_path(path))?;
    if String::from_utf8_lossy(&digest).trim() != sha256(&onnx) {
        return Err(ModelError::Damaged { path: path.into() });
    }
    let file = ModelFile::from_bytes(&onnx).map_err(|source| ModelError::Onnx { path: path.into(), source })?;
    Ok(InstalledFile { onnx, file })
}

fn inception(path: &Path, resize: ResizeMode, layer: FeatureLayer) -> Result<Model, ModelError> {
    let InstalledFile { onnx, file } = read_installed(path)?;
    let source = file.metadata.get(metadata::SOURCE).map_or("", String::as_str);
    if source != format!("sha256:{}", inception_v3::SHA256) {
        return Err(ModelError::NotPublished { path: path.into(), weights: source.into() });
    }
    Ok(Model {
        name: ExtractorId::InceptionV3.to_string(),
        sha256: inception_v3::SHA256.into(),
        onnx,
        input_name: INPUT.into(),
        input: InputSpec { normalization: inception_normalization(resize), ..square(&inception_v3::INPUT) },
        batch_axis: BatchAxis::Invariant,
        features_output: layer.output().into(),
        logits_output: Some(INCEPTION_LOGITS.into()),
        spatial_output: Some(INCEPTION_SPATIAL.into()),
        pooling: None,
    })
}

/// What torch-fidelity takes the Inception Score from.
pub(super) const INCEPTION_LOGITS: &str = "logits_unbiased";

/// What sFID compares.
pub(super) const INCEPTION_SPATIAL: &str = "sfid";

/// `(x − 128)/128`, except in the mode that matches pytorch-fid, which has its own `2·(x/255) − 1`.
pub(super) fn inception_normalization(resize: ResizeMode) -> Normalization {
    match resize {
        ResizeMode::Torch => Normalization::uniform(127.5, 127.5),
        _ => Normalization { mean: inception_v3::INPUT.mean, std: inception_v3::INPUT.std },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_printed() {
        for id in ExtractorId::ALL {
            assert_eq!(id.to_string().parse::<ExtractorId>().unwrap(), id);
        }
        let message = "resnet".parse::<ExtractorId>().unwrap_err().to_string();
        assert!(message.starts_with("`resnet` names no extractor: use inception-v3, efficientnet-lite0"), "{message}");
    }
}
