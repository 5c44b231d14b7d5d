//! Why a computation of the training core cannot be done.

use std::path::PathBuf;

use crate::error::{Blame, Blamed};
use crate::output::OutputError;
use crate::regular;

/// Why tensors, networks or a training run were rejected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GanError {
    /// Shapes that an operation cannot work on.
    #[error("{op}: {problem}")]
    Shape {
        /// The operation.
        op: &'static str,
        /// The shapes seen, and what was expected.
        problem: String,
    },
    /// A derivative was asked for that is not defined.
    #[error("{op} has no second derivative here: use an objective made of smooth operations under a gradient penalty")]
    NotDifferentiable {
        /// The operation.
        op: &'static str,
    },
    /// A setting outside its range.
    #[error("{name} = {value} is out of range: it must be {requirement}")]
    Setting {
        /// What was set.
        name: &'static str,
        /// The rejected value.
        value: String,
        /// Which values work.
        requirement: String,
    },
    /// Sizes, each in its range, that together take more memory than machines have.
    #[error(
        "{what} would take {} GiB of memory, at most {} GiB can be asked for: make the networks, the images or the batch \
         smaller",
        needed >> 30, most >> 30
    )]
    Memory {
        /// What would take it.
        what: &'static str,
        /// Bytes, about.
        needed: u128,
        /// The most that can be asked for, in bytes.
        most: u128,
    },
    /// A name that is none of a fixed list.
    #[error("there is no {what} called `{name}`: expected one of {known}")]
    UnknownName {
        /// What kind of thing was named.
        what: &'static str,
        /// The name that was given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// Images of a training set that do not fit the model.
    #[error("cannot train on these images: {0}")]
    Data(String),
    /// A loss or a gradient stopped being a finite number.
    #[error(
        "step {step}: {quantity} is {value}; training stopped and the last checkpoint is kept \
         (try a smaller learning rate, gradient clipping, or another objective)"
    )]
    NotFinite {
        /// The step, counted from 1.
        step: u64,
        /// What is not finite.
        quantity: String,
        /// The value seen.
        value: f64,
    },
    /// A file that is not a checkpoint, or the checkpoint of another model.
    #[error("checkpoint `{}`: {problem}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// What a run remembers, without something that belongs to it.
    #[error("{0}")]
    State(String),
    /// Something that this kind of system cannot do.
    #[error("{system} cannot {action}")]
    Unable {
        /// The system.
        system: String,
        /// What was asked for.
        action: &'static str,
    },
    /// A file that cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A file that cannot be read.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl GanError {
    pub(crate) fn shape(op: &'static str, problem: impl Into<String>) -> Self {
        GanError::Shape { op, problem: problem.into() }
    }

    pub(crate) fn setting(name: &'static str, value: impl ToString, requirement: impl Into<String>) -> Self {
        GanError::Setting { name, value: value.to_string(), requirement: requirement.into() }
    }
}

impl Blamed for GanError {
    fn blame(&self) -> Blame {
        match self {
            GanError::Checkpoint { .. } | GanError::State(_) => Blame::Model,
            GanError::Output(error) => error.blame(),
            GanError::Io { source, .. } => regular::blame(source),
            _ => Blame::Input,
        }
    }
}
