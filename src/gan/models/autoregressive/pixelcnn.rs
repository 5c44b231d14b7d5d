//! PixelCNN.

use super::super::ModelSpec;
use crate::gan::error::GanError;
use crate::gan::layers::{Activation, Conv2d, Initializer, MaskedConv2d, Sum};
use crate::gan::networks::{Graph, name};

/// Residual blocks.
const BLOCKS: usize = 5;

/// The PixelCNN of van den Oord, Kalchbrenner and Kavukcuoglu (2016) for bits: a 7×7 convolution with mask A, residual
/// blocks of ReLU and 1×1, 3×3 with mask B, and 1×1 convolutions, and two 1×1 convolutions at the end. The width is h, the
/// channels within a block; there are 2h between them.
pub(in crate::gan::models) fn network(spec: &ModelSpec) -> Result<Graph, GanError> {
    let h = spec.width;
    let relu = || Activation::Relu.into();
    let mut graph = Graph::builder(Initializer::XavierUniform);
    let x = graph.input(name::IMAGES, &spec.image());
    let first = MaskedConv2d { inputs: spec.channels, outputs: 2 * h, kernel: 7, sees_itself: false };
    let mut map = graph.node(first, &[x]);
    for _ in 0..BLOCKS {
        let masked = MaskedConv2d { inputs: h, outputs: h, kernel: 3, sees_itself: true };
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
