//! Images of bits, each pixel given those before it.

mod made;
mod pixelcnn;

use super::alone::{self, MODEL};
use super::{ModelSpec, PixelRange};
use crate::gan::error::GanError;
use crate::gan::networks::{Graph, name};
use crate::gan::optim::Rule;
use crate::gan::random::Random;
use crate::gan::systems::{Draw, Measure, Networks, PlayerSpec, System};
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;
use crate::gan::train::{Step, TrainConfig};
pub(super) use made::{check as check_made, network as made};
pub(super) use pixelcnn::network as pixelcnn;

/// A network that gives the logit of every pixel from the pixels before it, in rows from top to bottom and in a row from left
/// to right, so that p(x) = Π p(x_d | x_1 … x_{d−1}) is the probability of an image of bits: pixels from 128 on are 1. It
/// minimises −ln p, in nats an image. An image is drawn one pixel after the other, by a pass each.
pub(super) struct Autoregressive {
    title: String,
    graph: Graph,
}

/// The system of a configuration with a network of a family.
pub(super) fn system(
    config: &TrainConfig,
    network: fn(&ModelSpec) -> Result<Graph, GanError>,
) -> Result<Box<dyn System>, GanError> {
    alone::check_normal(config)?;
    Ok(Box::new(Autoregressive { title: config.networks.model.clone(), graph: network(&config.networks)? }))
}

/// Whether pixels are bits.
pub(super) fn check(spec: &ModelSpec) -> Result<(), GanError> {
    alone::check_gray(spec)?;
    alone::check_without_latent(spec)
}

impl Autoregressive {
    fn pixels(&self) -> usize {
        self.graph.inputs()[0].value.iter().product()
    }
}

impl System for Autoregressive {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn networks(&self) -> Vec<(&'static str, Graph)> {
        vec![(MODEL, self.graph.clone())]
    }

    fn players(&self) -> Vec<PlayerSpec> {
        alone::players(vec![MODEL], Rule::adam(1e-3, 0.9, 0.999))
    }

    fn measures(&self) -> Vec<Measure> {
        alone::measures(&[alone::BITS_PER_DIMENSION])
    }

    fn step(&mut self, step: &mut Step<'_>) -> Result<(), GanError> {
        let images = Var::constant(alone::bits(&step.batch()?.images));
        let weights = step.variables(MODEL)?;
        let outputs = step.forward(&weights, MODEL, &[&images])?;
        let loss = alone::cross_entropy_of_bits(outputs.get(name::LOGITS)?, &images)?.mean();
        drop(outputs);
        alone::record_bits(step, &loss, self.pixels())?;
        step.descend(MODEL, weights, loss)
    }

    fn pixel_range(&self) -> PixelRange {
        PixelRange::Unit
    }

    fn averaged(&self) -> Vec<&'static str> {
        vec![MODEL]
    }

    fn sample(&self, networks: &Networks, draw: &mut Draw<'_>) -> Result<Tensor, GanError> {
        let network = networks.get(MODEL)?;
        let mut randoms: Vec<Random> = (0..draw.count).map(|_| draw.random.fork()).collect();
        let mut images = Tensor::zeros(&[&[draw.count], self.graph.inputs()[0].value.as_slice()].concat());
        for pixel in 0..self.pixels() {
            let outputs = network.evaluate(&[&Var::constant(images.clone())])?;
            let logits = outputs.get(name::LOGITS)?.value();
            for (image, random) in randoms.iter_mut().enumerate() {
                let at = image * self.pixels() + pixel;
                let is_one = random.uniform() < alone::probability(logits.data()[at]);
                images.data_mut()[at] = if is_one { 1.0 } else { 0.0 };
            }
        }
        Ok(images)
    }

    /// Exact, of the images as bits.
    fn log_likelihood(&self, networks: &Networks, images: &Tensor, _: &mut Random) -> Result<Vec<f64>, GanError> {
        let images = Var::constant(alone::bits(images));
        let outputs = networks.get(MODEL)?.evaluate(&[&images])?;
        let costs = alone::cross_entropy_of_bits(outputs.get(name::LOGITS)?, &images)?;
        Ok(alone::numbers_of(&costs.neg()))
    }

    fn generator(&self) -> Option<&'static str> {
        None
    }
}

#[cfg(test)]
mod tests;
