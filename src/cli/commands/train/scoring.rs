//! Scores of the generator on the way, against the images that it learns from.

use std::collections::BTreeSet;

use super::WatchArgs;
use crate::Result;
use crate::cli::commands::generate::{ArrayFile, Shape};
use crate::cli::{progress, terminal};
use crate::evaluate::{Caching, Measurer, ModelChoice, NetworkChoice, NetworkPlan};
use crate::extractor::NetworkOptions;
use crate::gan::train::{ImageSampler, Trainer, TrainingSet};
use crate::image::DataSet;
use crate::metrics::{Counts, Set};
use crate::output::TemporaryFolder;
use crate::score::{Definitions, Need, Offer, Plan, Preset, Request, ScoreNumber, Selection, SetData, score};

/// A network in use, what is known of the training data, and what to compute of both.
pub struct Scorer {
    every: u64,
    images: usize,
    numbers: Vec<ScoreNumber>,
    request: Request,
    measurer: Measurer,
    real: SetData,
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
        };
        let request = Plan::new(&selection, Definitions::of(preset), None, &offer)?.request;
        if Set::BOTH.into_iter().any(|set| request.needs(set).contains(&Need::Spatial)) {
            network.want_spatial();
        }
        let mut measurer = Measurer::start(Some(network), Caching::parts(None))?;
        if let Some(info) = measurer.info().filter(|_| !args.quiet) {
            // Before the work: on a slow engine the pass over the training images alone takes many minutes.
            let (name, engine) = (&info.name, &info.engine);
            terminal::say(&format!(
                "scores by {name} on {} {}, against all {} training images",
                engine.name,
                engine.version,
                data.len()
            ));
        }
        let needs = request.needs(Set::Real);
        let real = match needs.is_empty() {
            true => SetData::default(),
            false => {
                let shape = Shape::squares(data.len(), data.channels(), data.size());
                measure(&mut measurer, &needs, shape, |file| file.push(data.samples()))?
            }
        };
        Ok(Self { every, images, numbers, request, measurer, real, quiet: args.quiet })
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
        let (networks, generator) = (config.networks.clone(), trainer.generator().clone());
        let shape = Shape::squares(self.images, networks.channels(), networks.size());
        let mut sampler = ImageSampler::new(networks, generator, config.latent, config.seed);
        let interrupt = progress::interrupt();
        let fake = measure(&mut self.measurer, &self.request.needs(Set::Fake), shape, |file| {
            let mut left = shape.images;
            while left > 0 {
                interrupt.check()?;
                let count = left.min(BATCH);
                file.push(&sampler.next(count)?)?;
                left -= count;
            }
            Ok(())
        })?;
        let scores = score(&self.request, Some(&self.real), &fake, &interrupt)?;
        for failure in scores.failed().iter().filter(|_| !self.quiet) {
            terminal::say(&format!("warning: {} could not be computed: {}", failure.metric, failure.error));
        }
        Ok(self.numbers.iter().map(|&number| scores.value(number)).collect())
    }
}

/// What scores need of images that go through a temporary array file, so that a score in training is the score that
/// `gan-metrics score` gives to the same images.
fn measure(
    measurer: &mut Measurer,
    needs: &BTreeSet<Need>,
    shape: Shape,
    fill: impl FnOnce(&mut ArrayFile<'_>) -> Result<()>,
) -> Result<SetData> {
    let folder = TemporaryFolder::new()?;
    let path = folder.path().join("images.npy");
    ArrayFile::write(&path, shape, fill)?;
    let interrupt = progress::interrupt();
    let images = DataSet::open_with(&path, &interrupt)?;
    Ok(measurer.measure_streaming(&images, needs, &mut (), &interrupt)?.data)
}
