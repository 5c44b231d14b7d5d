//! Scores of the generator on the way, against the data that it learns from.

use std::path::PathBuf;

use ndarray::ArrayView4;

use super::WatchArgs;
use super::point_scores::PointScores;
use super::points;
use crate::Result;
use crate::cli::args::{EngineArg, first_given};
use crate::cli::{progress, terminal};
use crate::evaluate::{Evaluator, ModelChoice, NetworkChoice, NetworkPlan};
use crate::extractor::{Device, ExtractorId, NetworkOptions};
use crate::gan::train::{ImageSampler, Trained, Trainer, TrainingSet};
use crate::image::ImageArray;
use crate::metrics::{Counts, Set};
use crate::score::{AskedIntervals, Definitions, Need, Offer, Plan, Preset, ScoreNumber, Selection};

/// What scores a generator, and when.
pub struct Scorer {
    every: u64,
    scores: Scores,
}

/// Of images, or of points.
enum Scores {
    Images(Box<ImageScores>),
    Points(PointScores),
}

impl Scorer {
    /// Readies the scores; `paths` are where the data came from.
    pub fn new(args: &WatchArgs, every: u64, data: &TrainingSet, paths: &[PathBuf]) -> Result<Self> {
        let scores = match data.shape() {
            [_] => {
                let flags = [
                    ("--scores", args.scores.is_some()),
                    ("--score-extractor", args.score_extractor.is_some()),
                    ("--engine", args.engine.is_some()),
                    ("--device", args.device.is_some()),
                    ("--ort-library", args.ort_library.is_some()),
                ];
                first_given(&flags, "it is for scores of images, and points have their own")?;
                let distribution = points::distribution(paths)?;
                Scores::Points(PointScores::new(data, distribution, args.score_images as usize))
            }
            _ => Scores::Images(Box::new(ImageScores::new(&Wanted::of(args, data.len()), data)?)),
        };
        Ok(Self { every, scores })
    }

    /// What is computed, in the order of [`Self::score`].
    pub fn names(&self) -> Vec<String> {
        match &self.scores {
            Scores::Images(scores) => scores.numbers().iter().map(ToString::to_string).collect(),
            Scores::Points(scores) => scores.names().iter().map(ToString::to_string).collect(),
        }
    }

    /// Whether the generator is scored after this step.
    pub fn is_due(&self, step: u64) -> bool {
        step.is_multiple_of(self.every)
    }

    /// Scores of fresh samples, of the same noise at every call. One that fails is `None`, and a warning: it must not end the
    /// training.
    pub fn score(&mut self, trainer: &Trainer) -> Result<Vec<Option<f64>>> {
        let (trained, seed) = (trainer.trained()?, trainer.config().seed);
        match &mut self.scores {
            Scores::Images(scores) => scores.score(trained, seed),
            Scores::Points(scores) => scores.score(trained, seed),
        }
    }
}

/// What is to be computed of images, and by what.
pub struct Wanted {
    /// The scores.
    pub scores: Vec<ScoreNumber>,
    /// Images that are generated for them.
    pub images: usize,
    /// The network.
    pub extractor: ExtractorId,
    /// What runs it.
    pub options: NetworkOptions,
    /// No progress, no warnings.
    pub quiet: bool,
}

impl Wanted {
    /// Where nothing is said, the Fréchet distance, and where that is cheap the coverage, by which lost modes are noticed.
    fn of(args: &WatchArgs, real: usize) -> Self {
        /// Real images between all of which distances are computed within seconds.
        const CHEAP: usize = 5_000;
        /// Of fewer, a nearest neighbour says nothing.
        const FEWEST: usize = 20;
        let is_cheap = (FEWEST..=CHEAP).contains(&real) && args.score_images as usize >= FEWEST;
        let standard = if is_cheap { &["fid", "coverage"][..] } else { &["fid"] };
        let standard = || standard.iter().map(|name| name.parse().expect("a score of the list")).collect();
        Wanted {
            scores: args.scores.clone().unwrap_or_else(standard),
            images: args.score_images as usize,
            extractor: args.score_extractor.unwrap_or(ExtractorId::EfficientNetLite0),
            options: NetworkOptions {
                engine: args.engine.unwrap_or(EngineArg::Auto).into(),
                device: args.device.unwrap_or(Device::Auto),
                threads: args.threads.map(Into::into),
                library: args.ort_library.clone(),
                ..NetworkOptions::default()
            },
            quiet: args.quiet,
        }
    }
}

/// A network in use, what is known of the real images, and what to compute of both.
pub struct ImageScores {
    images: usize,
    numbers: Vec<ScoreNumber>,
    evaluator: Evaluator,
    quiet: bool,
}

impl ImageScores {
    /// Starts the network and runs the training data through it, as the generator is taught to make them. A score that
    /// cannot be computed is told now, not after hours of training.
    pub fn new(wanted: &Wanted, data: &TrainingSet) -> Result<Self> {
        let preset = Preset::default();
        let model = ModelChoice::Known(wanted.extractor, None);
        let options = wanted.options.clone();
        let mut network = NetworkPlan::new(&NetworkChoice { model, options, ..NetworkChoice::of(preset) })?;
        let images = wanted.images;
        let mut numbers: Vec<ScoreNumber> = Vec::new();
        for &number in &wanted.scores {
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        let selection = Selection::named(numbers.iter().map(|number| number.metric()));
        let offer = Offer {
            has_real: true,
            counts: Counts { real: Some(data.len()), fake: Some(images) },
            has: &|_, need| need != Need::Labels && network.offers(need),
            apart: &|_| false,
        };
        let request = Plan::new(&selection, Definitions::of(preset), AskedIntervals::None, &offer)?.request;
        if Set::BOTH.into_iter().any(|set| request.needs(set).contains(&Need::Spatial)) {
            network.want_spatial();
        }
        let interrupt = progress::interrupt();
        let mut evaluator = Evaluator::with_network(network.start()?, request).with_interrupt(interrupt);
        if !wanted.quiet {
            let info = evaluator.network().info();
            // Before the work: on a slow engine the pass over the training images alone takes many minutes.
            let (name, engine) = (&info.name, &info.engine);
            terminal::say(&format!(
                "scores by {name} on {} {}, against all {} training images",
                engine.name,
                engine.version,
                data.len()
            ));
        }
        if numbers.iter().any(|number| number.metric().about().compares()) {
            evaluator = evaluator.with_reference_images(&planar(data.bytes(), data.shape()), None)?;
        }
        Ok(Self { images, numbers, evaluator, quiet: wanted.quiet })
    }

    /// What is computed, in the order of [`Self::score`].
    pub fn numbers(&self) -> &[ScoreNumber] {
        &self.numbers
    }

    /// Scores of fresh images of a seed.
    pub fn score(&mut self, trained: Trained, seed: u64) -> Result<Vec<Option<f64>>> {
        /// Images made at once: their activations must fit into memory.
        const BATCH: usize = 64;
        let shape = trained.config.networks.image();
        let mut sampler = ImageSampler::new(trained, seed);
        self.evaluator.reset(Set::Fake);
        let mut left = self.images;
        while left > 0 {
            progress::interrupt().check()?;
            let count = left.min(BATCH);
            self.evaluator.update(Set::Fake, &planar(&sampler.next(count)?, &shape))?;
            left -= count;
        }
        self.compute()
    }

    /// Scores of given images, bytes of N×C×H×W.
    pub fn score_images(&mut self, images: &[u8], shape: &[usize]) -> Result<Vec<Option<f64>>> {
        self.evaluator.reset(Set::Fake);
        self.evaluator.update(Set::Fake, &planar(images, shape))?;
        self.compute()
    }

    fn compute(&mut self) -> Result<Vec<Option<f64>>> {
        let scores = self.evaluator.compute()?;
        for failure in scores.failed().iter().filter(|_| !self.quiet) {
            terminal::say(&format!("warning: {} could not be computed: {}", failure.metric, failure.error));
        }
        Ok(self.numbers.iter().map(|&number| scores.value(number)).collect())
    }
}

/// Images of bytes, N×C×H×W.
fn planar<'a>(samples: &'a [u8], shape: &[usize]) -> ImageArray<'a> {
    let image: usize = shape.iter().product();
    let shape = (samples.len() / image, shape[0], shape[1], shape[2]);
    let view = ArrayView4::from_shape(shape, samples).expect("whole images");
    ImageArray::nchw(view).expect("one channel or three")
}
