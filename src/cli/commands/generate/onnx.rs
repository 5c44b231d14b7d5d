//! Images drawn from a generator in an ONNX file, for scores.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::error::{Blame, Blamed};
use crate::evaluate::{Continue, PassObserver};
use crate::extractor::{GeneratorFile, ImageShape, OnnxGenerator, parse_range};
use crate::gan::train::{Latent, sampling_stream};
use crate::report::{GeneratorReport, SetReport};
use clap::Args;
use ndarray::ArrayView2;
use tempfile::TempDir;

use super::Interrupted;
use super::array::{ArrayFile, Shape};
use crate::cli::args::ScoringArgs;
use crate::cli::output::OutputError;
use crate::cli::plan::network_options;
use crate::cli::progress::Progress;

/// A generator in place of a set of images.
#[derive(Debug, Args)]
pub struct OnnxGeneratorArgs {
    /// ONNX generator that makes the second set: latents N×length or N×length×1×1 to images N×channels×height×width.
    #[arg(long, value_name = "FILE", help_heading = "Generator")]
    pub generator: Option<PathBuf>,
    /// Distribution and length of its latents: normal:100 or uniform:100 [default: as the file says].
    #[arg(long, value_name = "LATENT", requires = "generator", value_parser = latent, help_heading = "Generator")]
    pub latent: Option<LatentArg>,
    /// Number of images to generate.
    #[arg(short = 'n', long, value_name = "N", default_value = "10000", requires = "generator")]
    #[arg(value_parser = clap::value_parser!(u32).range(2..), help_heading = "Generator")]
    pub images: u32,
    /// Seed of the latents: the same seed gives the same images, those of `generate` from the same weights.
    #[arg(long, default_value_t = 0, requires = "generator", help_heading = "Generator")]
    pub seed: u64,
    /// Values that it puts out for black and for white [default: as the file says, else -1,1].
    #[arg(long, value_name = "BLACK,WHITE", requires = "generator", allow_hyphen_values = true, value_parser = range)]
    #[arg(help_heading = "Generator")]
    pub pixel_range: Option<[f32; 2]>,
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

fn range(text: &str) -> Result<[f32; 2], String> {
    parse_range(text).ok_or_else(|| "expected two numbers that differ, such as -1,1 or 0,1".into())
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

/// Generated images in a temporary file, and how they came about.
pub struct GeneratedSet {
    /// Removed with everything in it when the set is no longer needed.
    folder: TempDir,
    generator: PathBuf,
    report: GeneratorReport,
}

impl GeneratedSet {
    /// The array file that the images are in. It carries the name of the generator, by which its images are called.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join(self.generator.file_name().unwrap_or_default())
    }

    /// Says in a report where the set came from.
    pub fn describe(self, set: &mut SetReport) {
        set.path = self.generator;
        set.kind = "generator".into();
        set.generator = Some(self.report);
    }
}

impl OnnxGeneratorArgs {
    /// The images, if a generator was named; `scoring` says what runs it.
    pub fn images(&self, scoring: &ScoringArgs) -> Result<Option<GeneratedSet>> {
        let Some(path) = &self.generator else { return Ok(None) };
        let latent_length = self.latent.and_then(|latent| latent.length);
        let file = GeneratorFile { path: path.clone(), latent_length, pixel_range: self.pixel_range };
        let mut generator = OnnxGenerator::load(&file, &network_options(&scoring.extract))?;
        let distribution = self.distribution(path, &generator)?;
        let failure = |source| OutputError::at(&std::env::temp_dir(), source);
        let folder = tempfile::Builder::new().prefix("gan-metrics-").tempdir().map_err(failure)?;
        let report = GeneratorReport {
            sha256: generator.sha256().into(),
            latent: format!("{distribution}:{}", generator.latent_length()),
            seed: self.seed,
            pixel_range: generator.pixel_range(),
            engine: generator.engine().clone(),
        };
        let set = GeneratedSet { folder, generator: path.clone(), report };
        self.write(&set.path(), &mut generator, distribution, scoring.output.quiet)?;
        Ok(Some(set))
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

    /// Writes the images into an array file, a batch at a time.
    fn write(&self, to: &Path, generator: &mut OnnxGenerator, distribution: Latent, quiet: bool) -> Result<()> {
        /// Images made at once, between two looks at Ctrl-C.
        const BATCH: usize = 64;
        let (total, length) = (self.images as usize, generator.latent_length());
        let ImageShape { channels, height, width } = generator.shape();
        let mut random = sampling_stream(self.seed);
        let mut progress = Progress::new(format!("{}: images", to.file_name().unwrap_or_default().display()), quiet);
        ArrayFile::write(to, Shape { images: total, channels, height, width }, |file| {
            for start in (0..total).step_by(BATCH) {
                let count = BATCH.min(total - start);
                let latents = distribution.numbers(length, count, &mut random);
                let latents = ArrayView2::from_shape((count, length), &latents).expect("as many as were drawn");
                file.push(&generator.images(latents)?)?;
                if progress.images_done(start + count, total) == Continue::No {
                    return Err(Interrupted { done: start + count, total }.into());
                }
            }
            Ok(())
        })
    }
}
