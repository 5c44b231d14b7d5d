//! Several outputs of one run.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::OutputError;
use super::target::{Target, follow};
use super::{JsonLines, Output};

/// The inputs and outputs of a run, no two of which may be one file.
///
/// Files are the same whose paths are, links followed, or which are one file of the disk under two names. Devices and pipes may
/// be named any number of times. Of a folder that is an input no file may be replaced, whether it is read or not; a new file may
/// be made in it.
///
/// ```
/// use gan_metrics::output::{OutputError, Outputs};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// # std::fs::write(folder.join("features.npz"), b"features")?;
/// let mut outputs = Outputs::beside([folder.join("features.npz")]);
/// let report = outputs.claim(&folder.join("report.json"))?;
/// let again = outputs.claim(&folder.join("./report.json"));
/// assert!(matches!(again, Err(OutputError::Twice { .. })));
/// let over_the_input = outputs.claim(&folder.join("features.npz"));
/// assert!(matches!(over_the_input, Err(OutputError::Input { .. })));
///
/// let mut outputs = Outputs::beside([folder]);
/// let over_a_file = outputs.claim(&folder.join("features.npz"));
/// assert!(matches!(over_a_file, Err(OutputError::InFolder { .. })));
/// outputs.claim(&folder.join("report.json"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Outputs {
    inputs: Vec<Identity>,
    claimed: Vec<Identity>,
}

impl Outputs {
    /// No output yet, beside these inputs: files or folders that the run reads, which need not exist.
    pub fn beside<P: AsRef<Path>>(inputs: impl IntoIterator<Item = P>) -> Self {
        let input = |path: P| {
            let path = path.as_ref();
            // What cannot be found is for whoever reads it to tell.
            let place = fs::canonicalize(path).or_else(|_| follow(path));
            Identity::new(path, place.unwrap_or_else(|_| path.into()))
        };
        Self { inputs: inputs.into_iter().map(input).collect(), claimed: Vec::new() }
    }

    /// Claims one more.
    ///
    /// # Errors
    /// [`OutputError::Input`], [`OutputError::InFolder`] and [`OutputError::Twice`] when the file is an input, is there already
    /// in a folder that is one, or was claimed before; those of [`Output::claim`].
    pub fn claim(&mut self, path: &Path) -> Result<Output, OutputError> {
        Output::of(path, self.target(path)?)
    }

    /// Claims a file to append a line to.
    ///
    /// # Errors
    /// As [`Self::claim`], and those of [`JsonLines::claim`].
    pub fn claim_lines(&mut self, path: &Path) -> Result<JsonLines, OutputError> {
        JsonLines::of(path, self.target(path)?)
    }

    /// What a path stands for, which is from here on an output.
    fn target(&mut self, path: &Path) -> Result<Target, OutputError> {
        let target = Target::of(path)?;
        if let Target::File(place) = &target {
            let identity = Identity::new(path, place.clone());
            let same = |other: &&Identity| other.is_same(&identity);
            if let Some(input) = self.inputs.iter().find(same) {
                return Err(OutputError::Input { path: path.into(), input: input.path.clone() });
            }
            if place.exists()
                && let Some(folder) = self.inputs.iter().find(|input| input.contains(&identity))
            {
                return Err(OutputError::InFolder { path: path.into(), folder: folder.path.clone() });
            }
            if let Some(other) = self.claimed.iter().find(same) {
                return Err(OutputError::Twice { path: path.into(), other: other.path.clone() });
            }
            self.claimed.push(identity);
        }
        Ok(target)
    }
}

/// What makes two paths one file.
#[derive(Debug)]
struct Identity {
    /// As it was given.
    path: PathBuf,
    /// With all links followed.
    place: PathBuf,
    /// Device and number of the file, where it exists and the system numbers files.
    inode: Option<(u64, u64)>,
}

impl Identity {
    fn new(path: &Path, place: PathBuf) -> Self {
        let inode = inode(&place);
        Self { path: path.into(), place, inode }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.place == other.place || (self.inode.is_some() && self.inode == other.inode)
    }

    /// Whether this is a folder that a file is in, be it by one of the links on its path.
    fn contains(&self, file: &Self) -> bool {
        let inside = |place: &Path| place.starts_with(&self.place);
        let leads_here = |path: PathBuf| {
            // Up to the first `..`: what is left of it need not be above the file.
            let above = path.ancestors().skip(1).take_while(|above| above.file_name().is_some());
            above.into_iter().any(|folder| fs::canonicalize(folder).is_ok_and(|place| inside(&place)))
        };
        self.place.is_dir() && (inside(&file.place) || std::path::absolute(&file.path).is_ok_and(leads_here))
    }
}

#[cfg(unix)]
fn inode(place: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(place).ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn inode(_: &Path) -> Option<(u64, u64)> {
    None
}
