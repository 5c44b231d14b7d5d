//! A custom network: what its file says of itself, and what must be said of it.

use std::path::PathBuf;

use super::input::{Channels, InputSpec, Layout, Normalization, Number};
use super::model::{BatchAxis, Model, ModelError, ModelSetting, check_size, read_onnx};
use super::pooling::{Declared, Pooling, declared};
use super::registry::{FeatureLayer, INCEPTION_LOGITS, INCEPTION_SPATIAL, INPUT, inception_normalization};
use super::weights::inception_v3;
use super::weights::onnx::{
    Dimension, ElementType, ModelFile, TrainingMode, ValueInfo, in_training_mode, metadata, with_float32_edges,
};
use crate::digest::sha256;
use crate::image::ResizeMode;

/// A user's own network: what its file does not say must be said here.
#[derive(Debug, Clone, Default)]
pub struct CustomModel {
    /// Path of the ONNX file. Weights that it keeps in other files are read from its folder.
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
    /// How features of many positions or tokens become one row an image. Where nothing is said, features N×C×height×width of a
    /// network that takes channels first become their mean over height and width, as in pytorch-fid and dgm-eval, and
    /// N×height×width×C of one that takes channels last likewise.
    pub pooling: Option<Pooling>,
    /// Layer that serves as features, in an Inception-v3 converted by this crate.
    pub layer: Option<FeatureLayer>,
    /// Name of the output that serves as logits.
    pub logits: Option<String>,
}

/// Names by which outputs that are features usually go.
const FEATURES: [&str; 5] = ["features", "pool3", "embedding", "embeddings", "pooler_output"];

impl CustomModel {
    /// Reads the file and fills in what it says itself: size, channels and layout from the shape of its input, normalisation from
    /// its metadata, the outputs where the choice is clear. An Inception-v3 that this crate has converted is treated as
    /// the published one: its normalisation follows the resize mode.
    ///
    /// Inputs and outputs of other floating-point types than `float32` are converted inside the graph. Weights that lie beside the
    /// file are brought into it; its digest is then that of both.
    ///
    /// # Errors
    /// [`ModelError`] when the file is not an ONNX model, lacks a name asked for (the message lists those it has), takes no
    /// images or others than were described, was exported in training mode, or something remains unsaid (the error says which
    /// [`ModelSetting`]).
    pub fn load(&self, resize: ResizeMode) -> Result<Model, ModelError> {
        let onnx = read_onnx(&self.path)?;
        let described = |source| ModelError::Onnx { path: self.path.clone(), source };
        let file = ModelFile::from_bytes(&onnx).map_err(described)?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let choose = |setting, values: &[ValueInfo], wanted: Option<&str>, usual: &[&str]| {
            choose(&name, setting, values, wanted, usual)
        };
        let input_name = choose(ModelSetting::Input, &file.inputs, self.input.as_deref(), &[INPUT])?;
        let is_inception = file.metadata.get(metadata::MODEL).is_some_and(|model| model == inception_v3::NAME);
        let features = match self.layer {
            Some(_) if !is_inception => return Err(ModelError::NoLayers { name }),
            Some(layer) => choose(ModelSetting::Layer, &file.outputs, Some(layer.output()), &[])?,
            None => choose(ModelSetting::Features, &file.outputs, self.features.as_deref(), &FEATURES)?,
        };
        let has = |name: &&str| file.outputs.iter().any(|output| output.name == **name);
        let logits = match &self.logits {
            Some(wanted) => Some(choose(ModelSetting::Logits, &file.outputs, Some(wanted), &[])?),
            None => [INCEPTION_LOGITS, "logits"].into_iter().find(has).map(String::from),
        };
        let input = file.inputs.iter().find(|input| input.name == input_name).expect("chosen among the inputs");
        let own = is_inception.then(|| inception_normalization(resize));
        let spec = self.spec(&name, input, &file, own)?;
        check_size(&name, input, input.fixed_batch().unwrap_or(1), &spec.shape(1))?;
        let outputs: Vec<&str> = [Some(&*features), logits.as_deref()].into_iter().flatten().collect();
        for output in file.outputs.iter().filter(|output| outputs.contains(&&*output.name)) {
            if !matches!(output.element_type, ElementType::Float32 | ElementType::Float16 | ElementType::Float64) {
                return Err(ModelError::OutputType { name, output: output.to_string() });
            }
        }
        if let Some(TrainingMode { operator, node }) = in_training_mode(&onnx, &outputs).map_err(described)? {
            return Err(ModelError::TrainingMode { name, operator, node });
        }
        let output = file.outputs.iter().find(|output| output.name == features).expect("chosen among the outputs");
        let pooling = self.pooling_of(&name, output, spec.layout)?;
        let batch_axis = match input.fixed_batch() {
            Some(size) => BatchAxis::Fixed(size),
            None if is_inception => BatchAxis::Invariant,
            None => BatchAxis::Open,
        };
        Ok(Model {
            sha256: sha256(&onnx),
            onnx: with_float32_edges(onnx, &[&[&*input_name], &outputs[..]].concat()).map_err(described)?,
            name,
            input_name,
            input: spec,
            batch_axis,
            features_output: features,
            logits_output: logits,
            spatial_output: is_inception.then(|| INCEPTION_SPATIAL.into()),
            pooling,
        })
    }

    /// The images that an input takes, where what was said of them fits.
    fn spec(
        &self,
        name: &str,
        input: &ValueInfo,
        file: &ModelFile,
        own: Option<Normalization>,
    ) -> Result<InputSpec, ModelError> {
        let unspecified =
            |what: &str, setting| ModelError::Unspecified { name: name.into(), what: what.into(), setting };
        let not_images = || ModelError::NotImages { name: name.into(), input: input.to_string() };
        let number = number_of(input.element_type).ok_or_else(not_images)?;
        let declared = of_images(input).ok_or_else(not_images)?;
        let from_metadata = file.metadata.get(metadata::INPUT_SIZE).and_then(|size| size.parse().ok());
        // Where only the order of the axes has to be said, it tells where the size is.
        let layout = self.layout.or(declared.map(|(layout, _)| layout));
        let from_shape = layout.and_then(|layout| size_in(input, layout));
        let (width, height) = self
            .size
            .or(from_shape)
            .or(from_metadata.map(|size: u32| (size, size)))
            .ok_or_else(|| unspecified("the size of its input", ModelSetting::Size))?;
        let layout = layout.ok_or_else(|| unspecified("the order of the axes of its input", ModelSetting::Layout))?;
        let channels = match declared {
            Some((of_file, channels)) if of_file == layout => channels,
            _ => Channels::Rgb,
        };
        let normalization = self.normalization(name, file, (channels, number), own)?;
        let spec = InputSpec { width, height, layout, normalization, channels, number };
        let [_, fed @ ..] = spec.shape(1);
        let axes = input.shape.iter().flatten().skip(1);
        if axes.zip(fed).any(|(axis, fed)| axis.extent().is_some_and(|extent| extent != fed)) {
            let setting = if self.size.is_some() && from_shape.is_some() && self.size != from_shape {
                ModelSetting::Size
            } else {
                ModelSetting::Layout
            };
            return Err(ModelError::Shape { name: name.into(), input: input.to_string(), fed, setting });
        }
        Ok(spec)
    }

    /// What was said of the normalisation, or what the file says.
    fn normalization(
        &self,
        name: &str,
        file: &ModelFile,
        (channels, number): (Channels, Number),
        own: Option<Normalization>,
    ) -> Result<Normalization, ModelError> {
        let unnormalized = |takes, what| {
            let setting = if self.mean.is_some() { ModelSetting::Mean } else { ModelSetting::Std };
            ModelError::Unnormalized { name: name.into(), takes, what, setting }
        };
        if number == Number::Uint8 {
            return match self.mean.or(self.std) {
                Some(_) => {
                    Err(unnormalized("bytes", "nothing is normalised, so that mean and std would have no effect"))
                }
                None => Ok(Normalization::uniform(0.0, 1.0)),
            };
        }
        let triple = |key: &str| file.metadata.get(key).and_then(|text| parse_triple(text));
        let missing = |what: &str, setting| ModelError::Unspecified { name: name.into(), what: what.into(), setting };
        let mean = self.mean.or(own.map(|own| own.mean)).or_else(|| triple(metadata::MEAN));
        let std = self.std.or(own.map(|own| own.std)).or_else(|| triple(metadata::STD));
        let mean = mean.ok_or_else(|| missing("its mean", ModelSetting::Mean))?;
        let std = std.ok_or_else(|| missing("its std", ModelSetting::Std))?;
        let even = |values: [f32; 3]| values == [values[0]; 3];
        if mean.iter().chain(&std).any(|value| !value.is_finite()) || std.iter().any(|&value| value <= 0.0) {
            return Err(ModelError::Normalization { name: name.into(), mean, std });
        }
        // Levels as they are have mean 0 and std 1; any other such pair would spread them over hundreds.
        let is_identity = mean == [0.0; 3] && std == [1.0; 3];
        if !is_identity && mean.iter().all(|value| value.abs() <= 1.0) && std.iter().all(|&value| value <= 1.0) {
            return Err(ModelError::Scale { name: name.into(), mean, std });
        }
        if channels == Channels::Gray && !(even(mean) && even(std)) {
            return Err(unnormalized("gray images", "mean and std are one number each"));
        }
        Ok(Normalization { mean, std })
    }

    /// How the features become one row an image.
    fn pooling_of(&self, name: &str, output: &ValueInfo, layout: Layout) -> Result<Option<Pooling>, ModelError> {
        let pooled = |pooling, no_effect| ModelError::Pooling {
            name: name.into(),
            output: output.to_string(),
            pooling,
            no_effect,
        };
        match (declared(output.shape.as_deref(), self.pooling, layout), self.pooling) {
            (Declared::Row, _) => Ok(None),
            (Declared::Pooled(pooling), _) => Ok(Some(pooling)),
            (Declared::NoEffect, Some(pooling)) => Err(pooled(pooling, true)),
            (Declared::Unfit, Some(pooling)) => Err(pooled(pooling, false)),
            (Declared::Unclear | Declared::NoEffect | Declared::Unfit, _) => {
                Err(ModelError::ManyRows { name: name.into(), output: output.to_string() })
            }
        }
    }
}

fn number_of(element_type: ElementType) -> Option<Number> {
    match element_type {
        ElementType::Float32 => Some(Number::Float32),
        ElementType::Float16 => Some(Number::Float16),
        ElementType::Float64 => Some(Number::Float64),
        ElementType::UInt8 => Some(Number::Uint8),
        ElementType::Int64 | ElementType::Other(_) => None,
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

/// Layout and channels of an input, where its shape tells: `Some(None)` where it leaves that open, `None` where it cannot take
/// images.
fn of_images(input: &ValueInfo) -> Option<Option<(Layout, Channels)>> {
    let Some(shape) = input.shape.as_deref() else { return Some(None) };
    let [_, first, _, last] = shape else { return None };
    let are = |axis: &Dimension, channels: Channels| axis.extent() == Some(channels.count());
    let known = [Channels::Rgb, Channels::Gray].into_iter().find_map(|channels| match () {
        () if are(first, channels) => Some((Layout::Nchw, channels)),
        () if are(last, channels) => Some((Layout::Nhwc, channels)),
        () => None,
    });
    match known {
        Some(known) => Some(Some(known)),
        None if first.extent().is_some() && last.extent().is_some() => None,
        None => Some(None),
    }
}

/// Width and height where the shape of an input of that layout fixes them.
fn size_in(input: &ValueInfo, layout: Layout) -> Option<(u32, u32)> {
    let fixed = |dimension: &Dimension| dimension.extent().and_then(|extent| u32::try_from(extent).ok());
    match (input.shape.as_deref()?, layout) {
        ([_, _, height, width], Layout::Nchw) | ([_, height, width, _], Layout::Nhwc) => {
            fixed(width).zip(fixed(height))
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
    fn reads_layout_channels_and_size_from_the_shape() {
        let of = |extents: &[i64]| {
            let dimension = |&extent: &i64| match extent {
                0 => Dimension::Unknown,
                extent => Dimension::Fixed(extent),
            };
            let mut value = values(&["images"]).remove(0);
            value.shape = Some(extents.iter().map(dimension).collect());
            let size = |layout| size_in(&value, layout);
            of_images(&value).map(|known| known.map(|(layout, channels)| (layout, channels, size(layout))))
        };
        assert_eq!(of(&[0, 3, 20, 30]), Some(Some((Layout::Nchw, Channels::Rgb, Some((30, 20))))));
        assert_eq!(of(&[1, 20, 30, 3]), Some(Some((Layout::Nhwc, Channels::Rgb, Some((30, 20))))));
        assert_eq!(of(&[0, 3, 0, 0]), Some(Some((Layout::Nchw, Channels::Rgb, None))));
        assert_eq!(of(&[0, 1, 20, 30]), Some(Some((Layout::Nchw, Channels::Gray, Some((30, 20))))));
        assert_eq!(of(&[0, 28, 28, 1]), Some(Some((Layout::Nhwc, Channels::Gray, Some((28, 28))))));
        assert_eq!(of(&[0, 0, 0, 0]), Some(None));
        assert_eq!(of(&[0, 4, 20, 30]), None);
        assert_eq!(of(&[0, 768]), None);
    }

    #[test]
    fn numbers_for_one_or_three_channels() {
        assert_eq!(parse_triple("127.5"), Some([127.5; 3]));
        assert_eq!(parse_triple("1, 2,3"), Some([1.0, 2.0, 3.0]));
        for text in ["", "1,2", "1,2,3,4", "x"] {
            assert_eq!(parse_triple(text), None, "{text}");
        }
    }
}
