//! `gan-metrics stats IMAGES -o FILE`

use crate::Result;
use crate::score::{Need, Preset};
use crate::stats::StatsFile;

use crate::cli::args::StatsArgs;
use crate::cli::exit::Outcome;
use crate::cli::measure::{Caching, Running, measure};
use crate::cli::output;
use crate::cli::plan::{Input, NetworkPlan};

/// Writes the statistics of a set.
pub fn run(args: &StatsArgs) -> Result<Outcome> {
    let input = Input::open(&args.images)?;
    let mut running = match &input {
        Input::Images(_) => Some(Running::start(NetworkPlan::new(&args.extract, Preset::default())?)?),
        Input::Features(..) | Input::Statistics(..) => None,
    };
    let needs = [Need::Statistics].into();
    let measured = measure(&input, running.as_mut(), &needs, &Caching::new(&args.cache), args.quiet.into())?;
    output::warn(&measured.warnings, args.quiet.into());
    let gaussian = measured.data.statistics.expect("asked for");
    let dim = gaussian.dim();
    StatsFile { gaussian, provenance: measured.provenance }.write(&args.output)?;
    let images = measured.report.images.unwrap_or_default();
    output::to_stdout(&format!("{}: {images} images, {dim} dimensions\n", args.output.display()))?;
    Ok(Outcome::Success)
}
