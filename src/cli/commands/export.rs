//! `gan-metrics export`: the generator of a checkpoint as an ONNX graph.

use std::path::PathBuf;

use crate::Result;
use crate::error::{Blame, Blamed};
use crate::extractor::weights::onnx::{Graph, Kernel, Value, Window};
use crate::extractor::weights::pth::Tensor;
use crate::gan::layers::{Activation, Layer, NORMALIZATION_EPSILON, Network};
use crate::gan::train::checkpoint::{self, TrainedGenerator};
use crate::output::Outputs;
use clap::Args;

use crate::cli::exit::Outcome;
use crate::cli::output;

/// `gan-metrics export --checkpoint FILE -o FILE.onnx`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Checkpoint of a training run.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    /// ONNX file to write: input `z`, N×length or N×length×1×1; output `images`, N×channels×size×size, in the range of
    /// the model, which the metadata entry `pixel_range` tells.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// A layer that graphs cannot express.
#[derive(Debug, thiserror::Error)]
#[error("the layer {0:?} has no ONNX form here; please report this")]
struct NoForm(Layer);

impl Blamed for NoForm {
    fn blame(&self) -> Blame {
        Blame::Bug
    }
}

/// Writes the graph.
pub fn run(args: &ExportArgs) -> Result<Outcome> {
    let onnx = Outputs::beside([&args.checkpoint]).claim(&args.output)?;
    let trained = checkpoint::generator(&args.checkpoint)?;
    onnx.write_all(&graph(&trained)?.encode())?;
    let length = trained.config.networks.latent();
    let size = trained.config.networks.size();
    output::to_stdout(&format!(
        "{}: generator of step {}, z of {length} numbers ({}) to images of {size}×{size}\n",
        args.output.display(),
        trained.step,
        trained.config.latent,
    ))?;
    Ok(Outcome::Success)
}

/// The generator in evaluation: batch normalisation by the running moments.
fn graph(trained: &TrainedGenerator) -> Result<Graph> {
    let networks = &trained.config.networks;
    let mut graph = Graph::new("gan-metrics generator");
    graph.metadata("step", trained.step);
    graph.metadata("latent", trained.config.latent);
    let [low, high] = networks.pixel_range().bounds();
    graph.metadata("pixel_range", format!("{low},{high}"));
    let mut value = graph.input("z", &networks.latent_shape(1)[1..]);
    for (index, layer) in trained.network.layers().enumerate() {
        value = node(&mut graph, &trained.network, index, layer, &value)?;
    }
    let images = graph.identity("images", &value);
    graph.output(&images, &[networks.channels(), networks.size(), networks.size()]);
    Ok(graph)
}

fn node(graph: &mut Graph, network: &Network, index: usize, layer: &Layer, x: &Value) -> Result<Value> {
    let name = format!("layer{index}");
    let tensor = |part: &str| {
        let wanted = format!("{index}.{part}");
        network.state().find(|parameter| parameter.name == wanted).map(|parameter| &parameter.value)
    };
    let values = |part: &str| tensor(part).map(|tensor| tensor.data().to_vec());
    let weight = || {
        let weight = tensor("weight").expect("the layer has weights");
        Tensor::new(weight.shape().to_vec(), weight.data().to_vec()).expect("as many values as the shape says")
    };
    let channels = |part: &str| values(part).expect("the layer normalises channels");
    let window = |kernel, stride, padding| Window::new(kernel, kernel).stride(stride).pad(padding);
    Ok(match *layer {
        Layer::Linear { .. } => match values("bias") {
            None => graph.linear(&name, x, &weight()),
            Some(bias) => {
                let product = graph.linear(&format!("{name}.product"), x, &weight());
                graph.add_bias(&name, &product, &bias)
            }
        },
        Layer::Conv2d { kernel, stride, padding, .. } => {
            let weights = Kernel { weight: weight(), bias: values("bias") };
            graph.conv(&name, x, weights, window(kernel, stride, padding), 1)
        }
        Layer::ConvTranspose2d { kernel, stride, padding, output_padding, .. } => {
            let weights = Kernel { weight: weight(), bias: values("bias") };
            graph.conv_transpose(&name, x, weights, window(kernel, stride, padding), output_padding)
        }
        Layer::BatchNorm { .. } => {
            let parameters = ["weight", "bias", "running_mean", "running_var"].map(channels);
            graph.batch_norm(&name, x, parameters.each_ref().map(Vec::as_slice), NORMALIZATION_EPSILON as f32)
        }
        Layer::Activation(Activation::Relu) => graph.relu(&name, x),
        Layer::Activation(Activation::LeakyRelu(slope)) => graph.leaky_relu(&name, x, slope as f32),
        Layer::Activation(Activation::Tanh) => graph.tanh(&name, x),
        Layer::Activation(Activation::Sigmoid) => graph.sigmoid(&name, x),
        Layer::Reshape { ref shape } => graph.reshape(&name, x, shape),
        // Nothing drops out in evaluation.
        Layer::Dropout { .. } => x.clone(),
        ref other => return Err(NoForm(other.clone()).into()),
    })
}
