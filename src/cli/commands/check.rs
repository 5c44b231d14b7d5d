//! `gan-metrics check`: outputs claimed → the baseline → the run, read or computed → a judgement → its exporters.

use std::path::Path;
use std::time::SystemTime;

use super::score::{self, Asked};
use crate::Result;
use crate::cli::args::{CheckArgs, ScoringArgs, SetsArgs};
use crate::cli::exit::Outcome;
use crate::cli::output::{Destination, to_stdout};
use crate::cli::progress::{self, Progress};
use crate::error::{Blame, Blamed};
use crate::metrics::JackknifeOptions;
use crate::output::Outputs;
use crate::report::{CheckReport, Judgement, Recorded, Report, Tolerances, github, junit, log_line};
use crate::score::{AskedIntervals, Metric, Preset, Selection};

/// Arguments that do not go together.
#[derive(Debug, thiserror::Error)]
enum CheckError {
    #[error("--github would mix its lines with the JSON on standard output: name a file for that with -o, or drop one")]
    Mixed,
    #[error("--{flag} would have no effect: the scores of a report were computed already")]
    Computed { flag: String },
    #[error("{baseline} does not say whose definitions its scores follow: judge a report instead of sets")]
    NoPreset { baseline: String },
}

impl Blamed for CheckError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Does what is asked for.
pub fn run(args: &CheckArgs) -> Result<Outcome> {
    if args.github && args.run.output.json && args.run.output.output.is_none() {
        return Err(CheckError::Mixed.into());
    }
    let sets = args.sets();
    match &sets {
        Some(_) => {
            args.run.extract.check()?;
            args.run.cache.check()?;
        }
        None => refuse_work(args)?,
    }
    let read = [args.first.as_path(), args.baseline.as_path()];
    let of_sets = sets.iter().flat_map(SetsArgs::inputs).chain(args.run.extract.inputs());
    let mut outputs = Outputs::beside(read.into_iter().chain(of_sets));
    let destination = Destination::claim(&args.run.output, &mut outputs)?;
    let junit_file = args.junit.as_deref().map(|path| outputs.claim(path)).transpose()?;
    let log = args.append.as_deref().map(|path| outputs.claim_lines(path)).transpose()?;

    let tolerances = args.tolerance.clone().unwrap_or_default();
    let baseline = Recorded::read(&args.baseline)?;
    Judgement::check(&baseline, &tolerances)?;
    let (run, judgement, path) = match sets {
        None => {
            let run = Recorded::read(&args.first)?;
            let judgement = Judgement::of(&run, &baseline, &tolerances)?;
            (run, judgement, Some(args.first.as_path()))
        }
        Some(sets) => {
            let report = computed(args, &sets, &baseline, &tolerances)?;
            let run = Recorded::from(&report);
            match Judgement::of(&run, &baseline, &tolerances) {
                Ok(judgement) => (run, judgement, None),
                Err(error) => {
                    // There is nothing to say of the baseline, but what was computed is not lost.
                    destination.emit(&report.warnings, || report.to_json(), || report.to_text())?;
                    return Err(error.into());
                }
            }
        }
    };
    let check = CheckReport::new(judgement, &run, path, &args.baseline);

    let now = SystemTime::now();
    let mut written = vec![destination.emit(&check.warnings, || check.to_json(), || check.to_text())];
    written.extend(junit_file.map(|file| Ok(file.write_all(junit(&check, now).as_bytes())?)));
    written.extend(log.map(|log| Ok(log.append(&log_line(&check, now))?)));
    if args.github {
        written.push(to_stdout(&github(&check)));
    }
    written.into_iter().collect::<Result<()>>()?;
    Ok(if check.passed { Outcome::Success } else { Outcome::BoundMissed })
}

/// Refuses what says how to compute scores, where a report has them.
fn refuse_work(args: &CheckArgs) -> Result<()> {
    args.run.reading.refuse()?;
    args.run.extract.refuse()?;
    args.run.cache.refuse()?;
    args.generated.refuse()?;
    let given = args.parameters.0.iter().find_map(|(metric, given)| Some((metric, given.first()?)));
    match given {
        Some((metric, (parameter, _))) => {
            Err(CheckError::Computed { flag: format!("{}-{parameter}", metric.about().name) }.into())
        }
        None => Ok(()),
    }
}

/// The report of the scores that the baseline has, by its preset.
fn computed(args: &CheckArgs, sets: &SetsArgs, baseline: &Recorded, tolerances: &Tolerances) -> Result<Report> {
    let preset = preset_of(baseline, &args.baseline)?;
    let (definitions, changed) = score::definitions(preset, &args.parameters)?;
    let scoring = ScoringArgs { preset, ci: None, run: args.run.clone() };
    let metrics = baseline.numbers().map(|(number, _)| number.metric());
    let interrupt = progress::interrupt();
    let asked = Asked {
        sets,
        selection: Selection::named(metrics.collect::<std::collections::BTreeSet<Metric>>()),
        definitions,
        changed,
        intervals: intervals(baseline, tolerances).map_or(AskedIntervals::None, AskedIntervals::Required),
        bounds: Vec::new(),
        also: &[],
        scoring: &scoring,
    };
    let evaluation = score::plan(asked, &interrupt)?;
    Judgement::check_run(&Recorded::foreseen(&evaluation), baseline)?;
    let done = evaluation.run(&mut Progress::new(args.run.output.quiet), &interrupt)?;
    Ok(Report::of("check", &done))
}

/// Whose definitions a report follows.
fn preset_of(report: &Recorded, path: &Path) -> Result<Preset> {
    let name = report.preset().ok_or_else(|| CheckError::NoPreset { baseline: path.display().to_string() })?;
    Ok(name.parse()?)
}

/// The intervals that tolerances need, as those of the baseline were computed.
fn intervals(baseline: &Recorded, tolerances: &Tolerances) -> Option<JackknifeOptions> {
    let is_needed = baseline.numbers().any(|(number, _)| tolerances.of(number).needs_standard_errors());
    is_needed.then(|| {
        let standard = JackknifeOptions::default();
        let field = |name| baseline.interval_definition().and_then(|definition| definition.get(name));
        let whole = |name| field(name).and_then(serde_json::Value::as_u64);
        JackknifeOptions {
            groups: whole("groups").and_then(|groups| groups.try_into().ok()).unwrap_or(standard.groups),
            level: field("level").and_then(serde_json::Value::as_f64).unwrap_or(standard.level),
            seed: whole("seed").and_then(|seed| seed.try_into().ok()).unwrap_or(standard.seed),
        }
    })
}
