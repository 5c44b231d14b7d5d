//! An image generator in an ONNX file, run by the same engines as extractors: latents in, images out.

mod described;
mod error;

use std::path::PathBuf;

use ndarray::{Array2, ArrayD, ArrayView2, Axis, s};
use serde::Serialize;

use self::described::{Labels, image_layout, image_shape, images_among, inputs_of, latent_shape};
use super::engine::{Engine, EngineError, EngineInfo, Fed, Program, ShortBatches, USUAL_BATCH};
use super::input::Layout;
use super::model::{BatchAxis, ModelError, check_size, read_onnx};
use super::network::{NetworkOptions, engine};
use super::probe::dependence;
use super::weights::onnx::{ElementType, ModelFile, TrainingMode, in_training_mode, with_float32_edges};
use crate::digest::sha256;
use crate::image::level;
use crate::stats::FeaturesError;
pub use error::OnnxGeneratorError;

/// Metadata that generators written by this crate carry.
mod metadata {
    /// Distribution of the latents: `normal` or `uniform`.
    pub const LATENT: &str = "latent";
    /// Values of black and of white, separated by a comma.
    pub const PIXEL_RANGE: &str = "pixel_range";
    /// That its labels are a code: the number of categories and that of numbers, separated by a comma.
    pub const CODE: &str = "code";
}

/// Values of black and of white of a generator that ends in a hyperbolic tangent, as most do.
const USUAL_RANGE: [f32; 2] = [-1.0, 1.0];

/// Values of black and of white where bytes are pixels as they are.
const BYTES: [f32; 2] = [0.0, 255.0];

/// A generator file, and what it may not say itself.
#[derive(Debug, Clone, Default)]
pub struct GeneratorFile {
    /// Path of the ONNX file: latents of N×length or N×length×1×1, images N×channels×height×width or N×height×width×channels.
    /// Weights that it keeps in other files are read from its folder.
    pub path: PathBuf,
    /// Numbers of a latent; `None`: as the shape of the input says.
    pub latent_length: Option<usize>,
    /// Values of black and of white; `None`: those of bytes where it outputs bytes, else as the metadata entry `pixel_range`
    /// says, else −1 and 1.
    pub pixel_range: Option<[f32; 2]>,
    /// Number of classes, of a generator that takes labels; `None`: as the shape of the input says, where it does.
    pub classes: Option<usize>,
}

/// Size of generated images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageShape {
    /// 1 or 3.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

/// Where the values of black and of white come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RangeSource {
    /// They were given.
    Given,
    /// The metadata of the file.
    File,
    /// The generator outputs bytes, which are pixels as they are.
    Bytes,
    /// Nothing says: they are those of most generators.
    Assumed,
}

/// A generator ready to run at a fixed batch size.
pub struct OnnxGenerator {
    engine: Box<dyn Engine>,
    name: String,
    batch_size: usize,
    latent_shape: Vec<usize>,
    labels: Option<(Labels, usize)>,
    output: String,
    layout: Option<Layout>,
    shape: Option<ImageShape>,
    pixel_range: [f32; 2],
    range_source: RangeSource,
    values: Option<[f32; 2]>,
    is_probed: bool,
    batch_dependence: Option<f64>,
    distribution: Option<String>,
    sha256: String,
}

impl OnnxGenerator {
    /// Reads a generator and readies it to run as `options` say. A file for batches of one size is run at that size.
    ///
    /// # Errors
    /// [`OnnxGeneratorError`] when the file is not a generator of images from one latent, and labels beside it, or no engine runs it.
    pub fn load(file: &GeneratorFile, options: &NetworkOptions) -> Result<Self, OnnxGeneratorError> {
        let onnx = read_onnx(&file.path)?;
        let described = |source| ModelError::Onnx { path: file.path.clone(), source };
        let outside = ModelFile::from_bytes(&onnx).map_err(described)?;
        let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (latent, labels_input) = inputs_of(&outside.inputs).ok_or_else(|| OnnxGeneratorError::Inputs {
            name: name.clone(),
            inputs: outside.inputs.iter().map(ToString::to_string).collect(),
        })?;
        if let Some(code) = outside.metadata.get(metadata::CODE) {
            return Err(OnnxGeneratorError::Code { name, code: code.clone() });
        }
        let latent_shape = latent_shape(latent, file.latent_length).ok_or_else(|| OnnxGeneratorError::Latent {
            name: name.clone(),
            input: latent.to_string(),
            wanted: file.latent_length,
        })?;
        let labels = match labels_input {
            None if file.classes.is_some() => return Err(OnnxGeneratorError::NoLabels { name }),
            None => None,
            Some(input) => Some(Labels::of(input, file.classes).ok_or_else(|| OnnxGeneratorError::Classes {
                name: name.clone(),
                input: input.to_string(),
                wanted: file.classes,
            })?),
        };
        let output = images_among(&outside.outputs).ok_or_else(|| OnnxGeneratorError::Outputs {
            name: name.clone(),
            outputs: outside.outputs.iter().map(|output| output.name.clone()).collect(),
        })?;
        let layout = image_layout(output)
            .ok_or_else(|| OnnxGeneratorError::Images { name: name.clone(), output: output.to_string() })?;
        if let Some(TrainingMode { operator, node }) = in_training_mode(&onnx, &[&output.name]).map_err(described)? {
            return Err(ModelError::TrainingMode { name, operator, node }.into());
        }
        let of_file = outside.metadata.get(metadata::PIXEL_RANGE).map(|text| {
            parse_range(text).ok_or_else(|| OnnxGeneratorError::Range { name: name.clone(), text: text.clone() })
        });
        let (pixel_range, range_source) = match (output.element_type, file.pixel_range, of_file) {
            (ElementType::UInt8, Some(_), _) => return Err(OnnxGeneratorError::Bytes { name }),
            (ElementType::UInt8, None, _) => (BYTES, RangeSource::Bytes),
            (_, Some(given), _) => (given, RangeSource::Given),
            (_, None, Some(of_file)) => (of_file?, RangeSource::File),
            (_, None, None) => (USUAL_RANGE, RangeSource::Assumed),
        };
        let fixed_batch = latent.fixed_batch();
        check_size(&name, latent, fixed_batch.unwrap_or(1), &latent_shape)?;
        let batch_size = fixed_batch.or(options.batch_size).unwrap_or(USUAL_BATCH);
        let batch_axis = fixed_batch.map_or(BatchAxis::Open, BatchAxis::Fixed);
        let label_shape = labels.map(|(labels, classes)| labels.item(classes));
        let mut inputs = vec![Fed { name: &latent.name, item: &latent_shape }];
        if let (Some(input), Some(item)) = (labels_input, &label_shape) {
            inputs.push(Fed { name: &input.name, item });
        }
        let sha256 = sha256(&onnx);
        let names: Vec<&str> = inputs.iter().map(|input| input.name).chain([&*output.name]).collect();
        let onnx = with_float32_edges(onnx, &names).map_err(described)?;
        let program = Program { onnx: &onnx, inputs: &inputs, batch_axis };
        Ok(Self {
            engine: engine(program, &[&output.name], batch_size, options)?,
            name,
            batch_size,
            labels,
            output: output.name.clone(),
            layout,
            shape: layout.and_then(|layout| image_shape(output, layout)),
            pixel_range,
            range_source,
            values: None,
            is_probed: false,
            batch_dependence: None,
            distribution: outside.metadata.get(metadata::LATENT).cloned(),
            sha256,
            latent_shape,
        })
    }

    /// Numbers of a latent.
    pub fn latent_length(&self) -> usize {
        self.latent_shape.iter().product()
    }

    /// Number of classes, of a generator that takes labels.
    pub fn classes(&self) -> Option<usize> {
        self.labels.map(|(_, classes)| classes)
    }

    /// Distribution of the latents that the file names: `normal` or `uniform` where this crate wrote it.
    pub fn distribution(&self) -> Option<&str> {
        self.distribution.as_deref()
    }

    /// Size of the images; where the file leaves it open, `None` until there are some.
    pub fn shape(&self) -> Option<ImageShape> {
        self.shape
    }

    /// Values of black and of white.
    pub fn pixel_range(&self) -> [f32; 2] {
        self.pixel_range
    }

    /// Where these come from.
    pub fn range_source(&self) -> RangeSource {
        self.range_source
    }

    /// The least and the greatest value that it has output so far; `None` before the first.
    pub fn values(&self) -> Option<[f32; 2]> {
        self.values
    }

    /// By how much, relative to its length, the first image differed when its latent was in all places of the first batch: what is beyond
    /// rounding shows a generator that looks at a batch as a whole, or adds noise of its own. `None` of any other, and before the first
    /// batch of several.
    pub fn batch_dependence(&self) -> Option<f64> {
        self.batch_dependence
    }

    /// SHA-256 of the file and of the weights beside it, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What runs it, and where.
    pub fn engine(&self) -> &EngineInfo {
        self.engine.info()
    }

    /// The images of some latents, one a row, as bytes N×channels×height×width: black to 0, white to 255, rounded to the
    /// nearest, what lies outside clipped. They do not depend on how latents are cut into batches, but for the rounding
    /// of the last bits. There is a label for each latent where the generator takes labels, and none otherwise.
    ///
    /// # Errors
    /// [`OnnxGeneratorError`] when the engine fails, outputs values that are not finite, or no images of one size.
    ///
    /// # Panics
    /// When the latents are not of [`Self::latent_length`], or the labels not as many, or not below [`Self::classes`].
    pub fn images(&mut self, latents: ArrayView2<'_, f32>, labels: &[usize]) -> Result<Vec<u8>, OnnxGeneratorError> {
        assert_eq!(latents.ncols(), self.latent_length(), "numbers of a latent");
        assert_eq!(labels.len(), self.labels.map_or(0, |_| latents.nrows()), "labels of latents");
        let mut bytes = Vec::new();
        let mut batch = Array2::zeros((self.batch_size, latents.ncols()));
        let mut of_batch = vec![0; self.batch_size];
        for (index, chunk) in latents.axis_chunks_iter(Axis(0), self.batch_size).enumerate() {
            batch.slice_mut(s![..chunk.nrows(), ..]).assign(&chunk);
            let rows = match self.engine.short_batches() {
                ShortBatches::AsTheyAre => chunk.nrows(),
                // The rest of the last batch holds latents of the one before; their images are dropped.
                ShortBatches::Padded => self.batch_size,
            };
            let shape = [&[rows], &self.latent_shape[..]].concat();
            let latents = batch.slice(s![..rows, ..]).into_shape_with_order(shape).expect("the same numbers");
            let mut inputs = vec![latents.into_dyn()];
            let fed = match self.labels {
                None => None,
                Some((kind, classes)) => {
                    let given = labels[index * self.batch_size..].iter().take(chunk.nrows());
                    of_batch.iter_mut().zip(given).for_each(|(to, &label)| *to = label);
                    assert!(of_batch.iter().all(|&label| label < classes), "labels below the number of classes");
                    let fed = of_batch[..rows].iter().flat_map(|&label| kind.fed(label, classes)).collect();
                    let shape = [&[rows], &kind.item(classes)[..]].concat();
                    Some(ArrayD::from_shape_vec(shape, fed).expect("as many as the shape has"))
                }
            };
            inputs.extend(fed.as_ref().map(|labels| labels.view()));
            let output = self.engine.run(&inputs)?;
            if !self.is_probed && rows > 1 {
                self.is_probed = true;
                let dependence = dependence(&mut *self.engine, &inputs, &output)?;
                self.batch_dependence = dependence.map(|(_, relative)| relative);
            }
            let mut images = output.into_iter().next().expect("an engine returns every output asked for");
            images.slice_axis_inplace(Axis(0), (..chunk.nrows()).into());
            self.take(images, &mut bytes)?;
        }
        Ok(bytes)
    }

    /// Appends images as they come to those that are bytes.
    fn take(&mut self, images: ArrayD<f32>, bytes: &mut Vec<u8>) -> Result<(), OnnxGeneratorError> {
        let axes = images.shape()[1..].to_vec();
        // What the file leaves open, the first images tell.
        let layouts = self.layout.map_or(vec![Layout::Nchw, Layout::Nhwc], |layout| vec![layout]);
        let found = layouts.into_iter().find_map(|layout| Some((layout, ImageShape::of(&axes, layout)?)));
        let (layout, shape) = found.ok_or_else(|| OnnxGeneratorError::Images {
            name: self.name.clone(),
            output: format!("{}: {:?}", self.output, images.shape()),
        })?;
        let first = *self.shape.get_or_insert(shape);
        if first != shape {
            let list = |shape: ImageShape| [shape.channels, shape.height, shape.width];
            let (first, got) = (list(first), list(shape));
            return Err(OnnxGeneratorError::Size { output: self.output.clone(), first, got });
        }
        self.layout = Some(layout);
        let pixels: usize = axes.iter().product();
        for (index, &value) in images.iter().enumerate() {
            if !value.is_finite() {
                let source = FeaturesError::NotFinite { row: index / pixels, column: index % pixels, value };
                return Err(EngineError::Output { output: self.output.clone(), source }.into());
            }
            let [least, greatest] = self.values.get_or_insert([value; 2]);
            (*least, *greatest) = (least.min(value), greatest.max(value));
        }
        let planar = match layout {
            Layout::Nchw => images.view(),
            Layout::Nhwc => images.view().permuted_axes(&[0, 3, 1, 2][..]),
        };
        bytes.extend(planar.iter().map(|&value| level(value, self.pixel_range)));
        Ok(())
    }
}

/// Values of black and of white, separated by a comma; they differ.
pub fn parse_range(text: &str) -> Option<[f32; 2]> {
    let (black, white) = text.split_once(',')?;
    let number = |text: &str| text.trim().parse().ok().filter(|value: &f32| value.is_finite());
    let range = [number(black)?, number(white)?];
    (range[0] != range[1]).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_two_ends() {
        assert_eq!(parse_range("-1,1"), Some([-1.0, 1.0]));
        assert_eq!(parse_range("255, 0"), Some([255.0, 0.0]));
        for text in ["", "1", "1,1", "0,inf", "0,1,2", "a,b"] {
            assert_eq!(parse_range(text), None, "{text}");
        }
    }
}
