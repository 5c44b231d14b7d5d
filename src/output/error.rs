//! Why something cannot be written.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Blame, Blamed};

/// Why an output cannot be claimed or written. Paths are named as the caller gave them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The path is empty, or ends as only the name of a folder does.
    #[error("cannot write to `{}`: this does not name a file", path.display())]
    NoFileName {
        /// The path.
        path: PathBuf,
    },
    /// A file is to be written where a folder is.
    #[error("cannot write to {}: it is a folder; name a file in it", path.display())]
    Folder {
        /// The path.
        path: PathBuf,
    },
    /// A folder is needed where something else is.
    #[error("cannot write to {}: {} is not a folder", path.display(), folder.display())]
    NotAFolder {
        /// The path of the output.
        path: PathBuf,
        /// What is not a folder.
        folder: PathBuf,
    },
    /// The folder that the output is to be in does not exist.
    #[error("cannot write to {}: the folder {} does not exist; create it first", path.display(), folder.display())]
    NoFolder {
        /// The path of the output.
        path: PathBuf,
        /// The missing folder.
        folder: PathBuf,
    },
    /// Files cannot be created in the folder that the output is to be in.
    #[error(
        "cannot write to {}: files cannot be created in the folder {} ({source}); choose another folder",
        path.display(), folder.display()
    )]
    Create {
        /// The path of the output.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder to fill has something in it.
    #[error("{} is there already and not empty: choose another folder, or empty it first", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// Two outputs are one file.
    #[error("{} and {} are one file: give each output a path of its own", path.display(), other.display())]
    Twice {
        /// The path of the one.
        path: PathBuf,
        /// The path of the other, claimed before.
        other: PathBuf,
    },
    /// An output would replace an input.
    #[error("cannot write to {}: it is the input {}; choose another path", path.display(), input.display())]
    Input {
        /// The path of the output.
        path: PathBuf,
        /// The path of the input.
        input: PathBuf,
    },
    /// An output would replace a file of a folder that is an input.
    #[error(
        "cannot write to {}: it is a file of the input folder {}; choose another path",
        path.display(), folder.display()
    )]
    InFolder {
        /// The path of the output.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// Lines are to be appended to something else than a regular file.
    #[error("cannot append to {}: it is not a regular file; name one, which need not exist", path.display())]
    NotRegular {
        /// The path.
        path: PathBuf,
    },
    /// Lines are to be appended to a file that does not end with a line of JSON.
    #[error(
        "cannot append to {}: its last line is not complete JSON ({reason}); repair or remove the line, or name another file",
        path.display()
    )]
    BrokenLine {
        /// The path.
        path: PathBuf,
        /// What is wrong with the line.
        reason: String,
    },
    /// The system refuses to write.
    #[error("cannot write to {}: {source}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no place for temporary files.
    #[error(
        "cannot create temporary files in {}: {source}; set TMPDIR to a folder with space to write to",
        folder.display()
    )]
    Temporary {
        /// The folder for temporary files.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl OutputError {
    /// The system refuses to write to `path`.
    pub fn at(path: &Path, source: io::Error) -> Self {
        OutputError::Io { path: path.into(), source }
    }
}

impl Blamed for OutputError {
    fn blame(&self) -> Blame {
        match self {
            OutputError::Io { source, .. }
            | OutputError::Create { source, .. }
            | OutputError::Temporary { source, .. } => match source.kind() {
                io::ErrorKind::NotFound
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::AlreadyExists => Blame::Input,
                _ => Blame::Machine,
            },
            _ => Blame::Input,
        }
    }
}

impl From<OutputError> for io::Error {
    /// What the system said is handed on as it is, without the path: whoever deals in [`io::Error`] names it.
    fn from(error: OutputError) -> Self {
        let kind = match error {
            OutputError::Io { source, .. } => return source,
            OutputError::Create { ref source, .. } | OutputError::Temporary { ref source, .. } => source.kind(),
            OutputError::Folder { .. } => io::ErrorKind::IsADirectory,
            OutputError::NotAFolder { .. } => io::ErrorKind::NotADirectory,
            OutputError::NoFolder { .. } => io::ErrorKind::NotFound,
            OutputError::NotEmpty { .. } => io::ErrorKind::DirectoryNotEmpty,
            _ => io::ErrorKind::InvalidInput,
        };
        io::Error::new(kind, error)
    }
}
