//! Installing published weights: fetch, verify, convert, store.
//!
//! Two files appear in the folder of the models, each whole or not at all: the network as ONNX, and beside it the
//! digest of that file, which is checked whenever the network is loaded. A transfer that breaks off leaves a `.part`
//! file, and the next attempt goes on from there. A lock file makes concurrent installs wait for each other.

mod checkpoint;
mod download;
mod lock;
mod transfer;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::model::ModelError;
use super::registry::{ExtractorId, digest_path, part_path, read_installed};
use super::weights::inception_v3;
use super::weights::pth::StateDict;
use super::weights::{WeightsError, onnx::metadata};
use crate::digest::sha256;
use crate::error::{Blame, Blamed};
use crate::interrupt::Interrupt;
use crate::{output, regular};

pub use checkpoint::{Checkpoint, Mismatch, Source};
use download::Download;
pub use transfer::AddressError;

/// How long a server may stay silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why weights could not be installed. Nothing that was installed before is touched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No address gave the file.
    #[error(
        "the download failed:{}\n{} (proxies are taken from HTTPS_PROXY and ALL_PROXY)",
        failures.iter().map(|(url, error)| format!("\n  {url}: {error}")).collect::<String>(),
        what_is_kept(*kept, "the bytes that have arrived")
    )]
    Download {
        /// The addresses, and what was wrong with each.
        failures: Vec<(String, AddressError)>,
        /// Bytes that have arrived and are kept.
        kept: u64,
    },
    /// The file is not the published one.
    #[error("{origin} {mismatch}")]
    Mismatch {
        /// Where the file comes from.
        origin: String,
        /// How it differs.
        mismatch: Mismatch,
    },
    /// The checkpoint is not the network's.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Stopped by an [`Interrupt`] in the middle of a transfer.
    #[error("interrupted after {done} of {total} bytes: {}", what_is_kept(*done, "they"))]
    Interrupted {
        /// Bytes that have arrived and are kept.
        done: u64,
        /// Bytes of the file.
        total: u64,
    },
    /// Stopped by an [`Interrupt`] before the work began.
    #[error("interrupted while waiting for another install into {}", folder.display())]
    InterruptedWaiting {
        /// The folder of the models.
        folder: PathBuf,
    },
}

/// What becomes of a transfer that was not completed.
fn what_is_kept(bytes: u64, name: &str) -> String {
    match bytes {
        0 => "nothing has arrived that could be kept".into(),
        _ => format!("{name} are kept, and the next attempt goes on from there"),
    }
}

impl Blamed for InstallError {
    fn blame(&self) -> Blame {
        match self {
            InstallError::Io { source, .. } => regular::blame(source),
            InstallError::Download { failures, .. } if failures.iter().all(|(_, error)| error.is_other_file()) => {
                Blame::Model
            }
            InstallError::Download { .. } => Blame::Machine,
            InstallError::Mismatch { .. } => Blame::Model,
            InstallError::Weights(error) => error.blame(),
            InstallError::Interrupted { .. } | InstallError::InterruptedWaiting { .. } => Blame::Interrupted,
        }
    }
}

/// What an install came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// The network is there now.
    Now(PathBuf),
    /// It was there already, and undamaged.
    Before(PathBuf),
}

/// Told how an install goes.
pub trait InstallObserver {
    /// Another install into the same folder is in progress, and this one waits for it. Called once.
    fn waiting(&mut self) {}

    /// So many bytes have arrived, of those of the whole file.
    fn arrived(&mut self, done: u64, total: u64) {
        let _ = (done, total);
    }
}

/// Nobody.
impl InstallObserver for () {}

/// Installs Inception-v3 from `checkpoint` into `folder`, which is created where it is missing.
///
/// # Errors
/// [`InstallError`] when the file cannot be fetched, is not the published one, or cannot be stored; within a second
/// after `interrupt` is requested, also while a server is silent.
pub fn install(
    checkpoint: &Checkpoint,
    source: &Source,
    folder: &Path,
    observer: &mut dyn InstallObserver,
    interrupt: &Interrupt,
) -> Result<Installed, InstallError> {
    fs::create_dir_all(folder).map_err(at(folder))?;
    let target = folder.join(format!("{}.onnx", ExtractorId::InceptionV3));
    // Held until the end of the function: another install waits here and then finds the network in place.
    let _lock = lock::acquire(folder, observer, interrupt)?;

    let expected_source = format!("sha256:{}", checkpoint.sha256);
    if is_installed(&target, &expected_source) {
        return Ok(Installed::Before(target));
    }
    let part = part_path(folder, ExtractorId::InceptionV3);
    let mut download = Download { checkpoint, part: &part, patience: PATIENCE, observer, interrupt };
    let bytes = match source {
        Source::File(path) => checkpoint.read_copy(path)?,
        Source::Url(url) => download.fetch(std::slice::from_ref(url))?,
        Source::Published => download.fetch(&checkpoint.urls)?,
    };
    let state = StateDict::from_bytes(&bytes).map_err(WeightsError::from)?;
    let onnx = inception_v3::build(&state)?;
    // A network without its digest is not loaded, so the digest goes first.
    let digest = digest_path(&target);
    output::write(&digest, |file| writeln!(file, "{}", sha256(&onnx))).map_err(at(&digest))?;
    output::write(&target, |file| file.write_all(&onnx)).map_err(at(&target))?;
    let _ = fs::remove_file(part);
    Ok(Installed::Now(target))
}

fn at(path: &Path) -> impl Fn(io::Error) -> InstallError + use<'_> {
    move |source| InstallError::Io { path: path.into(), source }
}

fn is_installed(target: &Path, source: &str) -> bool {
    let installed: Result<_, ModelError> = read_installed(target);
    installed.is_ok_and(|installed| installed.file.metadata.get(metadata::SOURCE).is_some_and(|from| from == source))
}
