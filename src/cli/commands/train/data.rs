//! Images as the networks see them: square, of one size, gray or RGB; or points, as they are.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::Result;
use crate::error::{Blame, Blamed};
use crate::evaluate::class_names;
use crate::gan::GanError;
use crate::gan::models::{ModelEntry, ModelSpec};
use crate::gan::train::TrainingSet;
use crate::image::{DataSet, DataSetError, Reading, ResizeMode, Resizer, RgbImage};
use clap::Args;
use rayon::prelude::*;

use super::points;
use crate::cli::args::{first_given, parse_pixel_range};
use crate::cli::progress;

/// Images for a trained model.
#[derive(Debug, Args)]
pub struct DataArgs {
    /// Images: folder, .zip, .tar, .npz, .npy or IDX file, compressed or not; repeat the flag for several sets.
    #[arg(long, value_name = "IMAGES", required = true)]
    pub data: Vec<PathBuf>,
    /// Values of black and white in arrays of floating-point numbers, such as 0,1.
    #[arg(long, value_name = "BLACK,WHITE", allow_hyphen_values = true, value_parser = parse_pixel_range)]
    pub pixel_range: Option<[f32; 2]>,
}

impl DataArgs {
    /// The images as a trained model sees them.
    pub fn load(&self, networks: &ModelSpec, classes: Classes) -> Result<TrainingSet> {
        Images { paths: &self.data, pixel_range: self.pixel_range, classes }.load_for(networks)
    }
}

/// Stopped before the first step.
#[derive(Debug, thiserror::Error)]
#[error("interrupted while reading the images of {}", path.display())]
struct Interrupted {
    path: PathBuf,
}

impl Blamed for Interrupted {
    fn blame(&self) -> Blame {
        Blame::Interrupted
    }
}

/// What to read.
#[derive(Debug, Clone, Copy)]
pub struct Images<'a> {
    /// The sets.
    pub paths: &'a [PathBuf],
    /// Values of black and white, where they are floating-point numbers.
    pub pixel_range: Option<[f32; 2]>,
    /// What is to be known of their classes.
    pub classes: Classes,
}

/// What is to be known of the classes of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Classes {
    /// Nothing.
    Unwanted,
    /// What the data tell.
    Welcome,
    /// The same; where a file should tell them and does not, what is wrong with it.
    Needed,
}

impl Classes {
    /// For a model to learn from.
    pub fn to_train(entry: &ModelEntry) -> Self {
        if entry.is_labelled() { Classes::Needed } else { Classes::Unwanted }
    }
}

impl Images<'_> {
    /// What a model has sizes for: images as [`load`] reads them, or points.
    pub fn load_for(self, networks: &ModelSpec) -> Result<TrainingSet> {
        match networks.entry().takes_points() {
            true => self.load_points(),
            false => load(self, networks.size, Some(networks.channels)),
        }
    }

    /// Points, which have neither black nor white.
    pub fn load_points(self) -> Result<TrainingSet> {
        first_given(
            &[("--pixel-range", self.pixel_range.is_some())],
            "it is for images, and points are taken as they are",
        )?;
        points::load(self.paths)
    }
}

/// Built-in points for a model of images.
#[derive(Debug, thiserror::Error)]
#[error("{} are points, and this model takes images: name the data of images, or choose --model points", .0.display())]
struct Points(PathBuf);

impl Blamed for Points {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Reads all images of some sets.
///
/// Images are cropped to the square in their middle and resized as Pillow's bicubic filter does, antialiased. Without a
/// number of channels, they are gray where every image is.
pub fn load(images: Images<'_>, size: usize, channels: Option<usize>) -> Result<TrainingSet> {
    let Images { paths, pixel_range, classes: wanted } = images;
    if let Some(path) = paths.iter().find(|path| points::is_built_in(path)) {
        return Err(Points(path.clone()).into());
    }
    let interrupt = progress::interrupt();
    let reading = Reading { pixel_range, ..Reading::default() };
    let open = |path: &PathBuf| DataSet::open_as(path, &reading, &interrupt);
    let sets: Vec<DataSet> = paths.iter().map(open).collect::<Result<_, _>>()?;
    let unused = pixel_range.is_some() && !sets.iter().any(DataSet::is_float);
    first_given(&[("--pixel-range", unused)], "it is for images that are floating-point numbers, and none was given")?;
    // Decoded images have three channels until it is known whether all are gray.
    TrainingSet::check_memory(sets.iter().map(DataSet::len).sum(), 3, size)?;
    let side = u32::try_from(size).unwrap_or(u32::MAX);
    let resizer = Resizer::new(ResizeMode::Clean, side, side)?;
    let mut images: Vec<Vec<u8>> = Vec::new();
    let mut classes: Option<Vec<String>> = Some(Vec::new());
    for set in &sets {
        let load = |resizer: &mut Resizer, index| -> Result<Vec<u8>> {
            interrupt.check().map_err(|_| Interrupted { path: set.path().to_owned() })?;
            Ok(planes(&set.load(index)?, resizer))
        };
        let squares: Result<Vec<Vec<u8>>> = (0..set.len()).into_par_iter().map_init(|| resizer.clone(), load).collect();
        images.extend(squares?);
        let of_set = class_names(set);
        if let (Classes::Needed, None, Some(reason)) = (wanted, &of_set, set.untold_classes()) {
            return Err(DataSetError::NoClasses { path: set.path().to_owned(), reason: reason.to_owned() }.into());
        }
        classes = classes.and_then(|all| Some([all, of_set?].concat()));
    }
    let plane = size * size;
    let is_gray = |image: &Vec<u8>| image[..plane] == image[plane..2 * plane] && image[..plane] == image[2 * plane..];
    let channels = channels.unwrap_or_else(|| if images.par_iter().all(is_gray) { 1 } else { 3 });
    let samples = match channels {
        1 => images.into_iter().flat_map(|image| luma(&image, plane)).collect(),
        _ => images.into_iter().flatten().collect(),
    };
    let data = TrainingSet::new(channels, size, samples)?;
    match classes {
        Some(classes) if wanted != Classes::Unwanted => Ok(with_classes(data, &classes)?),
        _ => Ok(data),
    }
}

/// The same images, each with its class among all in alphabetical order; numbers go by their size.
fn with_classes(data: TrainingSet, of_images: &[String]) -> Result<TrainingSet, GanError> {
    let by_size = |class: &String| (class.parse::<u64>().unwrap_or(u64::MAX), class.clone());
    let mut names: Vec<String> = of_images.to_vec();
    names.sort_by_cached_key(by_size);
    names.dedup();
    let places: HashMap<&String, u32> = names.iter().zip(0..).collect();
    let indices = of_images.iter().map(|class| places[class]).collect();
    data.with_classes(names.clone(), indices)
}

/// Three planes of bytes.
fn planes(image: &RgbImage, resizer: &mut Resizer) -> Vec<u8> {
    let mut values = vec![0.0; resizer.output_len()];
    resizer.resize(&square(image), &mut values).expect("the buffer has the resizer's length");
    values.into_iter().map(|value| value.round() as u8).collect()
}

/// The largest square in the middle.
fn square(image: &RgbImage) -> RgbImage {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let side = width.min(height);
    let (left, top) = ((width - side) / 2, (height - side) / 2);
    let row = |y: usize| &image.pixels()[3 * ((top + y) * width + left)..][..3 * side];
    let pixels = (0..side).flat_map(row).copied().collect();
    RgbImage::new(side as u32, side as u32, pixels).expect("a square of an image is an image")
}

/// Gray levels by the weights of ITU-R BT.601, rounded as Pillow rounds them; gray pixels keep their level.
fn luma(image: &[u8], plane: usize) -> Vec<u8> {
    let weighted = |i: usize| {
        let [r, g, b] = [0, 1, 2].map(|channel| u32::from(image[channel * plane + i]));
        ((19_595 * r + 38_470 * g + 7_471 * b + 0x8000) >> 16) as u8
    };
    (0..plane).map(weighted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_cut_from_the_middle() {
        let wide = RgbImage::from_gray(4, 2, &[0, 1, 2, 3, 4, 5, 6, 7]).unwrap();
        let cut = square(&wide);
        assert_eq!((cut.width(), cut.height()), (2, 2));
        let grays: Vec<u8> = cut.pixels().iter().step_by(3).copied().collect();
        assert_eq!(grays, [1, 2, 5, 6]);
    }

    #[test]
    fn classes_go_by_their_numbers() {
        let data = TrainingSet::new(1, 1, vec![0; 4]).unwrap();
        let of_images = ["10", "9", "x", "9"].map(String::from);
        assert_eq!(with_classes(data, &of_images).unwrap().class_names().unwrap(), ["9", "10", "x"]);
    }

    #[test]
    fn gray_pixels_keep_their_level() {
        let levels: Vec<u8> = (0..=255).collect();
        assert_eq!(luma(&levels.repeat(3), 256), levels);
        // Pure red, green and blue, as Pillow converts them.
        assert_eq!(luma(&[255, 0, 0, 0, 255, 0, 0, 0, 255], 3), [76, 150, 29]);
    }
}
