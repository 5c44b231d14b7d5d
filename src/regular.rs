//! Regular files, the only ones that are read here.
//!
//! Files are sniffed, sought in and read again, which a pipe does not allow; opening one may block for ever, and reading
//! a device may never end. So what is not a regular file is refused before it is opened.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::error::Blame;

/// Opens a regular file for reading; links are followed.
///
/// # Errors
/// Those of the system, and [`ErrorKind::InvalidInput`] with a message that names what is there instead.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, NotRegular { kind: kind(&metadata) }));
    }
    File::open(path)
}

/// Reads a whole regular file.
///
/// # Errors
/// As for [`open`], and those of reading.
#[cfg(any(feature = "gan", feature = "inference"))]
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let mut bytes = Vec::with_capacity(file.metadata()?.len().try_into().unwrap_or(0));
    io::Read::read_to_end(&mut file, &mut bytes)?;
    Ok(bytes)
}

/// Who has to act when a file cannot be read: whoever named it where the path is wrong or closed to us, the machine
/// otherwise.
pub(crate) fn blame(error: &io::Error) -> Blame {
    use ErrorKind::{InvalidData, InvalidInput, NotADirectory, NotFound, PermissionDenied, UnexpectedEof};
    match error.kind() {
        NotFound | NotADirectory | PermissionDenied | InvalidData | InvalidInput | UnexpectedEof => Blame::Input,
        _ => Blame::Machine,
    }
}

/// What is there is not a regular file.
#[derive(Debug)]
struct NotRegular {
    kind: &'static str,
}

impl fmt::Display for NotRegular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            "folder" => f.write_str("this is a folder, not a file: name a file in it"),
            kind => write!(f, "this is a {kind}, not a regular file: save its content to a file and name that"),
        }
    }
}

impl std::error::Error for NotRegular {}

#[cfg(unix)]
fn kind(metadata: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => "folder",
        () if kind.is_fifo() => "pipe",
        () if kind.is_socket() => "socket",
        () => "device",
    }
}

#[cfg(not(unix))]
fn kind(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() { "folder" } else { "device" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_regular_file_is_refused_by_its_kind() {
        let folder = tempfile::tempdir().unwrap();
        let error = open(folder.path()).unwrap_err();
        assert_eq!((error.kind(), blame(&error)), (ErrorKind::InvalidInput, Blame::Input));
        assert_eq!(error.to_string(), "this is a folder, not a file: name a file in it");
        let file = folder.path().join("x");
        fs::write(&file, b"content").unwrap();
        assert!(open(&file).is_ok());
        assert_eq!(open(&folder.path().join("y")).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_sockets_are_never_opened() {
        let error = open(Path::new("/dev/zero")).unwrap_err().to_string();
        assert_eq!(error, "this is a device, not a regular file: save its content to a file and name that");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(open(&path).unwrap_err().to_string().starts_with("this is a socket"));
    }
}
