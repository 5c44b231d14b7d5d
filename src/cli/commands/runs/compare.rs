//! `gan-metrics runs compare RUN …`

use std::path::PathBuf;

use clap::Args;

use super::record::Recorded;
use super::table::{Line, Table};
use crate::Result;
use crate::cli::args::{EngineArg, OutputArgs, first_given};
use crate::cli::commands::train::data::{Classes, Images};
use crate::cli::commands::train::point_scores::PointScores;
use crate::cli::commands::train::points;
use crate::cli::commands::train::scoring::{ImageScores, Wanted};
use crate::cli::exit::Outcome;
use crate::cli::numbers::{seed, whole};
use crate::cli::output;
use crate::error::{Blame, Blamed};
use crate::extractor::{ExtractorId, NetworkOptions};
use crate::gan::Random;
use crate::gan::train::TrainingSet;
use crate::metrics::KidOptions;
use crate::output::Outputs;
use crate::report::{plot, pretty};
use crate::score::ScoreNumber;

/// Scores where nothing is said: quality and diversity, together and apart. The kernel distance needs sets of a size.
fn standard(fewest: usize) -> Vec<ScoreNumber> {
    let kid = if fewest < KidOptions::default().subset_size { "" } else { "kid," };
    let names = format!("fid,{kid}precision,recall,coverage,vendi");
    names.split(',').map(|name| name.parse().expect("a score of the list")).collect()
}

/// `gan-metrics runs compare RUN …`
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Folders of runs trained on the same data.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// Training data, if they are no longer where the first run found them.
    #[arg(long, value_name = "IMAGES")]
    pub data: Vec<PathBuf>,
    /// Scores to compute, separated by commas, as in `train --scores` [default: fid,precision,recall,coverage,vendi, and
    /// kid where 1000 samples of each run and as many held-out real ones are scored].
    #[arg(long, value_name = "SCORES", value_delimiter = ',')]
    #[arg(value_parser = |text: &str| text.parse::<ScoreNumber>())]
    pub scores: Option<Vec<ScoreNumber>>,
    /// Samples of each run.
    #[arg(long, value_name = "N", default_value_t = 2048, value_parser = whole(2..=1_000_000_u32))]
    pub images: u32,
    /// Network of the scores of images [default: efficientnet-lite0].
    #[arg(long, value_name = "NAME", value_parser = |text: &str| text.parse::<ExtractorId>())]
    pub extractor: Option<ExtractorId>,
    /// What runs the network [default: auto].
    #[arg(long, value_enum)]
    pub engine: Option<EngineArg>,
    /// Seed of the samples, and of the choice of held-out real ones.
    #[arg(long, default_value_t = 0, value_parser = seed)]
    pub seed: u64,
    /// Draw the scores against the seconds of training.
    #[arg(long, value_name = "FILE.svg|png")]
    pub plot: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Runs that cannot be held against each other.
#[derive(Debug, thiserror::Error)]
enum RunsError {
    #[error(
        "{} learnt from other data than {}: scores of both are not comparable", other.display(), first.display()
    )]
    OtherData { first: PathBuf, other: PathBuf },
    #[error("the data are not those that {} learnt from: name them with --data", .0.display())]
    Changed(PathBuf),
    #[error("the images of --data are not those that {} learnt from", .0.display())]
    Other(PathBuf),
    #[error("{} is a run of {model}, which makes no samples that could be scored: leave it out", run.display())]
    NoSamples { run: PathBuf, model: String },
    #[error("{} samples of the data are too few to hold some against the others: at least {least} are needed", .found)]
    TooFew { found: usize, least: usize },
}

impl Blamed for RunsError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Compares.
pub fn run(args: &CompareArgs) -> Result<Outcome> {
    let mut outputs = Outputs::beside(&args.runs);
    let file = args.output.output.as_deref().map(|path| outputs.claim(path)).transpose()?;
    let plot_file = output::claim_picture(args.plot.as_deref(), &mut outputs)?;
    let runs: Vec<Recorded> = args.runs.iter().map(|path| Recorded::read(path)).collect::<Result<_>>()?;
    let first = &runs[0];
    if let Some(run) = runs.iter().find(|run| run.file.data_sha256 != first.file.data_sha256) {
        return Err(RunsError::OtherData { first: first.path.clone(), other: run.path.clone() }.into());
    }
    if let Some(run) = runs.iter().find(|run| !run.trained.system.makes_samples()) {
        let (run, model) = (run.path.clone(), run.trained.system.title());
        return Err(RunsError::NoSamples { run, model }.into());
    }
    let (data, paths) = data_of(args, first)?;
    let table = match data.shape() {
        [_] => of_points(args, runs, &data, &paths)?,
        _ => of_images(args, runs, &data)?,
    };
    if let Some((format, file)) = plot_file {
        file.write_all(&plot::picture(&table.panels(), format)?)?;
    }
    output::write(file, &if args.output.json { pretty(&table) } else { table.text() })?;
    Ok(Outcome::Success)
}

/// The data of the runs, and where they are.
fn data_of(args: &CompareArgs, first: &Recorded) -> Result<(TrainingSet, Vec<PathBuf>)> {
    let paths = if args.data.is_empty() { first.file.data.clone() } else { args.data.clone() };
    let networks = &first.trained.config.networks;
    // Scores look at images alone.
    let images = Images { paths: &paths, pixel_range: first.file.pixel_range, classes: Classes::Unwanted };
    let data = images.load_for(networks)?;
    match data.digest() == first.file.data_sha256 {
        true => Ok((data, paths)),
        false if args.data.is_empty() => Err(RunsError::Changed(first.path.clone()).into()),
        false => Err(RunsError::Other(first.path.clone()).into()),
    }
}

/// Points have scores of their own.
fn of_points(args: &CompareArgs, runs: Vec<Recorded>, data: &TrainingSet, paths: &[PathBuf]) -> Result<Table> {
    let flags = [
        ("--scores", args.scores.is_some()),
        ("--extractor", args.extractor.is_some()),
        ("--engine", args.engine.is_some()),
    ];
    first_given(&flags, "it is for scores of images, and points have their own")?;
    let count = args.images as usize;
    let mixture = points::distribution(paths)?;
    let scores = PointScores::new(data, mixture.clone(), count);
    let fresh = match &mixture {
        // Neither the points that runs learnt from nor those that they are scored against.
        Some(mixture) => mixture.draw(count, args.seed.wrapping_add(2)),
        None => data.range(data.len() / 2, data.len(), runs[0].trained.system.pixel_range()).images.data().to_vec(),
    };
    let yardstick = scores.of_points(&fresh)?;
    let names = scores.names().iter().map(ToString::to_string).collect();
    let score = |run: Recorded| {
        let line = Line::of(&run);
        Ok(line.with(scores.score(run.trained, args.seed)?))
    };
    let lines = runs.into_iter().map(score).collect::<Result<_>>()?;
    Ok(Table {
        samples: count,
        scores: names,
        lines,
        real: yardstick,
        real_samples: [fresh.len() / data.shape()[0], count],
    })
}

/// Images are scored by what a network sees in them; real ones in two parts, some against the others.
fn of_images(args: &CompareArgs, runs: Vec<Recorded>, data: &TrainingSet) -> Result<Table> {
    let [held_out, rest] = parts(data, args)?;
    let fewest = held_out.len().min(args.images as usize);
    let wanted = Wanted {
        scores: args.scores.clone().unwrap_or_else(|| standard(fewest)),
        images: args.images as usize,
        extractor: args.extractor.unwrap_or(ExtractorId::EfficientNetLite0),
        options: NetworkOptions { engine: args.engine.unwrap_or(EngineArg::Auto).into(), ..NetworkOptions::default() },
        quiet: args.output.quiet,
    };
    let yardstick_of = Wanted {
        images: held_out.len(),
        scores: wanted.scores.clone(),
        quiet: true,
        options: wanted.options.clone(),
        ..wanted
    };
    let mut real = ImageScores::new(&yardstick_of, &rest)?;
    let yardstick = real.score_images(held_out.bytes(), held_out.shape())?;
    drop(real);
    let mut scores = ImageScores::new(&wanted, data)?;
    let names = scores.numbers().iter().map(ToString::to_string).collect();
    let mut lines = Vec::new();
    for run in runs {
        let line = Line::of(&run);
        lines.push(line.with(scores.score(run.trained, args.seed)?));
    }
    let real_samples = [held_out.len(), rest.len()];
    Ok(Table { samples: wanted.images, scores: names, lines, real: yardstick, real_samples })
}

/// As many real images as each run makes, but at most half of them, and the others.
fn parts(data: &TrainingSet, args: &CompareArgs) -> Result<[TrainingSet; 2]> {
    const LEAST: usize = 4;
    if data.len() < LEAST {
        return Err(RunsError::TooFew { found: data.len(), least: LEAST }.into());
    }
    let mut order: Vec<usize> = (0..data.len()).collect();
    Random::stream(args.seed, 103).shuffle(&mut order);
    let (held_out, rest) = order.split_at((args.images as usize).min(data.len() / 2));
    let length: usize = data.shape().iter().product();
    let part = |places: &[usize]| {
        let images = places.iter().flat_map(|place| data.bytes()[place * length..][..length].iter().copied());
        TrainingSet::new(data.shape()[0], data.shape()[1], images.collect())
    };
    Ok([part(held_out)?, part(rest)?])
}
