//! From arguments to a run that can begin.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::error::{Blame, Blamed};
use crate::gan::objectives::ObjectiveSpec;
use crate::gan::train::{Trainer, checkpoint};

use super::RunArgs;
use super::data::{self, Classes, Images};
use super::folder::{ConfigError, RunFile, RunFolder};
use super::points;
use super::scoring::Scorer;
use crate::cli::args::EngineArg;

/// Steps between checkpoints, and between sample grids, where nothing is said.
const EVERY: u64 = 500;

/// Stands for the number of classes until it is known.
const SOME_CLASSES: usize = 2;

/// Why a run cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The folder has a run already.
    #[error("{} holds a run already: go on with --resume, or choose another folder for --out", .0.display())]
    Occupied(PathBuf),
    /// Another process is at it.
    #[error("another process trains in {}: wait for it, or choose another folder for --out", .0.display())]
    Busy(PathBuf),
    /// The samples would be training images.
    #[error(
        "the samples of the run in {} would be found among its training images in {}, and it could not be resumed: keep --out \
         outside of --data",
        out.display(), data.display()
    )]
    AmongData { out: PathBuf, data: PathBuf },
    /// There is nothing to go on with.
    #[error("{} holds no run to resume: leave out --resume to begin one", .0.display())]
    NothingToResume(PathBuf),
    /// The run has as many steps already.
    #[error("the run in {} has {done} steps already: --steps counts from the beginning, give more than that", out.display())]
    Done { out: PathBuf, done: u64 },
    /// A label for an objective that has none.
    #[error("--real-label is the label of real images in minimax and non-saturating, {0} has none: drop it")]
    NoLabel(ObjectiveSpec),
    /// A game for a model that plays its own.
    #[error("{flag} is for models that play a game of one's choice, and {model} plays its own: drop it")]
    PlaysItsOwn { flag: &'static str, model: String },
    /// A weight for a model without what it weighs.
    #[error("--beta is for vae and vae-conv, and {0} has no codes with a prior: drop it")]
    NoBeta(String),
    /// What only images have, for a model of points.
    #[error("{flag} is for images, and {model} takes points: drop it")]
    NoImages { flag: &'static str, model: String },
    /// A number of classes for a model that has none, or takes them from the data.
    #[error("--classes is for models that find classes of their own, and {0} does not: drop it")]
    NoClasses(String),
    /// What only a discriminator has, for a model without one.
    #[error("{flag} is for a discriminator, and {model} has none: drop it")]
    NoCritic { flag: &'static str, model: String },
    /// Samples of a model that makes none.
    #[error("{flag} is for models that make samples, and {model} makes none: drop it")]
    NoSamples { flag: &'static str, model: String },
    /// The data are not named, and the record that should name them cannot be used.
    #[error("{0}; name the images with --data instead")]
    Unrecorded(ConfigError),
    /// Decays for an optimizer that has none.
    #[error("--betas are decays of Adam, and this run steps by another rule: drop them, or add --optimizer adam")]
    NoBetas,
    /// Something that never comes.
    #[error("{flag} {every} never comes in a run of {steps} steps: give at most {steps}, or drop it")]
    Never { flag: &'static str, every: u64, steps: u64 },
    /// A library for an engine that is not used.
    #[error("--ort-library is for ONNX Runtime, and --engine tract does without it: drop one of the two")]
    UnusedLibrary,
    /// The run would not go on as it began.
    #[error(
        "the run in {} began with --threads {begun}, and --threads {asked} may round differently, so that it would not go \
         on exactly: drop --threads, or begin another run",
        out.display()
    )]
    OtherThreads { out: PathBuf, begun: usize, asked: usize },
    /// The threads cannot be started.
    #[error("cannot start the threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl Blamed for PlanError {
    fn blame(&self) -> Blame {
        match self {
            PlanError::Threads(_) => Blame::Machine,
            _ => Blame::Input,
        }
    }
}

/// Where a run goes and what is done on the way.
pub struct Plan {
    pub folder: RunFolder,
    /// Held until the run ends.
    _lock: File,
    pub scorer: Option<Scorer>,
    pub steps: u64,
    pub checkpoint_every: u64,
    pub sample_every: u64,
    pub quiet: bool,
}

impl Plan {
    /// Validates the arguments, reads the images, and readies the trainer and the network of the score.
    pub fn new(args: &RunArgs) -> Result<(Self, Trainer)> {
        check(args)?;
        let folder = RunFolder::new(args.out());
        check_folder(args, &folder)?;
        start_threads(args, &folder)?;
        let trainer = if args.resume { resume(args, &folder)? } else { begin(args)? };
        check_samples(args, &trainer)?;
        let scorer = match args.watch.score_every {
            Some(every) => Some(Scorer::new(&args.watch, every, trainer.data(), &data_of(args, &folder)?)?),
            None => None,
        };
        // Nothing is left behind by a run that cannot begin.
        folder.create()?;
        let lock = folder.lock()?.ok_or_else(|| PlanError::Busy(args.out().to_owned()))?;
        if args.resume {
            // Another process may have gone on with it while the data were read.
            check_unmoved(&folder, &trainer, args.out())?;
        } else if folder.checkpoint().exists() {
            return Err(PlanError::Occupied(args.out().to_owned()).into());
        } else {
            folder.write_config(&RunFile::new(args.data.clone(), args.pixel_range, &trainer))?;
        }
        let plan = Plan {
            folder,
            _lock: lock,
            scorer,
            steps: args.steps(),
            checkpoint_every: args.watch.checkpoint_every.unwrap_or(EVERY),
            sample_every: args.watch.sample_every.unwrap_or(EVERY),
            quiet: args.watch.quiet,
        };
        Ok((plan, trainer))
    }
}

/// Refuses flags that would have no effect.
///
/// A run is held against all of its steps also where it goes on after some of them, so that a command that is given again after
/// an interruption stays right.
fn check(args: &RunArgs) -> Result<(), PlanError> {
    let objective = args.settings.objective();
    if args.settings.real_label.is_some() && !objective.make::<f32>().has_probabilities() {
        return Err(PlanError::NoLabel(objective));
    }
    let watch = &args.watch;
    for (flag, every) in [
        ("--checkpoint-every", watch.checkpoint_every),
        ("--sample-every", watch.sample_every),
        ("--score-every", watch.score_every),
    ] {
        if let Some(every) = every.filter(|&every| every > args.steps()) {
            return Err(PlanError::Never { flag, every, steps: args.steps() });
        }
    }
    match watch.engine {
        Some(EngineArg::Tract) if watch.ort_library.is_some() => Err(PlanError::UnusedLibrary),
        _ => Ok(()),
    }
}

/// Refuses to look at samples of a model that makes none.
fn check_samples(args: &RunArgs, trainer: &Trainer) -> Result<(), PlanError> {
    let of_samples =
        [("--sample-every", args.watch.sample_every.is_some()), ("--score-every", args.watch.score_every.is_some())];
    match of_samples.into_iter().find(|&(_, given)| given && !trainer.system().makes_samples()) {
        Some((flag, _)) => Err(PlanError::NoSamples { flag, model: trainer.system().title() }),
        None => Ok(()),
    }
}

/// Refuses a folder that has no run to go on with, or one already; that cannot be written; that is among the data.
fn check_folder(args: &RunArgs, folder: &RunFolder) -> Result<()> {
    let out = || args.out().to_owned();
    match (args.resume, folder.checkpoint().exists()) {
        (true, false) => return Err(PlanError::NothingToResume(out()).into()),
        (false, true) => return Err(PlanError::Occupied(out()).into()),
        _ => {}
    }
    match folder.check_beside(&data_of(args, folder)?)? {
        Some(data) => Err(PlanError::AmongData { out: out(), data: data.into() }.into()),
        None => Ok(()),
    }
}

/// Where the images are: a run that goes on knows it.
fn data_of(args: &RunArgs, folder: &RunFolder) -> Result<Vec<PathBuf>> {
    match args.resume && args.data.is_empty() {
        true => Ok(folder.read_config().map_err(PlanError::Unrecorded)?.data),
        false => Ok(args.data.clone()),
    }
}

/// Starts as many threads as were asked for, or as the run began with.
fn start_threads(args: &RunArgs, folder: &RunFolder) -> Result<(), PlanError> {
    let asked = args.watch.threads.map(usize::from);
    // What is wrong with the record is told where it is needed.
    let begun = if args.resume { folder.read_config().ok().map(|run| run.threads) } else { None };
    if let (Some(asked), Some(begun)) = (asked, begun)
        && asked != begun
    {
        return Err(PlanError::OtherThreads { out: args.out().to_owned(), begun, asked });
    }
    match asked.or(begun) {
        Some(threads) => Ok(rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?),
        None => Ok(()),
    }
}

/// Refuses a checkpoint that is not the one that was read.
fn check_unmoved(folder: &RunFolder, trainer: &Trainer, out: &Path) -> Result<()> {
    match checkpoint::steps(&folder.checkpoint())? == trainer.steps() {
        true => Ok(()),
        false => Err(PlanError::Busy(out.to_owned()).into()),
    }
}

fn begin(args: &RunArgs) -> Result<Trainer> {
    // Settings out of range are told before all images are read.
    let (channels, size) = (args.settings.channels, args.settings.size());
    let model = args.settings.model(args.data.iter().all(|path| points::is_built_in(path)))?;
    let images = Images { paths: &args.data, pixel_range: args.pixel_range, classes: Classes::to_train(model.entry()) };
    let data = match model.entry().takes_points() {
        true => {
            args.settings.config(model.clone(), &model.sample(), SOME_CLASSES)?;
            images.load_points()?
        }
        false => {
            args.settings.config(model.clone(), &[channels.unwrap_or(1), size, size], SOME_CLASSES)?;
            data::load(images, size, channels)?
        }
    };
    // A model that learns from classes says what it misses.
    let classes = data.class_names().map_or(SOME_CLASSES, <[String]>::len);
    Ok(Trainer::new(args.settings.config(model, data.shape(), classes)?, data)?)
}

fn resume(args: &RunArgs, folder: &RunFolder) -> Result<Trainer> {
    let path = folder.checkpoint();
    let networks = checkpoint::config(&path)?.networks;
    // What is wrong with the record is told where the data are not named.
    let pixel_range = folder.read_config().ok().and_then(|run| run.pixel_range);
    let (paths, classes) = (data_of(args, folder)?, Classes::to_train(networks.entry()));
    let data = Images { paths: &paths, pixel_range, classes }.load_for(&networks)?;
    let trainer = checkpoint::resume(&path, data)?;
    match trainer.steps() {
        done if done >= args.steps() => Err(PlanError::Done { out: args.out().to_owned(), done }.into()),
        _ => Ok(trainer),
    }
}
