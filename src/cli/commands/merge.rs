//! `gan-metrics merge PARTS -o FILE`

use std::path::{Path, PathBuf};

use crate::Result;
use crate::cli::args::MergeArgs;
use crate::cli::exit::Outcome;
use crate::cli::{output, progress, terminal};
use crate::error::{Blame, Blamed};
use crate::evaluate::Partial;
use crate::output::Outputs;
use crate::report::escaped_for_terminals;
use crate::stats::{FeatureFile, Gaussian, GaussianError, Moments, MomentsError, Provenance, StatsFile};

/// Why files cannot be merged.
#[derive(Debug, thiserror::Error)]
enum MergeFilesError {
    #[error("{} is neither a part of a set nor a statistics file: write parts with `features` or `stats` and --shard", .0.display())]
    NotAPart(PathBuf),
    #[error("{} holds part of a set and {} the statistics of a whole one: merge either", parts.display(), whole.display())]
    Mixed { parts: PathBuf, whole: PathBuf },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: GaussianError },
    #[error("{} does not say how many images are behind it: say it with --images", .0.display())]
    Unknown(PathBuf),
    #[error("--images gives {given} numbers, but {wanted} of the files do not say how many images are behind them")]
    Numbers { given: usize, wanted: usize },
    #[error("{} cannot be merged with {}: they were computed differently ({})", path.display(), first.display(), differences.join("; "))]
    Incomparable { path: PathBuf, first: PathBuf, differences: Vec<String> },
    #[error("{} does not name an .npz file, in which statistics are kept", .0.display())]
    Extension(PathBuf),
    #[error("{} is given twice", .0.display())]
    Twice(PathBuf),
    #[error("{} and {} are statistics of the same images, which would be counted twice", .0.display(), .1.display())]
    SameImages(PathBuf, PathBuf),
    #[error("{} holds the features of a whole set: only parts of one are merged, which `features --shard` writes", .0.display())]
    Whole(PathBuf),
}

impl Blamed for MergeFilesError {
    fn blame(&self) -> Blame {
        match self {
            MergeFilesError::File { source, .. } => source.blame(),
            _ => Blame::Input,
        }
    }
}

/// Puts parts together.
pub fn run(args: &MergeArgs) -> Result<Outcome> {
    let output = Outputs::beside(args.parts.iter().map(PathBuf::as_path)).claim(&args.output)?;
    for (place, path) in args.parts.iter().enumerate() {
        if args.parts[..place].contains(path) {
            return Err(MergeFilesError::Twice(path.clone()).into());
        }
    }
    let is_part = |path: &&PathBuf| Partial::sniff(path);
    let is_whole = |path: &&PathBuf| StatsFile::sniff(path);
    if let Some(path) = args.parts.iter().find(|path| !is_part(path) && !is_whole(path)) {
        // What is wrong with it says its own reader.
        if !path.exists() {
            StatsFile::read(path)?;
        }
        if FeatureFile::sniff(path) {
            return Err(MergeFilesError::Whole(path.clone()).into());
        }
        return Err(MergeFilesError::NotAPart(path.clone()).into());
    }
    match (args.parts.iter().find(is_part), args.parts.iter().find(is_whole)) {
        (Some(parts), Some(whole)) => Err(MergeFilesError::Mixed { parts: parts.clone(), whole: whole.clone() }.into()),
        (_, Some(_)) => {
            check_extension(&args.output)?;
            let file = statistics(args)?;
            let (dim, images) = (file.gaussian.dim(), file.gaussian.n().unwrap_or_default());
            file.write_to(output)?;
            told(&args.output, &format!("{images} images, {dim} dimensions"))
        }
        _ => {
            if !args.images.is_empty() {
                return Err(MergeFilesError::Numbers { given: args.images.len(), wanted: 0 }.into());
            }
            let whole = parts(args)?;
            match whole.gathered().features().is_some() {
                true => {
                    FeatureFile::check_name(&args.output)?;
                    let file = whole.into_feature_file().expect("the features are there");
                    let (images, dim) = (file.features.len(), file.features.dim());
                    file.write_to(output)?;
                    told(&args.output, &format!("{images} images, {dim} features"))
                }
                false => {
                    check_extension(&args.output)?;
                    let (gaussian, provenance) = (whole.gathered().gaussian()?, whole.provenance());
                    let (images, dim) = (whole.images(), gaussian.dim());
                    StatsFile { gaussian, provenance, spatial: None }.write_to(output)?;
                    told(&args.output, &format!("{images} images, {dim} dimensions"))
                }
            }
        }
    }
}

fn told(path: &Path, what: &str) -> Result<Outcome> {
    output::to_stdout(&format!("{}: {what}\n", escaped_for_terminals(&path.display().to_string())))?;
    Ok(Outcome::Success)
}

fn check_extension(path: &Path) -> Result<()> {
    match path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npz")) {
        true => Ok(()),
        false => Err(MergeFilesError::Extension(path.into()).into()),
    }
}

/// The set whose parts these are.
fn parts(args: &MergeArgs) -> Result<Partial> {
    let interrupt = progress::interrupt();
    let read = |path: &PathBuf| -> Result<Partial> {
        interrupt.check()?;
        Ok(Partial::read(path)?)
    };
    let parts = args.parts.iter().map(read).collect::<Result<Vec<_>>>()?;
    let shards = parts.iter().find_map(Partial::shards);
    let engines: Vec<String> = parts
        .iter()
        .filter_map(|part| part.provenance()?.engine)
        .map(|engine| format!("{} {} on {}", engine.name, engine.version, engine.provider))
        .collect();
    if let [first, others @ ..] = &engines[..]
        && let Some(other) = others.iter().find(|other| *other != first)
    {
        terminal::say(&format!("warning: the parts were computed by {first} and by {other}, which round differently"));
    }
    let whole = Partial::join(parts)?;
    whole.check_complete(shards)?;
    Ok(whole)
}

/// The statistics of all sets together.
fn statistics(args: &MergeArgs) -> Result<StatsFile> {
    let files = args.parts.iter().map(|path| Ok(StatsFile::read(path)?)).collect::<Result<Vec<_>>>()?;
    let wanted = files.iter().filter(|file| file.gaussian.n().is_none()).count();
    if !args.images.is_empty() && args.images.len() != wanted {
        return Err(MergeFilesError::Numbers { given: args.images.len(), wanted }.into());
    }
    let content = |file: &StatsFile| Some(file.provenance.as_ref()?.census.as_ref()?.content);
    for (place, (path, file)) in args.parts.iter().zip(&files).enumerate() {
        let same = |(_, other): &(&PathBuf, &StatsFile)| content(file).is_some() && content(other) == content(file);
        if let Some((other, _)) = args.parts.iter().zip(&files).take(place).find(same) {
            return Err(MergeFilesError::SameImages(other.clone(), path.clone()).into());
        }
    }
    let without_spatial = args.parts.iter().zip(&files).find(|(_, file)| file.spatial.is_none()).map(|(path, _)| path);
    if let (Some(path), true) = (without_spatial, files.iter().any(|file| file.spatial.is_some())) {
        let path = escaped_for_terminals(&path.display().to_string());
        terminal::say(&format!("warning: {path} has no statistics of spatial features: the result has none"));
    }
    let mut numbers = args.images.iter().copied();
    let mut merged: Option<Merged> = None;
    for (path, StatsFile { gaussian, provenance, spatial }) in args.parts.iter().zip(files) {
        let failed = |source| MergeFilesError::File { path: path.clone(), source };
        let n = match gaussian.n() {
            Some(n) => n,
            None => numbers.next().ok_or_else(|| MergeFilesError::Unknown(path.clone()))?,
        };
        let moments = moments_of(&gaussian, n).map_err(failed)?;
        let spatial = spatial.filter(|_| without_spatial.is_none());
        let spatial = spatial.map(|spatial| moments_of(&spatial, n)).transpose().map_err(failed)?;
        match &mut merged {
            None => merged = Some(Merged { moments, spatial, provenance }),
            Some(Merged { moments: whole, spatial: whole_spatial, provenance: known }) => {
                if let (Some(ours), Some(theirs)) = (&*known, &provenance) {
                    let differences = ours.differences(theirs);
                    if !differences.is_empty() {
                        let first = args.parts[0].clone();
                        return Err(MergeFilesError::Incomparable { path: path.clone(), first, differences }.into());
                    }
                }
                let failed = |error: MomentsError| failed(error.into());
                whole.merge(&moments).map_err(failed)?;
                if let (Some(whole), Some(spatial)) = (whole_spatial, spatial) {
                    whole.merge(&spatial).map_err(failed)?;
                }
                // Where one does not tell how its features came about, nobody knows it of all; nor does anybody know which
                // image of the whole an image of a part is.
                *known = known.take().zip(provenance).map(|(known, _)| Provenance { census: None, ..known });
            }
        }
    }
    let Merged { moments, spatial, provenance } = merged.expect("there is a file");
    let provenance = provenance.map(|known| Provenance { n: moments.len(), ..known });
    Ok(StatsFile { gaussian: gaussian_of(moments)?, provenance, spatial: spatial.map(gaussian_of).transpose()? })
}

/// What several files say together.
struct Merged {
    moments: Moments,
    spatial: Option<Moments>,
    provenance: Option<Provenance>,
}

/// The moments of a Gaussian of so many images.
fn moments_of(gaussian: &Gaussian, n: u64) -> Result<Moments, GaussianError> {
    Moments::try_from(&Gaussian::new(Some(n), gaussian.mean().clone(), gaussian.covariance())?)
}

/// The Gaussian of moments: what overflowed is said, not written.
fn gaussian_of(moments: Moments) -> Result<Gaussian> {
    let (n, gaussian) = (moments.len(), Gaussian::try_from(moments)?);
    Ok(Gaussian::new(Some(n), gaussian.mean().clone(), gaussian.covariance())?)
}
