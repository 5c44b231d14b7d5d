//! A pickle machine that cannot execute anything.
//!
//! It runs the instructions that `torch.save` emits under protocols 2 to 5 and builds plain data: every value is a
//! small copyable handle, containers live in an arena ([`Heap`]). So there is no recursion, cycles are harmless, and
//! the memory in use is bounded by the number of instructions.

use std::collections::HashMap;

use super::PthError;
use super::tensor::{DType, element_count};

/// More instructions than the state dict of any published network needs, by two orders of magnitude.
const MAX_INSTRUCTIONS: usize = 1 << 22;

/// More axes than any tensor of PyTorch can have.
const MAX_RANK: usize = 64;

/// A value on the stack: plain data or a handle into the [`Heap`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer of more than eight bytes, little-endian.
    Long(&'a [u8]),
    Float,
    Str(&'a str),
    Tuple(usize),
    List(usize),
    Dict(usize),
    Global(Global),
    Storage(usize),
    Tensor(usize),
}

impl Value<'_> {
    /// The value's kind, with its article, for messages.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Value::None => "None",
            Value::Bool(_) => "a bool",
            Value::Int(_) | Value::Long(_) => "an int",
            Value::Float => "a float",
            Value::Str(_) => "a string",
            Value::Tuple(_) => "a tuple",
            Value::List(_) => "a list",
            Value::Dict(_) => "a dict",
            Value::Global(_) => "a class or function",
            Value::Storage(_) => "a storage",
            Value::Tensor(_) => "a tensor",
        }
    }
}

/// The only names that a pickle may refer to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(DType),
}

impl Global {
    fn resolve(module: &str, name: &str) -> Result<Self, PthError> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
            ("torch", "HalfStorage") => Global::Storage(DType::Float16),
            ("torch", "BFloat16Storage") => Global::Storage(DType::BFloat16),
            ("torch", "FloatStorage") => Global::Storage(DType::Float32),
            ("torch", "DoubleStorage") => Global::Storage(DType::Float64),
            ("torch", "LongStorage") => Global::Storage(DType::Int64),
            ("torch", "IntStorage") => Global::Storage(DType::Int32),
            ("torch", "ShortStorage") => Global::Storage(DType::Int16),
            ("torch", "CharStorage") => Global::Storage(DType::Int8),
            ("torch", "ByteStorage") => Global::Storage(DType::UInt8),
            ("torch", "BoolStorage") => Global::Storage(DType::Bool),
            _ => return Err(PthError::ForbiddenGlobal { name: format!("{module}.{name}") }),
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

/// The arena of everything that is not a plain value.
#[derive(Debug, Default)]
pub(super) struct Heap<'a> {
    sequences: Vec<Vec<Value<'a>>>,
    dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    storages: Vec<Storage<'a>>,
    tensors: Vec<TensorView>,
}

impl<'a> Heap<'a> {
    pub(super) fn sequence(&self, id: usize) -> &[Value<'a>] {
        &self.sequences[id]
    }

    pub(super) fn dict(&self, id: usize) -> &[(Value<'a>, Value<'a>)] {
        &self.dicts[id]
    }

    pub(super) fn storage(&self, id: usize) -> Storage<'a> {
        self.storages[id]
    }

    pub(super) fn storages(&self) -> &[Storage<'a>] {
        &self.storages
    }

    pub(super) fn tensor(&self, id: usize) -> &TensorView {
        &self.tensors[id]
    }
}

fn allocate<T>(arena: &mut Vec<T>, item: T) -> usize {
    arena.push(item);
    arena.len() - 1
}

/// Reads pickles one after the other from the same bytes.
pub(super) struct Unpickler<'a> {
    bytes: &'a [u8],
    at: usize,
    instructions: usize,
    stack: Vec<Value<'a>>,
    marks: Vec<usize>,
    memo: HashMap<u64, Value<'a>>,
    heap: Heap<'a>,
}

impl<'a> Unpickler<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            instructions: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            heap: Heap::default(),
        }
    }

    /// Runs the next pickle, up to its end, and gives the object it builds.
    pub(super) fn load(&mut self) -> Result<Value<'a>, PthError> {
        self.stack.clear();
        self.marks.clear();
        self.memo.clear();
        loop {
            self.instructions += 1;
            if self.instructions > MAX_INSTRUCTIONS {
                return Err(PthError::TooLong { limit: MAX_INSTRUCTIONS });
            }
            let opcode = self.array::<1>()?[0];
            if opcode == b'.' {
                return self.pop();
            }
            self.execute(opcode)?;
        }
    }

    pub(super) fn heap(&self) -> &Heap<'a> {
        &self.heap
    }

    pub(super) fn into_heap(self) -> Heap<'a> {
        self.heap
    }

    /// The bytes after the last pickle.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    fn execute(&mut self, opcode: u8) -> Result<(), PthError> {
        match opcode {
            // Protocol and framing carry no data.
            0x80 => self.skip(1)?,
            0x95 => self.skip(8)?,

            b'N' => self.stack.push(Value::None),
            0x88 => self.stack.push(Value::Bool(true)),
            0x89 => self.stack.push(Value::Bool(false)),
            b'K' => self.push_int(|[byte]: [u8; 1]| i64::from(byte))?,
            b'M' => self.push_int(|bytes| i64::from(u16::from_le_bytes(bytes)))?,
            b'J' => self.push_int(|bytes| i64::from(i32::from_le_bytes(bytes)))?,
            0x8a => self.push_long()?,
            b'G' => {
                self.skip(8)?;
                self.stack.push(Value::Float);
            }
            // Strings: text of protocol 2 to 5, and the byte strings of Python 2.
            0x8c | b'U' => self.push_str(|[byte]: [u8; 1]| u64::from(byte))?,
            b'X' | b'T' => self.push_str(|bytes| u64::from(u32::from_le_bytes(bytes)))?,
            0x8d => self.push_str(u64::from_le_bytes)?,

            b'(' => self.marks.push(self.stack.len()),
            b'0' => self.discard()?,
            b')' => self.push_tuple(Vec::new()),
            0x85..=0x87 => {
                let items = self.pop_last(usize::from(opcode - 0x84))?;
                self.push_tuple(items);
            }
            b't' => {
                let items = self.pop_mark()?;
                self.push_tuple(items);
            }
            b']' => {
                let id = allocate(&mut self.heap.sequences, Vec::new());
                self.stack.push(Value::List(id));
            }
            b'a' => {
                let items = self.pop_last(1)?;
                self.extend_list(items)?;
            }
            b'e' => {
                let items = self.pop_mark()?;
                self.extend_list(items)?;
            }
            b'}' => self.push_dict(Vec::new()),
            b's' => {
                let items = self.pop_last(2)?;
                self.extend_dict(items)?;
            }
            b'u' => {
                let items = self.pop_mark()?;
                self.extend_dict(items)?;
            }

            b'q' => self.store(|[byte]: [u8; 1]| u64::from(byte))?,
            b'r' => self.store(|bytes| u64::from(u32::from_le_bytes(bytes)))?,
            0x94 => {
                let top = self.top()?;
                self.memo.insert(self.memo.len() as u64, top);
            }
            b'h' => self.recall(|[byte]: [u8; 1]| u64::from(byte))?,
            b'j' => self.recall(|bytes| u64::from(u32::from_le_bytes(bytes)))?,

            b'c' => {
                let module = self.line()?;
                let name = self.line()?;
                self.stack.push(Value::Global(Global::resolve(module, name)?));
            }
            0x93 => match self.pop_last(2)?[..] {
                [Value::Str(module), Value::Str(name)] => {
                    self.stack.push(Value::Global(Global::resolve(module, name)?));
                }
                _ => return Err(self.malformed("a global's name is no string")),
            },
            b'R' => self.reduce()?,
            b'Q' => self.persistent_load()?,
            // The state of an ordered dict is PyTorch's version table, `_metadata`: not needed.
            b'b' => {
                self.discard()?;
                if !matches!(self.top()?, Value::Dict(_)) {
                    return Err(self.malformed("state for an object that is no dict"));
                }
            }
            opcode => return Err(PthError::Opcode { opcode, at: self.at - 1 }),
        }
        Ok(())
    }

    /// Calls one of the allowed functions, which only rearrange data.
    fn reduce(&mut self) -> Result<(), PthError> {
        let (Value::Tuple(arguments), Value::Global(callee)) = (self.pop()?, self.pop()?) else {
            return Err(self.malformed("a call without a function and a tuple of arguments"));
        };
        match (callee, self.heap.sequence(arguments)) {
            (Global::OrderedDict, []) => self.push_dict(Vec::new()),
            // Python 2 wrote an ordered dict as a list of pairs.
            (Global::OrderedDict, &[Value::List(pairs)]) => {
                let pairs = self.heap.sequence(pairs).iter().map(|&pair| self.pair(pair)).collect::<Result<_, _>>()?;
                self.push_dict(pairs);
            }
            (Global::RebuildParameter, &[tensor @ Value::Tensor(_), ..]) => self.stack.push(tensor),
            (
                Global::RebuildTensor,
                &[Value::Storage(storage), Value::Int(offset), Value::Tuple(shape), Value::Tuple(strides), ..],
            ) => {
                let (shape, strides) = (self.lengths(shape)?, self.lengths(strides)?);
                if shape.len() != strides.len() || shape.len() > MAX_RANK {
                    return Err(self.malformed("a tensor whose shape and strides do not belong together"));
                }
                let offset = self.length(Value::Int(offset))?;
                let id = allocate(&mut self.heap.tensors, TensorView { storage, offset, shape, strides });
                self.stack.push(Value::Tensor(id));
            }
            _ => return Err(self.malformed("a call with unexpected arguments")),
        }
        Ok(())
    }

    /// Resolves a reference to a storage: `('storage', type, key, location, elements[, view])`.
    fn persistent_load(&mut self) -> Result<(), PthError> {
        let Value::Tuple(id) = self.pop()? else {
            return Err(self.malformed("a persistent id that is no tuple"));
        };
        let &[
            Value::Str("storage"),
            Value::Global(Global::Storage(dtype)),
            Value::Str(key),
            _,
            elements,
            ref view @ ..,
        ] = self.heap.sequence(id)
        else {
            return Err(self.malformed("a persistent id that is no storage"));
        };
        // Views of storages ended with PyTorch 0.4; every later version writes None, or nothing at all.
        if !matches!(view, [] | [Value::None]) {
            return Err(self.malformed("a view of a storage, as PyTorch before 0.4 wrote them"));
        }
        let elements = self.length(elements)?;
        let storage = allocate(&mut self.heap.storages, Storage { key, dtype, elements });
        self.stack.push(Value::Storage(storage));
        Ok(())
    }

    fn pair(&self, pair: Value<'a>) -> Result<(Value<'a>, Value<'a>), PthError> {
        match pair {
            Value::List(id) | Value::Tuple(id) => match self.heap.sequence(id) {
                &[key, value] => Ok((key, value)),
                _ => Err(self.malformed("an item of an ordered dict is no pair")),
            },
            _ => Err(self.malformed("an item of an ordered dict is no pair")),
        }
    }

    fn lengths(&self, tuple: usize) -> Result<Vec<usize>, PthError> {
        self.heap.sequence(tuple).iter().map(|&value| self.length(value)).collect()
    }

    fn length(&self, value: Value<'a>) -> Result<usize, PthError> {
        match value {
            Value::Int(value) => usize::try_from(value).map_err(|_| self.malformed("a negative size")),
            _ => Err(self.malformed("a size that is no integer")),
        }
    }

    fn push_int<const N: usize>(&mut self, decode: impl Fn([u8; N]) -> i64) -> Result<(), PthError> {
        let value = decode(self.array()?);
        self.stack.push(Value::Int(value));
        Ok(())
    }

    fn push_long(&mut self) -> Result<(), PthError> {
        let length = self.array::<1>()?[0];
        let bytes = self.take(u64::from(length))?;
        let value = if bytes.len() > 8 {
            Value::Long(bytes)
        } else {
            let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
            let mut extended = [if negative { 0xff } else { 0 }; 8];
            extended[..bytes.len()].copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(extended))
        };
        self.stack.push(value);
        Ok(())
    }

    fn push_str<const N: usize>(&mut self, length: impl Fn([u8; N]) -> u64) -> Result<(), PthError> {
        let length = length(self.array()?);
        let text = self.text(length)?;
        self.stack.push(Value::Str(text));
        Ok(())
    }

    fn push_tuple(&mut self, items: Vec<Value<'a>>) {
        let id = allocate(&mut self.heap.sequences, items);
        self.stack.push(Value::Tuple(id));
    }

    fn push_dict(&mut self, items: Vec<(Value<'a>, Value<'a>)>) {
        let id = allocate(&mut self.heap.dicts, items);
        self.stack.push(Value::Dict(id));
    }

    fn extend_list(&mut self, items: Vec<Value<'a>>) -> Result<(), PthError> {
        match self.top()? {
            Value::List(id) => self.heap.sequences[id].extend(items),
            _ => return Err(self.malformed("items for something that is no list")),
        }
        Ok(())
    }

    fn extend_dict(&mut self, items: Vec<Value<'a>>) -> Result<(), PthError> {
        let (pairs, rest) = items.as_chunks::<2>();
        match self.top()? {
            Value::Dict(id) if rest.is_empty() => {
                self.heap.dicts[id].extend(pairs.iter().map(|&[key, value]| (key, value)));
            }
            Value::Dict(_) => return Err(self.malformed("a key without a value")),
            _ => return Err(self.malformed("items for something that is no dict")),
        }
        Ok(())
    }

    fn store<const N: usize>(&mut self, slot: impl Fn([u8; N]) -> u64) -> Result<(), PthError> {
        let slot = slot(self.array()?);
        let top = self.top()?;
        self.memo.insert(slot, top);
        Ok(())
    }

    fn recall<const N: usize>(&mut self, slot: impl Fn([u8; N]) -> u64) -> Result<(), PthError> {
        let slot = slot(self.array()?);
        let value = *self.memo.get(&slot).ok_or_else(|| self.malformed("a reference to a value never stored"))?;
        self.stack.push(value);
        Ok(())
    }

    /// The lowest stack index that the current mark allows to pop.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Value<'a>, PthError> {
        self.stack[self.floor()..].last().copied().ok_or_else(|| self.malformed("an empty stack"))
    }

    fn pop(&mut self) -> Result<Value<'a>, PthError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn discard(&mut self) -> Result<(), PthError> {
        self.pop().map(|_| ())
    }

    fn pop_last(&mut self, count: usize) -> Result<Vec<Value<'a>>, PthError> {
        match self.stack.len().checked_sub(count).filter(|&start| start >= self.floor()) {
            Some(start) => Ok(self.stack.split_off(start)),
            None => Err(self.malformed("an empty stack")),
        }
    }

    fn pop_mark(&mut self) -> Result<Vec<Value<'a>>, PthError> {
        let mark = self.marks.pop().ok_or_else(|| self.malformed("the end of a group that never began"))?;
        Ok(self.stack.split_off(mark))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PthError> {
        let (head, _) = self.rest().split_first_chunk::<N>().ok_or_else(|| self.truncated())?;
        self.at += N;
        Ok(*head)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], PthError> {
        let length = usize::try_from(length).map_err(|_| self.truncated())?;
        let taken = self.rest().get(..length).ok_or_else(|| self.truncated())?;
        self.at += length;
        Ok(taken)
    }

    fn skip(&mut self, length: u64) -> Result<(), PthError> {
        self.take(length).map(|_| ())
    }

    fn text(&mut self, length: u64) -> Result<&'a str, PthError> {
        let bytes = self.take(length)?;
        str::from_utf8(bytes).map_err(|_| self.malformed("a string that is not UTF-8"))
    }

    fn line(&mut self) -> Result<&'a str, PthError> {
        let length = self.rest().iter().position(|&byte| byte == b'\n').ok_or_else(|| self.truncated())?;
        let line = self.text(length as u64)?;
        self.at += 1;
        Ok(line)
    }

    fn truncated(&self) -> PthError {
        PthError::Truncated { length: self.bytes.len(), what: "its pickle" }
    }

    pub(super) fn malformed(&self, reason: &'static str) -> PthError {
        PthError::Malformed { at: self.at, reason }
    }
}
