//! RealNVP.

mod coupling;
mod flow;

use super::alone::{self, MODEL};
use super::{ModelSpec, PixelRange};
use crate::gan::error::GanError;
use crate::gan::networks::{Graph, numbers};
use crate::gan::optim::Rule;
use crate::gan::random::Random;
use crate::gan::real::Real;
use crate::gan::systems::{Draw, Likelihood, Measure, Networks, PlayerSpec, System};
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;
use crate::gan::train::{Latent, Step, TrainConfig};
use flow::{Flow, Flowed};

/// Values of a byte.
const LEVELS: f64 = 256.0;

/// Shares of a unit that are cut off at both ends together, so that a logit stays finite.
const MARGIN: f64 = 0.1;

/// A flow of real-valued non-volume preserving transformations (Dinh, Sohl-Dickstein and Bengio 2017): an invertible map from
/// images to standard normal numbers, whose determinant is known. A byte b becomes u = (b + U\[0, 1))/256, and the logit y of
/// 0.05 + 0.9·u is what the [`Flow`] takes. Minimised is
///
/// ```text
/// −ln p = −Σ ln N(z; 0, 1) − ln |det ∂z/∂y| − Σ ln ∂y/∂u + D·ln 256
/// ```
///
/// in nats for an image of D bytes. It is the exact density of the bytes with noise added, and by Jensen's inequality a bound
/// of their probability on average; divided by D·ln 2 it is in bits per dimension, which 8 is for bytes without any law.
pub(super) struct RealNvp {
    title: String,
    image: [usize; 3],
    flow: Flow,
}

/// Whether there is a flow of these sizes.
pub(super) fn check(spec: &ModelSpec) -> Result<(), GanError> {
    if !spec.size.is_multiple_of(2) {
        return Err(GanError::setting("the image size", spec.size, "even for this model"));
    }
    alone::check_without_latent(spec)
}

/// The system of a configuration.
pub(super) fn system(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    alone::check_normal(config)?;
    let image = config.networks.image();
    let flow = Flow::new(image, config.networks.width);
    Ok(Box::new(RealNvp { title: config.networks.model.clone(), image, flow }))
}

/// Bytes as numbers without bounds: images in \[0, 1\] and noise in \[0, 1) of the same shape.
fn dequantised(images: &Tensor, noise: &Tensor) -> Tensor {
    Tensor::from_fn(images.shape(), |i| {
        let byte = f64::from(PixelRange::Unit.to_byte(images.data()[i]));
        let share = MARGIN / 2.0 + (1.0 - MARGIN) * (byte + f64::from(noise.data()[i])) / LEVELS;
        (share / (1.0 - share)).ln() as f32
    })
}

/// The way back: images in \[0, 1\] that are bytes.
fn quantised(y: &Tensor) -> Tensor {
    Tensor::from_fn(y.shape(), |i| {
        let unit = (alone::probability(y.data()[i]) - MARGIN / 2.0) / (1.0 - MARGIN);
        // `as` saturates.
        PixelRange::Unit.from_byte((unit * LEVELS).floor() as u8)
    })
}

/// −ln p of each image in nats, from y and what the flow makes of it.
fn cost<T: Real>(y: &Var<T>, flowed: &Flowed<T>) -> Result<Var<T>, GanError> {
    let of_image = y.value().len() as f64 / y.shape()[0].max(1) as f64;
    let constant = of_image * (0.5 * std::f64::consts::TAU.ln() - (1.0 - MARGIN).ln() + LEVELS.ln());
    // ln ∂y/∂u = softplus(y) + softplus(−y) + ln 0.9.
    let slope = y.softplus().add(&y.neg().softplus())?.sum_rows()?;
    let mut cost = slope.add(&flowed.log_determinant)?.neg().shift(T::of(constant));
    for z in &flowed.numbers {
        cost = cost.add(&z.square().sum_rows()?.scale(T::of(0.5)))?;
    }
    Ok(cost)
}

impl RealNvp {
    fn dimensions(&self) -> usize {
        self.image.iter().product()
    }
}

impl System for RealNvp {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn networks(&self) -> Vec<(&'static str, Graph)> {
        self.flow.networks()
    }

    fn players(&self) -> Vec<PlayerSpec> {
        let networks = self.networks().into_iter().map(|(name, _)| name).collect();
        alone::players(networks, Rule::adam(1e-3, 0.9, 0.999))
    }

    fn measures(&self) -> Vec<Measure> {
        alone::measures(&[alone::BITS_PER_DIMENSION])
    }

    fn step(&mut self, step: &mut Step<'_>) -> Result<(), GanError> {
        let images = step.batch()?.images;
        let noise = step.uniform(images.shape(), 0.0, 1.0)?;
        let y = Var::constant(dequantised(&images, &noise));
        let weights = step.variables(MODEL)?;
        let flowed = self.flow.forward(&y, &mut |network, x| step.forward(&weights, network, &[x]))?;
        let loss = cost(&y, &flowed)?.mean();
        drop(flowed);
        alone::record_bits(step, &loss, self.dimensions())?;
        step.descend(MODEL, weights, loss)
    }

    fn pixel_range(&self) -> PixelRange {
        PixelRange::Unit
    }

    fn numbers_per_sample(&self) -> u128 {
        // Of every network with its gradients, and of what lies between networks: five values for each of its pixels.
        let of_networks: u128 = self.flow.outputs();
        4 * of_networks + 10 * self.networks().len() as u128 * numbers(&self.image)
    }

    fn averaged(&self) -> Vec<&'static str> {
        self.networks().into_iter().map(|(name, _)| name).collect()
    }

    fn sample(&self, networks: &Networks, draw: &mut Draw<'_>) -> Result<Tensor, GanError> {
        let z = Latent::Normal.draw(&[self.dimensions()], draw.count, draw.random);
        let numbers = self.flow.divided(&Var::constant(z))?;
        let y = self.flow.inverse(&numbers, &mut |network, x| networks.get(network)?.evaluate(&[x]))?;
        Ok(quantised(y.value()))
    }

    /// With one noise for each image.
    fn log_likelihood(&self, networks: &Networks, images: &Tensor, random: &mut Random) -> Result<Vec<f64>, GanError> {
        let of_image = self.dimensions();
        let mut noise = Vec::with_capacity(images.len());
        for _ in 0..alone::count_of(images, &self.image)? {
            noise.extend_from_slice(random.fork().uniforms::<f32>(&[of_image], 0.0, 1.0).data());
        }
        let y = Var::constant(dequantised(images, &Tensor::new(images.shape(), noise)?));
        let flowed = self.flow.forward(&y, &mut |network, x| networks.get(network)?.evaluate(&[x]))?;
        Ok(alone::numbers_of(&cost(&y, &flowed)?.neg()))
    }

    fn likelihood(&self) -> Option<Likelihood> {
        Some(Likelihood::DensityOfBytes)
    }

    fn generator(&self) -> Option<&'static str> {
        None
    }
}

#[cfg(test)]
mod tests;
