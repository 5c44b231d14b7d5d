//! Nodes that were exported in training mode: they look at a batch as a whole, or roll dice.

use std::collections::HashMap;

use prost::Message;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::OnnxError;
use super::model_file::{ModelFile, name_of_tensor, number};
use super::select::values_needed;
use super::wire::fields;

/// A node in training mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainingMode {
    /// Its operator: `BatchNormalization` or `Dropout`.
    pub operator: String,
    /// Its name or, where it has none, that of its output.
    pub node: String,
}

/// The first node in training mode among those that the outputs named are made of.
///
/// # Errors
/// [`OnnxError`] when the bytes are no ONNX model.
pub fn in_training_mode(bytes: &[u8], outputs: &[&str]) -> Result<Option<TrainingMode>, OnnxError> {
    let opset = ModelFile::from_bytes(bytes)?.opset.unwrap_or(1);
    let (mut nodes, mut flags) = (Vec::new(), HashMap::new());
    for field in fields(bytes).filter(|field| field.as_ref().is_ok_and(|field| field.number == number::GRAPH)) {
        for field in fields(field?.content) {
            let field = field?;
            match field.number {
                number::NODE => nodes.push(NodeProto::decode(field.content)?),
                // A flag is short, weights are not.
                number::INITIALIZER if field.content.len() < SHORT => {
                    let name = name_of_tensor(field.content)?.unwrap_or_default();
                    flags.insert(name, TensorProto::decode(field.content)?);
                }
                _ => {}
            }
        }
    }
    let needed = values_needed(&nodes, outputs);
    let is_needed = |node: &&NodeProto| {
        needed.as_ref().is_none_or(|needed| node.output.iter().any(|output| needed.contains(output)))
    };
    let nodes: Vec<&NodeProto> = nodes.iter().filter(is_needed).collect();
    Ok(first_of(&nodes, &flags, opset))
}

/// Bytes that a tensor of one truth value does not reach.
const SHORT: usize = 1024;

fn first_of(nodes: &[&NodeProto], flags: &HashMap<String, TensorProto>, opset: i64) -> Option<TrainingMode> {
    let mut flags = flags.clone();
    for node in nodes.iter().filter(|node| node.op_type == "Constant") {
        let value = node.attribute.iter().find(|attribute| attribute.name == "value");
        if let (Some(name), Some(tensor)) = (node.output.first(), value.and_then(|value| value.t.as_ref())) {
            flags.insert(name.clone(), tensor.clone());
        }
    }
    for node in nodes {
        if trains(node, &flags, opset) {
            let name = if node.name.is_empty() { node.output.first()? } else { &node.name };
            return Some(TrainingMode { operator: node.op_type.clone(), node: name.clone() });
        }
        for graph in node.attribute.iter().flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs)) {
            if let found @ Some(_) = first_of_nested(graph, &flags, opset) {
                return found;
            }
        }
    }
    None
}

fn first_of_nested(graph: &GraphProto, flags: &HashMap<String, TensorProto>, opset: i64) -> Option<TrainingMode> {
    let mut flags = flags.clone();
    flags.extend(graph.initializer.iter().map(|tensor| (tensor.name.clone(), tensor.clone())));
    first_of(&graph.node.iter().collect::<Vec<_>>(), &flags, opset)
}

fn trains(node: &NodeProto, flags: &HashMap<String, TensorProto>, opset: i64) -> bool {
    let attribute = |name: &str| node.attribute.iter().find(|attribute| attribute.name == name).map(|found| found.i);
    let is_set = |name: &String| flags.get(name).is_some_and(is_true);
    match (&*node.op_type, opset) {
        // Until operator set 6 it was said the other way round.
        ("BatchNormalization" | "Dropout", ..7) => attribute("is_test").unwrap_or(0) == 0,
        // Until 13, by the outputs that were asked for.
        ("BatchNormalization", ..14) => node.output.iter().skip(1).any(|output| !output.is_empty()),
        ("BatchNormalization", _) => attribute("training_mode").unwrap_or(0) != 0,
        ("Dropout", 12..) => node.input.get(2).is_some_and(is_set),
        _ => false,
    }
}

/// Whether a tensor holds one truth value, and that is true.
fn is_true(tensor: &TensorProto) -> bool {
    tensor.raw_data.iter().any(|&byte| byte != 0) || tensor.int32_data.iter().any(|&value| value != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::pb::{AttributeProto, ModelProto, OperatorSetIdProto, ValueInfoProto};

    fn named(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn node(operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[(&str, i64)]) -> NodeProto {
        let attribute = |&(name, i): &(&str, i64)| AttributeProto { name: name.into(), i, ..Default::default() };
        NodeProto {
            op_type: operator.into(),
            input: named(inputs),
            output: named(outputs),
            attribute: attributes.iter().map(attribute).collect(),
            ..Default::default()
        }
    }

    fn found(version: i64, nodes: Vec<NodeProto>) -> Option<String> {
        let flag =
            |name: &str, value: u8| TensorProto { name: name.into(), raw_data: vec![value], ..Default::default() };
        let output = |name: &str| ValueInfoProto { name: name.into(), ..Default::default() };
        let graph = GraphProto {
            node: nodes,
            initializer: vec![flag("yes", 1), flag("no", 0)],
            output: vec![output("y"), output("z")],
            ..Default::default()
        };
        let opset_import = vec![OperatorSetIdProto { version, ..Default::default() }];
        let model = ModelProto { graph: Some(graph), opset_import, ..Default::default() };
        in_training_mode(&model.encode_to_vec(), &["y"])
            .unwrap()
            .map(|found| format!("{} {}", found.operator, found.node))
    }

    #[test]
    fn training_mode_is_said_in_another_way_by_each_operator_set() {
        let norm = |outputs: &[&str], attributes: &[(&str, i64)]| {
            vec![node("BatchNormalization", &["x"], outputs, attributes)]
        };
        let training = Some("BatchNormalization y".to_owned());
        assert_eq!(found(15, norm(&["y", "m", "v"], &[("training_mode", 1)])), training);
        assert_eq!(found(15, norm(&["y"], &[("training_mode", 0)])), None);
        assert_eq!(found(15, norm(&["y"], &[])), None);
        assert_eq!(found(13, norm(&["y", "m", "v"], &[])), training);
        assert_eq!(found(9, norm(&["y", ""], &[])), None);
        assert_eq!(found(6, norm(&["y"], &[])), training);
        assert_eq!(found(6, norm(&["y"], &[("is_test", 1)])), None);
        let dropout = |flag: &str| vec![node("Dropout", &["x", "", flag], &["y"], &[])];
        assert_eq!(found(13, dropout("yes")).as_deref(), Some("Dropout y"));
        assert_eq!(found(13, dropout("no")), None);
        assert_eq!(found(13, vec![node("Dropout", &["x"], &["y"], &[])]), None);
        assert_eq!(found(10, vec![node("Dropout", &["x"], &["y"], &[])]), None);
    }

    #[test]
    fn nodes_in_branches_count_and_those_of_other_outputs_do_not() {
        let norm = |output: &str| node("BatchNormalization", &["x"], &[output], &[("training_mode", 1)]);
        assert_eq!(found(15, vec![node("Relu", &["x"], &["y"], &[]), norm("z")]), None);
        let mut branch = node("If", &["x"], &["y"], &[]);
        let g = Some(GraphProto { node: vec![norm("inner")], ..Default::default() });
        branch.attribute.push(AttributeProto { name: "then_branch".into(), g, ..Default::default() });
        assert_eq!(found(15, vec![branch]).as_deref(), Some("BatchNormalization inner"));
    }
}
