//! Blocks of residual networks, as of Miyato et al. (2018), and self-attention between them.

use super::Wanted;
use crate::gan::layers::{
    Activation, AveragePool, BatchNorm, Bias, ConditionalBatchNorm, Conv2d, Gain, Layer, MaxPool, SelfAttention, Sum,
    Upsample,
};
use crate::gan::networks::{GraphBuilder, Source};

/// Side of what is pooled or enlarged.
const FACTOR: usize = 2;

fn pointwise(inputs: usize, outputs: usize, bias: Bias) -> Layer {
    Conv2d { inputs, outputs, kernel: 1, stride: 1, padding: 0, bias }.into()
}

/// The classes that a generator is given, and how many there are.
pub(super) type Classes = Option<(Source, usize)>;

/// Batch normalisation, of its own scale and shift for each class where there are classes, and ReLU.
fn rectified_of_class(graph: &mut GraphBuilder, x: Source, channels: usize, classes: Classes) -> Source {
    let normalised = match classes {
        Some((labels, classes)) => graph.node(ConditionalBatchNorm { channels, classes }, &[x, labels]),
        None => graph.node(BatchNorm { channels }, &[x]),
    };
    graph.node(Activation::Relu, &[normalised])
}

/// A block that doubles the map: normalisation, ReLU, enlargement and convolution, then normalisation, ReLU and convolution, beside
/// enlargement and a convolution of single pixels.
pub(super) fn up(graph: &mut GraphBuilder, x: Source, channels: usize, classes: Classes) -> Source {
    let rectified = rectified_of_class(graph, x, channels, classes);
    let enlarged = graph.node(Upsample { factor: FACTOR }, &[rectified]);
    let middle = graph.node(Conv2d::same(channels, channels, 3), &[enlarged]);
    let rectified = rectified_of_class(graph, middle, channels, classes);
    let end = graph.node(Conv2d::same(channels, channels, 3), &[rectified]);
    let shortcut = graph.chain(x, [Upsample { factor: FACTOR }.into(), pointwise(channels, channels, Bias::Yes)]);
    graph.node(Sum, &[end, shortcut])
}

/// ReLU, after what normalises the critic's maps if anything does.
fn rectified(graph: &mut GraphBuilder, x: Source, map: [usize; 3], wanted: &Wanted<'_>) -> Source {
    graph.chain(x, wanted.normalisation(&map).into_iter().chain([Activation::Relu.into()]))
}

/// The first block of a critic, from images to maps of half their side: two convolutions and a pool beside a pool and a convolution
/// of single pixels.
pub(super) fn first(
    graph: &mut GraphBuilder,
    images: Source,
    [colours, channels, side]: [usize; 3],
    wanted: &Wanted<'_>,
) -> Source {
    let middle = graph.node(Conv2d::same(colours, channels, 3), &[images]);
    let middle = rectified(graph, middle, [channels, side, side], wanted);
    let pool = || AveragePool { side: FACTOR }.into();
    let end = graph.chain(middle, [Conv2d::same(channels, channels, 3).into(), pool()]);
    let shortcut = graph.chain(images, [pool(), pointwise(colours, channels, Bias::Yes)]);
    graph.node(Sum, &[end, shortcut])
}

/// A block of a critic: twice ReLU and convolution, beside the map itself; both are pooled where `halves`, the map after a
/// convolution of single pixels.
pub(super) fn down(
    graph: &mut GraphBuilder,
    x: Source,
    [channels, side]: [usize; 2],
    halves: bool,
    wanted: &Wanted<'_>,
) -> Source {
    let mut end = x;
    for _ in 0..2 {
        let rectified = rectified(graph, end, [channels, side, side], wanted);
        end = graph.node(Conv2d::same(channels, channels, 3), &[rectified]);
    }
    if !halves {
        return graph.node(Sum, &[end, x]);
    }
    let pool = || AveragePool { side: FACTOR }.into();
    let end = graph.chain(end, [pool()]);
    let shortcut = graph.chain(x, [pointwise(channels, channels, Bias::Yes), pool()]);
    graph.node(Sum, &[end, shortcut])
}

/// x + γ·o with γ = 0 at first, o a convolution of what every position sees of all others: queries and keys have an eighth of the
/// channels, values a half, and keys and values are of the map pooled by maximum (Zhang, Goodfellow, Metaxas and Odena 2019, as in
/// the authors' code).
pub(super) fn attention(graph: &mut GraphBuilder, x: Source, channels: usize, side: usize) -> Source {
    let (depth, values) = ((channels / 8).max(1), (channels / 2).max(1));
    let queries = graph.node(pointwise(channels, depth, Bias::No), &[x]);
    let pooled = |graph: &mut GraphBuilder, outputs| {
        graph.chain(x, [pointwise(channels, outputs, Bias::No), MaxPool { side: FACTOR }.into()])
    };
    let (keys, of_values) = (pooled(graph, depth), pooled(graph, values));
    let seen = graph.node(
        SelfAttention { depth, values, side, key_side: side / FACTOR, scaled: false },
        &[queries, keys, of_values],
    );
    let seen = graph.chain(seen, [pointwise(values, channels, Bias::No), Gain.into()]);
    graph.node(Sum, &[x, seen])
}
