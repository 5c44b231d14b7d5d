//! PixelCNN.

use super::super::ModelSpec;
use super::Family;
use crate::gan::error::GanError;
use crate::gan::layers::{Activation, Conv2d, Initializer, MaskedConv2d, Sum};
use crate::gan::networks::{Graph, name};

/// Residual blocks.
const BLOCKS: usize = 5;
/// Side of the kernel of the first layer.
const FIRST: usize = 7;
/// Side of the kernel of a block.
const KERNEL: usize = 3;

/// A pixel depends on what its convolutions see one through the other.
pub(in crate::gan::models) const PIXELCNN: Family = Family { network, reach: Some(FIRST / 2 + BLOCKS * (KERNEL / 2)) };

/// The PixelCNN of van den Oord, Kalchbrenner and Kavukcuoglu (2016) for bits: a 7×7 convolution with mask A, residual
/// blocks of ReLU and 1×1, 3×3 with mask B, and 1×1 convolutions, and two 1×1 convolutions at the end. The width is h, the
/// channels within a block; there are 2h between them.
fn network(spec: &ModelSpec, [height, width]: [usize; 2]) -> Result<Graph, GanError> {
    let h = spec.width;
    let relu = || Activation::Relu.into();
    let mut graph = Graph::builder(Initializer::XavierUniform);
    let x = graph.input(name::IMAGES, &[spec.channels, height, width]);
    let first = MaskedConv2d { inputs: spec.channels, outputs: 2 * h, kernel: FIRST, sees_itself: false };
    let mut map = graph.node(first, &[x]);
    for _ in 0..BLOCKS {
        let masked = MaskedConv2d { inputs: h, outputs: h, kernel: KERNEL, sees_itself: true };
        let squeeze = Conv2d::same(2 * h, h, 1);
        let widen = Conv2d::same(h, 2 * h, 1);
        let change = graph.chain(map, [relu(), squeeze.into(), relu(), masked.into(), relu(), widen.into()]);
        map = graph.node(Sum, &[map, change]);
    }
    let (hidden, last) = (Conv2d::same(2 * h, 2 * h, 1), Conv2d::same(2 * h, spec.channels, 1));
    let logits = graph.chain(map, [relu(), hidden.into(), relu(), last.into()]);
    graph.output(name::LOGITS, logits);
    graph.build()
}
