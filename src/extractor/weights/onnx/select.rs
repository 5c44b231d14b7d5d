//! Leaving out what nobody asked for: engines run every node of a graph, wanted or not.

use std::collections::HashSet;

use prost::Message;
use tract_onnx::pb::{ModelProto, NodeProto};

use super::OnnxError;

/// The same model with only the outputs named, in that order, and without the nodes and weights that only others need.
///
/// Models with nested graphs (control flow) keep all their nodes, since a nested graph may use any value around it.
///
/// # Errors
/// [`OnnxError`] when the bytes are no ONNX model or lack one of the outputs.
pub fn select_outputs(bytes: &[u8], names: &[&str]) -> Result<Vec<u8>, OnnxError> {
    let mut model = ModelProto::decode(bytes)?;
    let graph = model.graph.as_mut().ok_or(OnnxError::NoGraph)?;
    let output = |name: &&str| {
        let found = graph.output.iter().find(|output| output.name == **name).cloned();
        found.ok_or_else(|| OnnxError::NoOutput { name: (*name).to_owned() })
    };
    graph.output = names.iter().map(output).collect::<Result<_, _>>()?;
    if graph.node.iter().any(has_nested_graph) {
        return Ok(model.encode_to_vec());
    }
    let mut needed: HashSet<String> = names.iter().map(|&name| name.to_owned()).collect();
    // Nodes are sorted: whoever makes a value comes before whoever uses it.
    let mut kept: Vec<NodeProto> = Vec::with_capacity(graph.node.len());
    for node in std::mem::take(&mut graph.node).into_iter().rev() {
        if node.output.iter().any(|output| needed.contains(output)) {
            needed.extend(node.input.iter().cloned());
            kept.push(node);
        }
    }
    kept.reverse();
    graph.node = kept;
    graph.initializer.retain(|weights| needed.contains(&weights.name));
    Ok(model.encode_to_vec())
}

fn has_nested_graph(node: &NodeProto) -> bool {
    node.attribute.iter().any(|attribute| attribute.g.is_some() || !attribute.graphs.is_empty())
}
