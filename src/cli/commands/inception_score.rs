//! `gan-metrics is A`

use gan_metrics::Result;
use gan_metrics::error::{Blame, Blamed};
use gan_metrics::evaluate::Collector;
use gan_metrics::image::DataSet;
use gan_metrics::metrics::{DegreesOfFreedom, InceptionScoreOptions, Order, inception_score};
use gan_metrics::report::{InceptionScoreReport, Metrics};

use super::{Clock, Running, report, report_of_pass, warnings_of_run};
use crate::cli::args::{InceptionScoreArgs, OrderArg};
use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::cli::plan::NetworkPlan;
use crate::cli::progress;

/// The model gives no class scores.
#[derive(Debug, thiserror::Error)]
#[error(
    "the Inception Score needs class scores, but the model has no output named `logits`: \
     name one with --logits-output"
)]
pub struct NoLogits;

impl Blamed for NoLogits {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Scores one set.
pub fn run(args: &InceptionScoreArgs) -> Result<Outcome> {
    progress::watch_for_interrupts();
    let mut clock = Clock::start();
    let images = DataSet::open(&args.images)?;
    let mut running = Running::start(NetworkPlan::new(&args.extract)?)?;
    let mut collector = Collector::of_statistics().with_logits();
    let summary = running.pass(&images, &mut collector, args.output.quiet.into())?;
    let logits = collector.logits().ok_or(NoLogits)?;
    let order = match args.order {
        OrderArg::Shuffled => Order::Shuffled { seed: args.seed },
        OrderArg::AsGiven => Order::AsGiven,
    };
    let ddof = if args.ddof == 0 { DegreesOfFreedom::Population } else { DegreesOfFreedom::Sample };
    let options = InceptionScoreOptions { splits: args.splits, order, ddof };
    let score = clock.metrics(|| inception_score(&logits, options))?;

    let sets = vec![report_of_pass(&images, summary)];
    let warnings = warnings_of_run(Some(&running), &sets);
    let within_bound = args.fail_below.map(|bound| score.mean >= bound);
    let metrics = Metrics { inception_score: Some(InceptionScoreReport::new(score, options)), ..Metrics::default() };
    output::emit(&report("is", metrics, Some(&running), sets, warnings, within_bound, clock), &args.output)?;
    Ok(if within_bound == Some(false) { Outcome::BoundMissed } else { Outcome::Success })
}
