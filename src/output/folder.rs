//! A folder of files as an output.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::path::{Path, PathBuf};

use super::error::OutputError;
use super::target::{follow, look, parent};
use super::temporary::{Temporary, sweep};
use super::{begin, sync_folder};

/// A folder to be filled, which is known to be writable.
///
/// A folder that does not exist is filled under another name beside its place, and renamed. One that exists, and is empty, is
/// filled where it is, since it may be a mount point: its files are made in a folder within it and moved out at the end.
///
/// Dropped without being written, it leaves everything as it was: an empty folder that was there is there, and empty.
///
/// ```
/// use gan_metrics::output::OutputFolder;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("samples");
/// let samples = OutputFolder::claim(&path)?;
/// samples.write(|folder| std::fs::write(folder.join("0.png"), b"an image"))?;
/// assert_eq!(std::fs::read(path.join("0.png"))?, b"an image");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct OutputFolder {
    path: PathBuf,
    /// The path with all links followed.
    place: PathBuf,
    temporary: Temporary<Option<File>>,
    way: Way,
}

/// How files reach their folder.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// Their folder is renamed.
    Rename,
    /// Each is moved into the folder that was there.
    MoveOut,
}

impl OutputFolder {
    /// Makes sure that a folder can be made, or is there and empty, and can be filled.
    ///
    /// # Errors
    /// [`OutputError`] when the path is something else than a folder, or a folder with something in it; when the folder to
    /// make it in does not exist; when nothing can be created there.
    pub fn claim(path: &Path) -> Result<Self, OutputError> {
        if look(path)?.is_some_and(|found| found.is_dir()) {
            sweep(path);
            if fs::read_dir(path).map_err(|source| OutputError::at(path, source))?.next().is_some() {
                return Err(OutputError::NotEmpty { path: path.into() });
            }
        }
        Self::begin(path)
    }

    /// As [`Self::claim`], whatever is in the folder.
    fn begin(path: &Path) -> Result<Self, OutputError> {
        let make = |folder: &Path| Temporary::folder_in(folder, &DirBuilder::new());
        let (place, temporary, way) = match look(path)? {
            None => {
                let place = follow(path)?;
                let temporary = begin(path, &place, make)?;
                (place, temporary, Way::Rename)
            }
            Some(found) if found.is_dir() => {
                let place = fs::canonicalize(path).map_err(|source| OutputError::at(path, source))?;
                let failure = |source| OutputError::Create { path: path.into(), folder: path.into(), source };
                let temporary = make(&place).map_err(failure)?;
                (place, temporary, Way::MoveOut)
            }
            Some(_) => return Err(OutputError::NotAFolder { path: path.into(), folder: path.into() }),
        };
        Ok(Self { path: path.into(), place, temporary, way })
    }

    /// The path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the files that `fill` puts into the folder that it is given appear at the path.
    ///
    /// # Errors
    /// What `fill` returns, and what the system says; it names no path: [`OutputError::at`] does, with [`Self::path`].
    pub fn write<E: From<io::Error>>(self, fill: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
        let Self { place, temporary, way, .. } = self;
        fill(temporary.path())?;
        temporary.keep(|from| match way {
            Way::Rename => fs::rename(from, &place),
            Way::MoveOut => move_out(from, &place),
        })?;
        sync_folder(&place);
        sync_folder(parent(&place));
        Ok(())
    }
}

/// Makes sure that a folder can be made, or is there and takes files, whatever else is in it; gives its path with all links
/// followed. Leaves everything as it was.
#[cfg(feature = "cli")]
pub(crate) fn check_folder(path: &Path) -> Result<PathBuf, OutputError> {
    OutputFolder::begin(path).map(|folder| folder.place)
}

/// Moves all files of a folder into another, or none; then removes the folder.
fn move_out(from: &Path, to: &Path) -> io::Result<()> {
    // Read to the end before it changes.
    let names: Vec<_> =
        fs::read_dir(from)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>()?;
    for (index, name) in names.iter().enumerate() {
        if let Err(error) = fs::rename(from.join(name), to.join(name)) {
            for moved in &names[..index] {
                let _ = fs::rename(to.join(moved), from.join(moved));
            }
            return Err(error);
        }
    }
    fs::remove_dir(from)
}
