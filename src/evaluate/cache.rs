//! A cache of features, found again by what they were computed from.
//!
//! The name of an entry is the SHA-256 of everything that can change a bit of its content: the images as they are encoded, in
//! their order, the weights of the network, its outputs and how they are pooled, the engine with its version, provider and batch size, how images are
//! resized and normalised, and the version of this crate. Where or when an image was found plays no part, so that an entry
//! can never be stale: another image, network or mode is another name. Entries that were not used for the longest time go
//! when the cache grows beyond its limit.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayon::prelude::*;

use crate::digest::sha256;
use crate::error::{Blame, Blamed};
use crate::extractor::{FeatureExtractor, home_folder};
use crate::image::{ImageError, ImageSource, ResizeMode};
use crate::interrupt::Interrupt;
use crate::output;
use crate::stats::{FeatureFile, FeatureFileError, Provenance};

const EXTENSION: &str = "npz";

/// Why the cache cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// Its folder cannot be read or written.
    #[error("the cache of features in {}: {source}", path.display())]
    Io {
        /// Path of the folder, or of the entry.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An entry cannot be written.
    #[error("the cache of features: {0}")]
    Write(#[from] FeatureFileError),
    /// An entry alone exceeds the limit.
    #[error("these features take {bytes} bytes, more than the limit of the cache, {limit}: raise the limit")]
    TooLarge {
        /// Size of the entry.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
}

impl Blamed for CacheError {
    fn blame(&self) -> Blame {
        match self {
            CacheError::Io { .. } => Blame::Machine,
            CacheError::Write(error) => error.blame(),
            CacheError::TooLarge { .. } => Blame::Input,
        }
    }
}

/// Why a set of images has no name in the cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// An image cannot be read.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Stopped by an [`Interrupt`].
    #[error("interrupted while reading the images of {set} to find them in the cache")]
    Interrupted {
        /// What the set is called.
        set: String,
    },
}

impl Blamed for KeyError {
    fn blame(&self) -> Blame {
        match self {
            KeyError::Image(error) => error.blame(),
            KeyError::Interrupted { .. } => Blame::Interrupted,
        }
    }
}

/// The name of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheKey(String);

impl CacheKey {
    /// The name of the features that `extractor` gives of `images` when they are resized in the given mode. Reads all images,
    /// on all cores, and decodes none.
    ///
    /// # Errors
    /// [`KeyError::Image`] when an image cannot be read.
    pub fn new(
        images: &dyn ImageSource,
        extractor: &dyn FeatureExtractor,
        resize: ResizeMode,
    ) -> Result<Self, KeyError> {
        Self::new_with(images, extractor, resize, &Interrupt::new())
    }

    /// [`CacheKey::new`] that can be stopped: reading a large set takes a while.
    ///
    /// # Errors
    /// As for [`CacheKey::new`], and [`KeyError::Interrupted`] soon after `interrupt` is requested.
    pub fn new_with(
        images: &dyn ImageSource,
        extractor: &dyn FeatureExtractor,
        resize: ResizeMode,
        interrupt: &Interrupt,
    ) -> Result<Self, KeyError> {
        let digest = |index| -> Result<[u8; 32], KeyError> {
            interrupt.check().map_err(|_| KeyError::Interrupted { set: images.title().into_owned() })?;
            Ok(images.digest(index)?)
        };
        let digests: Vec<[u8; 32]> = (0..images.len()).into_par_iter().map(digest).collect::<Result<_, _>>()?;
        let info = extractor.info();
        let identity = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "images": images.len(),
            "content": sha256(digests.as_flattened()),
            "model": info.model_sha256,
            "outputs": [Some(&info.features_output), info.logits_output.as_ref(), info.spatial_output.as_ref()],
            "pooling": info.pooling,
            "engine": [&info.engine.name, &info.engine.version, &info.engine.provider],
            "input": extractor.input(),
            "batch": extractor.batch_size(),
            "resize": resize,
            // The name alone goes into statistics files and warnings.
            "extractor": info.name,
        });
        Ok(Self(sha256(identity.to_string().as_bytes())))
    }
}

/// An entry, as listed.
#[derive(Debug, Clone)]
pub struct CacheEntry {
    /// Path of its file.
    pub path: PathBuf,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// When it was used last.
    pub used: SystemTime,
    /// How its features came about; `None` when the file is damaged.
    pub provenance: Option<Provenance>,
}

/// A folder of feature files. Other files may be in it, but for those whose names are 64 hexadecimal digits and `.npz`.
#[derive(Debug, Clone)]
pub struct FeatureCache {
    folder: PathBuf,
    limit: u64,
}

impl FeatureCache {
    /// The cache in a folder, which is made when something is stored; it holds at most `limit` bytes. What killed processes
    /// left half-written there is removed.
    pub fn at(folder: PathBuf, limit: u64) -> Self {
        output::sweep(&folder);
        Self { folder, limit }
    }

    /// The user's cache: the folder `features` of [`home_folder`].
    pub fn of_user(limit: u64) -> Self {
        Self::at(home_folder().join("features"), limit)
    }

    fn path(&self, key: &CacheKey) -> PathBuf {
        self.folder.join(&key.0).with_extension(EXTENSION)
    }

    /// The entry of that name, which counts as used now. A damaged one is removed, and is not there; one that cannot be read
    /// is not there either, but may be the next time.
    pub fn find(&self, key: &CacheKey) -> Option<FeatureFile> {
        let path = self.path(key);
        match FeatureFile::read(&path) {
            Ok(found) => {
                // Where the time cannot be set, the entry is removed sooner: no reason to fail.
                let _ = File::options().write(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
                Some(found)
            }
            Err(FeatureFileError::Malformed { .. } | FeatureFileError::Features { .. }) => {
                let _ = fs::remove_file(&path);
                None
            }
            Err(_) => None,
        }
    }

    /// Stores features under a name, then removes the entries that were not used for the longest time until the cache is
    /// within its limit.
    ///
    /// # Errors
    /// [`CacheError`] when the folder cannot be written, or the features alone exceed the limit: nothing is removed for them.
    pub fn store(&self, key: &CacheKey, features: &FeatureFile) -> Result<(), CacheError> {
        let columns = |dim: Option<usize>| dim.unwrap_or(0) as u64;
        let FeatureFile { features: matrix, logits, spatial, .. } = features;
        let row = matrix.dim() as u64
            + columns(logits.as_ref().map(|logits| logits.dim()))
            + columns(spatial.as_ref().map(|spatial| spatial.dim()));
        let bytes = 4 * row * matrix.len() as u64;
        if bytes > self.limit {
            return Err(CacheError::TooLarge { bytes, limit: self.limit });
        }
        fs::create_dir_all(&self.folder).map_err(|source| self.failure(&self.folder, source))?;
        let path = self.path(key);
        features.write(&path)?;
        let mut entries = self.files()?;
        let mut total: u64 = entries.iter().map(|entry| entry.1).sum();
        entries.sort_by_key(|entry| entry.2);
        for (entry, bytes, _) in entries.into_iter().filter(|entry| entry.0 != path) {
            if total <= self.limit {
                break;
            }
            self.remove(&entry)?;
            total -= bytes;
        }
        Ok(())
    }

    /// All entries, the one used last first.
    ///
    /// # Errors
    /// [`CacheError::Io`] when the folder is there and cannot be read.
    pub fn entries(&self) -> Result<Vec<CacheEntry>, CacheError> {
        let mut files = self.files()?;
        files.sort_by_key(|file| std::cmp::Reverse(file.2));
        let entry = |(path, bytes, used): (PathBuf, u64, SystemTime)| {
            let provenance = FeatureFile::read_provenance(&path).ok();
            CacheEntry { path, bytes, used, provenance }
        };
        Ok(files.into_iter().map(entry).collect())
    }

    /// Removes all entries, and what killed processes left half-written; gives the number and size of the entries.
    ///
    /// # Errors
    /// [`CacheError::Io`] when the folder cannot be read, or an entry cannot be removed.
    pub fn clear(&self) -> Result<(usize, u64), CacheError> {
        output::sweep(&self.folder);
        let files = self.files()?;
        for (path, ..) in &files {
            self.remove(path)?;
        }
        Ok((files.len(), files.iter().map(|file| file.1).sum()))
    }

    fn failure(&self, path: &Path, source: io::Error) -> CacheError {
        CacheError::Io { path: path.into(), source }
    }

    /// Another process may have removed the entry already.
    fn remove(&self, path: &Path) -> Result<(), CacheError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failure(path, error)),
            _ => Ok(()),
        }
    }

    /// Path, size and time of last use of each entry.
    fn files(&self) -> Result<Vec<(PathBuf, u64, SystemTime)>, CacheError> {
        let folder = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(|source| self.failure(&self.folder, source))?,
        };
        let mut files = Vec::new();
        for entry in folder {
            let entry = entry.map_err(|source| self.failure(&self.folder, source))?;
            if !is_entry(&entry.file_name()) {
                continue;
            }
            // One that another process has just removed is not listed.
            if let Ok(metadata) = entry.metadata()
                && metadata.is_file()
            {
                files.push((entry.path(), metadata.len(), metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)));
            }
        }
        Ok(files)
    }
}

/// Whether a file has the name of an entry. Everything else in the folder is somebody else's.
fn is_entry(name: &OsStr) -> bool {
    let stem = name.to_str().and_then(|name| name.strip_suffix(EXTENSION)?.strip_suffix('.'));
    stem.is_some_and(|stem| stem.len() == 64 && stem.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')))
}

#[cfg(test)]
mod tests;
