//! The network that sees noise.

use super::super::{ModelSpec, alone};
use crate::gan::error::GanError;
use crate::gan::layers::{
    Activation, Bias, ChannelShift, Concat, Conv2d, GroupNorm, Initializer, Layer, Linear, SelfAttention, Sum,
    TimeEmbedding, Upsample,
};
use crate::gan::networks::{Graph, GraphBuilder, Source, name};

/// Groups of every normalisation.
const GROUPS: usize = 8;

/// Channels of every resolution, in widths.
const MULTIPLES: [usize; 3] = [1, 2, 2];

/// The largest images: attention at a quarter of their side compares every pixel with every other.
const LARGEST: usize = 128;

/// Whether there is a network of these sizes: each resolution is half of the one before.
pub(in crate::gan::models) fn check(spec: &ModelSpec) -> Result<(), GanError> {
    let factor = 1 << (MULTIPLES.len() - 1);
    if !spec.size.is_multiple_of(factor) || spec.size > LARGEST {
        let requirement = format!("a multiple of {factor} up to {LARGEST} for this model");
        return Err(GanError::setting("the image size", spec.size, requirement));
    }
    // Where a group is a single channel, its normalisation takes away what the channel is told of the time.
    if !spec.width.is_multiple_of(GROUPS) || spec.width < 2 * GROUPS {
        let requirement = format!("a multiple of {GROUPS}, at least {} for this model", 2 * GROUPS);
        return Err(GanError::setting("the width", spec.width, requirement));
    }
    alone::check_without_latent(spec)
}

/// The U-Net of Ho, Jain and Abbeel (2020), smaller: three resolutions, one residual block on the way down and two on the way
/// up, attention at the lowest resolution.
pub(super) fn network(spec: &ModelSpec) -> Result<Graph, GanError> {
    let width = spec.width;
    let mut graph = Graph::builder(Initializer::XavierUniform);
    let images = graph.input(name::IMAGES, &spec.image());
    let time = graph.input(name::TIME, &[1]);
    let numbers = 4 * width;
    let time = graph.chain(
        time,
        [
            TimeEmbedding { channels: width }.into(),
            Linear::new(width, numbers).into(),
            Activation::Silu.into(),
            Linear::new(numbers, numbers).into(),
        ],
    );
    let lowest = MULTIPLES.len() - 1;
    let mut net = Builder { graph, time, numbers, lowest_side: spec.size >> lowest };

    let mut channels = width;
    let mut x = net.graph.node(Conv2d::same(spec.channels, width, 3), &[images]);
    let mut skips = vec![(x, channels)];
    for (level, multiple) in MULTIPLES.into_iter().enumerate() {
        x = net.block(x, channels, multiple * width);
        channels = multiple * width;
        if level == lowest {
            x = net.attend(x, channels);
        }
        skips.push((x, channels));
        if level < lowest {
            let halve =
                Conv2d { inputs: channels, outputs: channels, kernel: 3, stride: 2, padding: 1, bias: Bias::Yes };
            x = net.graph.node(halve, &[x]);
            skips.push((x, channels));
        }
    }
    x = net.block(x, channels, channels);
    x = net.attend(x, channels);
    x = net.block(x, channels, channels);
    for (level, multiple) in MULTIPLES.into_iter().enumerate().rev() {
        for (skip, more) in skips.split_off(skips.len() - 2).into_iter().rev() {
            let both = net.graph.node(Concat, &[x, skip]);
            x = net.block(both, channels + more, multiple * width);
            channels = multiple * width;
            if level == lowest {
                x = net.attend(x, channels);
            }
        }
        if level > 0 {
            x = net.graph.chain(x, [Upsample { factor: 2 }.into(), Conv2d::same(channels, channels, 3).into()]);
        }
    }
    x = net.graph.chain(x, normalised(channels));
    let noise = net.last(x, Conv2d::same(channels, spec.channels, 3));
    net.graph.output(name::NOISE, noise);
    net.graph.build()
}

struct Builder {
    graph: GraphBuilder,
    /// What is told of the time.
    time: Source,
    /// In so many numbers.
    numbers: usize,
    /// Side of the smallest maps.
    lowest_side: usize,
}

/// What is in front of a convolution.
fn normalised(channels: usize) -> [Layer; 2] {
    [GroupNorm { groups: GROUPS, channels }.into(), Activation::Silu.into()]
}

impl Builder {
    /// A convolution that gives nothing at first.
    fn last(&mut self, x: Source, layer: Conv2d) -> Source {
        self.graph.initialized(Some(Initializer::Zero));
        let y = self.graph.node(layer, &[x]);
        self.graph.initialized(None);
        y
    }

    /// A residual block that is told the time.
    fn block(&mut self, x: Source, inputs: usize, outputs: usize) -> Source {
        let mut y = self.graph.chain(x, normalised(inputs));
        y = self.graph.node(Conv2d::same(inputs, outputs, 3), &[y]);
        let time = self.graph.chain(self.time, [Activation::Silu.into(), Linear::new(self.numbers, outputs).into()]);
        y = self.graph.node(ChannelShift, &[y, time]);
        y = self.graph.chain(y, normalised(outputs));
        y = self.last(y, Conv2d::same(outputs, outputs, 3));
        let shortcut = if inputs == outputs { x } else { self.graph.node(Conv2d::same(inputs, outputs, 1), &[x]) };
        self.graph.node(Sum, &[shortcut, y])
    }

    /// Attention as a residual, at the lowest resolution.
    fn attend(&mut self, x: Source, channels: usize) -> Source {
        let normalised = self.graph.node(GroupNorm { groups: GROUPS, channels }, &[x]);
        let maps = [(); 3].map(|()| self.graph.node(Conv2d::same(channels, channels, 1), &[normalised]));
        let (depth, side) = (channels, self.lowest_side);
        let attention = SelfAttention { depth, values: channels, side, key_side: side, scaled: true };
        let seen = self.graph.node(attention, &maps);
        let change = self.last(seen, Conv2d::same(channels, channels, 1));
        self.graph.node(Sum, &[x, change])
    }
}
