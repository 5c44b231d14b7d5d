//! Scores of the generator on the way, against the images that it learns from.

use ndarray::ArrayView4;

use super::WatchArgs;
use crate::Result;
use crate::cli::{progress, terminal};
use crate::evaluate::{Evaluator, ModelChoice, NetworkChoice, NetworkPlan};
use crate::extractor::NetworkOptions;
use crate::gan::train::{ImageSampler, Trainer, TrainingSet};
use crate::image::ImageArray;
use crate::metrics::{Counts, Set};
use crate::score::{AskedIntervals, Definitions, Need, Offer, Plan, Preset, ScoreNumber, Selection};

/// A network in use, what is known of the training data, and what to compute of both.
pub struct Scorer {
    every: u64,
    images: usize,
    numbers: Vec<ScoreNumber>,
    evaluator: Evaluator,
    quiet: bool,
}

impl Scorer {
    /// Starts the network and runs the training data through it, as the generator is taught to make them. A score that
    /// cannot be computed is told now, not after hours of training.
    pub fn new(args: &WatchArgs, every: u64, data: &TrainingSet) -> Result<Self> {
        let preset = Preset::default();
        let options = NetworkOptions {
            engine: args.engine.into(),
            device: args.device,
            threads: args.threads.map(Into::into),
            library: args.ort_library.clone(),
            ..NetworkOptions::default()
        };
        let model = ModelChoice::Known(args.score_extractor, None);
        let mut network = NetworkPlan::new(&NetworkChoice { model, options, ..NetworkChoice::of(preset) })?;
        let images = args.score_images as usize;
        let mut numbers: Vec<ScoreNumber> = Vec::new();
        for &number in &args.scores {
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
        if !args.quiet {
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
            let real = planar(data.samples(), data.channels(), data.size());
            evaluator = evaluator.with_reference_images(&real, None)?;
        }
        Ok(Self { every, images, numbers, evaluator, quiet: args.quiet })
    }

    /// What is computed, in the order of [`Self::score`].
    pub fn numbers(&self) -> &[ScoreNumber] {
        &self.numbers
    }

    /// Whether the generator is scored after this step.
    pub fn is_due(&self, step: u64) -> bool {
        step.is_multiple_of(self.every)
    }

    /// Scores of fresh images, of the same noise at every call. One that fails is `None`, and a warning: it must not end the
    /// training.
    pub fn score(&mut self, trainer: &Trainer) -> Result<Vec<Option<f64>>> {
        /// Images made at once: their activations must fit into memory.
        const BATCH: usize = 64;
        let config = trainer.config();
        let (channels, size) = (config.networks.channels, config.networks.size);
        let mut sampler = ImageSampler::new(trainer.trained()?, config.seed);
        self.evaluator.reset(Set::Fake);
        let mut left = self.images;
        while left > 0 {
            progress::interrupt().check()?;
            let count = left.min(BATCH);
            self.evaluator.update(Set::Fake, &planar(&sampler.next(count)?, channels, size))?;
            left -= count;
        }
        let scores = self.evaluator.compute()?;
        for failure in scores.failed().iter().filter(|_| !self.quiet) {
            terminal::say(&format!("warning: {} could not be computed: {}", failure.metric, failure.error));
        }
        Ok(self.numbers.iter().map(|&number| scores.value(number)).collect())
    }
}

/// Square images of bytes, N×channels×size×size.
fn planar(samples: &[u8], channels: usize, size: usize) -> ImageArray<'_> {
    let shape = (samples.len() / (channels * size * size), channels, size, size);
    let view = ArrayView4::from_shape(shape, samples).expect("whole images");
    ImageArray::nchw(view).expect("one channel or three")
}
