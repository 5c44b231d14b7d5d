//! One part of a set: what `--shard` makes of `features` and `stats`.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::cli::args::{CacheArgs, first_given};
use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::cli::progress::{self, Progress};
use crate::error::{Blame, Blamed};
use crate::evaluate::{Accumulator, NetworkPlan, Portion, SetReport, Shard};
use crate::image::DataSet;
use crate::output::Output;
use crate::report::{escaped_for_terminals, warnings_of_set};

/// Why a part cannot be written.
#[derive(Debug, thiserror::Error)]
enum ShardError {
    #[error("{} does not name an .npz file, in which parts of a set are kept", .0.display())]
    Extension(PathBuf),
    #[error("shard {shard} of {images} images is empty: use at most {images} shards")]
    Empty { shard: Shard, images: usize },
}

impl Blamed for ShardError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Refuses what a part cannot have.
pub fn check(output: &Path, cache: &CacheArgs) -> Result<()> {
    if !output.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npz")) {
        return Err(ShardError::Extension(output.into()).into());
    }
    let cached = [("--cache", cache.caching().is_some())];
    Ok(first_given(&cached, "the cache keeps the features of whole sets, not of shards")?)
}

/// Runs the images of a shard through the network and writes what was gathered.
pub fn write(
    network: NetworkPlan,
    images: &DataSet,
    shard: Shard,
    gathered: Accumulator,
    (path, output): (&Path, Output),
    quiet: bool,
) -> Result<Outcome> {
    let range = shard.range(images.len());
    if range.is_empty() {
        return Err(ShardError::Empty { shard, images: images.len() }.into());
    }
    let mut network = network.start()?;
    let named = gathered.features_are_wanted();
    let portion = Portion::of(images).range(range.clone());
    let passed = network.partial(portion, gathered, named, &mut Progress::new(quiet), &progress::interrupt())?;
    let part = passed.part.of_shard(shard);
    let skipped = part.skipped().to_vec();
    let found = SetReport { skipped, ..SetReport::of_images(images, part.images()) };
    output::warn(&warnings_of_set(&found, None), quiet);
    part.write_to(output)?;
    let path = escaped_for_terminals(&path.display().to_string());
    let (first, last, total) = (range.start, range.end - 1, images.len());
    output::to_stdout(&format!("{path}: shard {shard}, images {first}–{last} of {total}\n"))?;
    Ok(Outcome::Success)
}
