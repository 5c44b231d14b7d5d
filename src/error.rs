//! One error type for the whole crate, opaque over the small enums of the modules.
//!
//! Callers who only want to know what to do ask [`Error::blame`]: is it the input, the model file, the machine, or a
//! defect of this crate? The message itself always says what was wrong, the value seen, and what to do.

use std::{fmt, io};

use crate::regular;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who has to act for the operation to succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Blame {
    /// The data or the arguments handed in: a missing folder, a corrupt image, a matrix of the wrong shape.
    Input,
    /// A model file: a truncated checkpoint, a tensor of the wrong shape, an output name that does not exist.
    Model,
    /// The machine: a library that is not installed, a device that is not there, a full disk.
    Machine,
    /// A defect of this crate, worth a report.
    Bug,
    /// Nobody: whoever started the operation [asked it to stop](crate::Interrupt).
    Interrupted,
}

/// Implemented by the error enum of every module, so that [`Error`] can tell whom to blame.
pub trait Blamed: std::error::Error + Send + Sync + 'static {
    /// Who has to act for the operation to succeed.
    fn blame(&self) -> Blame;
}

/// Any error of this crate.
///
/// Converts from the error enum of every module and shows its message unchanged.
pub struct Error(Box<dyn Blamed>);

impl Error {
    /// Who has to act for the operation to succeed.
    pub fn blame(&self) -> Blame {
        self.0.blame()
    }

    /// An error of the caller's own code, such as an observer or an image source that this crate calls. Its message is shown
    /// unchanged, and it is blamed on [`Blame::Input`]: the code was handed in.
    ///
    /// ```
    /// use gan_metrics::{Blame, Error};
    ///
    /// let error = Error::other("x".parse::<u8>().unwrap_err());
    /// assert_eq!((error.to_string().as_str(), error.blame()), ("invalid digit found in string", Blame::Input));
    /// assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
    /// ```
    pub fn other(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Error(Box::new(Other(Box::new(error))))
    }

    /// The error underneath, of a module or [of the caller](Self::other), if it is of this type.
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        let error: &(dyn std::error::Error + 'static) = &*self.0;
        match error.downcast_ref::<Other>() {
            Some(Other(other)) => other.downcast_ref(),
            None => error.downcast_ref(),
        }
    }
}

/// An error of the caller.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Other(Box<dyn std::error::Error + Send + Sync>);

impl Blamed for Other {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// So that code which this crate calls can use `?` on what it reads and writes. What this crate itself reads and writes has errors
/// that name the path.
impl Blamed for io::Error {
    /// [`Blame::Input`] where a path is wrong or closed to this process, or content is not what it should be;
    /// [`Blame::Machine`] otherwise.
    fn blame(&self) -> Blame {
        regular::blame(self)
    }
}

impl<E: Blamed> From<E> for Error {
    fn from(error: E) -> Self {
        Error(Box::new(error))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the folder `x` is empty")]
    struct Empty;

    impl Blamed for Empty {
        fn blame(&self) -> Blame {
            Blame::Input
        }
    }

    #[test]
    fn keeps_message_and_blame() {
        let error = Error::from(Empty);
        assert_eq!(error.to_string(), "the folder `x` is empty");
        assert_eq!(error.blame(), Blame::Input);
        assert!(error.downcast_ref::<Empty>().is_some() && error.downcast_ref::<crate::Interrupted>().is_none());
    }

    #[test]
    fn errors_of_callers_pass_through_a_question_mark() {
        fn sink(kind: io::ErrorKind) -> Result<()> {
            Err(io::Error::new(kind, "no luck"))?;
            Ok(())
        }
        let error = sink(io::ErrorKind::StorageFull).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.blame()), ("no luck", Blame::Machine));
        assert_eq!(sink(io::ErrorKind::NotFound).unwrap_err().blame(), Blame::Input);
        assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::StorageFull);

        let error = Error::other(fmt::Error);
        assert_eq!((error.to_string(), error.blame()), (fmt::Error.to_string(), Blame::Input));
        assert!(error.downcast_ref::<fmt::Error>().is_some() && error.downcast_ref::<Empty>().is_none());
        let unknown = || -> Result<crate::score::Metric> { Ok("fd".parse()?) };
        assert!(unknown().unwrap_err().to_string().starts_with("no score is called `fd`"));
    }
}
