//! SNGAN: a critic with spectral normalisation.

use super::{CriticNormalization, ModelSpec, PixelRange, Wanted, Wish, dcgan, game, heads};
use crate::gan::error::GanError;
use crate::gan::layers::{Activation, Bias, Conv2d, Initializer, Layer, Reshape};
use crate::gan::networks::{Graph, name};
use crate::gan::systems::{Pair, System};
use crate::gan::train::TrainConfig;

/// The generator of DCGAN against the critic of Table 3 of Miyato, Kataoka, Koyama and Yoshida (2018): kernels of 3×3, then of 4×4
/// that halve the map, for each halving; then of 3×3; LeakyReLU(0.1).
pub(super) fn make(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    let normalization = CriticNormalization::Spectral;
    game(config, pair, &Wish { reconstructs: false, normalization, ..Wish::default() }, |game| game)
}

fn pair(spec: &ModelSpec, wanted: &Wanted<'_>) -> Result<Pair, GanError> {
    let (plan, condition) = (dcgan::plan(spec.size)?, wanted.wish.condition);
    let generator = dcgan::generator(spec, plan, condition)?;
    let mut graph = Graph::builder(Initializer::Dcgan);
    graph.spectral_norm(wanted.normalization == CriticNormalization::Spectral);
    let mut map = graph.input(name::IMAGES, &spec.image());
    let (mut channels, mut side) = (spec.channels, spec.size);
    for doubling in 0..=plan.doublings {
        let width = spec.of_discriminator() << doubling;
        let convolution: Layer = Conv2d::same(channels, width, 3).into();
        // The images themselves are not normalised.
        let normalised = (doubling > 0).then(|| wanted.normalisation(&[width, side, side])).flatten();
        map = graph.chain(map, std::iter::once(convolution).chain(normalised).chain([SLOPE.into()]));
        if doubling < plan.doublings {
            side /= 2;
            let halving =
                Conv2d { inputs: width, outputs: width, kernel: 4, stride: 2, padding: 1, bias: Bias::Yes }.into();
            let normalised = wanted.normalisation(&[width, side, side]);
            map = graph.chain(map, std::iter::once(halving).chain(normalised).chain([SLOPE.into()]));
        }
        channels = width;
    }
    let length = channels * side * side;
    let flat = graph.node(Reshape { shape: vec![length] }, &[map]);
    let features = heads::features(&mut graph, flat, length, spec);
    heads::finish(&mut graph, features, None, spec, wanted);
    Ok(Pair { generator, discriminator: graph.build()?, condition, range: PixelRange::Symmetric })
}

const SLOPE: Activation = Activation::LeakyRelu(0.1);
