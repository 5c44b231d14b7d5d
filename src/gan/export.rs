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

#[cfg(test)]
mod tests {
    use tract_onnx::prelude::*;

    use super::{generator, name};
    use crate::gan::models::ModelSpec;
    use crate::gan::systems::{Networks, one_hot};
    use crate::gan::train::{TrainConfig, Trained};
    use crate::gan::{Random, Tensor};

    /// A model whose weights are all away from where they start.
    fn trained(model: &str) -> Trained {
        let named = ModelSpec::named(model).unwrap();
        let classes = if named.entry().is_labelled() { 3 } else { named.classes };
        let config = TrainConfig::new(ModelSpec { size: 16, latent: 5, width: 4, classes, ..named });
        let (system, random) = (config.system().unwrap(), &mut Random::new(1));
        let mut networks = Networks::new(system.networks(), random).unwrap();
        for parameter in networks.get_mut("generator").unwrap().parameters_mut() {
            parameter.value = random.normal(parameter.value.shape(), 0.1, 0.3);
        }
        Trained { config, step: 0, system, networks }
    }

    #[test]
    fn generators_compute_what_they_compute_here() {
        /// Sums of some hundred terms in another order, in f32, through up to ten normalised layers: 5.6e-5 was measured.
        const TOLERANCE: f32 = 2e-4;
        for model in ["dcgan", "cgan", "bigan", "sngan", "sagan", "sagan-class"] {
            let (trained, random) = (trained(model), &mut Random::new(2));
            let network = trained.networks.get("generator").unwrap();
            let inputs: Vec<Tensor> = network
                .graph()
                .inputs()
                .iter()
                .map(|port| match port.name.as_str() {
                    name::LABELS => one_hot(&[1, 0], 3),
                    _ => random.normal(&[&[2], port.value.as_slice()].concat(), 0.0, 1.0),
                })
                .collect();
            let ours = trained.networks.output("generator", &inputs.iter().collect::<Vec<_>>(), name::IMAGES).unwrap();

            let onnx = generator(&trained).unwrap().encode();
            let mut graph = tract_onnx::onnx().model_for_read(&mut &*onnx).unwrap();
            for (index, input) in inputs.iter().enumerate() {
                graph = graph.with_input_fact(index, f32::fact(input.shape()).into()).unwrap();
            }
            let plan = graph.into_optimized().unwrap().into_runnable().unwrap();
            let given =
                |input: &Tensor| tract_onnx::prelude::Tensor::from_shape(input.shape(), input.data()).unwrap().into();
            let theirs = plan.run(inputs.iter().map(given).collect::<TVec<TValue>>()).unwrap().remove(0);
            assert_eq!(theirs.shape(), ours.shape(), "{model}");
            let theirs = theirs.try_as_plain_ram().unwrap().as_slice::<f32>().unwrap().to_vec();
            let distance = theirs.iter().zip(ours.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(distance < TOLERANCE, "{model}: {distance:e}");
        }
    }
}
