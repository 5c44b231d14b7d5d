//! Outputs are claimed before the work that fills them, and appear whole or not at all.
//!
//! [`Output::claim`] finds out everything that could keep a result from being written: a folder that does not exist, a file
//! that may not be written. It takes a millisecond, the work behind it may take hours. Until [`Output::write`] has
//! succeeded, a file that was there before is untouched; after an error, an interrupt or a crash nothing half-written is left.
//!
//! * [`Outputs`] claims several, and refuses those that would overwrite each other or an input;
//! * [`JsonLines`] is a log that grows by a line;
//! * [`OutputFolder`] is the same for a folder of files;
//! * [`TemporaryFolder`] is for what nobody asked to keep.
//!
//! ```
//! use gan_metrics::output::Output;
//! use std::io::Write;
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("report.txt");
//! let report = Output::claim(&path)?;
//! let result = 6 * 7; // An hour of work.
//! report.write(|file| writeln!(file, "the answer is {result}"))?;
//! assert_eq!(std::fs::read_to_string(&path)?, "the answer is 42\n");
//!
//! let error = Output::claim(&folder.path().join("no/report.txt")).unwrap_err();
//! assert!(error.to_string().ends_with("does not exist; create it first"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod folder;
mod lines;
mod outputs;
#[cfg(feature = "images")]
mod space;
mod target;
mod temporary;
mod writer;

use std::fs::{self, File, Metadata};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

pub use error::OutputError;
pub use folder::OutputFolder;
#[cfg(feature = "cli")]
pub(crate) use folder::check_folder;
pub use lines::JsonLines;
pub use outputs::Outputs;
#[cfg(feature = "images")]
pub(crate) use space::spare_bytes;
#[cfg(feature = "inference")]
pub(crate) use temporary::sweep;
pub use temporary::{TemporaryFolder, remove_temporaries};
pub use writer::OutputWriter;

use target::{Stream, Target, parent};
use temporary::Temporary;

/// A file to be written, which is known to be writable.
///
/// * A regular file is filled in a temporary in the same folder and renamed when it is complete and on the disk. It gets the
///   permissions, and where possible the owner, of the file that it replaces, or those that the umask gives to a new one.
/// * A file that may be written but not replaced is written in place when the content is complete: a mount point, or somebody
///   else's file in a folder such as `/tmp`.
/// * A symbolic link stays, and what it points to is written.
/// * A device, a named pipe or an open descriptor (`/dev/stdout`) is written through when the content is complete.
///
/// Dropped without being written, it leaves everything as it was.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    way: Way,
}

/// How content reaches its target.
#[derive(Debug)]
enum Way {
    Rename { temporary: Temporary<File>, place: PathBuf },
    Through(Stream),
}

impl Output {
    /// Makes sure that a file can be written, and begins it.
    ///
    /// Temporaries that killed processes left in the same folder are removed.
    ///
    /// # Errors
    /// [`OutputError`] when the path is a folder, or its folder does not exist; when the folder or the file may not be
    /// written to.
    pub fn claim(path: &Path) -> Result<Self, OutputError> {
        Self::of(path, Target::of(path)?)
    }

    fn of(path: &Path, target: Target) -> Result<Self, OutputError> {
        let way = match target {
            Target::Stream(stream) => Way::Through(stream),
            Target::File(place) => {
                // A file may be write-protected where the folder is not; opening it changes nothing.
                match File::options().write(true).open(&place) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(OutputError::at(path, error)),
                    _ => {}
                }
                let temporary = begin(path, &place, |_| temporary_for(&place))?;
                Way::Rename { temporary, place }
            }
        };
        Ok(Self { path: path.into(), way })
    }

    /// The path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what `fill` puts into the file, and makes it appear under its name.
    ///
    /// # Errors
    /// What the system says of writing, or else what `fill` returns; it names no path: [`OutputError::at`] does, with
    /// [`Self::path`]. Whatever was there before is then untouched, but for what is written in place and failed half-way.
    pub fn write<E: From<io::Error>>(self, fill: impl FnOnce(&mut OutputWriter<'_>) -> Result<(), E>) -> Result<(), E> {
        let buffered = |file: &File| -> Result<(), E> {
            let mut writer = OutputWriter::new(file);
            let filled = fill(&mut writer);
            writer.finish(filled)
        };
        match self.way {
            Way::Rename { mut temporary, place } => {
                // Claimed hours ago, it may have been cleaned up by somebody, as old files are.
                if !temporary.path().exists() {
                    temporary = temporary_for(&place)?;
                }
                buffered(&temporary.handle)?;
                temporary.handle.sync_all()?;
                temporary.keep(|from| replace(from, &place))?;
                sync_folder(parent(&place));
                Ok(())
            }
            Way::Through(stream) => {
                // Some formats are written out of order, which a pipe does not allow.
                let folder = std::env::temp_dir();
                let content = tempfile::tempfile();
                let content = content.map_err(|source| io::Error::from(OutputError::Temporary { folder, source }));
                let mut content = content?;
                buffered(&content)?;
                content.rewind()?;
                Ok(stream.take(&mut content)?)
            }
        }
    }

    /// As [`Self::write`], where nothing can fail but the writing.
    ///
    /// # Errors
    /// [`OutputError::Io`], which names the path.
    pub fn fill(self, fill: impl FnOnce(&mut OutputWriter<'_>) -> io::Result<()>) -> Result<(), OutputError> {
        let path = self.path.clone();
        self.write(fill).map_err(|source| OutputError::at(&path, source))
    }

    /// As [`Self::fill`], for bytes that are in memory.
    ///
    /// # Errors
    /// [`OutputError::Io`], which names the path.
    pub fn write_all(self, bytes: &[u8]) -> Result<(), OutputError> {
        self.fill(|file| file.write_all(bytes))
    }
}

/// Claims and writes at once, for what is written without work before it.
///
/// # Errors
/// Those of [`Output::claim`] and [`Output::write`].
pub fn write<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut OutputWriter<'_>) -> Result<(), E>,
) -> Result<(), E> {
    Output::claim(path).map_err(io::Error::from)?.write(fill)
}

/// A temporary in the folder of `place`, which `path` stands for.
fn begin<Handle>(
    path: &Path,
    place: &Path,
    make: impl FnOnce(&Path) -> io::Result<Temporary<Handle>>,
) -> Result<Temporary<Handle>, OutputError> {
    temporary::sweep(parent(place));
    make(parent(place)).map_err(|source| OutputError::Create {
        path: path.into(),
        folder: parent(place).into(),
        source,
    })
}

/// A temporary beside `place` with the permissions of the file there, if there is one.
fn temporary_for(place: &Path) -> io::Result<Temporary<File>> {
    let temporary = Temporary::file_in(parent(place))?;
    if let Ok(found) = fs::metadata(place) {
        resemble(&temporary.handle, &found)?;
    }
    Ok(temporary)
}

/// Gives a file the permissions of another, and its owner as far as this user may.
fn resemble(file: &File, other: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let _ = fchown(file, Some(other.uid()), Some(other.gid())).or_else(|_| fchown(file, None, Some(other.gid())));
    }
    file.set_permissions(other.permissions())
}

/// Renames, or copies into a file that cannot be renamed over: a mount point, which a container was given, or somebody else's
/// file in a folder where only owners may replace theirs (the sticky bit).
fn replace(from: &Path, place: &Path) -> io::Result<()> {
    use io::ErrorKind::{PermissionDenied, ResourceBusy};
    match fs::rename(from, place) {
        Err(error) if matches!(error.kind(), PermissionDenied | ResourceBusy) => {
            // Not as `fs::copy` does it: the file is there, and its permissions are not ours to set.
            let Ok(mut file) = File::options().write(true).truncate(true).open(place) else { return Err(error) };
            io::copy(&mut File::open(from)?, &mut file)?;
            file.sync_all()?;
            // The result is in its place: what cannot be removed now is swept later.
            let _ = fs::remove_file(from);
            Ok(())
        }
        other => other,
    }
}

/// A name is on the disk when its folder is. Some file systems cannot be asked for that, and then the file is there all the
/// same.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

#[cfg(test)]
mod tests;
