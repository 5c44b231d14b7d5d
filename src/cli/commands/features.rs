//! `gan-metrics features IMAGES -o FILE`

use crate::Result;
use crate::extractor::SpatialFeatures;
use crate::image::DataSet;
use crate::metrics::Set;
use crate::score::{Metric, Need, Preset, ScoreError};
use crate::stats::FeatureFile;

use crate::cli::args::FeaturesArgs;
use crate::cli::exit::Outcome;
use crate::cli::measure::{Caching, Running, extract};
use crate::cli::output;
use crate::cli::plan::NetworkPlan;

/// Writes the features of a set.
pub fn run(args: &FeaturesArgs) -> Result<Outcome> {
    FeatureFile::check_name(&args.output)?;
    let images = DataSet::open(&args.images)?;
    let mut plan = NetworkPlan::new(&args.extract, Preset::default())?;
    if args.spatial {
        if !plan.offers(Need::Spatial) {
            return Err(ScoreError::Missing { metric: Metric::Sfid, set: Set::Fake, need: Need::Spatial }.into());
        }
        plan.network.spatial = SpatialFeatures::Wanted;
    }
    let mut running = Running::start(plan)?;
    let extracted = extract(&images, &mut running, &Caching::new(&args.cache), args.quiet.into())?;
    output::warn(&extracted.warnings, args.quiet.into());
    let file = extracted.file;
    file.write(&args.output)?;
    let columns = |what: &str, dim: Option<usize>| dim.map_or(String::new(), |dim| format!(", {dim} {what}"));
    let only_features = args.output.extension().is_some_and(|extension| extension == "npy");
    let also = match only_features {
        true => " (a .npy file holds nothing else)".into(),
        false => {
            columns("logits", file.logits.as_ref().map(|logits| logits.dim()))
                + &columns("spatial features", file.spatial.as_ref().map(|spatial| spatial.dim()))
        }
    };
    let (images, dim) = (file.features.len(), file.features.dim());
    output::to_stdout(&format!("{}: {images} images, {dim} features{also}\n", args.output.display()))?;
    Ok(Outcome::Success)
}
