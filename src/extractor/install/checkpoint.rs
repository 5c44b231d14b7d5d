//! The file as its authors published it, and how a copy is told from another file.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::{InstallError, at};
use crate::digest::sha256;
use crate::extractor::weights::inception_v3;
use crate::regular;

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

/// How a file differs from the published one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// It has another length.
    #[error("has {found} bytes where the published file has {expected}: it is incomplete or another file")]
    Length {
        /// Its length.
        found: u64,
        /// The published length.
        expected: u64,
    },
    /// It has another digest.
    #[error(
        "has the sha256 {found} where the published file has {expected}: it is damaged or another file (other weights \
         of the same layout can be converted and used as a custom network)"
    )]
    Digest {
        /// Its digest.
        found: String,
        /// The published digest.
        expected: String,
    },
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

    /// Reads a copy on this machine, once its length is right.
    pub(super) fn read_copy(&self, path: &Path) -> Result<Vec<u8>, InstallError> {
        let mismatch = |mismatch| InstallError::Mismatch { origin: path.display().to_string(), mismatch };
        let mut file = regular::open(path).map_err(at(path))?;
        let length = file.metadata().map_err(at(path))?.len();
        self.check_length(length).map_err(mismatch)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(at(path))?;
        self.check(&bytes).map_err(mismatch)?;
        Ok(bytes)
    }

    /// Whether these bytes are the published file.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<(), Mismatch> {
        self.check_length(bytes.len() as u64)?;
        let found = sha256(bytes);
        match found == self.sha256 {
            true => Ok(()),
            false => Err(Mismatch::Digest { found, expected: self.sha256.clone() }),
        }
    }

    /// Whether a file of this length may be the published one.
    pub(super) fn check_length(&self, found: u64) -> Result<(), Mismatch> {
        match found == self.bytes {
            true => Ok(()),
            false => Err(Mismatch::Length { found, expected: self.bytes }),
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
