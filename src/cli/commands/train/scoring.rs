//! Scores of the generator on the way, against the images that it learns from.

use std::collections::BTreeSet;
use std::path::Path;

use crate::Result;
use crate::extractor::{FeatureExtractor, NetworkOptions, SpatialFeatures};
use crate::gan::train::{ImageSampler, Trainer, TrainingSet};
use crate::image::DataSet;
use crate::metrics::Set;
use crate::score::{Definitions, Metric, Need, Preset, Quantity, Request, SetData, score};

use super::WatchArgs;
use crate::cli::commands::generate::{ArrayFile, Shape};
use crate::cli::measure::{Running, Verbosity, measure_streaming};
use crate::cli::output::OutputError;
use crate::cli::plan::NetworkPlan;
use crate::cli::{progress, terminal};

/// A network in use, what is known of the training data, and what to compute of both.
pub struct Scorer {
    every: u64,
    images: usize,
    quantities: Vec<Quantity>,
    request: Request,
    running: Running,
    real: SetData,
}

impl Scorer {
    /// Starts the network and runs the training data through it, as the generator is taught to make them. A score that
    /// cannot be computed is told now, not after hours of training.
    pub fn new(args: &WatchArgs, every: u64, data: &TrainingSet) -> Result<Self> {
        let options = NetworkOptions {
            engine: args.engine.into(),
            device: args.device,
            threads: args.threads.map(Into::into),
            library: args.ort_library.clone(),
            ..NetworkOptions::default()
        };
        let mut plan = NetworkPlan::named(args.score_extractor, options)?;
        let images = args.score_images as usize;
        let mut quantities: Vec<Quantity> = Vec::new();
        for &quantity in &args.scores {
            if !quantities.contains(&quantity) {
                quantities.push(quantity);
            }
        }
        let request = Request {
            metrics: quantities.iter().map(|quantity| quantity.metric()).collect(),
            definitions: Definitions::of(Preset::default()),
            intervals: None,
        };
        for set in [Set::Real, Set::Fake] {
            let missing = |&metric: &Metric| metric.missing(set, |need| plan.offers(need));
            if let Some(error) = request.metrics.iter().find_map(missing) {
                return Err(error.into());
            }
            if request.needs(set).contains(&Need::Spatial) {
                plan.network.spatial = SpatialFeatures::Wanted;
            }
        }
        if request.metrics.contains(&Metric::Kid) {
            request.definitions.kid.check(data.len(), images)?;
        }
        let mut running = Running::start(plan)?;
        if !args.quiet {
            // Before the work: on a slow engine the pass over the training images alone takes many minutes.
            let info = running.extractor.info();
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
                measure(&mut running, &needs, shape, |file| file.push(data.samples()))?
            }
        };
        Ok(Self { every, images, quantities, request, running, real })
    }

    /// What is computed, in the order of [`Self::score`].
    pub fn quantities(&self) -> &[Quantity] {
        &self.quantities
    }

    /// Whether the generator is scored after this step.
    pub fn is_due(&self, step: u64) -> bool {
        step.is_multiple_of(self.every)
    }

    /// Scores of fresh images, of the same noise at every call.
    pub fn score(&mut self, trainer: &Trainer) -> Result<Vec<f64>> {
        /// Images made at once: their activations must fit into memory.
        const BATCH: usize = 64;
        let config = trainer.config();
        let (networks, generator) = (config.networks.clone(), trainer.generator().clone());
        let shape = Shape::squares(self.images, networks.channels(), networks.size());
        let mut sampler = ImageSampler::new(networks, generator, config.latent, config.seed);
        let interrupt = progress::interrupt();
        let fake = measure(&mut self.running, &self.request.needs(Set::Fake), shape, |file| {
            let mut left = shape.images;
            while left > 0 {
                interrupt.check()?;
                let count = left.min(BATCH);
                file.push(&sampler.next(count)?)?;
                left -= count;
            }
            Ok(())
        })?;
        let scores = score(&self.request, Some(&self.real), &fake)?;
        let value = |quantity: &Quantity| quantity.of(&scores).expect("the request has the score of each quantity");
        Ok(self.quantities.iter().map(value).collect())
    }
}

/// What scores need of images that go through a temporary array file, so that a score in training is the score that
/// `gan-metrics score` gives to the same images.
fn measure(
    running: &mut Running,
    needs: &BTreeSet<Need>,
    shape: Shape,
    fill: impl FnOnce(&mut ArrayFile<'_>) -> Result<()>,
) -> Result<SetData> {
    let file = tempfile::Builder::new().prefix("gan-metrics-").suffix(".npy").tempfile();
    let file = file.map_err(|source| OutputError::at(&std::env::temp_dir(), source))?;
    let path: &Path = file.path();
    ArrayFile::write(path, shape, fill)?;
    Ok(measure_streaming(&DataSet::open(path)?, running, needs, Verbosity::Quiet)?.data)
}
