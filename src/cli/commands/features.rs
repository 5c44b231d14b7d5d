//! `gan-metrics features IMAGES -o FILE`

use std::path::PathBuf;

use super::shards;
use crate::Result;
use crate::cli::args::{FeaturesArgs, first_given};
use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::cli::progress::{self, Progress};
use crate::error::{Blame, Blamed};
use crate::evaluate::{Accumulator, Caching, Measurer, NetworkPlan};
use crate::image::DataSet;
use crate::metrics::Set;
use crate::output::Outputs;
use crate::report::{escaped_for_terminals, warnings_of_set};
use crate::score::{Metric, Preset};
use crate::stats::FeatureFile;

/// There is nothing to extract.
#[derive(Debug, thiserror::Error)]
#[error("{} holds features already: every command of a score takes it as it is", .0.display())]
struct FeaturesAlready(PathBuf);

impl Blamed for FeaturesAlready {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Writes the features of a set.
pub fn run(args: &FeaturesArgs) -> Result<Outcome> {
    args.extract.check()?;
    args.cache.check()?;
    FeatureFile::check_name(&args.output)?;
    let only_features = args.output.extension().is_some_and(|extension| extension == "npy");
    first_given(&[("--spatial", args.spatial && only_features)], "a .npy file holds the features alone; name a .npz")?;
    if args.shard.is_some() {
        shards::check(&args.output, &args.cache)?;
    }
    let inputs = args.extract.inputs().chain([args.images.as_path()]);
    let output = Outputs::beside(inputs).claim(&args.output)?;
    let interrupt = progress::interrupt();
    let reading = args.reading.reading(&args.extract);
    args.reading.check_array([args.images.as_path()].into_iter())?;
    if FeatureFile::sniff_array(&args.images, reading.array.as_deref()) {
        return Err(FeaturesAlready(args.images.clone()).into());
    }
    let images = DataSet::open_as(&args.images, &reading, &interrupt)?;
    args.reading.check_range([&images].into_iter())?;
    let mut network = NetworkPlan::new(&args.extract.choice(Preset::default()))?;
    network.fit_batch(images.len());
    if args.spatial {
        let sfid: Metric = "sfid".parse().expect("there is such a score");
        if let Some(error) = sfid.about().missing(Set::Fake, |need| network.offers(need)) {
            return Err(error.into());
        }
        network.want_spatial();
    }

    if let Some(shard) = args.shard {
        let everything = Accumulator::of_everything();
        return shards::write(network, &images, shard, everything, (&args.output, output), args.quiet);
    }
    let mut measurer = Measurer::start(Some(network), Caching::parts(args.cache.caching()))?;
    let extracted = measurer.extract(&images, &mut Progress::new(args.quiet), &interrupt)?;
    output::warn(&warnings_of_set(&extracted.report, extracted.not_cached.as_deref()), args.quiet);
    let file = extracted.file;
    file.write_to(output)?;
    let columns = |what: &str, dim: Option<usize>| dim.map_or(String::new(), |dim| format!(", {dim} {what}"));
    let also = match only_features {
        true => " (a .npy file holds nothing else)".into(),
        false => {
            columns("logits", file.logits.as_ref().map(|logits| logits.dim()))
                + &columns("spatial features", file.spatial.as_ref().map(|spatial| spatial.dim()))
        }
    };
    let (images, dim) = (file.features.len(), file.features.dim());
    let path = escaped_for_terminals(&args.output.display().to_string());
    output::to_stdout(&format!("{path}: {images} images, {dim} features{also}\n"))?;
    Ok(Outcome::Success)
}
