//! Images from a trained generator.

use super::config::Latent;
use crate::gan::error::GanError;
use crate::gan::layers::Network;
use crate::gan::models::{ModelSpec, memory};
use crate::gan::random::Random;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;

/// A generator in evaluation and a stream of z: an endless supply of images, the same for the same seed.
#[derive(Debug, Clone)]
pub struct ImageSampler {
    networks: ModelSpec,
    generator: Network,
    latent: Latent,
    random: Random,
}

impl ImageSampler {
    /// Draws z from the stream of a seed.
    pub fn new(networks: ModelSpec, generator: Network, latent: Latent, seed: u64) -> Self {
        ImageSampler { networks, generator, latent, random: sampling_stream(seed) }
    }

    /// What the networks are.
    pub fn networks(&self) -> &ModelSpec {
        &self.networks
    }

    /// The generator.
    pub fn generator(&self) -> &Network {
        &self.generator
    }

    /// The next images as bytes, count×channels×size×size.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the generator is not one of the model, [`GanError::Memory`] when so many images at once
    /// take too much.
    pub fn next(&mut self, count: usize) -> Result<Vec<u8>, GanError> {
        let [generator, _] = self.networks.footprints()?;
        memory::check("a batch of so many images", count as u128 * generator.outputs)?;
        let z = self.latent.draw(&self.networks, count, &mut self.random);
        images(&self.networks, &self.generator, z)
    }
}

/// The random numbers that samples are made of: not a stream that training uses, so that no z was seen in training.
pub fn sampling_stream(seed: u64) -> Random {
    const PURPOSE: u64 = 100;
    Random::stream(seed, PURPOSE)
}

/// The random numbers that labels of samples are made of: a stream of its own, so that the z of a seed are the same with labels and
/// without.
pub fn label_stream(seed: u64) -> Random {
    const PURPOSE: u64 = 101;
    Random::stream(seed, PURPOSE)
}

/// The images of given z as bytes, N×channels×size×size.
pub(super) fn images(networks: &ModelSpec, generator: &Network, z: Tensor) -> Result<Vec<u8>, GanError> {
    let range = networks.pixel_range();
    let images = generator.evaluate(&Var::constant(z))?;
    Ok(images.value().data().iter().map(|&value| range.to_byte(value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_beyond_memory_is_refused_before_it_is_drawn() {
        let networks = ModelSpec::Mlp { size: 4, channels: 1, latent: 3, hidden: 4 };
        let generator = networks.generator(&mut Random::new(1)).unwrap();
        let mut sampler = ImageSampler::new(networks, generator, Latent::Normal, 1);
        for count in [1_000_000_000_000, usize::MAX] {
            let message = sampler.next(count).unwrap_err().to_string();
            assert!(message.contains("a batch of so many images") && message.contains("at most 64 GiB"), "{message}");
        }
        assert_eq!(sampler.next(2).unwrap().len(), 2 * 16);
    }
}
