//! Leaving out what nobody asked for: engines run every node of a graph, wanted or not.

use std::collections::{HashMap, HashSet};

use prost::Message;
use tract_onnx::pb::{NodeProto, ValueInfoProto};

use super::OnnxError;
use super::model_file::{name_of_tensor, number};
use super::wire::{Field, fields, push_message};

/// The same model with only the outputs named, in that order, and without the nodes and weights that only others need.
/// Everything else stays as it is, whether this crate knows it or not.
///
/// Models with nested graphs (control flow) keep all their nodes, since a nested graph may use any value around it.
///
/// # Errors
/// [`OnnxError`] when the bytes are no ONNX model or lack one of the outputs.
pub fn select_outputs(bytes: &[u8], names: &[&str]) -> Result<Vec<u8>, OnnxError> {
    let model: Vec<Field<'_>> = fields(bytes).collect::<Result<_, _>>()?;
    let graph = model.iter().find(|field| field.number == number::GRAPH).ok_or(OnnxError::NoGraph)?;
    let graph = select_in_graph(graph.content, names)?;
    let mut selected = Vec::with_capacity(bytes.len());
    for field in model {
        match field.number {
            number::GRAPH => push_message(&mut selected, number::GRAPH, &graph),
            _ => selected.extend_from_slice(field.whole),
        }
    }
    Ok(selected)
}

/// The fields of a graph that are needed for the outputs named.
fn select_in_graph<'a>(graph: &'a [u8], names: &[&str]) -> Result<Vec<&'a [u8]>, OnnxError> {
    let graph: Vec<Field<'_>> = fields(graph).collect::<Result<_, _>>()?;
    let numbered = |number| graph.iter().filter(move |field| field.number == number);
    let mut outputs = HashMap::new();
    for output in numbered(number::OUTPUT) {
        outputs.insert(ValueInfoProto::decode(output.content)?.name, output.whole);
    }
    let chosen =
        |name: &&str| outputs.get(*name).copied().ok_or_else(|| OnnxError::NoOutput { name: (*name).to_owned() });
    let chosen: Vec<&[u8]> = names.iter().map(chosen).collect::<Result<_, _>>()?;

    let nodes = numbered(number::NODE).map(|node| NodeProto::decode(node.content));
    let nodes: Vec<NodeProto> = nodes.collect::<Result<_, _>>()?;
    let needed = values_needed(&nodes, names);
    let is_needed = |value: &String| needed.as_ref().is_none_or(|needed| needed.contains(value));

    let (mut kept, mut nodes) = (Vec::with_capacity(graph.len()), nodes.iter());
    for field in &graph {
        let keep = match field.number {
            number::NODE => nodes.next().is_some_and(|node| node.output.iter().any(is_needed)),
            number::INITIALIZER => name_of_tensor(field.content)?.as_ref().is_some_and(is_needed),
            number::OUTPUT => false,
            _ => true,
        };
        if keep {
            kept.push(field.whole);
        }
    }
    Ok([kept, chosen].concat())
}

/// The values that the outputs named are made of; `None` when that cannot be told, and everything may be needed.
pub(super) fn values_needed(nodes: &[NodeProto], names: &[&str]) -> Option<HashSet<String>> {
    if nodes.iter().any(has_nested_graph) {
        return None;
    }
    let mut needed: HashSet<String> = names.iter().map(|&name| name.to_owned()).collect();
    // Nodes are sorted: whoever makes a value comes before whoever uses it.
    for node in nodes.iter().rev() {
        if node.output.iter().any(|output| needed.contains(output)) {
            needed.extend(node.input.iter().cloned());
        }
    }
    Some(needed)
}

fn has_nested_graph(node: &NodeProto) -> bool {
    node.attribute.iter().any(|attribute| attribute.g.is_some() || !attribute.graphs.is_empty())
}
