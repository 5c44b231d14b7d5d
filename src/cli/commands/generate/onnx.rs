//! Images drawn from a generator in an ONNX file, for scores.

use std::path::{Path, PathBuf};

use clap::Args;
use ndarray::ArrayView2;

use super::Interrupted;
use super::array::{ArrayFile, Shape};
use crate::cli::args::ExtractArgs;
use crate::cli::numbers::{seed, whole};
use crate::error::{Blame, Blamed};
use crate::evaluate::{GeneratedImages, GeneratorReport, Judged, PassObserver, SetGenerator};
use crate::extractor::{GeneratorFile, ImageShape, OnnxGenerator};
use crate::gan::Random;
use crate::gan::train::{Latent, label_stream, sampling_stream};
use crate::image::DataSet;
use crate::output::TemporaryFolder;
use crate::{Interrupt, Result};

/// A generator in place of a set of images.
#[derive(Debug, Clone, Args)]
pub struct OnnxGeneratorArgs {
    /// ONNX generator that makes the generated images: latents N×length or N×length×1×1 (and labels) to images
    /// N×channels×height×width or N×height×width×channels.
    #[arg(long, value_name = "FILE", help_heading = "Generator")]
    pub generator: Option<PathBuf>,
    /// Distribution and length of its latents: normal:100 or uniform:100 [default: as the file says].
    #[arg(long, value_name = "LATENT", value_parser = latent, help_heading = "Generator")]
    pub latent: Option<LatentArg>,
    /// Number of images to generate [default: 10000].
    #[arg(short = 'n', long, value_name = "N", value_parser = whole(1..=u32::MAX))]
    #[arg(help_heading = "Generator")]
    pub images: Option<u32>,
    /// Seed of the latents: the same seed gives the same images, those of `generate` from the same weights [default: 0].
    #[arg(long, value_name = "SEED", value_parser = seed, help_heading = "Generator")]
    pub latent_seed: Option<u64>,
    /// Number of classes of a generator that takes labels beside its latents: labels are drawn from all of them alike
    /// [default: as the file says].
    #[arg(long, value_name = "N", value_parser = whole(1..=u16::MAX), help_heading = "Generator")]
    pub generator_classes: Option<u16>,
}

/// A distribution of latents, and how long they are where the file leaves that open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatentArg {
    distribution: Latent,
    length: Option<usize>,
}

fn latent(text: &str) -> Result<LatentArg, String> {
    let (distribution, length) = match text.split_once(':') {
        None => (text, None),
        Some((distribution, length)) => (distribution, Some(length)),
    };
    let positive = |length: &str| length.parse().ok().filter(|&length: &usize| length > 0);
    let length = match length {
        None => None,
        Some(text) => Some(positive(text).ok_or("expected a length such as 100 behind the colon: normal:100")?),
    };
    let distribution = distribution.parse().map_err(|error| format!("{error}"))?;
    Ok(LatentArg { distribution, length })
}

/// The file does not say what its latents are drawn from.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} does not say what its latents are drawn from{}: give it with --latent, normal:{length} or uniform:{length}",
    path.display(), found.as_ref().map_or(String::new(), |found| format!(" (`{found}` is not known)"))
)]
struct UnknownLatent {
    path: PathBuf,
    found: Option<String>,
    length: usize,
}

impl Blamed for UnknownLatent {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Generator flags that do not go together.
#[derive(Debug, thiserror::Error)]
enum FlagError {
    #[error("{flag} would have no effect: it is for --generator, which was not given")]
    Unused { flag: &'static str },
    #[error("the generated images are given twice, by {} and by --generator: drop one of them", .0.display())]
    Twice(PathBuf),
}

impl Blamed for FlagError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Images made at once, between two looks at Ctrl-C.
const BATCH: usize = 64;
/// Images where nothing is said.
const IMAGES: u32 = 10_000;

impl OnnxGeneratorArgs {
    /// Refuses whatever is said of a generator, where there is none.
    pub fn refuse(&self) -> Result<()> {
        let others = [
            ("--latent", self.latent.is_some()),
            ("--images", self.images.is_some()),
            ("--latent-seed", self.latent_seed.is_some()),
            ("--generator-classes", self.generator_classes.is_some()),
        ];
        match others.iter().find(|(_, given)| *given) {
            Some(&(flag, _)) => Err(FlagError::Unused { flag }.into()),
            None => Ok(()),
        }
    }

    /// The set that is judged: at a path, or to be made by a generator, which `extract` says how to run, and whose black and white are
    /// `pixel_range`.
    pub fn judged(&self, path: Option<&Path>, extract: &ExtractArgs, pixel_range: Option<[f32; 2]>) -> Result<Judged> {
        let Some(file) = &self.generator else {
            self.refuse()?;
            let path = path.expect("one of both is there, as the arguments require");
            return Ok(Judged::Path(path.to_owned()));
        };
        if let Some(path) = path {
            return Err(FlagError::Twice(path.to_owned()).into());
        }
        let latent_length = self.latent.and_then(|latent| latent.length);
        let classes = self.generator_classes.map(Into::into);
        let described = GeneratorFile { path: file.clone(), latent_length, pixel_range, classes };
        let generator = OnnxGenerator::load(&described, &extract.options())?;
        let distribution = self.distribution(file, &generator)?;
        let (images, seed) = (self.images.unwrap_or(IMAGES), self.latent_seed.unwrap_or_default());
        Ok(Judged::Generated(Box::new(OnnxSet { file: file.clone(), generator, distribution, images, seed })))
    }

    /// What latents are drawn from: as asked for, or as the file says.
    fn distribution(&self, path: &Path, generator: &OnnxGenerator) -> Result<Latent, UnknownLatent> {
        let found = generator.distribution();
        let named = found.and_then(|name| name.parse().ok());
        self.latent.map(|latent| latent.distribution).or(named).ok_or_else(|| UnknownLatent {
            path: path.into(),
            found: found.map(String::from),
            length: generator.latent_length(),
        })
    }
}

/// Images that a generator in an ONNX file will make.
struct OnnxSet {
    file: PathBuf,
    generator: OnnxGenerator,
    distribution: Latent,
    images: u32,
    seed: u64,
}

impl SetGenerator for OnnxSet {
    fn path(&self) -> &Path {
        &self.file
    }

    fn images(&self) -> usize {
        self.images as usize
    }

    /// A temporary array file, a batch at a time. It carries the name of the generator, by which its images are called.
    fn generate(&mut self, observer: &mut dyn PassObserver, interrupt: &Interrupt) -> Result<GeneratedImages> {
        let name = self.file.file_name().unwrap_or_default().to_owned();
        let folder = TemporaryFolder::new()?;
        let path = folder.path().join(&name);
        let total = self.images();
        let mut random = [sampling_stream(self.seed), label_stream(self.seed)];
        observer.begins(&format!("{}: images", name.display()), total);
        interrupt.check().map_err(|_| Interrupted { done: 0, total })?;
        // The size of the images, which a file may leave open, is known after the first batch.
        let first = self.batch(BATCH.min(total), &mut random)?;
        let ImageShape { channels, height, width } = self.generator.shape().expect("there are images");
        ArrayFile::write(&path, Shape { images: total, channels, height, width }, |file| {
            file.push(&first)?;
            observer.images_done(BATCH.min(total), total);
            for start in (0..total).step_by(BATCH).skip(1) {
                if interrupt.is_requested() {
                    return Err(Interrupted { done: start, total }.into());
                }
                let count = BATCH.min(total - start);
                file.push(&self.batch(count, &mut random)?)?;
                observer.images_done(start + count, total);
            }
            Ok(())
        })?;
        let report = GeneratorReport {
            sha256: self.generator.sha256().into(),
            latent: format!("{}:{}", self.distribution, self.generator.latent_length()),
            seed: self.seed,
            classes: self.generator.classes(),
            pixel_range: self.generator.pixel_range(),
            pixel_range_source: self.generator.range_source(),
            values: self.generator.values().expect("there are images"),
            batch_dependence: self.generator.batch_dependence(),
            engine: self.generator.engine().clone(),
        };
        Ok(GeneratedImages { images: DataSet::open_with(&path, interrupt)?, report, guard: Box::new(folder) })
    }
}

impl OnnxSet {
    /// The next images.
    fn batch(&mut self, count: usize, [latents, labels]: &mut [Random; 2]) -> Result<Vec<u8>> {
        let length = self.generator.latent_length();
        let latents = self.distribution.numbers(length, count, latents);
        let latents = ArrayView2::from_shape((count, length), &latents).expect("as many as were drawn");
        let labels: Vec<usize> = match self.generator.classes() {
            Some(classes) => (0..count).map(|_| labels.below(classes)).collect(),
            None => Vec::new(),
        };
        Ok(self.generator.images(latents, &labels)?)
    }
}
