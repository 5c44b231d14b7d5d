//! MADE.

use super::super::{ModelSpec, alone};
use super::Family;
use crate::gan::error::GanError;
use crate::gan::layers::{Activation, Degrees, Initializer, MaskedLinear, Reshape, Sees};
use crate::gan::networks::{Graph, name};

/// Whether there is a first pixel and another.
pub(in crate::gan::models) fn check(spec: &ModelSpec) -> Result<(), GanError> {
    if spec.size < 2 {
        return Err(GanError::setting("the image size", spec.size, "at least 2 for this model"));
    }
    alone::check_bits(spec)
}

/// Every pixel depends on all before it.
pub(in crate::gan::models) const MADE: Family = Family { network, reach: None };

/// The masked autoencoder of Germain, Gregor, Murray and Larochelle (2015) with one hidden layer of ReLUs. Pixel d has the
/// degree d; a hidden unit of degree m sees the pixels up to m, and pixel d the units of lower degrees. Degrees of the
/// hidden units are spread evenly over 0 … D−2, in order, rather than drawn: none is dead, and no mask has to be kept.
fn network(spec: &ModelSpec, [height, width]: [usize; 2]) -> Result<Graph, GanError> {
    let image = [spec.channels, height, width];
    let pixels: usize = image.iter().product();
    let degrees = Degrees { units: pixels, degrees: pixels };
    let hidden = Degrees { units: spec.width, degrees: pixels - 1 };
    let layers = [
        Reshape { shape: vec![pixels] }.into(),
        MaskedLinear { inputs: degrees, outputs: hidden, sees: Sees::UpToItself }.into(),
        Activation::Relu.into(),
        MaskedLinear { inputs: hidden, outputs: degrees, sees: Sees::Before }.into(),
        Reshape { shape: image.to_vec() }.into(),
    ];
    Graph::chain((name::IMAGES, &image), layers, name::LOGITS, Initializer::XavierUniform)
}
