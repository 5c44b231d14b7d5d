//! Other types of numbers than `float32` at the edges of a graph, converted inside it: both engines are then fed alike.

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto, type_proto};

use super::OnnxError;
use super::model_file::{name_of_tensor, number};
use super::wire::{Field, fields, push_message};

/// Number of the field of a graph that tells the shapes of values inside it.
const VALUE_INFO: usize = 13;

/// The same model with `float32` for the element type of these inputs and outputs. A number that is fed is converted into the type
/// that the model had there, as the operator `Cast` does it: to integers by cutting off what is behind the point.
///
/// # Errors
/// [`OnnxError`] when the bytes are no ONNX model.
pub fn with_float32_edges(bytes: Vec<u8>, names: &[&str]) -> Result<Vec<u8>, OnnxError> {
    let model: Vec<Field<'_>> = fields(&bytes).collect::<Result<_, _>>()?;
    let Some(graph) = model.iter().find(|field| field.number == number::GRAPH) else { return Err(OnnxError::NoGraph) };
    let Some(graph) = converted(graph.content, names)? else { return Ok(bytes) };
    let mut changed = Vec::with_capacity(bytes.len());
    for field in &model {
        match field.number {
            number::GRAPH => push_message(&mut changed, number::GRAPH, &[&graph]),
            _ => changed.extend_from_slice(field.whole),
        }
    }
    Ok(changed)
}

/// A value at the edge, under the name that it has inside the graph from now on.
struct Edge {
    name: String,
    inside: String,
    element_type: i32,
}

/// The graph with its edges converted; `None` where there is nothing to convert.
fn converted(graph: &[u8], names: &[&str]) -> Result<Option<Vec<u8>>, OnnxError> {
    let fields: Vec<Field<'_>> = fields(graph).collect::<Result<_, _>>()?;
    let edges = |number: usize| -> Result<Vec<Edge>, OnnxError> {
        let mut edges = Vec::new();
        for field in fields.iter().filter(|field| field.number == number) {
            let value = ValueInfoProto::decode(field.content)?;
            if let Some(element_type) = element_type(&value).filter(|&found| found != DataType::Float as i32)
                && names.contains(&value.name.as_str())
            {
                let inside = format!("{}/converted", value.name);
                edges.push(Edge { name: value.name, inside, element_type });
            }
        }
        Ok(edges)
    };
    let (inputs, outputs) = (edges(number::INPUT)?, edges(number::OUTPUT)?);
    if inputs.is_empty() && outputs.is_empty() {
        return Ok(None);
    }
    let edge = |name: &str| inputs.iter().chain(&outputs).find(|edge| edge.name == name);
    let rename = |name: &str| edge(name).map(|edge| edge.inside.clone());
    let mut changed = Vec::with_capacity(graph.len());
    // Nodes are sorted: what is fed is converted first, and what comes out last.
    for Edge { name, inside, element_type } in &inputs {
        push_message(&mut changed, number::NODE, &[&cast(name, inside, *element_type).encode_to_vec()]);
    }
    for field in &fields {
        match field.number {
            number::NODE => {
                let mut node = NodeProto::decode(field.content)?;
                match rename_in_node(&mut node, &rename) {
                    true => push_message(&mut changed, number::NODE, &[&node.encode_to_vec()]),
                    false => changed.extend_from_slice(field.whole),
                }
            }
            number::INPUT | number::OUTPUT => {
                let mut value = ValueInfoProto::decode(field.content)?;
                if edge(&value.name).is_some() {
                    set_float32(&mut value);
                }
                push_message(&mut changed, field.number, &[&value.encode_to_vec()]);
            }
            number::INITIALIZER if name_of_tensor(field.content)?.is_some_and(|name| edge(&name).is_some()) => {
                let mut tensor = TensorProto::decode(field.content)?;
                tensor.name = rename(&tensor.name).unwrap_or_default();
                push_message(&mut changed, number::INITIALIZER, &[&tensor.encode_to_vec()]);
            }
            // What is said of a value under its old name no longer holds.
            VALUE_INFO if edge(&ValueInfoProto::decode(field.content)?.name).is_some() => {}
            _ => changed.extend_from_slice(field.whole),
        }
    }
    for Edge { name, inside, .. } in &outputs {
        push_message(&mut changed, number::NODE, &[&cast(inside, name, DataType::Float as i32).encode_to_vec()]);
    }
    Ok(Some(changed))
}

fn element_type(value: &ValueInfoProto) -> Option<i32> {
    let type_proto::Value::TensorType(tensor) = value.r#type.as_ref()?.value.as_ref()?;
    Some(tensor.elem_type)
}

fn set_float32(value: &mut ValueInfoProto) {
    if let Some(type_proto::Value::TensorType(tensor)) = value.r#type.as_mut().and_then(|r#type| r#type.value.as_mut())
    {
        tensor.elem_type = DataType::Float as i32;
    }
}

fn cast(from: &str, to: &str, element_type: i32) -> NodeProto {
    let attribute = AttributeProto {
        name: "to".into(),
        i: element_type.into(),
        r#type: AttributeType::Int.into(),
        ..Default::default()
    };
    NodeProto {
        op_type: "Cast".into(),
        name: format!("{to}/cast"),
        input: vec![from.into()],
        output: vec![to.into()],
        attribute: vec![attribute],
        ..Default::default()
    }
}

/// Gives values their new names, in nested graphs too; whether there were any.
fn rename_in_node(node: &mut NodeProto, rename: &impl Fn(&str) -> Option<String>) -> bool {
    let mut changed = false;
    for name in node.input.iter_mut().chain(&mut node.output) {
        if let Some(new) = rename(name) {
            *name = new;
            changed = true;
        }
    }
    for attribute in &mut node.attribute {
        for graph in attribute.g.iter_mut().chain(&mut attribute.graphs) {
            changed |= rename_in_graph(graph, rename);
        }
    }
    changed
}

fn rename_in_graph(graph: &mut GraphProto, rename: &impl Fn(&str) -> Option<String>) -> bool {
    let mut changed = false;
    for node in &mut graph.node {
        changed |= rename_in_node(node, rename);
    }
    for output in &mut graph.output {
        if let Some(new) = rename(&output.name) {
            output.name = new;
            changed = true;
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::super::{Graph, GraphInput, ModelFile, testing};
    use super::*;

    fn model() -> Vec<u8> {
        let mut graph = Graph::new("test");
        let images = graph.images("images", &GraphInput { size: 1, mean: [0.0; 3], std: [1.0; 3] });
        let mean = graph.global_mean("mean", &images);
        graph.output(&mean, &[3]);
        graph.encode()
    }

    #[test]
    fn a_model_in_float32_stays_as_it_is() {
        assert_eq!(with_float32_edges(model(), &["images", "mean"]).unwrap(), model());
    }

    #[test]
    fn edges_of_another_type_are_converted_behind_the_same_names() {
        let half = testing::of_type(&model(), DataType::Float16);
        let converted = with_float32_edges(half.clone(), &["images", "mean"]).unwrap();
        assert_eq!(ModelFile::from_bytes(&converted).unwrap(), ModelFile::from_bytes(&model()).unwrap());
        let graph = tract_onnx::pb::ModelProto::decode(&*converted).unwrap().graph.unwrap();
        let node = |node: &NodeProto| {
            format!("{} {}", node.op_type, [&node.input[0], &node.output[0]].map(|name| &**name).join(" "))
        };
        let nodes: Vec<String> = graph.node.iter().map(node).collect();
        assert_eq!(nodes.first().unwrap(), "Cast images images/converted");
        assert_eq!(nodes.last().unwrap(), "Cast mean/converted mean");
        // What nobody names stays as it is.
        assert_eq!(with_float32_edges(half.clone(), &[]).unwrap(), half);
    }
}
