//! Chains of denoising autoencoders.

use super::PixelRange;
use super::alone::{self, MODEL};
use crate::gan::error::GanError;
use crate::gan::layers::{Initializer, Reshape, TiedAutoencoder};
use crate::gan::networks::{Footprint, Graph, Network, name, numbers};
use crate::gan::optim::Rule;
use crate::gan::random::Random;
use crate::gan::systems::{Draw, Measure, Networks, PlayerSpec, System};
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;
use crate::gan::train::{Step, TrainConfig};

/// Probability that a pixel is replaced by a fair coin.
const CORRUPTED: f64 = 0.4;

/// Steps that a chain walks away from an image in training.
const WALK: usize = 5;

/// Steps from noise to a sample.
const CHAIN: usize = 100;

/// A generative stochastic network of one hidden layer (Bengio, Thibodeau-Laufer, Alain and Yosinski 2014; Bengio, Yao, Alain
/// and Vincent 2013): an autoencoder learns the probability r(x̃) of every bit of an image from a copy x̃ in which each pixel
/// was replaced by a fair coin with probability 0.4. Corruption and draws from r by turns are a Markov chain whose stationary
/// distribution comes close to that of the images.
///
/// It is trained by walking back: from a corrupted image five steps of the chain are walked, and at each of them the cross
/// entropy of r and the image at the start, averaged over pixels and the batch, is added to the loss (in nats a pixel).
/// Images are bits: pixels from 128 on are 1.
///
/// A sample starts from coins, walks 100 steps, and is the last r, not a draw from it.
pub(super) struct Gsn {
    title: String,
    graph: Graph,
}

/// The system of a configuration.
pub(super) fn system(config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
    alone::check_normal(config)?;
    let image = config.networks.image();
    let pixels = image.iter().product();
    let layers = [
        Reshape { shape: vec![pixels] }.into(),
        TiedAutoencoder { inputs: pixels, hidden: config.networks.width }.into(),
        Reshape { shape: image.to_vec() }.into(),
    ];
    let graph = Graph::chain((name::IMAGES, &image), layers, name::LOGITS, Initializer::XavierUniform)?;
    Ok(Box::new(Gsn { title: config.networks.model.clone(), graph }))
}

/// Replaces pixels by a fair coin with probability 0.4, which numbers that are uniform on \[0, 1) decide on.
fn corrupted(images: &Tensor, uniform: &Tensor) -> Tensor {
    Tensor::from_fn(images.shape(), |i| match f64::from(uniform.data()[i]) {
        u if u < CORRUPTED / 2.0 => 0.0,
        u if u < CORRUPTED => 1.0,
        _ => images.data()[i],
    })
}

/// Bits with the probabilities of logits.
fn drawn(logits: &Tensor, uniform: &Tensor) -> Tensor {
    let is_one = |i: usize| f64::from(uniform.data()[i]) < alone::probability(logits.data()[i]);
    Tensor::from_fn(logits.shape(), |i| if is_one(i) { 1.0 } else { 0.0 })
}

/// Uniform numbers for each image, from a stream of its own.
fn uniforms(randoms: &mut [Random], image: &[usize]) -> Tensor {
    let mut values = Vec::with_capacity(randoms.len() * image.iter().product::<usize>());
    for random in randoms.iter_mut() {
        values.extend_from_slice(random.uniforms::<f32>(image, 0.0, 1.0).data());
    }
    Tensor::new(&[&[randoms.len()], image].concat(), values).expect("as many for every image")
}

fn logits_of(network: &Network, images: Tensor) -> Result<Tensor, GanError> {
    Ok(network.evaluate(&[&Var::constant(images)])?.get(name::LOGITS)?.value().clone())
}

fn probabilities(logits: &Tensor) -> Tensor {
    Tensor::from_fn(logits.shape(), |i| alone::probability(logits.data()[i]) as f32)
}

impl Gsn {
    fn image(&self) -> &[usize] {
        &self.graph.inputs()[0].value
    }
}

impl System for Gsn {
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
        let nats = Measure::new("first_step_nats").shown("nats/pixel").drawn("nats a pixel", "first step");
        alone::measures(&[nats])
    }

    fn step(&mut self, step: &mut Step<'_>) -> Result<(), GanError> {
        let images = alone::bits(&step.batch()?.images);
        let target = Var::constant(images.clone());
        let weights = step.variables(MODEL)?;
        let (mut bits, mut last): (_, Option<Tensor>) = (images.clone(), None);
        let mut loss: Option<Var> = None;
        for _ in 0..WALK {
            if let Some(logits) = last {
                // Nothing is differentiated through what is drawn.
                bits = drawn(&logits, &step.uniform(images.shape(), 0.0, 1.0)?);
            }
            let noisy = corrupted(&bits, &step.uniform(images.shape(), 0.0, 1.0)?);
            let outputs = step.forward(&weights, MODEL, &[&Var::constant(noisy)])?;
            let logits = outputs.get(name::LOGITS)?;
            let cost = alone::cross_entropy_of_bits(logits, &target)?.sum().scale(1.0 / images.len() as f32);
            last = Some(logits.value().clone());
            loss = Some(match loss {
                Some(sum) => sum.add(&cost)?,
                None => {
                    step.record("first_step_nats", f64::from(cost.item()?));
                    cost
                }
            });
        }
        let loss = loss.expect("a walk has a step");
        step.descend(MODEL, weights, loss)
    }

    fn pixel_range(&self) -> PixelRange {
        PixelRange::Unit
    }

    fn numbers_per_sample(&self) -> u128 {
        // Outputs and their gradients, of every step of the walk, and hidden units, which are not an output of a layer.
        let hidden: u128 = Footprint::of(&self.graph).parameters / numbers(self.image()).max(1);
        4 * WALK as u128 * (Footprint::of(&self.graph).outputs + hidden + numbers(self.image()))
    }

    fn averaged(&self) -> Vec<&'static str> {
        vec![MODEL]
    }

    fn sample(&self, networks: &Networks, draw: &mut Draw<'_>) -> Result<Tensor, GanError> {
        let network = networks.get(MODEL)?;
        let mut randoms: Vec<Random> = (0..draw.count).map(|_| draw.random.fork()).collect();
        let mut bits = alone::bits(&uniforms(&mut randoms, self.image()));
        for _ in 1..CHAIN {
            let logits = logits_of(network, corrupted(&bits, &uniforms(&mut randoms, self.image())))?;
            bits = drawn(&logits, &uniforms(&mut randoms, self.image()));
        }
        Ok(probabilities(&logits_of(network, corrupted(&bits, &uniforms(&mut randoms, self.image())))?))
    }

    /// r of a corrupted copy.
    fn reconstruct(&self, networks: &Networks, images: &Tensor, random: &mut Random) -> Result<Tensor, GanError> {
        let mut randoms: Vec<Random> = (0..alone::count_of(images, self.image())?).map(|_| random.fork()).collect();
        let noisy = corrupted(&alone::bits(images), &uniforms(&mut randoms, self.image()));
        Ok(probabilities(&logits_of(networks.get(MODEL)?, noisy)?))
    }

    fn generator(&self) -> Option<&'static str> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::models::ModelSpec;
    use crate::gan::train::{ImageSampler, Trainer, TrainingSet};

    fn spec(size: usize, width: usize) -> ModelSpec {
        ModelSpec { size, width, ..ModelSpec::named("gsn").unwrap() }
    }

    #[test]
    fn parameter_count_is_that_of_tied_weights() {
        let graph = TrainConfig::new(spec(28, 1000)).system().unwrap().networks().remove(0).1;
        assert_eq!(Network::<f32>::new(graph, &mut Random::new(1)).unwrap().parameter_count(), 785_784);
    }

    #[test]
    fn a_fifth_of_the_pixels_is_flipped() {
        let uniform = Tensor::from_fn(&[1000], |i| (i as f32 + 0.5) / 1000.0);
        for (pixel, flipped) in [(0.0, 1.0), (1.0, 0.0)] {
            let corrupted = corrupted(&Tensor::full(&[1000], pixel), &uniform);
            assert_eq!(corrupted.data().iter().filter(|&&value| value == flipped).count(), 200);
            assert_eq!(corrupted.data().iter().filter(|&&value| value == pixel).count(), 800);
        }
    }

    #[test]
    fn chains_wander_between_what_they_learnt() {
        let patterns = [[255, 255, 255, 0, 0, 0, 255, 0, 255], [0, 0, 0, 255, 255, 255, 0, 255, 0]];
        let data: Vec<u8> = (0..64).flat_map(|i| patterns[usize::from(i % 4 == 0)]).collect();
        let rules = [(MODEL.to_owned(), Rule::adam(1e-2, 0.9, 0.999))].into();
        let config = TrainConfig { batch_size: 64, rules, ..TrainConfig::new(spec(3, 16)) };
        let mut trainer = Trainer::new(config, TrainingSet::new(1, 3, data).unwrap()).unwrap();
        let first = trainer.step().unwrap().0;
        trainer.run(400, &mut ()).unwrap();
        let last = trainer.step().unwrap().0;
        assert!(last.value("first_step_nats") < first.value("first_step_nats"));
        assert!(last.value("model_loss").unwrap() > last.value("first_step_nats").unwrap());

        let trained = || trainer.trained().unwrap();
        let drawn = ImageSampler::new(trained(), 1).next(200).unwrap();
        let like = |pattern: &[u8; 9]| {
            let near = |image: &&[u8]| image.iter().zip(pattern).all(|(a, b)| a.abs_diff(*b) < 100);
            drawn.chunks(9).filter(near).count()
        };
        let [often, seldom] = patterns.map(|pattern| like(&pattern));
        assert!(often > 100 && seldom > 8 && often + seldom > 160, "{often} and {seldom} of 200");
        let mut parts = ImageSampler::new(trained(), 1);
        let parts = [parts.next(3).unwrap(), parts.next(7).unwrap()].concat();
        assert!(drawn.iter().zip(&parts).all(|(a, b)| a.abs_diff(*b) <= 1), "batches change images");
        let images = Tensor::from_fn(&[2, 1, 3, 3], |i| f32::from(patterns[i / 9][i % 9]) / 255.0);
        let again = trainer.system().reconstruct(trainer.networks(), &images, &mut Random::new(1)).unwrap();
        assert!(
            again.data().iter().zip(images.data()).filter(|(a, b)| (**a - **b).abs() < 0.4).count() >= 16,
            "{again:?}"
        );
    }
}
