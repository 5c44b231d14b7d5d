//! What the pickles of `torch.save` stand for: the few calls that they ask for only rearrange data.

use super::PthError;
use super::tensor::{DType, element_count};
use crate::pickle::{self, Dialect, Global, MAX_INSTRUCTIONS, Object, Origin, PickleError};

pub(super) use crate::pickle::Value;

/// More axes than any tensor of PyTorch can have.
const MAX_RANK: usize = 64;

const UNEXPECTED: &str = "a call with unexpected arguments";

/// State dicts of protocols 2 to 5, and the storages that they refer to.
const CHECKPOINT: Dialect =
    Dialect { allows: |global| Known::resolve(global).is_some(), bytes: false, instances: false, references: true };

impl From<PickleError> for PthError {
    fn from(error: PickleError) -> Self {
        match error {
            PickleError::Truncated { length } => PthError::Truncated { length, what: "its pickle" },
            PickleError::Opcode { opcode, at } => PthError::Opcode { opcode, at },
            PickleError::ForbiddenGlobal { name } => PthError::ForbiddenGlobal { name },
            PickleError::Malformed { at, reason } => PthError::Malformed { at, reason },
            PickleError::TooLong { limit } => PthError::TooLong { limit },
        }
    }
}

/// The only names that a pickle may refer to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(DType),
}

impl Known {
    fn resolve(global: Global<'_>) -> Option<Self> {
        Some(match (global.module, global.name) {
            ("collections", "OrderedDict") => Known::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Known::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Known::RebuildParameter,
            ("torch", "HalfStorage") => Known::Storage(DType::Float16),
            ("torch", "BFloat16Storage") => Known::Storage(DType::BFloat16),
            ("torch", "FloatStorage") => Known::Storage(DType::Float32),
            ("torch", "DoubleStorage") => Known::Storage(DType::Float64),
            ("torch", "LongStorage") => Known::Storage(DType::Int64),
            ("torch", "IntStorage") => Known::Storage(DType::Int32),
            ("torch", "ShortStorage") => Known::Storage(DType::Int16),
            ("torch", "CharStorage") => Known::Storage(DType::Int8),
            ("torch", "ByteStorage") => Known::Storage(DType::UInt8),
            ("torch", "BoolStorage") => Known::Storage(DType::Bool),
            _ => return None,
        })
    }
}

/// A storage that the pickle refers to, kept outside of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Storage<'a> {
    pub(super) key: &'a str,
    pub(super) dtype: DType,
    /// Elements, of which every one has `dtype.size()` bytes.
    pub(super) elements: usize,
}

impl Storage<'_> {
    /// Length in bytes. In `u64` and saturating: the number is the pickle's claim.
    pub(super) fn byte_len(&self) -> u64 {
        (self.elements as u64).saturating_mul(self.dtype.size() as u64)
    }
}

/// A strided view of a storage.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TensorView {
    pub(super) storage: usize,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

impl TensorView {
    /// Number of elements; `None` when it overflows.
    pub(super) fn elements(&self) -> Option<usize> {
        element_count(&self.shape)
    }

    /// Whether every element of the view lies in a storage of that many elements.
    pub(super) fn fits(&self, elements: usize) -> bool {
        if self.shape.contains(&0) {
            return true;
        }
        let last = self
            .shape
            .iter()
            .zip(&self.strides)
            .try_fold(self.offset, |last, (&length, &stride)| last.checked_add(stride.checked_mul(length - 1)?));
        last.is_some_and(|last| last < elements)
    }
}

/// What an object of a pickle stands for.
#[derive(Debug)]
enum Meaning<'a> {
    /// A dict that begins with these items.
    Dict(Vec<(Value<'a>, Value<'a>)>),
    Storage(usize),
    Tensor(usize),
}

/// What all objects of a pickle stand for.
#[derive(Debug, Default)]
struct Meanings<'a> {
    objects: Vec<Meaning<'a>>,
    storages: Vec<Storage<'a>>,
    tensors: Vec<TensorView>,
    /// Items that were copied from lists into dicts: a list may be named any number of times.
    copied: usize,
}

/// Everything that was read, and what it stands for.
#[derive(Debug)]
pub(super) struct Heap<'a> {
    plain: pickle::Heap<'a>,
    meanings: Meanings<'a>,
}

impl<'a> Heap<'a> {
    pub(super) fn sequence(&self, id: usize) -> &[Value<'a>] {
        self.plain.sequence(id)
    }

    /// The keys and values of a dict, ordered or not; `None` of anything else.
    pub(super) fn items(&self, value: Value<'a>) -> Option<impl Iterator<Item = (Value<'a>, Value<'a>)> + '_> {
        self.meanings.items(&self.plain, value)
    }

    pub(super) fn storage(&self, id: usize) -> Storage<'a> {
        self.meanings.storages[id]
    }

    pub(super) fn storages(&self) -> &[Storage<'a>] {
        &self.meanings.storages
    }

    /// The tensor that a value is.
    pub(super) fn tensor(&self, value: Value<'a>) -> Option<&TensorView> {
        self.meanings.tensor(value).map(|id| &self.meanings.tensors[id])
    }

    /// The value's kind, with its article, for messages.
    pub(super) fn describe(&self, value: Value<'a>) -> &'static str {
        match self.meanings.of(value) {
            Some(Meaning::Dict(_)) => "a dict",
            Some(Meaning::Storage(_)) => "a storage",
            Some(Meaning::Tensor(_)) => "a tensor",
            None => value.describe(),
        }
    }
}

/// Reads pickles one after the other from the same bytes.
pub(super) struct Unpickler<'a> {
    machine: pickle::Unpickler<'a>,
    meanings: Meanings<'a>,
}

impl<'a> Unpickler<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { machine: pickle::Unpickler::new(bytes, CHECKPOINT), meanings: Meanings::default() }
    }

    /// Runs the next pickle, up to its end, and gives the object it builds.
    pub(super) fn load(&mut self) -> Result<Value<'a>, PthError> {
        let root = self.machine.load()?;
        self.meanings.interpret(self.machine.heap())?;
        Ok(root)
    }

    /// As [`Heap::items`].
    pub(super) fn items(&self, value: Value<'a>) -> Option<impl Iterator<Item = (Value<'a>, Value<'a>)> + '_> {
        self.meanings.items(self.machine.heap(), value)
    }

    pub(super) fn into_heap(self) -> Heap<'a> {
        Heap { plain: self.machine.into_heap(), meanings: self.meanings }
    }

    /// The bytes after the last pickle.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.machine.rest()
    }

    pub(super) fn malformed(&self, reason: &'static str) -> PthError {
        self.machine.malformed(reason).into()
    }
}

impl<'a> Meanings<'a> {
    fn of(&self, value: Value<'a>) -> Option<&Meaning<'a>> {
        match value {
            // Only an object that is named before it is made has none yet.
            Value::Object(id) => self.objects.get(id),
            _ => None,
        }
    }

    fn tensor(&self, value: Value<'a>) -> Option<usize> {
        match self.of(value) {
            Some(&Meaning::Tensor(id)) => Some(id),
            _ => None,
        }
    }

    fn items<'b>(
        &'b self,
        heap: &'b pickle::Heap<'a>,
        value: Value<'a>,
    ) -> Option<impl Iterator<Item = (Value<'a>, Value<'a>)> + 'b> {
        let (first, then) = match (value, self.of(value)) {
            (Value::Dict(id), _) => (heap.dict(id), &[][..]),
            (Value::Object(id), Some(Meaning::Dict(items))) => (&items[..], &heap.objects()[id].items[..]),
            _ => return None,
        };
        Some(first.iter().chain(then).copied())
    }

    /// Says of all objects that are new what they stand for, in the order in which they are made.
    fn interpret(&mut self, heap: &pickle::Heap<'a>) -> Result<(), PthError> {
        for object in &heap.objects()[self.objects.len()..] {
            let malformed = |reason| PthError::Malformed { at: object.at, reason };
            let meaning = self.meaning(heap, object)?;
            if !matches!(meaning, Meaning::Dict(_)) {
                if !object.items.is_empty() {
                    return Err(malformed("items for something that is not a dict"));
                }
                if object.state.is_some() {
                    return Err(malformed("state for an object that is not a dict"));
                }
            }
            // The state of an ordered dict is PyTorch's version table, `_metadata`: not needed.
            self.objects.push(meaning);
        }
        Ok(())
    }

    fn meaning(&mut self, heap: &pickle::Heap<'a>, object: &Object<'a>) -> Result<Meaning<'a>, PthError> {
        let malformed = |reason| PthError::Malformed { at: object.at, reason };
        let (function, arguments) = match object.origin {
            Origin::Call { function, arguments } => (function, heap.sequence(arguments)),
            Origin::Reference(id) => {
                let storage = storage(heap, id).map_err(malformed)?;
                self.storages.push(storage);
                return Ok(Meaning::Storage(self.storages.len() - 1));
            }
        };
        match (Known::resolve(heap.global(function)), arguments) {
            (Some(Known::OrderedDict), []) => Ok(Meaning::Dict(Vec::new())),
            // Python 2 wrote an ordered dict as a list of pairs.
            (Some(Known::OrderedDict), &[Value::List(pairs)]) => {
                let pairs = heap.sequence(pairs);
                self.copied += pairs.len();
                if self.copied > MAX_INSTRUCTIONS {
                    return Err(PthError::TooLong { limit: MAX_INSTRUCTIONS });
                }
                let pairs = pairs.iter().map(|&value| pair(heap, value)).collect::<Option<_>>();
                pairs.map(Meaning::Dict).ok_or_else(|| malformed("an item of an ordered dict is not a pair"))
            }
            (Some(Known::RebuildParameter), &[tensor, ..]) => {
                self.tensor(tensor).map(Meaning::Tensor).ok_or_else(|| malformed(UNEXPECTED))
            }
            (
                Some(Known::RebuildTensor),
                &[storage, offset @ Value::Int(_), Value::Tuple(shape), Value::Tuple(strides), ..],
            ) => {
                let Some(&Meaning::Storage(storage)) = self.of(storage) else { return Err(malformed(UNEXPECTED)) };
                let (shape, strides) = (heap.sequence(shape), heap.sequence(strides));
                if shape.len() != strides.len() || shape.len() > MAX_RANK {
                    return Err(malformed("a tensor whose shape and strides do not belong together"));
                }
                let lengths =
                    |values: &[Value<'a>]| values.iter().map(|&value| length(value)).collect::<Result<_, _>>();
                let (shape, strides) = (lengths(shape).map_err(malformed)?, lengths(strides).map_err(malformed)?);
                let offset = length(offset).map_err(malformed)?;
                self.tensors.push(TensorView { storage, offset, shape, strides });
                Ok(Meaning::Tensor(self.tensors.len() - 1))
            }
            _ => Err(malformed(UNEXPECTED)),
        }
    }
}

/// The storage that a persistent id names: `('storage', type, key, location, elements[, view])`.
fn storage<'a>(heap: &pickle::Heap<'a>, id: Value<'a>) -> Result<Storage<'a>, &'static str> {
    let Value::Tuple(id) = id else { return Err("a persistent id that is not a tuple") };
    let &[Value::Str("storage"), Value::Global(kind), Value::Str(key), _, elements, ref view @ ..] = heap.sequence(id)
    else {
        return Err("a persistent id that is not a storage");
    };
    let Some(Known::Storage(dtype)) = Known::resolve(heap.global(kind)) else {
        return Err("a persistent id that is not a storage");
    };
    // Views of storages ended with PyTorch 0.4; every later version writes None, or nothing at all.
    if !matches!(view, [] | [Value::None]) {
        return Err("a view of a storage, as PyTorch before 0.4 wrote them");
    }
    Ok(Storage { key, dtype, elements: length(elements)? })
}

fn pair<'a>(heap: &pickle::Heap<'a>, pair: Value<'a>) -> Option<(Value<'a>, Value<'a>)> {
    let (Value::List(id) | Value::Tuple(id)) = pair else { return None };
    match heap.sequence(id) {
        &[key, value] => Some((key, value)),
        _ => None,
    }
}

fn length(value: Value<'_>) -> Result<usize, &'static str> {
    match value {
        Value::Int(value) => usize::try_from(value).map_err(|_| "a negative size"),
        _ => Err("a size that is not an integer"),
    }
}
