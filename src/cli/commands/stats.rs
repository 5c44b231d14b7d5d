//! `gan-metrics stats IMAGES -o FILE`

use gan_metrics::Result;

use super::{Running, measure};
use crate::cli::args::StatsArgs;
use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::cli::plan::{Input, NetworkPlan};
use crate::cli::progress;

/// Writes the statistics of a set.
pub fn run(args: &StatsArgs) -> Result<Outcome> {
    progress::watch_for_interrupts();
    let input = Input::Images(gan_metrics::image::DataSet::open(&args.images)?);
    let mut running = Running::start(NetworkPlan::new(&args.extract)?)?;
    let measured = measure(&input, Some(&mut running), args.quiet.into())?;
    measured.statistics.write(&args.output)?;
    let images = measured.report.images.unwrap_or_default();
    let dim = measured.statistics.gaussian.dim();
    output::to_stdout(&format!("{}: {images} images, {dim} dimensions\n", args.output.display()))?;
    Ok(Outcome::Success)
}
