//! The Inception-v3 of the Fréchet Inception Distance, "2015-12-05".
//!
//! The network that Salimans et al. (2016) and Heusel et al. (2017) took from TensorFlow, in the PyTorch checkpoint of
//! pytorch-fid and torch-fidelity (the same file, sha256 [`SHA256`]). Against the Inception-v3 of torchvision: no
//! auxiliary head, 1008 outputs, average pools that leave the padding out of the mean, and, in the pool branch of
//! `Mixed_7c`, a maximum in the place of the average.
//!
//! [`build`] turns a checkpoint into one ONNX graph with every output that a metric asks for:
//!
//! | output | shape | what |
//! |---|---|---|
//! | `features_64` | N×64 | after the first max pool, averaged over its places |
//! | `features_192` | N×192 | after the second max pool, averaged |
//! | `features_768` | N×768 | `Mixed_6e`, averaged |
//! | `pool3` | N×2048 | `Mixed_7c`, averaged: the features of FID and KID |
//! | `logits_unbiased` | N×1008 | `pool3` times the weights of the last layer: what torch-fidelity's Inception Score uses |
//! | `logits` | N×1008 | the same plus bias |
//! | `sfid` | N×2023 | the first 7 channels of `Mixed_6d.branch1x1`, 17×17, flattened with the channel last, as sFID has it |
//!
//! The peers agree on all of these but for two things: pytorch-fid has no logits, and its 768-d output is averaged by
//! the caller.

mod architecture;
mod seeded;

use super::WeightsError;
use super::layers::{BatchNormForm, Checked, ConvBn, Layout};
use super::onnx::{Graph, GraphInput, GraphValue, Window, metadata};
use super::pth::StateDict;
use architecture::{Operators, forward};

pub use seeded::seeded_state_dict;

/// Name of the network in reports and metadata.
pub const NAME: &str = "inception-v3";

/// Digest of the published checkpoint, `pt_inception-2015-12-05-6726825d.pth`.
pub const SHA256: &str = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2";

/// Length of the published checkpoint in bytes.
pub const BYTES: u64 = 95_628_359;

/// Where the published checkpoint can be fetched.
pub const URLS: [&str; 2] = [
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
];

/// What the network expects: levels 0–255 as `(level − 128) / 128`, 299×299 after a resize that belongs to the metric's
/// definition. pytorch-fid feeds `2·level/255 − 1` to the same weights.
pub const INPUT: GraphInput = GraphInput { size: 299, mean: [128.0; 3], std: [128.0; 3] };

/// Length of `pool3`.
pub const FEATURES: usize = 2048;

/// Number of outputs of the classifier: the 1000 classes of ImageNet and 8 that were never trained.
pub const CLASSES: usize = 1008;

/// Epsilon of every batch normalisation.
const EPSILON: f32 = 1e-3;

/// Channels and side of the feature map that sFID flattens.
const SFID: (usize, usize) = (7, 17);

/// Builds the network as an ONNX model from a checkpoint, with batch normalisation folded into the convolutions.
///
/// Input `images` N×3×299×299, already resized and normalised; outputs as the [module](self) lists them.
///
/// # Errors
/// [`WeightsError::Mismatch`] names every tensor that is missing, unknown or of another shape (batch counters are
/// ignored); [`WeightsError::NotFinite`] and [`WeightsError::Variance`] the first value that cannot be right.
pub fn build(state: &StateDict) -> Result<Vec<u8>, WeightsError> {
    build_with(state, BatchNormForm::Folded)
}

/// Builds the network with batch normalisation folded or not; see [`build`].
///
/// # Errors
/// As [`build`].
pub fn build_with(state: &StateDict, batch_norm: BatchNormForm) -> Result<Vec<u8>, WeightsError> {
    let state_dict = Checked::new(NAME, &layout(), state)?;
    let mut graph = Graph::new(NAME);
    graph.metadata(metadata::SOURCE, state.provenance());
    let images = graph.images("images", &INPUT);
    let mut network = GraphWriter { graph, state: state_dict, batch_norm };
    let taps = forward(&mut network, &images);

    let GraphWriter { mut graph, state, .. } = network;
    for (name, tap, length) in [
        ("features_64", taps.first_pool, 64),
        ("features_192", taps.second_pool, 192),
        ("features_768", taps.mixed_6e, 768),
    ] {
        let features = graph.global_mean(name, &tap);
        graph.output(&features, &[length]);
    }
    let pool3 = graph.global_mean("pool3", &taps.mixed_7c);
    graph.output(&pool3, &[FEATURES]);
    let logits_unbiased = graph.linear("logits_unbiased", &pool3, state.tensor("fc.weight"));
    graph.output(&logits_unbiased, &[CLASSES]);
    let logits = graph.add_bias("logits", &logits_unbiased, state.tensor("fc.bias").data());
    graph.output(&logits, &[CLASSES]);
    let (channels, side) = SFID;
    let spatial = graph.first_channels("sfid.channels", &taps.spatial, channels);
    let spatial = graph.channels_last("sfid.channels_last", &spatial);
    let sfid = graph.flatten("sfid", &spatial);
    graph.output(&sfid, &[channels * side * side]);
    Ok(graph.encode())
}

/// Writes the network into a graph.
struct GraphWriter<'a> {
    graph: Graph,
    state: Checked<'a>,
    batch_norm: BatchNormForm,
}

impl Operators for GraphWriter<'_> {
    type Value = GraphValue;

    fn conv(&mut self, name: &str, input: &GraphValue, _outputs: usize, window: Window) -> GraphValue {
        let pair = ConvBn::new(&self.state, &format!("{name}.conv"), &format!("{name}.bn"), EPSILON);
        let value = pair.add(&mut self.graph, self.batch_norm, &format!("{name}.bn"), input, window, 1);
        self.graph.relu(name, &value)
    }

    fn max_pool(&mut self, name: &str, input: &GraphValue, window: Window) -> GraphValue {
        self.graph.max_pool(name, input, window)
    }

    fn average_pool(&mut self, name: &str, input: &GraphValue, window: Window) -> GraphValue {
        self.graph.average_pool(name, input, window)
    }

    fn concat(&mut self, name: &str, branches: &[GraphValue]) -> GraphValue {
        self.graph.concat(name, branches)
    }
}

/// Lists the tensors of the network; a value is its number of channels.
#[derive(Default)]
struct LayoutLister(Layout);

impl Operators for LayoutLister {
    type Value = usize;

    fn conv(&mut self, name: &str, &input: &usize, outputs: usize, window: Window) -> usize {
        let [height, width] = window.kernel();
        self.0.extend(ConvBn::layout(&format!("{name}.conv"), &format!("{name}.bn"), [outputs, input, height, width]));
        outputs
    }

    fn max_pool(&mut self, _name: &str, &input: &usize, _window: Window) -> usize {
        input
    }

    fn average_pool(&mut self, _name: &str, &input: &usize, _window: Window) -> usize {
        input
    }

    fn concat(&mut self, _name: &str, branches: &[usize]) -> usize {
        branches.iter().sum()
    }
}

/// Names and shapes of the checkpoint's tensors, in the order of the network.
fn layout() -> Layout {
    let mut lister = LayoutLister::default();
    let features = forward(&mut lister, &3).mixed_7c;
    let mut layout = lister.0;
    layout.extend([("fc.weight".to_owned(), vec![CLASSES, features]), ("fc.bias".to_owned(), vec![CLASSES])]);
    layout
}
