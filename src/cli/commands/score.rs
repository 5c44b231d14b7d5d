//! `gan-metrics score REAL FAKE`: every score that is asked for, from one pass over each set.

use std::collections::BTreeSet;

use gan_metrics::Result;
use gan_metrics::score::{Definitions, Metric, Preset};

use crate::cli::args::ScoreArgs;
use crate::cli::exit::Outcome;
use crate::cli::scoring::{Job, Selection, finish, run as score};

/// Scores the second set against the first.
pub fn run(args: &ScoreArgs) -> Result<Outcome> {
    let preset = Preset::from(args.scoring.preset);
    let mut definitions = Definitions::of(preset);
    if let Some(size) = args.kid_subset_size {
        definitions.kid.subset_size = size;
    }
    let job = Job {
        command: "score",
        real: Some(&args.real),
        fake: &args.fake,
        selection: selection(args, preset),
        definitions,
        also: &[],
        args: &args.scoring,
    };
    let done = score(&job)?;
    finish(done.report, &args.scoring, None)
}

fn selection(args: &ScoreArgs, preset: Preset) -> Selection {
    let named: Option<BTreeSet<Metric>> = args.metrics.iter().map(|metric| metric.metric()).collect();
    match named {
        None => Selection::All,
        Some(mut metrics) => {
            if metrics.is_empty() {
                metrics.extend(preset.metrics());
            }
            if args.per_class {
                metrics.insert(Metric::PerClass);
            }
            Selection::Named(metrics)
        }
    }
}
