//! Temporaries: files and folders that are gone when the process is, however it ends.
//!
//! Three things see to that. A temporary removes itself when it is dropped. A list of those alive lets a process that is
//! about to exit remove them all. And each holds an advisory lock, which the system takes from a process that is killed:
//! whoever next works in the same folder removes what nobody locks.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::error::OutputError;

/// Every temporary has a name of this form; names that begin with a dot are hidden, and no data set has them.
const PREFIX: &str = ".gan-metrics-";
const SUFFIX: &str = ".part";

/// The temporaries of this process.
static ALIVE: Mutex<Alive> = Mutex::new(Alive { paths: BTreeSet::new(), is_ending: false });

struct Alive {
    paths: BTreeSet<PathBuf>,
    /// They were removed because the process is about to exit.
    is_ending: bool,
}

fn alive() -> MutexGuard<'static, Alive> {
    // The set is whole between any two operations on it.
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For whoever makes a temporary or moves one to its place; waits for the exit of a process that is ending.
fn alive_unless_ending() -> MutexGuard<'static, Alive> {
    let alive = alive();
    if alive.is_ending {
        drop(alive);
        loop {
            thread::park();
        }
    }
    alive
}

/// Removes every temporary of this process, those included that other threads still write to.
///
/// For a process that is about to exit without unwinding, as after a second Ctrl-C. An output that is just being moved to
/// its place arrives there whole before this function begins. A thread that makes a temporary later, or moves an output to
/// its place, waits until the process is gone.
///
/// ```standalone_crate
/// use gan_metrics::output::{Output, TemporaryFolder, remove_temporaries};
///
/// # let folder = tempfile::tempdir()?;
/// let images = TemporaryFolder::new()?;
/// std::fs::write(images.path().join("0.png"), b"an image")?;
/// let report = Output::claim(&folder.path().join("report.json"))?;
/// remove_temporaries();
/// assert!(!images.path().exists());
/// assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn remove_temporaries() {
    let mut alive = alive();
    alive.is_ending = true;
    for path in std::mem::take(&mut alive.paths) {
        remove(&path);
    }
}

fn remove(path: &Path) {
    /// A thread that still writes into a folder can put a file there after the last look.
    const TRIES: usize = 16;
    // Nothing can be done about what remains but to find it again.
    let _ = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => (0..TRIES).any(|_| fs::remove_dir_all(path).is_ok()),
        _ => fs::remove_file(path).is_ok(),
    };
}

/// Removes the temporaries in a folder that processes left behind when they were killed. What a process still works on is
/// locked, and stays. Nothing is said of failures: what cannot be removed now is found again.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| is_temporary(&entry.file_name())) {
        // A link, or a pipe that would block, is nobody's temporary.
        if !entry.file_type().is_ok_and(|kind| kind.is_file() || kind.is_dir()) {
            continue;
        }
        // The lock is held until the temporary is gone, so that its maker, if it has only just begun, notices.
        if let Ok(handle) = File::open(entry.path())
            && handle.try_lock().is_ok()
        {
            remove(&entry.path());
        }
    }
}

fn is_temporary(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.strip_prefix(PREFIX).is_some_and(|rest| rest.ends_with(SUFFIX)))
}

/// A temporary and the open handle that holds its lock.
#[derive(Debug)]
pub(super) struct Temporary<Handle> {
    path: PathBuf,
    pub handle: Handle,
}

impl Temporary<File> {
    /// An empty file in a folder, readable by whom the umask lets.
    pub fn file_in(folder: &Path) -> io::Result<Self> {
        loop {
            let made = Self::begin(folder, |path| File::options().read(true).write(true).create_new(true).open(path))?;
            if lock(&made.handle, &made.path) {
                return Ok(made);
            }
        }
    }
}

impl Temporary<Option<File>> {
    /// An empty folder in a folder. Where folders cannot be opened it has no lock, and is not swept either.
    pub fn folder_in(folder: &Path, builder: &DirBuilder) -> io::Result<Self> {
        loop {
            let mut made = Self::begin(folder, |path| builder.create(path).map(|()| None))?;
            if cfg!(unix) {
                made.handle = match File::open(&made.path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    handle => Some(handle?),
                };
            }
            if made.handle.as_ref().is_none_or(|handle| lock(handle, &made.path)) {
                return Ok(made);
            }
        }
    }
}

/// Locks a temporary that was just made; `false` if another process swept it away before.
fn lock(handle: &File, path: &Path) -> bool {
    // Waits at most for a sweep that looks at it. Where nothing can be locked, a sweep cannot lock it either.
    let _ = handle.lock();
    fs::symlink_metadata(path).is_ok()
}

impl<Handle> Temporary<Handle> {
    fn begin(folder: &Path, make: impl FnOnce(&Path) -> io::Result<Handle>) -> io::Result<Self> {
        // 64 random bits: hashers of the standard library are seeded with them.
        let random = RandomState::new().build_hasher().finish();
        let path = folder.join(format!("{PREFIX}{random:016x}{SUFFIX}"));
        let mut alive = alive_unless_ending();
        let handle = make(&path)?;
        alive.paths.insert(path.clone());
        Ok(Self { path, handle })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets `take` move it to where it is to stay; it is removed if that fails.
    pub fn keep(self, take: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        let mut alive = alive_unless_ending();
        take(&self.path)?;
        alive.paths.remove(&self.path);
        Ok(())
    }
}

impl<Handle> Drop for Temporary<Handle> {
    fn drop(&mut self) {
        let mut alive = alive();
        if alive.paths.remove(&self.path) {
            remove(&self.path);
        }
    }
}

/// A folder for the time of a computation, in the system's folder for temporary files (`TMPDIR`). It is removed with all
/// that is in it when it is dropped, by [`remove_temporaries`], or, if the process is killed, when the next one starts.
///
/// ```
/// use gan_metrics::output::TemporaryFolder;
///
/// let folder = TemporaryFolder::new()?;
/// let file = folder.path().join("images.npy");
/// std::fs::write(&file, b"many images")?;
/// drop(folder);
/// assert!(!file.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TemporaryFolder(Temporary<Option<File>>);

impl TemporaryFolder {
    /// A new, empty folder that only this user can look into.
    ///
    /// # Errors
    /// [`OutputError::Temporary`] when it cannot be made.
    pub fn new() -> Result<Self, OutputError> {
        let parent = std::env::temp_dir();
        sweep(&parent);
        let folder = Temporary::folder_in(&parent, &private());
        folder.map(Self).map_err(|source| OutputError::Temporary { folder: parent, source })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Makes folders that no other user can look into, where there is such a thing.
fn private() -> DirBuilder {
    #[cfg_attr(not(unix), allow(unused_mut))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}
