//! Installing published weights: fetch, verify, convert, store.
//!
//! Two files appear in the folder of the models, each whole or not at all: the network as ONNX, and beside it the
//! digest of that file, which is checked whenever the network is loaded. A transfer that breaks off leaves a `.part`
//! file, and the next attempt goes on from there. A lock file makes concurrent installs wait for each other.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::model::ModelError;
use super::registry::{ExtractorId, digest_path, part_path, read_installed};
use super::weights::inception_v3;
use super::weights::pth::StateDict;
use super::weights::{WeightsError, onnx::metadata};
use crate::atomic;
use crate::digest::sha256;
use crate::error::{Blame, Blamed};

/// A checkpoint as its authors published it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Where it can be fetched, in the order to try.
    pub urls: Vec<String>,
}

impl Checkpoint {
    /// The weights of the FID Inception-v3, of 2015-12-05.
    pub fn inception_v3() -> Self {
        Self {
            bytes: inception_v3::BYTES,
            sha256: inception_v3::SHA256.into(),
            urls: inception_v3::URLS.map(String::from).to_vec(),
        }
    }
}

/// Where a checkpoint is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The addresses of its authors.
    Published,
    /// Another address; what comes from it must be the published file all the same.
    Url(String),
    /// A copy on this machine; likewise.
    File(PathBuf),
}

impl Source {
    /// An address if it begins as one, a path otherwise.
    pub fn parse(text: &str) -> Self {
        match text.starts_with("http://") || text.starts_with("https://") {
            true => Source::Url(text.into()),
            false => Source::File(text.into()),
        }
    }
}

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
        "the download failed:\n  {}\nwhat has arrived is kept, and the same command goes on from there; without a \
         network, fetch the file elsewhere and use --from FILE (proxies are taken from HTTPS_PROXY and ALL_PROXY)",
        reasons.join("\n  ")
    )]
    Download {
        /// What was wrong with each address.
        reasons: Vec<String>,
    },
    /// The file has another length.
    #[error("{origin} has {found} bytes where the published file has {expected}: it is incomplete or another file")]
    Length {
        /// Where the file comes from.
        origin: String,
        /// Its length.
        found: u64,
        /// The published length.
        expected: u64,
    },
    /// The file has another digest.
    #[error(
        "{origin} has the sha256 {found} where the published file has {expected}: it is damaged or another file. To use \
         other weights of the same layout, convert them with `gan-metrics model convert` and name them with --model"
    )]
    Digest {
        /// Where the file comes from.
        origin: String,
        /// Its digest.
        found: String,
        /// The published digest.
        expected: String,
    },
    /// The checkpoint is not the network's.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Stopped by the observer; what has arrived is kept.
    #[error("interrupted after {done} of {total} bytes: the same command goes on from there")]
    Interrupted {
        /// Bytes that have arrived.
        done: u64,
        /// Bytes of the file.
        total: u64,
    },
}

impl Blamed for InstallError {
    fn blame(&self) -> Blame {
        match self {
            InstallError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => Blame::Input,
            InstallError::Io { .. } | InstallError::Download { .. } => Blame::Machine,
            InstallError::Weights(error) => error.blame(),
            InstallError::Interrupted { .. } => Blame::Input,
            InstallError::Length { .. } | InstallError::Digest { .. } => Blame::Model,
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

/// Called with the bytes that have arrived and those of the whole file; may stop the transfer.
pub type Observer<'a> = &'a mut dyn FnMut(u64, u64) -> ControlFlow<()>;

/// Installs Inception-v3 from `checkpoint` into `folder`, which is created where it is missing.
///
/// # Errors
/// [`InstallError`] when the file cannot be fetched, is not the published one, or cannot be stored.
pub fn install(
    checkpoint: &Checkpoint,
    source: &Source,
    folder: &Path,
    observer: Observer<'_>,
) -> Result<Installed, InstallError> {
    fs::create_dir_all(folder).map_err(at(folder))?;
    let target = folder.join(format!("{}.onnx", ExtractorId::InceptionV3));
    let lock_path = folder.join(format!(".{}.lock", ExtractorId::InceptionV3));
    let lock = File::create(&lock_path).map_err(at(&lock_path))?;
    // Held until the end of the function: another install waits here and then finds the network in place.
    lock.lock().map_err(at(&lock_path))?;

    let expected_source = format!("sha256:{}", checkpoint.sha256);
    if is_installed(&target, &expected_source) {
        return Ok(Installed::Before(target));
    }
    let bytes = match source {
        Source::File(path) => {
            let bytes = fs::read(path).map_err(at(path))?;
            verify(checkpoint, &bytes, &path.display().to_string())?;
            bytes
        }
        Source::Url(url) => download(checkpoint, std::slice::from_ref(url), folder, observer)?,
        Source::Published => download(checkpoint, &checkpoint.urls, folder, observer)?,
    };
    let state = StateDict::from_bytes(&bytes).map_err(WeightsError::from)?;
    let onnx = inception_v3::build(&state)?;
    // A network without its digest is not loaded, so the digest goes first.
    let digest = digest_path(&target);
    atomic::write(&digest, |file| writeln!(file, "{}", sha256(&onnx))).map_err(at(&digest))?;
    atomic::write(&target, |file| file.write_all(&onnx)).map_err(at(&target))?;
    let _ = fs::remove_file(part_path(folder, ExtractorId::InceptionV3));
    Ok(Installed::Now(target))
}

fn at(path: &Path) -> impl Fn(io::Error) -> InstallError + use<'_> {
    move |source| InstallError::Io { path: path.into(), source }
}

fn is_installed(target: &Path, source: &str) -> bool {
    let installed: Result<_, ModelError> = read_installed(target);
    installed.is_ok_and(|installed| installed.file.metadata.get(metadata::SOURCE).is_some_and(|from| from == source))
}

fn verify(checkpoint: &Checkpoint, bytes: &[u8], origin: &str) -> Result<(), InstallError> {
    let (found, expected) = (bytes.len() as u64, checkpoint.bytes);
    if found != expected {
        return Err(InstallError::Length { origin: origin.into(), found, expected });
    }
    let found = sha256(bytes);
    match found == checkpoint.sha256 {
        true => Ok(()),
        false => Err(InstallError::Digest { origin: origin.into(), found, expected: checkpoint.sha256.clone() }),
    }
}

/// How long an address may stay silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a transfer that breaks off is taken up again within one command, an address.
const ATTEMPTS: usize = 3;

/// Fetches the checkpoint from the first address that gives it.
fn download(
    checkpoint: &Checkpoint,
    urls: &[String],
    folder: &Path,
    observer: Observer<'_>,
) -> Result<Vec<u8>, InstallError> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .http_status_as_error(false)
        .user_agent(concat!("gan-metrics/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let path = part_path(folder, ExtractorId::InceptionV3);
    let mut reasons = Vec::new();
    for url in urls.iter().flat_map(|url| std::iter::repeat_n(url, ATTEMPTS)) {
        let mut part = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(at(&path))?;
        match transfer(&agent, url, checkpoint.bytes, &mut part, observer) {
            Ok(()) => {}
            Err(TransferError::Interrupted { done }) => {
                return Err(InstallError::Interrupted { done, total: checkpoint.bytes });
            }
            Err(TransferError::Disk(source)) => return Err(InstallError::Io { path, source }),
            Err(TransferError::Address(reason)) => {
                let reason = format!("{url}: {reason}");
                if reasons.last() != Some(&reason) {
                    reasons.push(reason);
                }
                continue;
            }
        }
        let mut bytes = Vec::new();
        part.seek(SeekFrom::Start(0)).and_then(|_| part.read_to_end(&mut bytes)).map_err(at(&path))?;
        match verify(checkpoint, &bytes, url) {
            Ok(()) => return Ok(bytes),
            Err(error) => {
                // Going on from wrong bytes could never succeed.
                fs::remove_file(&path).map_err(at(&path))?;
                return Err(error);
            }
        }
    }
    Err(InstallError::Download { reasons })
}

enum TransferError {
    /// The address is at fault.
    Address(String),
    /// The disk is.
    Disk(io::Error),
    /// The user stopped it.
    Interrupted { done: u64 },
}

/// Appends to `part` what it lacks of `total` bytes.
fn transfer(
    agent: &ureq::Agent,
    url: &str,
    total: u64,
    part: &mut File,
    observer: Observer<'_>,
) -> Result<(), TransferError> {
    let address = |error: &dyn std::fmt::Display| TransferError::Address(error.to_string());
    let mut done = part.metadata().map_err(TransferError::Disk)?.len();
    if done >= total {
        // Complete, or hopeless: the verification tells.
        return Ok(());
    }
    let mut request = agent.get(url);
    if done > 0 {
        request = request.header("Range", format!("bytes={done}-"));
    }
    let response = request.call().map_err(|error| address(&error))?;
    let resumes = response
        .headers()
        .get("Content-Range")
        .and_then(|range| range.to_str().ok())
        .is_some_and(|range| range.starts_with(&format!("bytes {done}-")));
    match response.status().as_u16() {
        206 if resumes => {}
        // A server that does not resume sends everything.
        200 => {
            part.set_len(0).map_err(TransferError::Disk)?;
            done = 0;
        }
        status => return Err(TransferError::Address(format!("the server answered with status {status}"))),
    }
    // One byte more than expected tells a longer file without fetching all of it.
    let mut body = response.into_body().into_reader().take(total - done + 1);
    let mut buffer = vec![0; 1 << 16];
    loop {
        if observer(done, total).is_break() {
            return Err(TransferError::Interrupted { done });
        }
        let read = body.read(&mut buffer).map_err(|error| address(&error))?;
        if read == 0 {
            break;
        }
        part.write_all(&buffer[..read]).map_err(TransferError::Disk)?;
        done += read as u64;
    }
    match done < total {
        true => Err(TransferError::Address(format!("the connection ended after {done} of {total} bytes"))),
        false => Ok(()),
    }
}
