//! What a file has for inputs and outputs, without running it.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension;
use tract_onnx::pb::{OperatorSetIdProto, StringStringEntryProto, ValueInfoProto, type_proto};

use super::external;
use super::wire::fields;
use crate::error::{Blame, Blamed};
use crate::regular;

/// Numbers of the fields in `onnx.proto`.
pub(super) mod number {
    /// Of a model.
    pub const GRAPH: usize = 7;
    pub const OPSET_IMPORT: usize = 8;
    pub const METADATA: usize = 14;
    /// Of a graph.
    pub const NODE: usize = 1;
    pub const INITIALIZER: usize = 5;
    pub const INPUT: usize = 11;
    pub const OUTPUT: usize = 12;
    /// Of a tensor.
    pub const NAME: usize = 8;
}

/// Why an ONNX file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// The file could not be read.
    #[error("cannot read the ONNX model `{}`: {source}", path.display())]
    Io {
        /// The file asked for.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The bytes are no ONNX model.
    #[error("this is no ONNX model ({0}): is the file complete, and was it exported as `.onnx`?")]
    Decode(#[from] prost::DecodeError),
    /// The bytes are not made up of fields, or the last one is cut off.
    #[error("this is no ONNX model (a field of it is broken): is the file complete, and was it exported as `.onnx`?")]
    Malformed,
    /// The bytes decode, but to nothing that could be run.
    #[error("this is no ONNX model: it has no graph with inputs and outputs (an empty file, or another format?)")]
    NoGraph,
    /// Weights are in another file, which is not there.
    #[error("its weights are in `{location}`, which is not there: keep the two files in one folder")]
    NoWeights {
        /// The other file.
        location: String,
    },
    /// Weights are in another file, and cannot be read from it.
    #[error("its weight `{tensor}` is in another file: {reason}")]
    External {
        /// Name of the weight.
        tensor: String,
        /// What is wrong.
        reason: String,
    },
    /// There are more weights than fit into a file.
    #[error(
        "with its weights it has more than 2 GiB, which neither engine takes: export it in half precision, or a smaller one"
    )]
    TooLarge,
    /// The model lacks an output.
    #[error("the ONNX model has no output `{name}`")]
    NoOutput {
        /// Name of the output.
        name: String,
    },
}

impl Blamed for OnnxError {
    fn blame(&self) -> Blame {
        match self {
            OnnxError::Io { source, .. } => regular::blame(source),
            _ => Blame::Model,
        }
    }
}

/// Element type of an input or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ElementType {
    /// 32-bit floating point.
    Float32,
    /// 16-bit floating point.
    Float16,
    /// 64-bit floating point.
    Float64,
    /// Unsigned bytes.
    UInt8,
    /// 64-bit integers.
    Int64,
    /// Another type, by its number in the ONNX format.
    Other(i32),
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ElementType::Float32 => f.write_str("float32"),
            ElementType::Float16 => f.write_str("float16"),
            ElementType::Float64 => f.write_str("float64"),
            ElementType::UInt8 => f.write_str("uint8"),
            ElementType::Int64 => f.write_str("int64"),
            ElementType::Other(number) => write!(f, "ONNX type {number}"),
        }
    }
}

impl From<i32> for ElementType {
    fn from(number: i32) -> Self {
        match DataType::try_from(number) {
            Ok(DataType::Float) => ElementType::Float32,
            Ok(DataType::Float16) => ElementType::Float16,
            Ok(DataType::Double) => ElementType::Float64,
            Ok(DataType::Uint8) => ElementType::UInt8,
            Ok(DataType::Int64) => ElementType::Int64,
            _ => ElementType::Other(number),
        }
    }
}

/// Length of an axis.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// A fixed length.
    Fixed(i64),
    /// A length given at run time, by its name.
    Named(String),
    /// A length given at run time.
    Unknown,
}

impl ValueInfo {
    /// The length of the first axis, that of the batch, where it is fixed.
    pub fn fixed_batch(&self) -> Option<usize> {
        self.shape.as_deref()?.first()?.extent()
    }
}

impl Dimension {
    /// The length of an axis that holds something, where it is fixed.
    pub fn extent(&self) -> Option<usize> {
        match *self {
            Dimension::Fixed(length) => usize::try_from(length).ok().filter(|&length| length > 0),
            _ => None,
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dimension::Fixed(length) => write!(f, "{length}"),
            Dimension::Named(name) => f.write_str(name),
            Dimension::Unknown => f.write_str("?"),
        }
    }
}

/// An input or output of a model; shown as `images: float32 [N, 3, 299, 299]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ValueInfo {
    /// Name.
    pub name: String,
    /// Element type.
    pub element_type: ElementType,
    /// Axes; `None` when the file does not say how many there are.
    pub shape: Option<Vec<Dimension>>,
}

impl fmt::Display for ValueInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ", self.name, self.element_type)?;
        match &self.shape {
            Some(shape) => write!(f, "[{}]", shape.iter().map(Dimension::to_string).collect::<Vec<_>>().join(", ")),
            None => f.write_str("[…]"),
        }
    }
}

/// The outside of an ONNX model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// What the model must be given; weights that some exporters list among the inputs are left out.
    pub inputs: Vec<ValueInfo>,
    /// What the model computes.
    pub outputs: Vec<ValueInfo>,
    /// Version of the default operator set.
    pub opset: Option<i64>,
    /// Metadata; [`metadata`](super::metadata) has the keys of this crate.
    pub metadata: BTreeMap<String, String>,
}

impl ModelFile {
    /// Reads a model that is in memory.
    ///
    /// # Errors
    /// [`OnnxError::Decode`] and [`OnnxError::NoGraph`] when the bytes are no ONNX model.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OnnxError> {
        let (mut inputs, mut outputs, mut weights) = (Vec::new(), Vec::new(), HashSet::new());
        let (mut opset, mut metadata) = (None, BTreeMap::new());
        for field in fields(bytes) {
            let field = field?;
            match field.number {
                number::GRAPH => {
                    for field in fields(field.content) {
                        let field = field?;
                        match field.number {
                            number::INITIALIZER => weights.extend(name_of_tensor(field.content)?),
                            number::INPUT => inputs.push(value_info(&ValueInfoProto::decode(field.content)?)),
                            number::OUTPUT => outputs.push(value_info(&ValueInfoProto::decode(field.content)?)),
                            _ => {}
                        }
                    }
                }
                number::OPSET_IMPORT => {
                    let set = OperatorSetIdProto::decode(field.content)?;
                    opset = opset.or(matches!(&*set.domain, "" | "ai.onnx").then_some(set.version));
                }
                number::METADATA => {
                    let entry = StringStringEntryProto::decode(field.content)?;
                    metadata.insert(entry.key, entry.value);
                }
                _ => {}
            }
        }
        if outputs.is_empty() {
            return Err(OnnxError::NoGraph);
        }
        inputs.retain(|input| !weights.contains(&input.name));
        Ok(Self { inputs, outputs, opset, metadata })
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// [`OnnxError::Io`] when the file cannot be read, else as [`ModelFile::from_bytes`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, OnnxError> {
        Self::from_bytes(&bytes_of(path.as_ref())?)
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, OnnxError> {
    regular::read(path).map_err(|source| OnnxError::Io { path: path.to_owned(), source })
}

/// Reads a model file whole: weights that are in other files are brought into it. A model that has its weights in it is returned
/// as its file has it.
///
/// Other files are looked for in the folder of the model, then in that of the file that a link leads to. A model cannot name
/// files elsewhere.
///
/// # Errors
/// [`OnnxError`] when the file or its weights cannot be read, or are not in that folder, or it is not an ONNX model.
pub fn read_whole(path: &Path) -> Result<Vec<u8>, OnnxError> {
    external::inline(bytes_of(path)?, &external::folders(path))
}

/// The name of a tensor, without a look at its values.
pub(super) fn name_of_tensor(tensor: &[u8]) -> Result<Option<String>, OnnxError> {
    for field in fields(tensor) {
        let field = field?;
        if field.number == number::NAME {
            return Ok(Some(String::from_utf8_lossy(field.content).into_owned()));
        }
    }
    Ok(None)
}

fn value_info(proto: &ValueInfoProto) -> ValueInfo {
    let tensor = proto.r#type.as_ref().and_then(|r#type| r#type.value.as_ref());
    let tensor = tensor.map(|type_proto::Value::TensorType(tensor)| tensor);
    let shape = tensor.and_then(|tensor| tensor.shape.as_ref()).map(|shape| {
        shape
            .dim
            .iter()
            .map(|dim| match &dim.value {
                Some(dimension::Value::DimValue(length)) => Dimension::Fixed(*length),
                Some(dimension::Value::DimParam(name)) => Dimension::Named(name.clone()),
                None => Dimension::Unknown,
            })
            .collect()
    });
    let element_type = ElementType::from(tensor.map_or(0, |tensor| tensor.elem_type));
    ValueInfo { name: proto.name.clone(), element_type, shape }
}
