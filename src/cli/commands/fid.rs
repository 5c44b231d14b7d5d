//! `gan-metrics fid A B`

use gan_metrics::Result;
use gan_metrics::metrics::{Fid, fid};
use gan_metrics::report::{FEW_IMAGES, Metrics, Warning};

use super::{Clock, Measured, Running, measure, report, warnings_of_run};
use crate::cli::args::FidArgs;
use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::cli::plan::{Input, NetworkPlan};
use crate::cli::progress;

/// Compares two sets.
pub fn run(args: &FidArgs) -> Result<Outcome> {
    progress::watch_for_interrupts();
    let mut clock = Clock::start();
    let inputs = [Input::open(&args.first)?, Input::open(&args.second)?];
    // Two statistics files need no network, and so no weights.
    let mut running = match inputs.iter().any(|input| matches!(input, Input::Images(_))) {
        true => Some(Running::start(NetworkPlan::new(&args.extract)?)?),
        false => None,
    };
    let [first, second] = &inputs;
    let verbosity = args.output.quiet.into();
    let first = measure(first, running.as_mut(), verbosity)?;
    let second = measure(second, running.as_mut(), verbosity)?;
    let distance = clock.metrics(|| fid(&first.statistics.gaussian, &second.statistics.gaussian))?;

    let pair = [first, second];
    let mut warnings = warnings_of_pair(&distance, &pair);
    let sets: Vec<_> = pair.into_iter().map(|set| set.report).collect();
    warnings.extend(warnings_of_run(running.as_ref(), &sets));
    let within_bound = args.fail_above.map(|bound| distance.value <= bound);
    let metrics = Metrics { fid: Some(distance.into()), ..Metrics::default() };
    output::emit(&report("fid", metrics, running.as_ref(), sets, warnings, within_bound, clock), &args.output)?;
    Ok(if within_bound == Some(false) { Outcome::BoundMissed } else { Outcome::Success })
}

fn warnings_of_pair(distance: &Fid, pair: &[Measured; 2]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (Measured { statistics, report }, spectrum) in pair.iter().zip(distance.spectra) {
        let set = || report.path.display().to_string();
        let dim = spectrum.dim;
        if let Some(images) = report.images.filter(|&images| images < FEW_IMAGES.max(dim as u64)) {
            warnings.push(Warning::FewImages { set: set(), images, dim });
        }
        if statistics.provenance.is_none() {
            warnings.push(Warning::UnknownProvenance { set: set() });
        }
        if let Some(eigenvalue) = spectrum.clipped {
            warnings.push(Warning::Clipped { set: set(), eigenvalue });
        }
    }
    let [first, second] = pair.each_ref().map(|set| &set.statistics);
    if let (Some(ours), Some(theirs)) = (&first.provenance, &second.provenance) {
        let differences = ours.differences(theirs);
        if !differences.is_empty() {
            warnings.push(Warning::Incomparable { differences });
        }
    }
    if first.gaussian.mean() == second.gaussian.mean() {
        warnings.push(Warning::IdenticalSets);
    }
    warnings
}
