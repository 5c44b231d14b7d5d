//! Networks as ONNX graphs, in evaluation.

use super::error::GanError;
use super::layers::Definition;
use super::layers::onnx::Export;
use super::networks::{Network, Source, name};
use super::train::Trained;
use crate::extractor::weights::onnx::{Graph, Value};

/// The generator of a trained system: from `z` (and what else it takes) to `images`. The metadata say the range of the pixels
/// and the distribution of z.
///
/// # Errors
/// [`GanError::Unable`] where the images are not made by one pass of one network, or a layer has no ONNX form.
pub fn generator(trained: &Trained) -> Result<Graph, GanError> {
    let unable = || GanError::Unable { system: trained.system.title(), action: "be written as one ONNX graph" };
    let network = trained.networks.get(trained.system.generator().ok_or_else(unable)?)?;
    let mut graph = Graph::new("gan-metrics generator");
    graph.metadata("step", trained.step);
    graph.metadata("latent", trained.config.latent);
    let [low, high] = trained.system.pixel_range().bounds();
    graph.metadata("pixel_range", format!("{low},{high}"));
    write(&mut graph, network, &[name::IMAGES]).ok_or_else(unable)?;
    Ok(graph)
}

/// Writes a network with these of its outputs; `None` where a layer has no ONNX form.
fn write(graph: &mut Graph, network: &Network, outputs: &[&str]) -> Option<()> {
    let shape = network.graph();
    let inputs: Vec<Value> = shape.inputs().iter().map(|port| graph.input(&port.name, &port.value)).collect();
    let mut made: Vec<Value> = Vec::new();
    for (index, node) in shape.nodes().iter().enumerate() {
        let value = |source: &Source| match *source {
            Source::Input(index) => inputs[index].clone(),
            Source::Node(index) => made[index].clone(),
        };
        let of_node: Vec<Value> = node.inputs.iter().map(value).collect();
        let tensors = network.exported_tensors_of(index);
        let tensors = tensors.iter().map(|(name, parameter)| (name.as_str(), parameter)).collect();
        let layer = Export { graph, name: format!("layer{index}"), inputs: &of_node, tensors };
        made.push(node.layer.onnx(layer)?);
    }
    for port in shape.outputs().iter().filter(|port| outputs.contains(&port.name.as_str())) {
        let value = match port.value {
            Source::Input(index) => &inputs[index],
            Source::Node(index) => &made[index],
        };
        let value = graph.identity(&port.name, value);
        graph.output(&value, shape.shape(port.value)?);
    }
    Some(())
}
