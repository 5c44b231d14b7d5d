//! Weights beside an ONNX file, which exporters write by default, brought into it.
//!
//! An engine that is given the bytes of a graph would look for such weights in the current folder. They are read here, from
//! the folder of the file, so that what runs is what lies there, and what is digested is all of it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use prost::Message;
use tract_onnx::pb::{StringStringEntryProto, TensorProto, tensor_proto};

use super::OnnxError;
use super::model_file::number;
use super::wire::{fields, push_message};
use crate::regular;

/// Protobuf, in which ONNX files are written, knows no larger message.
const LARGEST: u64 = i32::MAX as u64;

/// The folders in which the weights of a file may lie: its own, and where a link to it leads.
pub(super) fn folders(path: &Path) -> Vec<PathBuf> {
    let parent = |path: &Path| path.parent().map_or_else(PathBuf::new, Path::to_owned);
    let mut folders = vec![parent(path)];
    if let Ok(target) = path.canonicalize() {
        folders.push(parent(&target));
    }
    folders
}

/// The same model with all its weights in it; as it is where they are in it already.
pub(super) fn inline(model: Vec<u8>, folders: &[PathBuf]) -> Result<Vec<u8>, OnnxError> {
    let mut weights = Weights { folders, files: HashMap::new(), total: model.len() as u64 };
    Ok(weights.inline(&model, Kind::Model)?.unwrap_or(model))
}

/// The messages of an ONNX file that tensors are in.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Function,
    Node,
    Attribute,
    SparseTensor,
    Tensor,
}

impl Kind {
    /// What a field of such a message is, where tensors may be in it.
    fn of_field(self, number: usize) -> Option<Self> {
        Some(match (self, number) {
            (Kind::Model, number::GRAPH) => Kind::Graph,
            (Kind::Model, 25) => Kind::Function,
            (Kind::Graph, number::NODE) | (Kind::Function, 7) => Kind::Node,
            (Kind::Graph, number::INITIALIZER) | (Kind::SparseTensor, 1 | 2) => Kind::Tensor,
            (Kind::Graph, 15) => Kind::SparseTensor,
            (Kind::Node, 5) => Kind::Attribute,
            (Kind::Attribute, 5 | 10) => Kind::Tensor,
            (Kind::Attribute, 6 | 11) => Kind::Graph,
            (Kind::Attribute, 22 | 23) => Kind::SparseTensor,
            _ => return None,
        })
    }
}

/// Fields of a tensor.
const RAW_DATA: usize = 9;
const EXTERNAL_DATA: usize = 13;

/// The files with the weights of a model.
struct Weights<'a> {
    folders: &'a [PathBuf],
    files: HashMap<String, (File, u64)>,
    /// Bytes of the model so far.
    total: u64,
}

impl Weights<'_> {
    /// The message with the weights in it; `None` where nothing changes.
    fn inline(&mut self, message: &[u8], kind: Kind) -> Result<Option<Vec<u8>>, OnnxError> {
        if let Kind::Tensor = kind {
            return self.inline_tensor(message);
        }
        let mut changed: Option<Vec<u8>> = None;
        let mut done = 0;
        for field in fields(message) {
            let field = field?;
            let inlined = match kind.of_field(field.number) {
                Some(kind) => self.inline(field.content, kind)?,
                None => None,
            };
            match (inlined, &mut changed) {
                (Some(inlined), changed) => {
                    let to = changed.get_or_insert_with(|| message[..done].to_vec());
                    push_message(to, field.number, &[&inlined]);
                }
                (None, Some(to)) => to.extend_from_slice(field.whole),
                (None, None) => {}
            }
            done += field.whole.len();
        }
        Ok(changed)
    }

    fn inline_tensor(&mut self, message: &[u8]) -> Result<Option<Vec<u8>>, OnnxError> {
        let mut described = HashMap::new();
        for field in fields(message) {
            let field = field?;
            if field.number == EXTERNAL_DATA {
                let entry = StringStringEntryProto::decode(field.content)?;
                described.insert(entry.key, entry.value);
            }
        }
        if described.is_empty() {
            return Ok(None);
        }
        // There are no values in it that would be copied.
        let tensor = TensorProto::decode(message)?;
        if tensor.data_location != Some(tensor_proto::DataLocation::External as i32) {
            return Ok(None);
        }
        let fault = |reason: &str| OnnxError::External { tensor: tensor.name.clone(), reason: reason.to_owned() };
        let location = described.get("location").ok_or_else(|| fault("it does not say in which file"))?;
        let whole_number = |key: &str| {
            let parsed = described.get(key).map(|text| text.parse::<u64>()).transpose();
            parsed.map_err(|_| fault(&format!("its {key} is not a whole number")))
        };
        let (offset, length) = (whole_number("offset")?.unwrap_or(0), whole_number("length")?);
        let size = self.open(location, &tensor.name)?.1;
        let length = match (expected_bytes(&tensor), length) {
            (Some(expected), Some(length)) if expected != length => {
                return Err(fault(&format!("it has {length} bytes in `{location}`, and {expected} by its shape")));
            }
            (Some(length), _) | (None, Some(length)) => length,
            (None, None) => size.saturating_sub(offset),
        };
        if offset.checked_add(length).is_none_or(|end| end > size) {
            return Err(fault(&format!(
                "it has {length} bytes from {offset} on, and `{location}` has {size} bytes: is the file complete, and that \
                 of this model?"
            )));
        }
        // Before any memory is taken.
        let total = self.total.saturating_add(length);
        if total > LARGEST {
            return Err(OnnxError::TooLarge);
        }
        let mut values = vec![0; length as usize];
        let file = &mut self.open(location, &tensor.name)?.0;
        let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut values));
        read.map_err(|error| fault(&format!("`{location}` cannot be read: {error}")))?;
        self.total = total;
        let inner = TensorProto { external_data: Vec::new(), data_location: None, ..tensor };
        let mut inlined = inner.encode_to_vec();
        push_message(&mut inlined, RAW_DATA, &[&values]);
        Ok(Some(inlined))
    }

    /// The file of that name in the first folder that has it, and its size.
    fn open(&mut self, location: &str, tensor: &str) -> Result<&mut (File, u64), OnnxError> {
        let fault = |reason: String| OnnxError::External { tensor: tensor.to_owned(), reason };
        Ok(match self.files.entry(location.to_owned()) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(vacant) => {
                let path = Path::new(location);
                let inside = |component| matches!(component, Component::Normal(_) | Component::CurDir);
                if location.is_empty() || !path.components().all(inside) {
                    return Err(fault(format!(
                        "it is in `{location}`, which is not beside the model: only files in its folder are read"
                    )));
                }
                let mut found = Err(io::Error::from(io::ErrorKind::NotFound));
                for folder in self.folders {
                    found = regular::open(&folder.join(path));
                    if !matches!(&found, Err(error) if error.kind() == io::ErrorKind::NotFound) {
                        break;
                    }
                }
                let file = found.map_err(|error| match error.kind() {
                    io::ErrorKind::NotFound => OnnxError::NoWeights { location: location.to_owned() },
                    _ => fault(format!("`{location}` cannot be read: {error}")),
                })?;
                let size = file.metadata().map_err(|error| fault(format!("`{location}`: {error}")))?.len();
                vacant.insert((file, size))
            }
        })
    }
}

/// Bytes of a tensor by its shape and type; `None` where the type is not known here.
fn expected_bytes(tensor: &TensorProto) -> Option<u64> {
    let bits: u64 = match tensor.data_type {
        21..=23 => 4,
        2 | 3 | 9 | 17..=20 => 8,
        4 | 5 | 10 | 16 => 16,
        1 | 6 | 12 => 32,
        7 | 11 | 13 | 14 => 64,
        15 => 128,
        _ => return None,
    };
    let elements =
        tensor.dims.iter().try_fold(1u64, |product, &extent| product.checked_mul(u64::try_from(extent).ok()?))?;
    Some(elements.checked_mul(bits)?.div_ceil(8))
}

#[cfg(test)]
mod tests {
    use super::super::{Graph, GraphInput, ModelFile, testing};
    use super::*;

    /// A model of one linear layer whose weight of 3×2 lies in `location`.
    fn model(location: &str, extra: &[(&str, &str)]) -> (Vec<u8>, Vec<u8>) {
        let mut graph = Graph::new("test");
        let images = graph.images("images", &GraphInput { size: 1, mean: [0.0; 3], std: [1.0; 3] });
        let mean = graph.global_mean("mean", &images);
        let sum = graph.add_bias("sum", &mean, &[1.0, 2.0, 3.0]);
        graph.output(&sum, &[3]);
        let whole = graph.encode();
        (testing::externalized(&whole, location, extra).0, whole)
    }

    fn data() -> Vec<u8> {
        [1.0f32, 2.0, 3.0].iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn weights_come_from_the_folder_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (beside, whole) = model("x.data", &[]);
        std::fs::write(folder.path().join("x.data"), data()).unwrap();
        let inlined = inline(beside.clone(), &[folder.path().into()]).unwrap();
        let graph = |bytes: &[u8]| tract_onnx::pb::ModelProto::decode(bytes).unwrap().graph.unwrap();
        let values =
            |bytes: &[u8]| graph(bytes).initializer.iter().map(|tensor| tensor.raw_data.clone()).collect::<Vec<_>>();
        assert_eq!(values(&inlined), [data()]);
        assert_eq!(graph(&inlined).node, graph(&whole).node);
        assert_eq!(ModelFile::from_bytes(&inlined).unwrap(), ModelFile::from_bytes(&whole).unwrap());
        // An offset, and a second folder.
        let (shifted, _) = model("y.data", &[("offset", "4"), ("length", "12")]);
        std::fs::write(folder.path().join("y.data"), [&[9; 4][..], &data()].concat()).unwrap();
        let inlined = inline(shifted, &["/nonexistent".into(), folder.path().into()]).unwrap();
        assert_eq!(values(&inlined), [data()]);
        // What has its weights in it stays as it is.
        assert_eq!(inline(whole.clone(), &[]).unwrap(), whole);
    }

    #[test]
    fn weights_that_are_missing_or_elsewhere_or_short_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("short.data"), [0; 11]).unwrap();
        std::fs::create_dir(folder.path().join("folder.data")).unwrap();
        let error = |location: &str, extra: &[(&str, &str)]| {
            inline(model(location, extra).0, &[folder.path().into()]).unwrap_err().to_string()
        };
        let missing = error("absent.data", &[]);
        assert_eq!(missing, "its weights are in `absent.data`, which is not there: keep the two files in one folder");
        for location in ["../x.data", "/etc/passwd", "a/../../x", ""] {
            assert!(error(location, &[]).contains("not beside the model"), "{location}");
        }
        for (location, extra, part) in [
            ("short.data", &[][..], "has 11 bytes"),
            ("short.data", &[("offset", "18446744073709551615")], "has 11 bytes"),
            ("short.data", &[("length", "8")], "12 by its shape"),
            ("short.data", &[("offset", "-1")], "not a whole number"),
            ("folder.data", &[], "this is a folder"),
        ] {
            let error = error(location, extra);
            assert!(error.contains(part), "{location} {extra:?}: {error}");
        }
    }

    #[test]
    fn what_no_message_can_hold_is_refused_before_memory_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        // A sparse file: it takes no room.
        File::create(folder.path().join("x.data")).unwrap().set_len(1 << 33).unwrap();
        let (mut model, _) = model("x.data", &[]);
        model = testing::reshaped(&model, &[1 << 31]);
        assert!(matches!(inline(model, &[folder.path().into()]), Err(OnnxError::TooLarge)));
    }
}
