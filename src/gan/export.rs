//! Networks as ONNX graphs, in evaluation.

use super::error::GanError;
use super::layers::Definition;
use super::layers::onnx::Export;
use super::models::PixelRange;
use super::networks::{Network, Source, name};
use super::systems::{Condition, Reader};
use super::train::Trained;
use crate::extractor::weights::onnx::{Graph, GraphValue};

/// What of a trained system is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportedPart {
    /// What makes images: from `z` (and what else it takes) to `images`.
    Generator,
    /// What makes codes of images: from `images` to `code`, or to `mean` and `log_variance`.
    Encoder,
    /// What tells their classes: from `images` to the logits `classes`.
    Classifier,
}

/// A part of a trained system. The metadata say the range of the pixels.
///
/// # Errors
/// [`GanError::Unable`] where the system has no such part, or it is more than one pass of one network, or a layer has no ONNX form.
pub fn part(trained: &Trained, part: ExportedPart) -> Result<Graph, GanError> {
    match part {
        ExportedPart::Generator => generator(trained),
        ExportedPart::Encoder => reader(trained, trained.system.encoder(), "encoder", "be written as an encoder"),
        ExportedPart::Classifier => {
            reader(trained, trained.system.classifier(), "classifier", "be written as a classifier")
        }
    }
}

/// What takes images.
fn reader(
    trained: &Trained,
    reader: Option<Reader>,
    what: &'static str,
    action: &'static str,
) -> Result<Graph, GanError> {
    let unable = || GanError::Unable { system: trained.system.title(), action };
    let Reader { network, outputs } = reader.ok_or_else(unable)?;
    let mut graph = begun(trained, what);
    write(&mut graph, trained.networks.get(network)?, outputs).ok_or_else(unable)?;
    Ok(graph)
}

/// A graph that says the step and the range of the pixels.
fn begun(trained: &Trained, what: &str) -> Graph {
    let mut graph = Graph::new(&format!("gan-metrics {what}"));
    graph.metadata("step", trained.step);
    let range = trained.system.pixel_range();
    if range != PixelRange::Unbounded {
        let [low, high] = range.bounds();
        graph.metadata("pixel_range", format!("{low},{high}"));
    }
    graph
}

/// The generator of a trained system: from `z` (and what else it takes) to `images`. The metadata say the range of the pixels,
/// the distribution of z and, where `labels` are a code, how many categories and numbers it has.
///
/// # Errors
/// [`GanError::Unable`] where the images are not made by one pass of one network, or a layer has no ONNX form.
pub fn generator(trained: &Trained) -> Result<Graph, GanError> {
    let unable = || GanError::Unable { system: trained.system.title(), action: "be written as one ONNX graph" };
    let network = trained.networks.get(trained.system.generator().ok_or_else(unable)?)?;
    let mut graph = begun(trained, "generator");
    graph.metadata("latent", trained.config.latent);
    if let Condition::Code { categories, numbers } = trained.system.condition() {
        graph.metadata("code", format!("{categories},{numbers}"));
    }
    write(&mut graph, network, &[name::IMAGES]).ok_or_else(unable)?;
    Ok(graph)
}

/// Writes a network with these of its outputs; `None` where a layer has no ONNX form.
fn write(graph: &mut Graph, network: &Network, outputs: &[&str]) -> Option<()> {
    let shape = network.graph();
    let inputs: Vec<GraphValue> = shape.inputs().iter().map(|port| graph.input(&port.name, &port.value)).collect();
    let mut made: Vec<GraphValue> = Vec::new();
    for (index, node) in shape.nodes().iter().enumerate() {
        let value = |source: &Source| match *source {
            Source::Input(index) => inputs[index].clone(),
            Source::Node(index) => made[index].clone(),
        };
        let of_node: Vec<GraphValue> = node.inputs.iter().map(value).collect();
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

    use super::{ExportedPart, generator, name};
    use crate::gan::models::ModelSpec;
    use crate::gan::systems::{Networks, one_hot};
    use crate::gan::train::{TrainConfig, Trained};
    use crate::gan::{Random, Tensor};

    /// A model whose weights are all away from where they start.
    fn trained(model: &str) -> Trained {
        let named = ModelSpec::named(model).unwrap();
        let classes = if named.entry().is_labelled() { 3 } else { named.classes };
        let size = if named.entry().takes_points() { named.size } else { 16 };
        let labels = named.labels.min(6);
        let latent = named.latent.min(5);
        let config = TrainConfig::new(ModelSpec { size, latent, width: 4, classes, labels, ..named });
        let (system, random) = (config.system().unwrap(), &mut Random::new(1));
        let mut networks = Networks::new(system.networks(), random).unwrap();
        for (_, network) in networks.iter_mut() {
            for parameter in network.parameters_mut() {
                parameter.value = random.normal(parameter.value.shape(), 0.1, 0.3);
            }
        }
        Trained { config, step: 0, class_names: Vec::new(), system, networks }
    }

    /// What the graph of a part computes, output by output.
    fn run(onnx: &[u8], inputs: &[Tensor]) -> Vec<Vec<f32>> {
        let mut graph = tract_onnx::onnx().model_for_read(&mut &*onnx).unwrap();
        for (index, input) in inputs.iter().enumerate() {
            graph = graph.with_input_fact(index, f32::fact(input.shape()).into()).unwrap();
        }
        let plan = graph.into_optimized().unwrap().into_runnable().unwrap();
        let given =
            |input: &Tensor| tract_onnx::prelude::Tensor::from_shape(input.shape(), input.data()).unwrap().into();
        let outputs = plan.run(inputs.iter().map(given).collect::<TVec<TValue>>()).unwrap();
        outputs.iter().map(|output| output.try_as_plain_ram().unwrap().as_slice::<f32>().unwrap().to_vec()).collect()
    }

    /// The largest difference, of values beyond 1 as a share of the largest.
    fn distance(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        let largest = b.iter().map(|b| b.abs()).fold(1.0, f32::max);
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest
    }

    /// Sums of some hundred terms in another order, in f32, through up to ten normalised layers: 5.6e-5 was measured.
    const TOLERANCE: f32 = 2e-4;

    #[test]
    fn encoders_and_classifiers_compute_what_they_compute_here() {
        let images = Random::new(3).normal(&[2, 1, 16, 16], 0.0, 1.0);
        let parts = [
            ("bigan", ExportedPart::Encoder),
            ("vae", ExportedPart::Encoder),
            ("vae-conv", ExportedPart::Encoder),
            ("acgan", ExportedPart::Classifier),
            ("infogan", ExportedPart::Classifier),
            ("catgan", ExportedPart::Classifier),
            ("ssgan", ExportedPart::Classifier),
            ("classifier", ExportedPart::Classifier),
        ];
        for (model, part) in parts {
            let trained = trained(model);
            let ours = match part {
                ExportedPart::Classifier => trained.system.classify(&trained.networks, &images).unwrap(),
                _ => trained.system.encode(&trained.networks, &images).unwrap(),
            };
            let theirs = run(&super::part(&trained, part).unwrap().encode(), std::slice::from_ref(&images));
            let distance = distance(&theirs[0], ours.data());
            assert!(distance < TOLERANCE, "{model}: {distance:e}");
        }
        for (model, part, message) in [
            ("dcgan", ExportedPart::Encoder, "dcgan cannot be written as an encoder"),
            ("bigan", ExportedPart::Classifier, "bigan cannot be written as a classifier"),
            ("classifier", ExportedPart::Generator, "classifier cannot be written as one ONNX graph"),
        ] {
            assert_eq!(super::part(&trained(model), part).err().unwrap().to_string(), message);
        }
    }

    #[test]
    fn generators_compute_what_they_compute_here() {
        for model in ["points", "dcgan", "cgan", "bigan", "sngan", "sagan", "sagan-class"] {
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

            let theirs = run(&generator(&trained).unwrap().encode(), &inputs).remove(0);
            let distance = distance(&theirs, ours.data());
            assert!(distance < TOLERANCE, "{model}: {distance:e}");
        }
    }
}
