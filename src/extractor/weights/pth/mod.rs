//! Reading PyTorch checkpoints: a flat state dict, from either format of `torch.save`, without Python.
//!
//! A checkpoint is a pickle, and a pickle is a program. [`StateDict::from_bytes`] runs it on a small machine that knows
//! only what a state dict is made of (tensors, ordered dicts, strings and numbers): any other name is an error that
//! says which one it was, and nothing is ever executed. Sizes are checked against the length of the file before
//! anything is allocated.
//!
//! * The *zip* format (PyTorch ≥ 1.6): `data.pkl` and one stored entry per storage; checksums are verified.
//! * The *legacy* format (before 1.6, and the published FID weights): five pickles one after the other, then the raw
//!   storages.
//!
//! Matches `torch.load(path, weights_only=True)`.

mod container;
mod pickle;
mod tensor;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use tensor::{DType, StoredTensor};

use crate::digest::sha256;
use crate::error::{Blame, Blamed};
use crate::regular;
use pickle::Value;

/// Why a checkpoint could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PthError {
    /// The file could not be read.
    #[error("cannot read the checkpoint `{}`: {source}", path.display())]
    Io {
        /// The file asked for.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The reader handed in failed.
    #[error("cannot read the checkpoint: {0}")]
    Read(#[source] io::Error),
    /// The bytes are in neither format of `torch.save`.
    #[error(
        "this is no PyTorch checkpoint: it begins with \"{start}\"; expected a file written by \
         `torch.save(model.state_dict(), path)` (was an error page saved in its place?)"
    )]
    NotACheckpoint {
        /// The first bytes, escaped.
        start: String,
    },
    /// The bytes end before the checkpoint does.
    #[error("the checkpoint ends at byte {length}, in the middle of {what}: it is incomplete, fetch it again")]
    Truncated {
        /// Length of the file.
        length: usize,
        /// What was being read.
        what: &'static str,
    },
    /// The zip archive is damaged.
    #[error("the checkpoint's zip archive is damaged ({0}): fetch the file again")]
    Zip(#[from] zip::result::ZipError),
    /// A storage or the pickle cannot be read from the archive.
    #[error("entry `{entry}` of the checkpoint's zip archive is damaged ({reason}): fetch the file again")]
    Entry {
        /// Name of the entry.
        entry: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The archive holds a compiled program instead of a state dict.
    #[error(
        "this is a TorchScript archive (`{entry}`), a program and not a state dict: load it in PyTorch and save \
         `model.state_dict()` with `torch.save`"
    )]
    TorchScript {
        /// The entry that gives it away.
        entry: String,
    },
    /// The checkpoint was written on a big-endian machine.
    #[error("the checkpoint was written on a big-endian machine: re-save it with PyTorch on a little-endian one")]
    BigEndian,
    /// The pickle uses an instruction that state dicts do not need.
    #[error(
        "the checkpoint's pickle uses instruction {opcode:#04x} at byte {at}, which a state dict never needs: \
         re-save it with `torch.save(model.state_dict(), path)`"
    )]
    Opcode {
        /// The instruction.
        opcode: u8,
        /// Its position in the pickle.
        at: usize,
    },
    /// The pickle names a function or class that is not part of a state dict. Nothing was executed.
    #[error(
        "the checkpoint asks for `{name}`, which a state dict never needs (nothing was executed): re-save it with \
         `torch.save(model.state_dict(), path)`"
    )]
    ForbiddenGlobal {
        /// `module.name` as the pickle has it.
        name: String,
    },
    /// The pickle contradicts itself.
    #[error("the checkpoint's pickle is malformed near byte {at}: {reason}")]
    Malformed {
        /// Position in the pickle.
        at: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// The pickle is longer than any state dict's.
    #[error("the checkpoint's pickle has more than {limit} instructions: no state dict is that large")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// The pickled object is not a dict.
    #[error("the checkpoint holds {found} where a state dict was expected: save `model.state_dict()`")]
    NotAStateDict {
        /// What it is.
        found: &'static str,
    },
    /// An entry of the state dict is not a tensor.
    #[error(
        "entry `{key}` of the checkpoint is {found}, not a tensor: if it holds the state dict, save that alone with \
         `torch.save(checkpoint[\"{key}\"], path)`"
    )]
    NotATensor {
        /// Key of the entry.
        key: String,
        /// What it is.
        found: &'static str,
    },
    /// A type that has no place among weights, or whose values `f32` cannot hold.
    #[error("tensor `{name}` has type {dtype}: weights must be floating point, or integers of 8 or 16 bits")]
    DType {
        /// Name of the tensor.
        name: String,
        /// Its element type.
        dtype: DType,
    },
    /// A tensor reaches outside its storage.
    #[error("tensor `{name}` of shape {shape:?} does not fit its storage of {elements} elements: the file is damaged")]
    OutOfStorage {
        /// Name of the tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Elements of the storage.
        elements: usize,
    },
    /// The tensors are larger than the file can account for.
    #[error(
        "at tensor `{name}` the tensors have more elements than the file has bytes ({limit}): expanded views are not \
         supported, re-save the checkpoint with contiguous tensors"
    )]
    TooLarge {
        /// The tensor at which the limit was passed.
        name: String,
        /// Length of the file in bytes.
        limit: usize,
    },
    /// A storage's declared and stored sizes differ.
    #[error(
        "storage `{key}` of the checkpoint holds {found} bytes where {expected} were declared: the file is damaged"
    )]
    StorageSize {
        /// Key of the storage.
        key: String,
        /// Bytes declared by the pickle.
        expected: u64,
        /// Bytes in the file.
        found: u64,
    },
}

impl Blamed for PthError {
    fn blame(&self) -> Blame {
        match self {
            PthError::Io { source, .. } => regular::blame(source),
            PthError::Read(_) => Blame::Machine,
            _ => Blame::Model,
        }
    }
}

/// Where weights came from; written into every graph built from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WeightsOrigin {
    /// A checkpoint, by the lower-case hexadecimal sha256 of the whole file.
    File {
        /// The digest.
        sha256: String,
    },
    /// Generated, not trained.
    Seeded {
        /// The generator's seed.
        seed: u64,
    },
}

impl fmt::Display for WeightsOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WeightsOrigin::File { sha256 } => write!(f, "sha256:{sha256}"),
            WeightsOrigin::Seeded { seed } => write!(f, "seeded:{seed}"),
        }
    }
}

/// A flat state dict: tensors by name, ordered by name.
#[derive(Debug, Clone, PartialEq)]
pub struct StateDict {
    tensors: BTreeMap<String, StoredTensor>,
    provenance: WeightsOrigin,
}

impl StateDict {
    /// A state dict of given tensors.
    pub fn new(tensors: BTreeMap<String, StoredTensor>, provenance: WeightsOrigin) -> Self {
        Self { tensors, provenance }
    }

    /// Reads a checkpoint that is in memory.
    ///
    /// Values become `f32`: `float16`, `bfloat16` and integers of 8 and 16 bits exactly, `float64` rounded to nearest.
    /// Other integers are accepted only for batch counters (`num_batches_tracked`, `int64`). Strided and offset views
    /// are written out in row-major order.
    ///
    /// # Errors
    /// [`PthError`] for anything but a complete checkpoint of a flat state dict.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PthError> {
        let object = container::open(bytes)?;
        let Some(items) = object.heap.items(object.root) else {
            return Err(PthError::NotAStateDict { found: object.heap.describe(object.root) });
        };
        // Every element takes at least one byte of the file, so honest checkpoints stay far below; views that expand
        // one element to many, or many tensors that share one storage, do not.
        let mut budget = bytes.len();
        let mut tensors = BTreeMap::new();
        for (key, value) in items {
            let Value::Str(name) = key else {
                return Err(PthError::NotAStateDict { found: "a dict whose keys are not strings" });
            };
            let Some(view) = object.heap.tensor(value) else {
                return Err(PthError::NotATensor { key: name.to_owned(), found: object.heap.describe(value) });
            };
            let stored = object.storages.bytes(object.heap.storage(view.storage))?;
            let elements = view.elements().filter(|&count| count <= budget);
            budget -= elements.ok_or_else(|| PthError::TooLarge { name: name.to_owned(), limit: bytes.len() })?;
            tensors.insert(name.to_owned(), tensor::materialise(name, view, &object.heap, stored)?);
        }
        Ok(Self { tensors, provenance: WeightsOrigin::File { sha256: sha256(bytes) } })
    }

    /// Reads a checkpoint from a reader, to its end.
    ///
    /// # Errors
    /// [`PthError::Read`] when the reader fails, else as [`StateDict::from_bytes`].
    pub fn from_reader(mut reader: impl Read) -> Result<Self, PthError> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(PthError::Read)?;
        Self::from_bytes(&bytes)
    }

    /// Reads a checkpoint file.
    ///
    /// # Errors
    /// [`PthError::Io`] when the file cannot be read, else as [`StateDict::from_bytes`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, PthError> {
        let path = path.as_ref();
        let bytes = regular::read(path).map_err(|source| PthError::Io { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes)
    }

    /// The tensor of that name.
    pub fn get(&self, name: &str) -> Option<&StoredTensor> {
        self.tensors.get(name)
    }

    /// Names and tensors, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &StoredTensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there is no tensor.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// Where the weights came from.
    pub fn provenance(&self) -> &WeightsOrigin {
        &self.provenance
    }
}

#[cfg(test)]
mod tests;
