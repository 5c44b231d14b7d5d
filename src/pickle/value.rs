//! What a pickle builds: values, and the arena of those that are more than a number or a string.

/// A value on the stack: plain data or a handle into the [`Heap`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer of more than eight bytes, little-endian.
    Long(&'a [u8]),
    Float(f64),
    Str(&'a str),
    Bytes(&'a [u8]),
    Tuple(usize),
    List(usize),
    Dict(usize),
    Global(usize),
    Object(usize),
}

impl Value<'_> {
    /// The value's kind, with its article, for messages.
    pub fn describe(self) -> &'static str {
        match self {
            Value::None => "None",
            Value::Bool(_) => "a bool",
            Value::Int(_) | Value::Long(_) => "an int",
            Value::Float(_) => "a float",
            Value::Str(_) => "a string",
            Value::Bytes(_) => "bytes",
            Value::Tuple(_) => "a tuple",
            Value::List(_) => "a list",
            Value::Dict(_) => "a dict",
            Value::Global(_) => "a class or function",
            Value::Object(_) => "an object",
        }
    }
}

/// A class or function, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Global<'a> {
    pub module: &'a str,
    pub name: &'a str,
}

/// Where an object comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Origin<'a> {
    /// A function, or a class, that would be called with these arguments, a tuple.
    Call { function: usize, arguments: usize },
    /// What is kept outside of the pickle under this id.
    Reference(Value<'a>),
}

/// What Python would make by a call, or take from outside. Nothing is called: this is what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object<'a> {
    pub origin: Origin<'a>,
    /// The state that it is given.
    pub state: Option<Value<'a>>,
    /// The items that are set in it, as in a dict.
    pub items: Vec<(Value<'a>, Value<'a>)>,
    /// Position in the pickle, behind the instruction that makes it.
    pub at: usize,
}

/// The arena of everything that is not a plain value.
#[derive(Debug, Default)]
pub(crate) struct Heap<'a> {
    pub(super) sequences: Vec<Vec<Value<'a>>>,
    pub(super) dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    pub(super) globals: Vec<Global<'a>>,
    pub(super) objects: Vec<Object<'a>>,
}

impl<'a> Heap<'a> {
    /// The items of a tuple or a list.
    pub fn sequence(&self, id: usize) -> &[Value<'a>] {
        &self.sequences[id]
    }

    /// The keys and values of a dict, in the order in which they are set.
    pub fn dict(&self, id: usize) -> &[(Value<'a>, Value<'a>)] {
        &self.dicts[id]
    }

    pub fn global(&self, id: usize) -> Global<'a> {
        self.globals[id]
    }

    /// All objects, in the order in which they are made.
    pub fn objects(&self) -> &[Object<'a>] {
        &self.objects
    }
}
