//! A pickle machine that cannot execute anything.
//!
//! A pickle is a program. Here it only builds plain data: every value is a small copyable handle, and containers lie in an arena
//! ([`Heap`]). What a pickle would have Python call is data as well: an [`Object`] notes the function, its arguments and what is done to
//! the result afterwards, and whoever reads the arena says what it stands for. So nothing runs, there is no recursion, cycles are harmless,
//! and the memory in use is bounded by the number of instructions.
//!
//! What a kind of file may hold is its [`Dialect`]: the checkpoints of PyTorch have one, statistics another.

mod machine;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use machine::Unpickler;
pub(crate) use value::{Global, Heap, Object, Origin, Value};

/// More instructions than any file that is read here needs, by two orders of magnitude.
pub(crate) const MAX_INSTRUCTIONS: usize = 1 << 22;

/// What the pickles of a kind of file may have beyond lists, dicts, numbers and text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    /// Whether they may refer to a class or function; any other is an error where it is named, even if nothing comes of it.
    pub allows: fn(Global<'_>) -> bool,
    /// Whether they have bytes, the strings of Python 2 that are no text included.
    pub bytes: bool,
    /// Whether they have objects of classes, which are made without a call of a function.
    pub instances: bool,
    /// Whether they refer to what is kept outside of them.
    pub references: bool,
}

/// Why a pickle cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PickleError {
    #[error("its pickle ends at byte {length}, before it is complete: fetch the file again")]
    Truncated { length: usize },
    #[error("its pickle uses instruction {opcode:#04x} at byte {at}, which such files never need")]
    Opcode { opcode: u8, at: usize },
    #[error("its pickle asks for `{name}`, which such files never need (nothing was executed)")]
    ForbiddenGlobal { name: String },
    #[error("its pickle is malformed near byte {at}: {reason}")]
    Malformed { at: usize, reason: &'static str },
    #[error("its pickle has more than {limit} instructions: no such file is that large")]
    TooLong { limit: usize },
}
