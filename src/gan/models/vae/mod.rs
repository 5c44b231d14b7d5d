//! Variational autoencoders.

mod networks;

use super::alone::{self, MODEL};
use super::{ModelSpec, PixelRange};
use crate::gan::error::GanError;
use crate::gan::networks::{Graph, Outputs, name};
use crate::gan::optim::Rule;
use crate::gan::random::Random;
use crate::gan::real::Real;
use crate::gan::systems::{Likelihood, Measure, Networks, PlayerSpec, Reader, System};
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;
use crate::gan::train::{Step, TrainConfig};
pub(super) use networks::{check_convolutional, convolutional, fully_connected};

/// Images to codes.
const ENCODER: &str = "encoder";
/// Codes to images.
const DECODER: &str = "decoder";

/// ln σ² is kept in here: e^10 is far from what a code needs, and far from an overflow.
const LARGEST_LOG_VARIANCE: f64 = 10.0;

/// Codes that are weighed for the likelihood of an image.
const WEIGHED: usize = 100;

/// A variational autoencoder (Kingma and Welling 2014). The encoder gives the mean μ and ln σ² of a normal distribution of
/// codes, z = μ + σ·ε is one of them, and the decoder gives the probability of every pixel from it. Minimised is
///
/// ```text
/// −ELBO = Σ −x·ln p − (1−x)·ln(1−p)  +  ½·Σ μ² + σ² − 1 − ln σ²
/// ```
///
/// the first sum over pixels and the second over the numbers of z, both in nats an image, averaged over the batch. Gray
/// levels x in \[0, 1\] are taken for the probabilities that a pixel is 1, as everybody does: only where images are black and
/// white is the bound one of their probability, and comparable with that of models of bits.
///
/// With a weight β of the second sum (Higgins et al. 2017) codes say less, and each number of them something of its own.
///
/// The likelihood it tells of an image is the bound of Burda, Grosse and Salakhutdinov (2016) with 100 codes, ln of the mean
/// of p(x, z)/q(z|x), which is tighter.
pub(super) struct Vae {
    title: String,
    encoder: Graph,
    decoder: Graph,
    /// Weight of the divergence from the prior: 1 for the bound.
    beta: f32,
}

/// The two networks.
pub(super) struct Autoencoder {
    encoder: Graph,
    decoder: Graph,
}

/// The system of a configuration between networks of a family.
pub(super) fn system(
    config: &TrainConfig,
    autoencoder: fn(&ModelSpec) -> Result<Autoencoder, GanError>,
) -> Result<Box<dyn System>, GanError> {
    alone::check_normal(config)?;
    let Autoencoder { encoder, decoder } = autoencoder(&config.networks)?;
    let (title, beta) = (config.networks.model.clone(), config.beta.unwrap_or(1.0) as f32);
    Ok(Box::new(Vae { title, encoder, decoder, beta }))
}

/// A normal distribution of codes for every image.
struct Codes<T: Real> {
    mean: Var<T>,
    log_variance: Var<T>,
}

impl<T: Real> Codes<T> {
    fn of(outputs: &Outputs<T>) -> Result<Self, GanError> {
        let bound = T::of(LARGEST_LOG_VARIANCE);
        let log_variance = outputs.get(name::LOG_VARIANCE)?.clamp(-bound, bound)?;
        Ok(Codes { mean: outputs.get(name::MEAN)?.clone(), log_variance })
    }

    /// Those that belong to standard normal numbers.
    fn at(&self, noise: &Var<T>) -> Result<Var<T>, GanError> {
        self.log_variance.scale(T::of(0.5)).exp().mul(noise)?.add(&self.mean)
    }

    /// Divergence of Kullback and Leibler from the standard normal distribution, in nats.
    fn divergence(&self) -> Result<Var<T>, GanError> {
        let terms = self.mean.square().add(&self.log_variance.exp())?.sub(&self.log_variance)?.shift(-T::ONE);
        Ok(terms.sum_rows()?.scale(T::of(0.5)))
    }
}

impl Vae {
    fn latent(&self) -> usize {
        self.decoder.inputs()[0].value[0]
    }

    fn codes(&self, networks: &Networks, images: &Tensor) -> Result<Codes<f32>, GanError> {
        Codes::of(&networks.get(ENCODER)?.evaluate(&[&Var::constant(images.clone())])?)
    }

    /// ln of the mean of p(x, z)/q(z|x) over so many z, for one image.
    fn weighed(&self, networks: &Networks, image: &Tensor, codes: usize, random: &mut Random) -> Result<f64, GanError> {
        let latent = self.latent();
        let noise = Var::constant(random.normal(&[codes, latent], 0.0, 1.0));
        let of_image = self.codes(networks, image)?;
        let z = of_image.at(&noise)?;
        let logits = networks.get(DECODER)?.evaluate(&[&z])?.get(name::LOGITS)?.clone();
        let copies = Var::constant(image.clone()).broadcast_to(logits.shape())?;
        // ln p(z) − ln q(z|x): the constants of both densities are the same.
        let prior = noise.square().sub(&z.square())?.add(&of_image.log_variance.broadcast_to(z.shape())?)?;
        let prior = prior.sum_rows()?.scale(0.5);
        let ratios = prior.sub(&alone::cross_entropy_of_bits(&logits, &copies)?)?;
        Ok(f64::from(ratios.log_sum_exp(0)?.item()?) - (codes as f64).ln())
    }
}

impl System for Vae {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn networks(&self) -> Vec<(&'static str, Graph)> {
        vec![(ENCODER, self.encoder.clone()), (DECODER, self.decoder.clone())]
    }

    fn players(&self) -> Vec<PlayerSpec> {
        alone::players(vec![ENCODER, DECODER], Rule::adam(1e-3, 0.9, 0.999))
    }

    fn measures(&self) -> Vec<Measure> {
        let of_bound = |name, heading, label| Measure::new(name).shown(heading).drawn("nats an image", label);
        alone::measures(&[
            of_bound("reconstruction_nats", "rec nats", "reconstruction"),
            of_bound("kl_nats", "KL nats", "KL from the prior"),
        ])
    }

    fn step(&mut self, step: &mut Step<'_>) -> Result<(), GanError> {
        let images = Var::constant(step.batch()?.images);
        let noise = Var::constant(step.normal(&[images.shape()[0], self.latent()])?);
        let weights = step.variables(MODEL)?;
        let codes = Codes::of(&step.forward(&weights, ENCODER, &[&images])?)?;
        let z = codes.at(&noise)?;
        let decoded = step.forward(&weights, DECODER, &[&z])?;
        let reconstruction = alone::cross_entropy_of_bits(decoded.get(name::LOGITS)?, &images)?.mean();
        let divergence = codes.divergence()?.mean();
        step.record("reconstruction_nats", f64::from(reconstruction.item()?));
        step.record("kl_nats", f64::from(divergence.item()?));
        let loss =
            reconstruction.add(&if self.beta == 1.0 { divergence.clone() } else { divergence.scale(self.beta) })?;
        drop((codes, z, decoded, reconstruction, divergence));
        step.descend(MODEL, weights, loss)
    }

    fn pixel_range(&self) -> PixelRange {
        PixelRange::Unit
    }

    fn averaged(&self) -> Vec<&'static str> {
        vec![ENCODER, DECODER]
    }

    fn encoder(&self) -> Option<Reader> {
        Some(Reader { network: ENCODER, outputs: &[name::MEAN, name::LOG_VARIANCE] })
    }

    fn reconstruct(&self, networks: &Networks, images: &Tensor, _: &mut Random) -> Result<Tensor, GanError> {
        let codes = self.codes(networks, images)?;
        Ok(networks.get(DECODER)?.evaluate(&[&codes.mean])?.get(name::IMAGES)?.value().clone())
    }

    fn log_likelihood(&self, networks: &Networks, images: &Tensor, random: &mut Random) -> Result<Vec<f64>, GanError> {
        alone::count_of(images, &self.encoder.inputs()[0].value)?;
        alone::each(images).map(|image| self.weighed(networks, &image, WEIGHED, &mut random.fork())).collect()
    }

    fn likelihood(&self) -> Option<Likelihood> {
        Some(Likelihood::BoundOfBits)
    }

    fn generator(&self) -> Option<&'static str> {
        Some(DECODER)
    }
}

#[cfg(test)]
mod tests;
