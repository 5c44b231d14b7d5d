//! The machine.

use std::collections::HashMap;

use super::value::{Global, Heap, Object, Origin, Value};
use super::{Dialect, MAX_INSTRUCTIONS, PickleError};

const NOT_TEXT: &str = "a string that is not UTF-8";

fn allocate<T>(arena: &mut Vec<T>, item: T) -> usize {
    arena.push(item);
    arena.len() - 1
}

/// Reads pickles one after the other from the same bytes.
pub(crate) struct Unpickler<'a> {
    dialect: Dialect,
    bytes: &'a [u8],
    at: usize,
    instructions: usize,
    stack: Vec<Value<'a>>,
    marks: Vec<usize>,
    memo: HashMap<u64, Value<'a>>,
    heap: Heap<'a>,
}

impl<'a> Unpickler<'a> {
    pub fn new(bytes: &'a [u8], dialect: Dialect) -> Self {
        Self {
            dialect,
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
    pub fn load(&mut self) -> Result<Value<'a>, PickleError> {
        self.stack.clear();
        self.marks.clear();
        self.memo.clear();
        loop {
            self.instructions += 1;
            if self.instructions > MAX_INSTRUCTIONS {
                return Err(PickleError::TooLong { limit: MAX_INSTRUCTIONS });
            }
            let opcode = self.array::<1>()?[0];
            if opcode == b'.' {
                return self.pop();
            }
            self.execute(opcode)?;
        }
    }

    pub fn heap(&self) -> &Heap<'a> {
        &self.heap
    }

    pub fn into_heap(self) -> Heap<'a> {
        self.heap
    }

    /// The bytes after the last pickle.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    fn execute(&mut self, opcode: u8) -> Result<(), PickleError> {
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
                let value = f64::from_be_bytes(self.array()?);
                self.stack.push(Value::Float(value));
            }
            0x8c => self.push_str(|[byte]: [u8; 1]| u64::from(byte))?,
            b'X' => self.push_str(|bytes| u64::from(u32::from_le_bytes(bytes)))?,
            0x8d => self.push_str(u64::from_le_bytes)?,
            // The strings of Python 2.
            b'U' => self.push_old_str(|[byte]: [u8; 1]| u64::from(byte))?,
            b'T' => self.push_old_str(|bytes| u64::from(u32::from_le_bytes(bytes)))?,
            b'C' if self.dialect.bytes => self.push_bytes(|[byte]: [u8; 1]| u64::from(byte))?,
            b'B' if self.dialect.bytes => self.push_bytes(|bytes| u64::from(u32::from_le_bytes(bytes)))?,
            // Bytes, and those that can be changed.
            0x8e | 0x96 if self.dialect.bytes => self.push_bytes(u64::from_le_bytes)?,

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
                self.push_global(Global { module, name })?;
            }
            0x93 => match self.pop_last(2)?[..] {
                [Value::Str(module), Value::Str(name)] => self.push_global(Global { module, name })?,
                _ => return Err(self.malformed("a global's name is not a string")),
            },
            b'R' => self.push_call()?,
            0x81 if self.dialect.instances => self.push_call()?,
            b'Q' if self.dialect.references => {
                let id = self.pop()?;
                self.push_object(Origin::Reference(id));
            }
            b'b' => {
                let state = self.pop()?;
                match self.top()? {
                    Value::Object(id) => self.heap.objects[id].state = Some(state),
                    // The attributes of what is otherwise a dict.
                    Value::Dict(_) => {}
                    _ => return Err(self.malformed("state for an object that is not a dict")),
                }
            }
            opcode => return Err(PickleError::Opcode { opcode, at: self.at - 1 }),
        }
        Ok(())
    }

    fn push_global(&mut self, global: Global<'a>) -> Result<(), PickleError> {
        if !(self.dialect.allows)(global) {
            let Global { module, name } = global;
            return Err(PickleError::ForbiddenGlobal { name: format!("{module}.{name}") });
        }
        let id = allocate(&mut self.heap.globals, global);
        self.stack.push(Value::Global(id));
        Ok(())
    }

    /// Notes a call, which is never made.
    fn push_call(&mut self) -> Result<(), PickleError> {
        let (Value::Tuple(arguments), Value::Global(function)) = (self.pop()?, self.pop()?) else {
            return Err(self.malformed("a call without a function and a tuple of arguments"));
        };
        self.push_object(Origin::Call { function, arguments });
        Ok(())
    }

    fn push_object(&mut self, origin: Origin<'a>) {
        let object = Object { origin, state: None, items: Vec::new(), at: self.at };
        let id = allocate(&mut self.heap.objects, object);
        self.stack.push(Value::Object(id));
    }

    fn push_int<const N: usize>(&mut self, decode: impl Fn([u8; N]) -> i64) -> Result<(), PickleError> {
        let value = decode(self.array()?);
        self.stack.push(Value::Int(value));
        Ok(())
    }

    fn push_long(&mut self) -> Result<(), PickleError> {
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

    fn push_str<const N: usize>(&mut self, length: impl Fn([u8; N]) -> u64) -> Result<(), PickleError> {
        let length = length(self.array()?);
        let text = self.text(length)?;
        self.stack.push(Value::Str(text));
        Ok(())
    }

    fn push_bytes<const N: usize>(&mut self, length: impl Fn([u8; N]) -> u64) -> Result<(), PickleError> {
        let length = length(self.array()?);
        let bytes = self.take(length)?;
        self.stack.push(Value::Bytes(bytes));
        Ok(())
    }

    /// A string that may be text or not: only its use tells.
    fn push_old_str<const N: usize>(&mut self, length: impl Fn([u8; N]) -> u64) -> Result<(), PickleError> {
        let length = length(self.array()?);
        let bytes = self.take(length)?;
        self.stack.push(match str::from_utf8(bytes) {
            Ok(text) => Value::Str(text),
            Err(_) if self.dialect.bytes => Value::Bytes(bytes),
            Err(_) => return Err(self.malformed(NOT_TEXT)),
        });
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

    fn extend_list(&mut self, items: Vec<Value<'a>>) -> Result<(), PickleError> {
        match self.top()? {
            Value::List(id) => self.heap.sequences[id].extend(items),
            _ => return Err(self.malformed("items for something that is not a list")),
        }
        Ok(())
    }

    fn extend_dict(&mut self, items: Vec<Value<'a>>) -> Result<(), PickleError> {
        let (pairs, rest) = items.as_chunks::<2>();
        let pairs = pairs.iter().map(|&[key, value]| (key, value));
        match self.top()? {
            Value::Dict(id) if rest.is_empty() => self.heap.dicts[id].extend(pairs),
            Value::Object(id) if rest.is_empty() => self.heap.objects[id].items.extend(pairs),
            Value::Dict(_) | Value::Object(_) => return Err(self.malformed("a key without a value")),
            _ => return Err(self.malformed("items for something that is not a dict")),
        }
        Ok(())
    }

    fn store<const N: usize>(&mut self, slot: impl Fn([u8; N]) -> u64) -> Result<(), PickleError> {
        let slot = slot(self.array()?);
        let top = self.top()?;
        self.memo.insert(slot, top);
        Ok(())
    }

    fn recall<const N: usize>(&mut self, slot: impl Fn([u8; N]) -> u64) -> Result<(), PickleError> {
        let slot = slot(self.array()?);
        let value = *self.memo.get(&slot).ok_or_else(|| self.malformed("a reference to a value never stored"))?;
        self.stack.push(value);
        Ok(())
    }

    /// The lowest stack index that the current mark allows to pop.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Value<'a>, PickleError> {
        self.stack[self.floor()..].last().copied().ok_or_else(|| self.malformed("an empty stack"))
    }

    fn pop(&mut self) -> Result<Value<'a>, PickleError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn discard(&mut self) -> Result<(), PickleError> {
        self.pop().map(|_| ())
    }

    fn pop_last(&mut self, count: usize) -> Result<Vec<Value<'a>>, PickleError> {
        match self.stack.len().checked_sub(count).filter(|&start| start >= self.floor()) {
            Some(start) => Ok(self.stack.split_off(start)),
            None => Err(self.malformed("an empty stack")),
        }
    }

    fn pop_mark(&mut self) -> Result<Vec<Value<'a>>, PickleError> {
        let mark = self.marks.pop().ok_or_else(|| self.malformed("the end of a group that never began"))?;
        Ok(self.stack.split_off(mark))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        let (head, _) = self.rest().split_first_chunk::<N>().ok_or_else(|| self.truncated())?;
        self.at += N;
        Ok(*head)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], PickleError> {
        let length = usize::try_from(length).map_err(|_| self.truncated())?;
        let taken = self.rest().get(..length).ok_or_else(|| self.truncated())?;
        self.at += length;
        Ok(taken)
    }

    fn skip(&mut self, length: u64) -> Result<(), PickleError> {
        self.take(length).map(|_| ())
    }

    fn text(&mut self, length: u64) -> Result<&'a str, PickleError> {
        let bytes = self.take(length)?;
        str::from_utf8(bytes).map_err(|_| self.malformed(NOT_TEXT))
    }

    fn line(&mut self) -> Result<&'a str, PickleError> {
        let length = self.rest().iter().position(|&byte| byte == b'\n').ok_or_else(|| self.truncated())?;
        let line = self.text(length as u64)?;
        self.at += 1;
        Ok(line)
    }

    fn truncated(&self) -> PickleError {
        PickleError::Truncated { length: self.bytes.len() }
    }

    pub fn malformed(&self, reason: &'static str) -> PickleError {
        PickleError::Malformed { at: self.at, reason }
    }
}
