//! `gan-metrics stats IMAGES -o FILE`

use std::path::PathBuf;

use super::shards;
use crate::cli::args::{NoEffect, StatsArgs, first_given};
use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::cli::progress::{self, Progress};
use crate::error::{Blame, Blamed};
use crate::evaluate::{Accumulator, Caching, Input, Measurer, NetworkPlan};
use crate::metrics::Sets;
use crate::output::Outputs;
use crate::report::{escaped_for_terminals, warnings_of_set};
use crate::score::{Need, Preset};
use crate::stats::{MomentsError, StatsFile};
use crate::{Error, Result};

/// A shard is of images.
#[derive(Debug, thiserror::Error)]
#[error("--shard would have no effect: {} holds no images but what was measured of some", .0.display())]
struct NotImages(PathBuf);

/// A file holds statistics beside images, and what was asked for is of the images.
#[derive(Debug, thiserror::Error)]
#[error("{} holds statistics, which are taken as they are: give its images alone with --array {array} ({flag})", path.display())]
struct StatisticsAlready {
    path: PathBuf,
    array: String,
    flag: NoEffect,
}

impl Blamed for StatisticsAlready {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

impl Blamed for NotImages {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Writes the statistics of a set.
pub fn run(args: &StatsArgs) -> Result<Outcome> {
    args.extract.check()?;
    args.cache.check()?;
    let logits = [("--logits-output", args.extract.logits_output.is_some())];
    first_given(&logits, "statistics are of the features alone")?;
    if args.shard.is_some() {
        shards::check(&args.output, &args.cache)?;
    }
    let inputs = args.extract.inputs().chain([args.images.as_path()]);
    let output = Outputs::beside(inputs).claim(&args.output)?;
    let interrupt = progress::interrupt();
    let mut input = Input::open_as(&args.images, &args.reading.reading(&args.extract), &interrupt)?;
    args.reading.check_array([args.images.as_path()].into_iter())?;
    args.reading.check_range([&input].into_iter())?;
    args.reading.check_num([&input].into_iter())?;
    let needs = [Need::Statistics].into();
    let network = if input.needs_network(&needs) {
        let mut network = NetworkPlan::new(&args.extract.choice(Preset::default()))?;
        network.fit_batch(input.count().unwrap_or_default());
        Some(network)
    } else {
        let refused = args.extract.refuse().and_then(|()| args.cache.refuse());
        refused.map_err(|flag| match &input {
            Input::Batch(batch) => {
                let array = batch.images.array().unwrap_or_default().to_owned();
                Error::from(StatisticsAlready { path: args.images.clone(), array, flag })
            }
            _ => flag.into(),
        })?;
        None
    };
    if let (true, Some(images @ 0..2)) = (network.is_some(), input.count()) {
        return Err(MomentsError::TooFew { got: images as u64 }.into());
    }

    if let Some(shard) = args.shard {
        let (Input::Images(images), Some(network)) = (&input, network) else {
            return Err(match &input {
                Input::Batch(batch) => {
                    let array = batch.images.array().unwrap_or_default().to_owned();
                    let flag = NoEffect { flag: "--shard", reason: "statistics are not cut into shards" };
                    StatisticsAlready { path: args.images.clone(), array, flag }.into()
                }
                _ => NotImages(args.images.clone()).into(),
            });
        };
        let statistics = Accumulator::of_statistics();
        return shards::write(network, images, shard, statistics, (&args.output, output), args.quiet);
    }
    let mut measurer = Measurer::start(network, Caching::parts(args.cache.caching()))?;
    let measured = measurer.measure(&mut input, &needs, &mut Progress::new(args.quiet), &interrupt)?;
    output::warn(&warnings_of_set(&measured.report, measured.not_cached.as_deref()), args.quiet);
    let sets = Sets { score: "a statistics file", real: None, fake: &measured.data };
    let gaussian = sets.fake_statistics()?.clone();
    let (dim, images) = (gaussian.dim(), gaussian.n());
    StatsFile { gaussian, provenance: measured.provenance, spatial: measured.data.spatial.clone() }.write_to(output)?;
    let images = images.map_or("an unknown number of images".into(), |images| format!("{images} images"));
    let path = escaped_for_terminals(&args.output.display().to_string());
    output::to_stdout(&format!("{path}: {images}, {dim} dimensions\n"))?;
    Ok(Outcome::Success)
}
