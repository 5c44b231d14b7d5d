//! FID of the generator on the way, against the images that it learns from.

use std::path::Path;

use gan_metrics::Result;
use gan_metrics::evaluate::{self, Collector, Continue, PassObserver};
use gan_metrics::extractor::{FeatureExtractor, NetworkExtractor, NetworkOptions};
use gan_metrics::gan::train::{ImageSampler, Trainer, TrainingSet};
use gan_metrics::image::DataSet;
use gan_metrics::metrics::fid;
use gan_metrics::stats::Gaussian;

use super::WatchArgs;
use crate::cli::commands::generate::{ArrayFile, Shape};
use crate::cli::output::OutputError;
use crate::cli::plan::NetworkPlan;
use crate::cli::progress::was_interrupted;

/// A network in use, and the statistics of the training data.
pub struct Scorer {
    every: u64,
    images: usize,
    plan: NetworkPlan,
    extractor: NetworkExtractor,
    real: Gaussian,
}

impl Scorer {
    /// Starts the network and runs the training data through it, as the generator is taught to make them.
    pub fn new(args: &WatchArgs, every: u64, data: &TrainingSet) -> Result<Self> {
        let options = NetworkOptions {
            engine: args.engine.into(),
            device: args.device,
            threads: args.threads.map(Into::into),
            library: args.ort_library.clone(),
            ..NetworkOptions::default()
        };
        let plan = NetworkPlan::named(args.score_extractor, options)?;
        let mut extractor = plan.start()?;
        let shape = Shape::squares(data.len(), data.channels(), data.size());
        let real = statistics(&plan, &mut extractor, shape, |file| file.push(data.samples()))?;
        Ok(Self { every, images: args.score_images as usize, plan, extractor, real })
    }

    /// Whether the generator is scored after this step.
    pub fn is_due(&self, step: u64) -> bool {
        step.is_multiple_of(self.every)
    }

    /// What runs the network, in words.
    pub fn engine(&self) -> String {
        let info = self.extractor.info();
        format!("{} on {}", info.name, info.engine.name)
    }

    /// FID of fresh images, the same noise at every call.
    pub fn fid(&mut self, trainer: &Trainer) -> Result<f64> {
        /// Images made at once: their activations must fit into memory.
        const BATCH: usize = 64;
        let config = trainer.config();
        let (networks, generator) = (config.networks.clone(), trainer.generator().clone());
        let shape = Shape::squares(self.images, networks.channels(), networks.size());
        let mut sampler = ImageSampler::new(networks, generator, config.latent, config.seed);
        let fake = statistics(&self.plan, &mut self.extractor, shape, |file| {
            let mut left = shape.images;
            while left > 0 {
                let count = left.min(BATCH);
                file.push(&sampler.next(count)?)?;
                left -= count;
            }
            Ok(())
        })?;
        Ok(fid(&self.real, &fake)?.value)
    }
}

/// Nothing is shown, and Ctrl-C is heeded.
struct Silent;

impl PassObserver for Silent {
    fn images_done(&mut self, _: usize, _: usize) -> Continue {
        if was_interrupted() { Continue::No } else { Continue::Yes }
    }
}

/// The statistics of images that go through a temporary array file, so that a score in training is the score that
/// `gan-metrics fid` gives to the same images.
fn statistics(
    plan: &NetworkPlan,
    extractor: &mut NetworkExtractor,
    shape: Shape,
    fill: impl FnOnce(&mut ArrayFile<'_>) -> Result<()>,
) -> Result<Gaussian> {
    let file = tempfile::Builder::new().prefix("gan-metrics-").suffix(".npy").tempfile();
    let file = file.map_err(|source| OutputError::at(&std::env::temp_dir(), source))?;
    let path: &Path = file.path();
    ArrayFile::write(path, shape, fill)?;
    let mut collector = Collector::of_statistics();
    evaluate::run(&DataSet::open(path)?, extractor, plan.pass, &mut collector, &mut Silent)?;
    Ok(collector.gaussian()?)
}
