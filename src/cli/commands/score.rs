//! `gan-metrics score REAL FAKE`: every score that is asked for, from one pass over each set.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::error::{Blame, Blamed};
use crate::score::{Definitions, Metric, Preset};
use crate::stats::{FeatureFile, StatsFile};

use crate::cli::args::ScoreArgs;
use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::cli::pictures::{self, Pictures};
use crate::cli::scoring::{Done, Job, Selection, finish, run as score};

/// A picture that cannot be drawn.
#[derive(Debug, thiserror::Error)]
enum PictureError {
    #[error("{} does not say which kind of picture to draw: name a file .svg or .png", .0.display())]
    Extension(PathBuf),
    #[error("a .png shows images of both sets, but {} holds none: draw a .svg, or give images", .0.display())]
    NoImages(PathBuf),
}

impl Blamed for PictureError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// What `--plot` draws.
#[derive(Clone, Copy, PartialEq)]
enum Drawing {
    /// All pictures.
    Svg,
    /// The images alone.
    Png,
}

impl Drawing {
    /// By the extension, and whether the sets allow it; so that one can know before the work.
    fn of(args: &ScoreArgs) -> Result<Option<(Self, &Path)>, PictureError> {
        let Some(path) = args.plot.as_deref() else { return Ok(None) };
        match path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase().as_str() {
            "svg" => Ok(Some((Drawing::Svg, path))),
            "png" => {
                let without = |set: &&PathBuf| StatsFile::sniff(set) || FeatureFile::sniff(set);
                match [&args.real, &args.fake].into_iter().find(without) {
                    Some(set) => Err(PictureError::NoImages(set.clone())),
                    None => Ok(Some((Drawing::Png, path))),
                }
            }
            _ => Err(PictureError::Extension(path.into())),
        }
    }
}

/// Scores the second set against the first.
pub fn run(args: &ScoreArgs) -> Result<Outcome> {
    let drawing = Drawing::of(args)?;
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
        bounds: args.bounds.bounds(),
        also: if drawing.is_some() || args.html.is_some() { &pictures::NEEDS } else { &[] },
        args: &args.scoring,
    };
    let done = score(&job)?;
    draw(&done, drawing, args.html.as_deref())?;
    finish(done.report, &args.scoring)
}

fn draw(done: &Done, drawing: Option<(Drawing, &Path)>, html: Option<&Path>) -> Result<()> {
    if drawing.is_none() && html.is_none() {
        return Ok(());
    }
    let pictures = Pictures::of(done)?;
    match drawing {
        Some((Drawing::Svg, path)) => output::to_file(path, pictures.svg().as_bytes())?,
        // The first grid is that of the worst images.
        Some((Drawing::Png, path)) => output::to_file(path, &pictures.grids[0].png)?,
        None => {}
    }
    match html {
        Some(path) => output::to_file(path, pictures::page(&done.report, &pictures).as_bytes()),
        None => Ok(()),
    }
}

fn selection(args: &ScoreArgs, preset: Preset) -> Selection {
    let mut named: BTreeSet<Metric> = args.metrics.iter().filter_map(|metric| metric.metric()).collect();
    if args.metrics.is_empty() {
        named.extend(preset.metrics());
    }
    if args.per_class {
        named.insert(Metric::PerClass);
    }
    match args.metrics.iter().any(|metric| metric.metric().is_none()) {
        true => Selection::AllAnd(named),
        false => Selection::Named(named),
    }
}
