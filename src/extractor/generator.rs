//! An image generator in an ONNX file, run by the same engines as extractors: latents in, images out.

use std::path::PathBuf;

use ndarray::{Array2, ArrayView2, Axis, s};

use super::engine::{Engine, EngineError, EngineInfo, Fed, Program, ShortBatches, USUAL_BATCH};
use super::finite;
use super::model::{BatchAxis, ModelError, read_onnx};
use super::network::{NetworkOptions, engine};
use super::pooling::{Pooling, rows as rows_of};
use super::weights::onnx::{Dimension, ModelFile, ValueInfo};
use crate::digest::sha256;
use crate::error::{Blame, Blamed};
use crate::image::level;
use crate::stats::Features;

/// Metadata that generators written by this crate carry.
mod metadata {
    /// Distribution of the latents: `normal` or `uniform`.
    pub const LATENT: &str = "latent";
    /// Values of black and of white, separated by a comma.
    pub const PIXEL_RANGE: &str = "pixel_range";
}

/// Outputs that usually hold the images, where a generator has several.
const USUAL_OUTPUTS: [&str; 4] = ["images", "image", "output", "sample"];

/// Values of black and of white of a generator that ends in a hyperbolic tangent, as most do.
const USUAL_RANGE: [f32; 2] = [-1.0, 1.0];

/// Why a generator cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GeneratorError {
    /// The file cannot be read, or lacks something that was asked for.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine does not run it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// It takes more than a latent.
    #[error("{name} takes {} inputs ({}): only generators of one latent and nothing else can be run", inputs.len(), inputs.join(", "))]
    Inputs {
        /// Name of the file.
        name: String,
        /// What it takes.
        inputs: Vec<String>,
    },
    /// The length of the latent is not known, or is not that of the file.
    #[error("{name} takes a latent `{input}`{}: its length has to be given", asked(wanted))]
    Latent {
        /// Name of the file.
        name: String,
        /// The input as the file describes it.
        input: String,
        /// Length asked for.
        wanted: Option<usize>,
    },
    /// None of several outputs goes by a usual name.
    #[error("{name} has the outputs {}: export it with the one that holds the images called `images`", outputs.join(", "))]
    Outputs {
        /// Name of the file.
        name: String,
        /// Names of its outputs.
        outputs: Vec<String>,
    },
    /// The output is not a batch of images.
    #[error(
        "{name} outputs `{output}`, which is not a batch of images N×1×height×width or N×3×height×width: export it with \
         the channels second, and height and width fixed"
    )]
    Images {
        /// Name of the file.
        name: String,
        /// The output as the file describes it.
        output: String,
    },
}

fn asked(wanted: &Option<usize>) -> String {
    wanted.map_or(String::new(), |length| format!(", not {length} numbers"))
}

impl Blamed for GeneratorError {
    fn blame(&self) -> Blame {
        match self {
            GeneratorError::Model(error) => error.blame(),
            GeneratorError::Engine(error) => error.blame(),
            GeneratorError::Latent { .. } => Blame::Input,
            GeneratorError::Inputs { .. } | GeneratorError::Outputs { .. } | GeneratorError::Images { .. } => {
                Blame::Model
            }
        }
    }
}

/// A generator file, and what it may not say itself.
#[derive(Debug, Clone, Default)]
pub struct GeneratorFile {
    /// Path of the ONNX file: one input of N×length or N×length×1×1, images N×channels×height×width.
    pub path: PathBuf,
    /// Numbers of a latent; `None`: as the shape of the input says.
    pub latent_length: Option<usize>,
    /// Values of black and of white; `None`: as the metadata entry `pixel_range` says, else −1 and 1.
    pub pixel_range: Option<[f32; 2]>,
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

/// A generator ready to run at a fixed batch size.
pub struct OnnxGenerator {
    engine: Box<dyn Engine>,
    batch_size: usize,
    latent_shape: Vec<usize>,
    output: String,
    shape: ImageShape,
    pixel_range: [f32; 2],
    distribution: Option<String>,
    sha256: String,
}

impl OnnxGenerator {
    /// Reads a generator and readies it to run as `options` say. A file for batches of one size is run at that size.
    ///
    /// # Errors
    /// [`GeneratorError`] when the file is not a generator of images from one latent, or no engine runs it.
    pub fn load(file: &GeneratorFile, options: &NetworkOptions) -> Result<Self, GeneratorError> {
        let onnx = read_onnx(&file.path)?;
        let outside =
            ModelFile::from_bytes(&onnx).map_err(|source| ModelError::Onnx { path: file.path.clone(), source })?;
        let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let [input] = &outside.inputs[..] else {
            let inputs = outside.inputs.iter().map(ToString::to_string).collect();
            return Err(GeneratorError::Inputs { name, inputs });
        };
        let latent_shape = latent_shape(input, file.latent_length).ok_or_else(|| GeneratorError::Latent {
            name: name.clone(),
            input: input.to_string(),
            wanted: file.latent_length,
        })?;
        let output = images_among(&outside.outputs).ok_or_else(|| GeneratorError::Outputs {
            name: name.clone(),
            outputs: outside.outputs.iter().map(|output| output.name.clone()).collect(),
        })?;
        let shape = image_shape(output)
            .ok_or_else(|| GeneratorError::Images { name: name.clone(), output: output.to_string() })?;
        let range = outside.metadata.get(metadata::PIXEL_RANGE).and_then(|text| parse_range(text));
        let fixed_batch = input.fixed_batch();
        let batch_size = fixed_batch.or(options.batch_size).unwrap_or(USUAL_BATCH);
        let batch_axis = fixed_batch.map_or(BatchAxis::Open, BatchAxis::Fixed);
        let inputs = [Fed { name: &input.name, item: &latent_shape }];
        let program = Program { onnx: &onnx, inputs: &inputs, batch_axis };
        Ok(Self {
            engine: engine(program, &[&output.name], batch_size, options)?,
            batch_size,
            output: output.name.clone(),
            shape,
            pixel_range: file.pixel_range.or(range).unwrap_or(USUAL_RANGE),
            distribution: outside.metadata.get(metadata::LATENT).cloned(),
            sha256: sha256(&onnx),
            latent_shape,
        })
    }

    /// Numbers of a latent.
    pub fn latent_length(&self) -> usize {
        self.latent_shape.iter().product()
    }

    /// Distribution of the latents that the file names: `normal` or `uniform` where this crate wrote it.
    pub fn distribution(&self) -> Option<&str> {
        self.distribution.as_deref()
    }

    /// Size of the images.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// Values of black and of white.
    pub fn pixel_range(&self) -> [f32; 2] {
        self.pixel_range
    }

    /// SHA-256 of the file, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What runs it, and where.
    pub fn engine(&self) -> &EngineInfo {
        self.engine.info()
    }

    /// The images of some latents, one a row, as bytes N×channels×height×width: black to 0, white to 255, rounded to the
    /// nearest, what lies outside clipped. They do not depend on how latents are cut into batches, but for the rounding
    /// of the last bits.
    ///
    /// # Errors
    /// [`EngineError`] when the engine fails, or outputs values that are not finite.
    ///
    /// # Panics
    /// When the latents are not of [`Self::latent_length`].
    pub fn images(&mut self, latents: ArrayView2<'_, f32>) -> Result<Vec<u8>, EngineError> {
        assert_eq!(latents.ncols(), self.latent_length(), "numbers of a latent");
        let mut bytes = Vec::new();
        let mut batch = Array2::zeros((self.batch_size, latents.ncols()));
        for chunk in latents.axis_chunks_iter(Axis(0), self.batch_size) {
            batch.slice_mut(s![..chunk.nrows(), ..]).assign(&chunk);
            let rows = match self.engine.short_batches() {
                ShortBatches::AsTheyAre => chunk.nrows(),
                // The rest of the last batch holds latents of the one before; their images are dropped.
                ShortBatches::Padded => self.batch_size,
            };
            let shape = [&[rows], &self.latent_shape[..]].concat();
            let view = batch.slice(s![..rows, ..]).into_shape_with_order(shape).expect("the same numbers");
            let output = self.engine.run(&[view.into_dyn()])?.remove(0);
            let output = rows_of(Some(Pooling::Flatten), &self.output, output)?;
            let images = finite(&self.output, output.slice_move(s![..chunk.nrows(), ..]), Features::new)?;
            bytes.extend(images.view().iter().map(|&value| level(value, self.pixel_range)));
        }
        Ok(bytes)
    }
}

/// The only output, or the first that goes by a usual name.
fn images_among(outputs: &[ValueInfo]) -> Option<&ValueInfo> {
    match outputs {
        [only] => Some(only),
        _ => USUAL_OUTPUTS.iter().find_map(|name| outputs.iter().find(|output| output.name == *name)),
    }
}

/// Shape of a latent behind the axis of the batch: what the file says, or, where it leaves the length open, what is wanted.
fn latent_shape(input: &ValueInfo, wanted: Option<usize>) -> Option<Vec<usize>> {
    let shape: Vec<usize> = match &input.shape.as_deref()?.get(1..)? {
        [length] => vec![length.extent().or(wanted)?],
        [length, height, width] => {
            vec![length.extent().or(wanted)?, height.extent().unwrap_or(1), width.extent().unwrap_or(1)]
        }
        other => other.iter().map(Dimension::extent).collect::<Option<_>>()?,
    };
    let length: usize = shape.iter().product();
    (length > 0 && wanted.is_none_or(|wanted| wanted == length)).then_some(shape)
}

fn image_shape(output: &ValueInfo) -> Option<ImageShape> {
    let [_, channels, height, width] = output.shape.as_deref()? else { return None };
    let shape = ImageShape { channels: channels.extent()?, height: height.extent()?, width: width.extent()? };
    [1, 3].contains(&shape.channels).then_some(shape)
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
    use crate::extractor::weights::onnx::ElementType;

    /// A value of these extents; zero stands for one that is not known.
    fn value(extents: &[i64]) -> ValueInfo {
        let dimension = |&extent: &i64| if extent == 0 { Dimension::Unknown } else { Dimension::Fixed(extent) };
        let shape = Some(extents.iter().map(dimension).collect());
        ValueInfo { name: "z".into(), element_type: ElementType::Float32, shape }
    }

    #[test]
    fn the_length_of_a_latent_is_that_of_the_file_or_the_one_given() {
        let shape = |extents: &[i64], wanted| latent_shape(&value(extents), wanted);
        assert_eq!(shape(&[0, 100], None), Some(vec![100]));
        assert_eq!(shape(&[0, 100, 1, 1], Some(100)), Some(vec![100, 1, 1]));
        assert_eq!(shape(&[0, 0], Some(64)), Some(vec![64]));
        assert_eq!(shape(&[0, 0, 0, 0], Some(64)), Some(vec![64, 1, 1]));
        assert_eq!(shape(&[0, 18, 512], None), Some(vec![18, 512]));
        for (extents, wanted) in [(&[0, 100][..], Some(64)), (&[0, 0], None), (&[0, -1], None), (&[0, 0, 7], Some(7))] {
            assert_eq!(shape(extents, wanted), None, "{extents:?}");
        }
    }

    #[test]
    fn images_are_the_only_output_or_go_by_a_usual_name() {
        let outputs = |names: &[&str]| -> Vec<ValueInfo> {
            names.iter().map(|&name| ValueInfo { name: name.into(), ..value(&[0, 3, 8, 8]) }).collect()
        };
        let chosen = |names: &[&str]| images_among(&outputs(names)).map(|output| output.name.clone());
        assert_eq!(chosen(&["x"]).as_deref(), Some("x"));
        assert_eq!(chosen(&["x", "sample", "image"]).as_deref(), Some("image"));
        assert_eq!((chosen(&["x", "y"]), chosen(&[])), (None, None));
    }

    #[test]
    fn images_have_one_or_three_channels_and_a_fixed_size() {
        let expected = ImageShape { channels: 3, height: 20, width: 30 };
        assert_eq!(image_shape(&value(&[0, 3, 20, 30])), Some(expected));
        for extents in [&[0, 20, 30, 3][..], &[0, 3, 0, 0], &[0, 3, 20], &[0, 2, 20, 30]] {
            assert_eq!(image_shape(&value(extents)), None, "{extents:?}");
        }
        assert_eq!((value(&[8, 100]).fixed_batch(), value(&[0, 100]).fixed_batch()), (Some(8), None));
    }

    #[test]
    fn ranges_have_two_ends() {
        assert_eq!(parse_range("-1,1"), Some([-1.0, 1.0]));
        assert_eq!(parse_range("255, 0"), Some([255.0, 0.0]));
        for text in ["", "1", "1,1", "0,inf", "0,1,2", "a,b"] {
            assert_eq!(parse_range(text), None, "{text}");
        }
    }
}
