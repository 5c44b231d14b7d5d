//! Images of bits, each pixel given those before it.

mod made;
mod pixelcnn;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::alone::{self, MODEL};
use super::{ModelSpec, PixelRange};
use crate::gan::error::GanError;
use crate::gan::networks::{Graph, Network, name};
use crate::gan::optim::Rule;
use crate::gan::random::Random;
use crate::gan::systems::{Draw, Likelihood, Measure, Networks, PlayerSpec, System};
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;
use crate::gan::train::{Step, TrainConfig};
pub(super) use made::{MADE, check as check_made};
pub(super) use pixelcnn::PIXELCNN;

/// A network that gives the logit of every pixel from the pixels before it, in rows from top to bottom and in a row from left
/// to right, so that p(x) = Π p(x_d | x_1 … x_{d−1}) is the probability of an image of bits: pixels from 128 on are 1. It
/// minimises −ln p, in nats an image. An image is drawn one pixel after the other, by a pass each.
pub(super) struct Autoregressive {
    spec: ModelSpec,
    graph: Graph,
    family: Family,
}

/// Networks of a kind.
#[derive(Clone, Copy)]
pub(super) struct Family {
    /// The network of a model over images of a height and a width.
    network: fn(&ModelSpec, [usize; 2]) -> Result<Graph, GanError>,
    /// How far a pixel is from those that it depends on at most, up, left and right, where that does not grow with the image.
    /// Only this part of an image is looked at when the pixel is drawn.
    reach: Option<usize>,
}

/// The system of a configuration with a network of a family.
pub(super) fn system(config: &TrainConfig, family: Family) -> Result<Box<dyn System>, GanError> {
    alone::check_normal(config)?;
    let spec = config.networks.clone();
    let graph = (family.network)(&spec, [spec.size; 2])?;
    Ok(Box::new(Autoregressive { spec, graph, family }))
}

/// The network over parts of images, by their heights and widths.
type Parts = BTreeMap<[usize; 2], Network>;

impl Autoregressive {
    fn pixels(&self) -> usize {
        self.spec.size * self.spec.size
    }

    /// The same weights over images of another size.
    fn over(&self, network: &Network, size: [usize; 2]) -> Result<Network, GanError> {
        let mut part = Network::new((self.family.network)(&self.spec, size)?, &mut Random::new(0))?;
        for (own, parameter) in part.parameters_mut().iter_mut().zip(network.parameters()) {
            own.value = parameter.value.clone();
        }
        Ok(part)
    }

    /// The logit of a pixel in each image.
    fn logits_at(
        &self,
        network: &Network,
        parts: &mut Parts,
        images: &Tensor,
        [row, column]: [usize; 2],
    ) -> Result<Vec<f32>, GanError> {
        let (rows, columns) = match self.family.reach {
            None => (0..self.spec.size, 0..self.spec.size),
            Some(reach) => (
                row.saturating_sub(reach)..row + 1,
                column.saturating_sub(reach)..self.spec.size.min(column + reach + 1),
            ),
        };
        let size = [rows.len(), columns.len()];
        let part = match parts.entry(size) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(self.over(network, size)?),
        };
        let near = Var::constant(images.clone()).slice(2, rows.clone())?.slice(3, columns.clone())?;
        let outputs = part.evaluate(&[&near])?;
        let logits = outputs.get(name::LOGITS)?.value().data();
        let place = (row - rows.start) * columns.len() + (column - columns.start);
        Ok(logits.iter().skip(place).step_by(size[0] * size[1]).copied().collect())
    }
}

impl System for Autoregressive {
    fn title(&self) -> String {
        self.spec.model.clone()
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
        let (mut parts, mut images) = (Parts::new(), Tensor::zeros(&[draw.count, 1, self.spec.size, self.spec.size]));
        for pixel in 0..self.pixels() {
            let place = [pixel / self.spec.size, pixel % self.spec.size];
            let logits = self.logits_at(network, &mut parts, &images, place)?;
            for (image, (random, logit)) in
                images.data_mut().chunks_mut(self.pixels()).zip(randoms.iter_mut().zip(logits))
            {
                image[pixel] = if random.uniform() < alone::probability(logit) { 1.0 } else { 0.0 };
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

    fn likelihood(&self) -> Option<Likelihood> {
        Some(Likelihood::ExactOfBits)
    }

    fn generator(&self) -> Option<&'static str> {
        None
    }
}

#[cfg(test)]
mod tests;
