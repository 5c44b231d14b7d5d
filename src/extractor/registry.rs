//! The extractors: built in, installed, or a user's own file.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::model::{BatchAxis, InputSpec, Layout, Model, ModelError, ModelSetting, Normalization, read};
use super::weights::onnx::{self, Dimension, ModelFile, ValueInfo, metadata};
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
    let home = || set("HOME").unwrap_or_default();
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
pub enum Layer {
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

impl Layer {
    /// All layers.
    pub const ALL: [Self; 4] = [Self::Pool64, Self::Pool192, Self::Mixed768, Self::Pool2048];

    /// Name of the graph's output.
    pub fn output(self) -> &'static str {
        match self {
            Layer::Pool64 => "features_64",
            Layer::Pool192 => "features_192",
            Layer::Mixed768 => "features_768",
            Layer::Pool2048 => "pool3",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Layer::Pool64 => "64",
            Layer::Pool192 => "192",
            Layer::Mixed768 => "768",
            Layer::Pool2048 => "2048",
        })
    }
}

impl FromStr for Layer {
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
pub fn load(id: ExtractorId, resize: ResizeMode, layer: Option<Layer>) -> Result<Model, ModelError> {
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
const INPUT: &str = "images";

fn square(&onnx::InputSpec { size, mean, std }: &onnx::InputSpec) -> InputSpec {
    let size = size as u32;
    InputSpec { width: size, height: size, layout: Layout::Nchw, normalization: Normalization { mean, std } }
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

fn inception(path: &Path, resize: ResizeMode, layer: Layer) -> Result<Model, ModelError> {
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
    })
}

/// What torch-fidelity takes the Inception Score from.
const INCEPTION_LOGITS: &str = "logits_unbiased";

/// What sFID compares.
const INCEPTION_SPATIAL: &str = "sfid";

/// `(x − 128)/128`, except in the mode that matches pytorch-fid, which has its own `2·(x/255) − 1`.
fn inception_normalization(resize: ResizeMode) -> Normalization {
    match resize {
        ResizeMode::Torch => Normalization::uniform(127.5, 127.5),
        _ => Normalization { mean: inception_v3::INPUT.mean, std: inception_v3::INPUT.std },
    }
}

/// A user's own network: what its file does not say must be said here.
#[derive(Debug, Clone, Default)]
pub struct CustomModel {
    /// Path of the ONNX file.
    pub path: PathBuf,
    /// Width and height of the input.
    pub size: Option<(u32, u32)>,
    /// Subtracted per channel, on the 0–255 scale.
    pub mean: Option<[f32; 3]>,
    /// Divided by per channel, on the 0–255 scale.
    pub std: Option<[f32; 3]>,
    /// Order of the axes.
    pub layout: Option<Layout>,
    /// Name of the input.
    pub input: Option<String>,
    /// Name of the output that serves as features.
    pub features: Option<String>,
    /// Layer that serves as features, in an Inception-v3 converted by this crate.
    pub layer: Option<Layer>,
    /// Name of the output that serves as logits.
    pub logits: Option<String>,
}

impl CustomModel {
    /// Reads the file and fills in what it says itself: size and layout from the shape of its input, normalisation from
    /// its metadata, the outputs where the choice is clear. An Inception-v3 that this crate has converted is treated as
    /// the published one: its normalisation follows the resize mode.
    ///
    /// # Errors
    /// [`ModelError`] when the file is not an ONNX model, lacks a name asked for (the message lists those it has), or
    /// something remains unsaid (the error says which [`ModelSetting`]).
    pub fn load(&self, resize: ResizeMode) -> Result<Model, ModelError> {
        let onnx = read(&self.path)?;
        let file =
            ModelFile::from_bytes(&onnx).map_err(|source| ModelError::Onnx { path: self.path.clone(), source })?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let unspecified =
            |what: &str, setting| ModelError::Unspecified { name: name.clone(), what: what.into(), setting };
        let choose = |setting, values: &[ValueInfo], wanted: Option<&str>, usual: &[&str]| {
            choose(&name, setting, values, wanted, usual)
        };
        let input_name = choose(ModelSetting::Input, &file.inputs, self.input.as_deref(), &[INPUT])?;
        let input = file.inputs.iter().find(|input| input.name == input_name).expect("chosen among the inputs");
        let is_inception = file.metadata.get(metadata::MODEL).is_some_and(|model| model == inception_v3::NAME);
        let features = match self.layer {
            Some(_) if !is_inception => return Err(ModelError::NoLayers { name }),
            Some(layer) => choose(ModelSetting::Layer, &file.outputs, Some(layer.output()), &[])?,
            None => choose(
                ModelSetting::Features,
                &file.outputs,
                self.features.as_deref(),
                &["features", "pool3", "embedding", "embeddings", "pooler_output"],
            )?,
        };
        let has = |name: &&str| file.outputs.iter().any(|output| output.name == **name);
        let logits = match &self.logits {
            Some(wanted) => Some(choose(ModelSetting::Logits, &file.outputs, Some(wanted), &[])?),
            None => [INCEPTION_LOGITS, "logits"].into_iter().find(has).map(String::from),
        };
        let from_shape = shape_of_images(input);
        let from_metadata = file.metadata.get(metadata::INPUT_SIZE).and_then(|size| size.parse().ok());
        let (width, height) = self
            .size
            .or(from_shape.and_then(|(_, size)| size))
            .or(from_metadata.map(|size: u32| (size, size)))
            .ok_or_else(|| unspecified("the size of its input", ModelSetting::Size))?;
        let layout = self
            .layout
            .or(from_shape.map(|(layout, _)| layout))
            .ok_or_else(|| unspecified("the order of the axes of its input", ModelSetting::Layout))?;
        let own = is_inception.then(|| inception_normalization(resize));
        let triple = |key: &str| file.metadata.get(key).and_then(|text| parse_triple(text));
        let mean = self.mean.or(own.map(|own| own.mean)).or_else(|| triple(metadata::MEAN));
        let std = self.std.or(own.map(|own| own.std)).or_else(|| triple(metadata::STD));
        let mean = mean.ok_or_else(|| unspecified("its mean", ModelSetting::Mean))?;
        let std = std.ok_or_else(|| unspecified("its std", ModelSetting::Std))?;
        Ok(Model {
            sha256: sha256(&onnx),
            name,
            onnx,
            input_name,
            input: InputSpec { width, height, layout, normalization: Normalization { mean, std } },
            batch_axis: match input.fixed_batch() {
                Some(size) => BatchAxis::Fixed(size),
                None if is_inception => BatchAxis::Invariant,
                None => BatchAxis::Open,
            },
            features_output: features,
            logits_output: logits,
            spatial_output: is_inception.then(|| INCEPTION_SPATIAL.into()),
        })
    }
}

/// The name asked for, the only one there is, or the first that goes by a usual name.
fn choose(
    model: &str,
    setting: ModelSetting,
    values: &[ValueInfo],
    wanted: Option<&str>,
    usual: &[&str],
) -> Result<String, ModelError> {
    let kind = if setting == ModelSetting::Input { "input" } else { "output" };
    let found: Vec<String> = values.iter().map(|value| value.name.clone()).collect();
    let has = |name: &str| found.iter().any(|have| have == name);
    match (wanted, &found[..]) {
        (Some(name), _) if has(name) => Ok(name.to_owned()),
        (Some(name), _) => {
            Err(ModelError::NoSuchName { name: model.into(), kind, wanted: name.into(), found, setting })
        }
        (None, [only]) => Ok(only.clone()),
        (None, _) => match usual.iter().find(|name| has(name)) {
            Some(&name) => Ok(name.to_owned()),
            None => {
                let what = format!("which of its {kind}s to use ({})", found.join(", "));
                Err(ModelError::Unspecified { name: model.into(), what, setting })
            }
        },
    }
}

/// Layout, and width and height where they are fixed, of an input that takes RGB images.
fn shape_of_images(input: &ValueInfo) -> Option<(Layout, Option<(u32, u32)>)> {
    let fixed = |dimension: &Dimension| dimension.extent().and_then(|extent| u32::try_from(extent).ok());
    match input.shape.as_deref()? {
        [_, channels, height, width] if fixed(channels) == Some(3) => {
            Some((Layout::Nchw, fixed(width).zip(fixed(height))))
        }
        [_, height, width, channels] if fixed(channels) == Some(3) => {
            Some((Layout::Nhwc, fixed(width).zip(fixed(height))))
        }
        _ => None,
    }
}

/// One number for all channels, or three separated by commas.
pub fn parse_triple(text: &str) -> Option<[f32; 3]> {
    let numbers: Vec<f32> = text.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    match numbers[..] {
        [all] => Some([all; 3]),
        [red, green, blue] => Some([red, green, blue]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extractor::weights::onnx::ElementType;

    fn values(names: &[&str]) -> Vec<ValueInfo> {
        let value = |name: &&str| ValueInfo { name: (*name).into(), element_type: ElementType::Float32, shape: None };
        names.iter().map(value).collect()
    }

    fn output(names: &[&str], wanted: Option<&str>) -> Result<String, String> {
        choose("x.onnx", ModelSetting::Features, &values(names), wanted, &["features", "pool3"])
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_choice_of_an_output_is_clear_or_an_error_that_lists_them() {
        assert_eq!(output(&["a"], None).unwrap(), "a");
        assert_eq!(output(&["a", "pool3"], None).unwrap(), "pool3");
        assert_eq!(output(&["a", "b"], Some("b")).unwrap(), "b");
        let absent = output(&["a", "b"], Some("c")).unwrap_err();
        assert_eq!(absent, "x.onnx has no output `c`; it has `a`, `b`");
        let unclear = output(&["a", "b"], None).unwrap_err();
        assert_eq!(unclear, "x.onnx does not say which of its outputs to use (a, b): it has to be given");
    }

    #[test]
    fn reads_layout_and_size_from_the_shape() {
        let dimensions = |extents: &[i64]| {
            let dimension = |&extent: &i64| match extent {
                0 => Dimension::Unknown,
                extent => Dimension::Fixed(extent),
            };
            let mut value = values(&["images"]).remove(0);
            value.shape = Some(extents.iter().map(dimension).collect());
            shape_of_images(&value)
        };
        assert_eq!(dimensions(&[0, 3, 20, 30]), Some((Layout::Nchw, Some((30, 20)))));
        assert_eq!(dimensions(&[1, 20, 30, 3]), Some((Layout::Nhwc, Some((30, 20)))));
        assert_eq!(dimensions(&[0, 3, 0, 0]), Some((Layout::Nchw, None)));
        assert_eq!(dimensions(&[0, 1, 20, 30]), None);
        assert_eq!(dimensions(&[0, 768]), None);
    }

    #[test]
    fn numbers_for_one_or_three_channels() {
        assert_eq!(parse_triple("127.5"), Some([127.5; 3]));
        assert_eq!(parse_triple("1, 2,3"), Some([1.0, 2.0, 3.0]));
        for text in ["", "1,2", "1,2,3,4", "x"] {
            assert_eq!(parse_triple(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_read_as_they_are_printed() {
        for id in ExtractorId::ALL {
            assert_eq!(id.to_string().parse::<ExtractorId>().unwrap(), id);
        }
        let message = "resnet".parse::<ExtractorId>().unwrap_err().to_string();
        assert!(message.starts_with("`resnet` names no extractor: use inception-v3, efficientnet-lite0"), "{message}");
    }
}
