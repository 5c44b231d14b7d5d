//! Changes to models, for tests.

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{ModelProto, StringStringEntryProto, TensorProto, type_proto};

/// The model with its weights said to be in `location`, and these weights.
pub(super) fn externalized(model: &[u8], location: &str, extra: &[(&str, &str)]) -> (Vec<u8>, Vec<u8>) {
    let mut data = Vec::new();
    let changed = with_tensors(model, |tensor| {
        data.append(&mut tensor.raw_data);
        let entries = [("location", location)].into_iter().chain(extra.iter().copied());
        let entry = |(key, value): (&str, &str)| StringStringEntryProto { key: key.into(), value: value.into() };
        tensor.external_data = entries.map(entry).collect();
        tensor.data_location = Some(1);
    });
    (changed, data)
}

/// The model with all weights said to be of this shape.
pub(super) fn reshaped(model: &[u8], shape: &[i64]) -> Vec<u8> {
    with_tensors(model, |tensor| tensor.dims = shape.to_vec())
}

fn with_tensors(model: &[u8], change: impl FnMut(&mut TensorProto)) -> Vec<u8> {
    let mut model = ModelProto::decode(model).unwrap();
    model.graph.as_mut().unwrap().initializer.iter_mut().for_each(change);
    model.encode_to_vec()
}

/// The model with inputs, outputs and weights said to be of this type; the values of weights stay as they are.
pub(super) fn of_type(model: &[u8], data_type: DataType) -> Vec<u8> {
    let changed = with_tensors(model, |tensor| tensor.data_type = data_type.into());
    let mut model = ModelProto::decode(&*changed).unwrap();
    let graph = model.graph.as_mut().unwrap();
    for value in graph.input.iter_mut().chain(&mut graph.output) {
        let r#type = value.r#type.as_mut().unwrap().value.as_mut().unwrap();
        let type_proto::Value::TensorType(tensor) = r#type;
        tensor.elem_type = data_type.into();
    }
    model.encode_to_vec()
}
