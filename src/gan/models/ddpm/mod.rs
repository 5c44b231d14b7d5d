//! Denoising diffusion.

mod schedule;
mod unet;

use super::PixelRange;
use super::alone::{self, MODEL};
use crate::gan::error::GanError;
use crate::gan::layers::Layer;
use crate::gan::networks::{Footprint, Graph, Network, Node, name, numbers};
use crate::gan::optim::Rule;
use crate::gan::systems::{Draw, Measure, Networks, PlayerSpec, System};
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;
use crate::gan::train::{Latent, Step, TrainConfig};
use schedule::Schedule;
pub(super) use unet::check;

/// Steps from an image to noise. A thousand, as in the paper, take longer to learn.
const STEPS: usize = 200;

/// Steps of the paper, in whose numbers the network is told the time: a step of few is as long as several of many.
const STEPS_OF_PAPER: f32 = 1000.0;

/// Steps from noise to a sample.
const SAMPLING_STEPS: usize = 50;

/// A denoising diffusion probabilistic model (Ho, Jain and Abbeel 2020), with the linear schedule over 200 steps. A network
/// is shown x_t = √ᾱ_t·x + √(1−ᾱ_t)·ε at a time t of 0 … 199, all equally likely, with standard normal ε, and minimises the
/// squared error of the ε that it sees, averaged over pixels and the batch.
///
/// Samples are drawn by DDIM (Song, Meng and Ermon 2021) without further noise, in 50 steps, with x̂₀ clipped to the range of
/// pixels at each.
pub(super) struct Ddpm {
    title: String,
    graph: Graph,
    schedule: Schedule,
}

/// The system of a configuration.
pub(super) fn system(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    alone::check_normal(config)?;
    let graph = unet::network(&config.networks)?;
    Ok(Box::new(Ddpm { title: config.networks.model.clone(), graph, schedule: Schedule::linear(STEPS) }))
}

/// Times as the network is told them: N×1.
fn told(times: &[usize]) -> Tensor {
    Tensor::from_fn(&[times.len(), 1], |i| times[i] as f32 * (STEPS_OF_PAPER / STEPS as f32))
}

/// The noise that a network sees in images of a time.
fn noise_in(network: &Network, images: &Tensor, time: usize) -> Result<Tensor, GanError> {
    let times = told(&vec![time; images.shape()[0]]);
    let outputs = network.evaluate(&[&Var::constant(images.clone()), &Var::constant(times)])?;
    Ok(outputs.get(name::NOISE)?.value().clone())
}

impl System for Ddpm {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn networks(&self) -> Vec<(&'static str, Graph)> {
        vec![(MODEL, self.graph.clone())]
    }

    fn players(&self) -> Vec<PlayerSpec> {
        alone::players(vec![MODEL], Rule::adam(5e-4, 0.9, 0.999))
    }

    fn measures(&self) -> Vec<Measure> {
        alone::measures(&[])
    }

    fn step(&mut self, step: &mut Step<'_>) -> Result<(), GanError> {
        let images = step.batch()?.images;
        let times = step.classes(STEPS)?;
        let noise = step.normal(images.shape())?;
        let noisy = Var::constant(self.schedule.noisy(&images, &noise, &times));
        let weights = step.variables(MODEL)?;
        let outputs = step.forward(&weights, MODEL, &[&noisy, &Var::constant(told(&times))])?;
        let loss = outputs.get(name::NOISE)?.sub(&Var::constant(noise))?.square().mean();
        drop(outputs);
        step.descend(MODEL, weights, loss)
    }

    fn pixel_range(&self) -> PixelRange {
        PixelRange::Symmetric
    }

    fn numbers_per_sample(&self) -> u128 {
        // Outputs and their gradients, and what attention compares, which is not an output of a layer.
        let compared = self.graph.nodes().iter().filter(|node| matches!(node.layer, Layer::SelfAttention(_)));
        let pairs = |node: &Node| self.graph.shape(node.inputs[0]).map_or(0, |map| numbers(&map[1..]).pow(2));
        let pairs: u128 = compared.map(pairs).sum();
        4 * (Footprint::of(&self.graph).outputs + pairs)
    }

    fn averaged(&self) -> Vec<&'static str> {
        vec![MODEL]
    }

    fn sample(&self, networks: &Networks, draw: &mut Draw<'_>) -> Result<Tensor, GanError> {
        let network = networks.get(MODEL)?;
        let start = Latent::Normal.draw(&self.graph.inputs()[0].value, draw.count, draw.random);
        let [low, high] = self.pixel_range().bounds();
        self.schedule.ddim(start, SAMPLING_STEPS, [low, high], |images, time| noise_in(network, images, time))
    }

    fn generator(&self) -> Option<&'static str> {
        None
    }
}

#[cfg(test)]
mod tests;
