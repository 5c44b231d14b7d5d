//! One error type for the whole crate, opaque over the small enums of the modules.
//!
//! Callers who only want to know what to do ask [`Error::blame`]: is it the input, the model file, the machine, or a
//! defect of this crate? The message itself always says what was wrong, the value seen, and what to do.

use std::fmt;

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

    /// The error of the module underneath, if it is of this type.
    pub fn downcast_ref<E: Blamed>(&self) -> Option<&E> {
        let error: &(dyn std::error::Error + 'static) = &*self.0;
        error.downcast_ref()
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
}
