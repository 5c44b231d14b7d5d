//! What the path of an output stands for.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::error::OutputError;

/// Links that are followed before a path counts as a circle; as many as Linux follows.
const MOST_LINKS: usize = 40;

/// Where the content of an output goes.
#[derive(Debug)]
pub(super) enum Target {
    /// A regular file, or one that is to be: every link on its path has been followed.
    File(PathBuf),
    /// Something that takes bytes and keeps its kind.
    Stream(Stream),
}

/// A device, a pipe, or an open descriptor of this process.
#[derive(Debug)]
pub(super) enum Stream {
    Path(PathBuf),
    #[cfg(unix)]
    StandardOutput,
    #[cfg(unix)]
    StandardError,
}

impl Target {
    /// Looks at a path. Opens nothing that could block or notice.
    pub fn of(path: &Path) -> Result<Self, OutputError> {
        let found = look(path)?;
        if found.as_ref().is_some_and(Metadata::is_dir) {
            return Err(OutputError::Folder { path: path.into() });
        }
        if ends_as_folder(path) {
            return Err(OutputError::NoFileName { path: path.into() });
        }
        let place = follow(path)?;
        Ok(match descriptor(&place) {
            Some(stream) => Target::Stream(stream),
            None if found.as_ref().is_some_and(|found| !found.is_file()) => Target::Stream(Stream::Path(path.into())),
            None => Target::File(place),
        })
    }
}

/// What is at a path, at the end of all links; `None` if nothing is.
pub(super) fn look(path: &Path) -> Result<Option<Metadata>, OutputError> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(OutputError::NotAFolder { path: path.into(), folder: parent(path).into() })
        }
        Err(source) => Err(OutputError::at(path, source)),
    }
}

/// Whether the last character says that a folder is meant.
pub(super) fn ends_as_folder(path: &Path) -> bool {
    path.to_string_lossy().ends_with(std::path::is_separator)
}

/// The folder that a path is in.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The path without links: of the file itself, if that is a link, to where it points, though nothing need be there.
pub(super) fn follow(path: &Path) -> Result<PathBuf, OutputError> {
    let mut place = path.to_owned();
    for _ in 0..MOST_LINKS {
        let name = place.file_name().ok_or_else(|| OutputError::NoFileName { path: path.into() })?;
        let folder = fs::canonicalize(parent(&place)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OutputError::NoFolder { path: path.into(), folder: parent(&place).into() },
            _ => OutputError::at(path, error),
        })?;
        let here = folder.join(name);
        match fs::read_link(&here) {
            Ok(next) if !is_of_descriptors(&folder) => place = folder.join(next),
            _ => return Ok(here),
        }
    }
    Err(OutputError::at(path, io::Error::other("too many symbolic links")))
}

/// Whether the entries of a folder are the open descriptors of this process.
fn is_of_descriptors(folder: &Path) -> bool {
    folder == Path::new("/dev/fd") || folder == Path::new(&format!("/proc/{}/fd", std::process::id()))
}

/// The open descriptor that a path stands for, such as that of `/dev/stdout`. Even if it is a regular file, it is somebody
/// else's to replace.
fn descriptor(place: &Path) -> Option<Stream> {
    if !is_of_descriptors(parent(place)) {
        return None;
    }
    Some(match place.file_name()?.to_str()? {
        #[cfg(unix)]
        "1" => Stream::StandardOutput,
        #[cfg(unix)]
        "2" => Stream::StandardError,
        _ => Stream::Path(place.into()),
    })
}

impl Stream {
    /// Hands over all of `content`. A reader that closes its end has what it wanted: that is success.
    pub fn take(&self, content: &mut impl Read) -> io::Result<()> {
        let mut stream = self.open()?;
        match io::copy(content, &mut stream).and_then(|_| stream.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    fn open(&self) -> io::Result<File> {
        match self {
            // A descriptor may be that of a file with something in it.
            Stream::Path(path) => File::options().append(true).open(path),
            #[cfg(unix)]
            Stream::StandardOutput => {
                io::stdout().flush()?;
                duplicate(io::stdout())
            }
            #[cfg(unix)]
            Stream::StandardError => duplicate(io::stderr()),
        }
    }
}

/// Shares the place in the file with the original: opened anew by its name, both would write over each other.
#[cfg(unix)]
fn duplicate(stream: impl std::os::fd::AsFd) -> io::Result<File> {
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}
