//! Fully connected networks.

use super::{ModelSpec, PixelRange, Wanted};
use crate::gan::error::GanError;
use crate::gan::layers::{Activation, Initializer, Layer, Linear, Reshape};
use crate::gan::networks::{Graph, name};
use crate::gan::objectives::CriticKind;
use crate::gan::systems::{Condition, Pair};

/// A generator z → hidden → pixels with ReLU and sigmoid, a discriminator pixels → hidden → logit with LeakyReLU
/// (Goodfellow et al. 2014, with one hidden layer each); as an autoencoder, pixels → hidden → code → hidden → pixels.
pub(super) fn pair(spec: &ModelSpec, wanted: Wanted) -> Result<Pair, GanError> {
    let (image, hidden) = (spec.image(), spec.width);
    let pixels = image.iter().product();
    let initializer = Initializer::XavierUniform;
    let decoder = |inputs: usize| -> [Layer; 5] {
        [
            Linear::new(inputs, hidden).into(),
            Activation::Relu.into(),
            Linear::new(hidden, pixels).into(),
            Activation::Sigmoid.into(),
            Reshape { shape: image.to_vec() }.into(),
        ]
    };
    let generator = Graph::chain((name::Z, &[spec.latent]), decoder(spec.latent), name::IMAGES, initializer)?;
    let mut discriminator = Graph::builder(initializer);
    let x = discriminator.input(name::IMAGES, &image);
    let features = discriminator.chain(
        x,
        [
            Reshape { shape: vec![pixels] }.into(),
            Linear::new(pixels, spec.of_discriminator()).into(),
            Activation::LeakyRelu(0.2).into(),
        ],
    );
    match wanted.critic {
        CriticKind::Logit => {
            let logit = discriminator.node(Linear::new(spec.of_discriminator(), 1), &[features]);
            discriminator.output(name::LOGIT, logit).output(name::FEATURES, features);
        }
        CriticKind::Autoencoder => {
            /// Length of a code: far fewer than pixels, so that not everything passes.
            const CODE: usize = 32;
            let code = discriminator.node(Linear::new(spec.of_discriminator(), CODE), &[features]);
            let reconstruction = discriminator.chain(code, decoder(CODE));
            discriminator.output(name::RECONSTRUCTION, reconstruction).output(name::CODE, code);
        }
    }
    Ok(Pair { generator, discriminator: discriminator.build()?, condition: Condition::None, range: PixelRange::Unit })
}
