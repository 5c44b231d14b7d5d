//! What goes wrong in reading: the file, or the reading itself.

use std::error::Error;
use std::io;

/// A damaged file stays damaged; a failed read may succeed the next time.
#[derive(Debug)]
pub(crate) enum Fault {
    Io(io::Error),
    Malformed(String),
}

impl Fault {
    /// By what the system said, if it said anything, however deep the error lies that it said it with.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let chain = std::iter::successors(Some(error), |&error| error.source());
        let codes = chain.filter_map(|error| error.downcast_ref::<io::Error>()?.raw_os_error());
        // A damaged archive makes its reader seek to places that no file has; the system calls that an invalid argument.
        let code =
            codes.into_iter().find(|&code| io::Error::from_raw_os_error(code).kind() != io::ErrorKind::InvalidInput);
        match code {
            Some(code) => Fault::Io(io::Error::from_raw_os_error(code)),
            None => Fault::Malformed(error.to_string()),
        }
    }

    /// Says which part of the file is damaged.
    pub fn within(self, part: &str) -> Self {
        match self {
            Fault::Malformed(reason) => Fault::Malformed(format!("{part}: {reason}")),
            io => io,
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::of(&error)
    }
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Fault::Malformed(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray_npy::{ReadNpyError, ReadNpzError};

    #[test]
    fn what_the_system_says_is_not_the_fault_of_the_file() {
        /// A bad disk, on every system that the tests run on.
        const EIO: i32 = 5;
        let deep = ReadNpzError::Npy(ReadNpyError::Io(io::Error::from_raw_os_error(EIO)));
        assert!(matches!(Fault::of(&deep), Fault::Io(error) if error.raw_os_error() == Some(EIO)));
        let truncated = ReadNpzError::Npy(ReadNpyError::Io(io::ErrorKind::UnexpectedEof.into()));
        assert!(matches!(Fault::of(&truncated), Fault::Malformed(_)));
        let nowhere = io::Error::from_raw_os_error(22);
        assert!(matches!(Fault::from(nowhere), Fault::Malformed(_)));
    }
}
