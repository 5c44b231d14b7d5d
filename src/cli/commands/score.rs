//! `gan-metrics score REAL FAKE…` and the commands of one score each: arguments → outputs claimed → a job → a plan → the
//! work → the report.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::cli::args::{Level, MetricOrAll, ParametersArgs, ScoreArgs, ScoringArgs, SetsArgs, SingleArgs};
use crate::cli::exit::Outcome;
use crate::cli::output::{Destination, claim_picture};
use crate::cli::progress::{self, Progress};
use crate::cli::terminal;
use crate::error::{Blame, Blamed};
use crate::evaluate::{Evaluation, Job, Judged};
use crate::interrupt::Interrupt;
use crate::metrics::{Arguments, JackknifeOptions};
use crate::output::{Output, Outputs};
use crate::report::plot::Format;
use crate::report::{self, Pictures, Report, SeriesReport, escaped_for_terminals, page};
use crate::score::{AskedIntervals, Bound, Definitions, Metric, MetricError, Need, Preset, ScoreNumber, Selection};

/// A picture that cannot be drawn.
#[derive(Debug, thiserror::Error)]
enum PictureError {
    #[error("{} shows one generated set, and there are {sets}: give one of them", path.display())]
    Several { path: PathBuf, sets: usize },
}

impl Blamed for PictureError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// A set that is judged twice.
#[derive(Debug, thiserror::Error)]
#[error("{} is given twice: nothing could be learned from comparing a set with itself", .0.display())]
struct GivenTwice(PathBuf);

impl Blamed for GivenTwice {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// A flag that changes the definition of a score.
#[derive(Debug, thiserror::Error)]
enum ParameterError {
    #[error("--{flag}: {source}")]
    Value { flag: String, source: MetricError },
    #[error("--{flag} would have no effect: {metric} is not among the scores to compute")]
    Unused { flag: String, metric: Metric },
    #[error("there is a bound on {bound}, which this command does not compute; it has {numbers}")]
    OtherScore { bound: ScoreNumber, numbers: String },
}

impl Blamed for ParameterError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// What is asked for of the sets, besides what all scores have in common.
pub(super) struct Asked<'a> {
    pub sets: &'a SetsArgs,
    pub selection: Selection,
    pub definitions: Definitions,
    /// The scores of which a flag changes the definition, and that flag.
    pub changed: Vec<(Metric, String)>,
    pub intervals: AskedIntervals,
    pub bounds: Vec<Bound>,
    /// What is needed of both sets besides.
    pub also: &'static [Need],
    pub scoring: &'a ScoringArgs,
}

/// Pictures to draw.
#[derive(Default)]
struct Drawn<'a> {
    plot: Option<&'a Path>,
    html: Option<&'a Path>,
}

/// `gan-metrics NAME …` for a score NAME.
pub fn one(args: &SingleArgs) -> Result<Outcome> {
    let metric = args.metric;
    let mut definitions = Definitions::of(args.scoring.preset);
    configure(metric, &args.parameters, |parameter| parameter.to_owned(), &mut definitions)?;
    if let Some(bound) = args.bounds.iter().find(|bound| bound.score.metric() != metric) {
        let numbers: Vec<String> = ScoreNumber::of(metric).map(|number| number.to_string()).collect();
        return Err(ParameterError::OtherScore { bound: bound.score, numbers: numbers.join(", ") }.into());
    }
    let asked = Asked {
        sets: &args.sets,
        selection: Selection::named([metric]),
        definitions,
        changed: Vec::new(),
        intervals: intervals(&args.scoring, &args.sets),
        bounds: args.bounds.clone(),
        also: &[],
        scoring: &args.scoring,
    };
    run(metric.about().name, asked, Drawn::default())
}

/// `gan-metrics score`
pub fn many(args: &ScoreArgs) -> Result<Outcome> {
    let (definitions, changed) = definitions(args.scoring.preset, &args.parameters)?;
    let drawn = Drawn { plot: args.plot.as_deref(), html: args.html.as_deref() };
    let asked = Asked {
        sets: &args.sets,
        selection: selection(args),
        definitions,
        changed,
        intervals: intervals(&args.scoring, &args.sets),
        bounds: args.bounds.bounds(),
        also: if drawn.plot.is_some() || drawn.html.is_some() { &report::NEEDS } else { &[] },
        scoring: &args.scoring,
    };
    run("score", asked, drawn)
}

/// The intervals that are asked for; without them nobody knows which of several sets is better.
fn intervals(scoring: &ScoringArgs, sets: &SetsArgs) -> AskedIntervals {
    match scoring.ci {
        Some(Level::None) => AskedIntervals::None,
        Some(Level::Of(level)) => AskedIntervals::Required(JackknifeOptions { level, ..JackknifeOptions::default() }),
        None if sets.fakes.len() > 1 => AskedIntervals::WherePossible(JackknifeOptions::default()),
        None => AskedIntervals::None,
    }
}

/// The definitions of a tool as the flags change them, and the scores of which one does, with that flag.
pub(super) fn definitions(preset: Preset, parameters: &ParametersArgs) -> Result<(Definitions, Vec<(Metric, String)>)> {
    let mut definitions = Definitions::of(preset);
    let mut changed = Vec::new();
    for (metric, given) in &parameters.0 {
        let flag = |parameter: &str| format!("{}-{parameter}", metric.about().name);
        changed.extend(given.first().map(|(parameter, _)| (*metric, flag(parameter))));
        configure(*metric, given, flag, &mut definitions)?;
    }
    Ok((definitions, changed))
}

fn selection(args: &ScoreArgs) -> Selection {
    let named = args.metrics.iter().filter_map(|metric| match metric {
        MetricOrAll::One(metric) => Some(*metric),
        MetricOrAll::All => None,
    });
    let selection = if args.metrics.contains(&MetricOrAll::All) {
        Selection::all()
    } else if args.metrics.is_empty() {
        Selection::where_possible(Metric::of_preset(args.scoring.preset))
    } else {
        Selection::default()
    };
    let per_class = args.per_class.then(|| "per-class".parse().expect("there is such a score"));
    selection.and(named).and(per_class)
}

/// Changes the definition of a score as its flags say.
fn configure(
    metric: Metric,
    given: &[(&'static str, String)],
    flag: impl Fn(&str) -> String,
    definitions: &mut Definitions,
) -> Result<(), ParameterError> {
    let texts = given.iter().map(|(name, text)| (*name, text.as_str()));
    let wrong = |source: MetricError| {
        let name = match &source {
            MetricError::Argument { parameter, .. } | MetricError::NoEffect { parameter, .. } => parameter,
            _ => given.first().map_or("", |(name, _)| name),
        };
        ParameterError::Value { flag: flag(name), source }
    };
    let arguments = Arguments::parse(metric.about().parameters, texts).map_err(wrong)?;
    if arguments.is_empty() { Ok(()) } else { metric.configure(&arguments, definitions).map_err(wrong) }
}

/// The sets that are judged, each once.
fn judged(sets: &SetsArgs, scoring: &ScoringArgs) -> Result<Vec<Judged>> {
    let judged = |path| sets.generated.judged(path, &scoring.run.extract, scoring.run.reading.pixel_range);
    if sets.fakes.is_empty() {
        return Ok(vec![judged(None)?]);
    }
    // Two names of the same file are one set; what is not there is for the plan to say.
    let place = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let places: Vec<PathBuf> = sets.fakes.iter().map(place).collect();
    if let Some(again) = (1..places.len()).find(|&index| places[..index].contains(&places[index])) {
        return Err(GivenTwice(sets.fakes[again].clone()).into());
    }
    sets.fakes.iter().map(|path| judged(Some(path))).collect()
}

/// What is asked for as a plan, in which every flag has an effect.
pub(super) fn plan(asked: Asked<'_>, interrupt: &Interrupt) -> Result<Evaluation> {
    let Asked { sets, scoring, .. } = asked;
    let mut job = Job::new(sets.real.clone(), PathBuf::new());
    job.fakes = judged(sets, scoring)?;
    job.reading = scoring.run.reading.reading(&scoring.run.extract);
    job.selection = asked.selection;
    job.definitions = asked.definitions;
    job.intervals = asked.intervals;
    job.bounds = asked.bounds;
    job.also = asked.also;
    job.network = scoring.run.extract.choice(scoring.preset);
    job.caching = scoring.run.cache.caching();
    let evaluation = Evaluation::plan(job, interrupt)?;
    scoring.run.reading.check_array(sets.inputs())?;
    scoring.run.reading.check_range(evaluation.inputs())?;
    scoring.run.reading.check_num(evaluation.inputs())?;
    let is_planned = |metric: &Metric| evaluation.planned().any(|plan| plan.request.metrics.contains(metric));
    if let Some((metric, flag)) = asked.changed.into_iter().find(|(metric, _)| !is_planned(metric)) {
        return Err(ParameterError::Unused { flag, metric }.into());
    }
    if !evaluation.runs_network() {
        scoring.run.extract.refuse()?;
        scoring.run.cache.refuse()?;
    }
    Ok(evaluation)
}

/// Does what is asked for.
fn run(command: &'static str, asked: Asked<'_>, drawn: Drawn<'_>) -> Result<Outcome> {
    let Asked { sets, scoring, .. } = asked;
    scoring.run.extract.check()?;
    scoring.run.cache.check()?;
    let several = sets.fakes.len() > 1;
    if let (Some(path), true) = (drawn.plot.or(drawn.html), several) {
        return Err(PictureError::Several { path: path.to_owned(), sets: sets.fakes.len() }.into());
    }
    let mut outputs = Outputs::beside(sets.inputs().chain(scoring.run.extract.inputs()));
    let destination = Destination::claim(&scoring.run.output, &mut outputs)?;
    let plot = claim_picture(drawn.plot, &mut outputs)?;
    let html = drawn.html.map(|path| outputs.claim(path)).transpose()?;

    let interrupt = progress::interrupt();
    let evaluation = plan(asked, &interrupt)?;

    let (mut reports, mut blame) = (Vec::new(), None);
    let done = evaluation.run_each(&mut Progress::new(scoring.run.output.quiet), &interrupt, |done| {
        reports.push(Report::of(command, done));
        blame = blame.or(done.scores.failed().first().map(|failure| failure.error.blame()));
    });
    // What was computed is shown before anything else can fail, and what fails costs no other output.
    let mut written = emit(command, &reports, several, destination);
    if let (Ok(done), [report], true) = (&done, reports.as_slice(), plot.is_some() || html.is_some()) {
        written.extend(draw(report, &Pictures::of(done, &interrupt)?, plot, html));
    }
    written.into_iter().collect::<Result<()>>()?;
    done?;
    Ok(outcome(&reports, blame))
}

/// Shows the reports of the sets that were scored: of one its own, of several what compares them.
fn emit(command: &'static str, reports: &[Report], several: bool, destination: Destination) -> Vec<Result<()>> {
    let written = match reports {
        [] => return Vec::new(),
        [report] if !several => destination.emit(&report.warnings, || report.to_json(), || report.to_text()),
        reports => {
            let series = SeriesReport::new(command, reports.to_vec());
            destination.emit(&series.warnings(), || series.to_json(), || series.to_text())
        }
    };
    for failure in reports.iter().flat_map(|report| &report.failed) {
        terminal::say(&format!("error: {}: {}", failure.score, escaped_for_terminals(&failure.reason)));
    }
    vec![written]
}

fn draw(report: &Report, pictures: &Pictures, plot: Option<(Format, Output)>, html: Option<Output>) -> Vec<Result<()>> {
    let plotted = plot.map(|(format, output)| Ok(output.write_all(&pictures.drawn(format)?)?));
    let page = html.map(|output| Ok(output.write_all(page(report, pictures).as_bytes())?));
    plotted.into_iter().chain(page).collect()
}

/// How a command ends whose reports are out: by the first score that failed, else by the bounds.
fn outcome(reports: &[Report], failed: Option<Blame>) -> Outcome {
    match failed {
        Some(blame) => Outcome::from(blame),
        None if reports.iter().flat_map(|report| &report.bounds).all(|verdict| verdict.met) => Outcome::Success,
        None => Outcome::BoundMissed,
    }
}
