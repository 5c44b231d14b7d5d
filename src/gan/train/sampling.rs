//! Images from a trained system.

use super::config::TrainConfig;
use super::latent::Latent;
use crate::gan::error::GanError;
use crate::gan::models::PixelRange;
use crate::gan::networks::{Footprint, check_numbers};
use crate::gan::random::Random;
use crate::gan::systems::{Draw, Networks, Start, System};
use crate::gan::tensor::Tensor;

/// A trained system, in evaluation.
pub struct Trained {
    /// Settings of the run.
    pub config: TrainConfig,
    /// Steps that it was trained.
    pub step: u64,
    /// Names of the classes of its training images, where they were known.
    pub class_names: Vec<String>,
    /// What it is.
    pub system: Box<dyn System>,
    /// Its networks: the moving averages of their weights where the run keeps some.
    pub networks: Networks,
}

/// A trained system and a stream of noise: an endless supply of images, the same for the same seed.
pub struct ImageSampler {
    trained: Trained,
    random: Random,
    labels: Random,
    class: Option<usize>,
}

impl ImageSampler {
    /// Draws noise from the stream of a seed.
    pub fn new(trained: Trained, seed: u64) -> Self {
        ImageSampler { trained, random: sampling_stream(seed), labels: label_stream(seed), class: None }
    }

    /// Makes images of one class only, by its index.
    ///
    /// # Errors
    /// [`GanError::Unable`] when the system knows no classes, [`GanError::Setting`] when it has no such class.
    pub fn of_class(mut self, class: usize) -> Result<Self, GanError> {
        match self.trained.system.classes_made() {
            None => Err(GanError::Unable { system: self.trained.system.title(), action: "make images of a class" }),
            Some(classes) if class >= classes => {
                Err(GanError::setting("the class", class, format!("from 0 to {}", classes - 1)))
            }
            Some(_) => {
                self.class = Some(class);
                Ok(self)
            }
        }
    }

    /// What images are drawn from.
    pub fn trained(&self) -> &Trained {
        &self.trained
    }

    /// The next images as bytes, count×channels×size×size.
    ///
    /// # Errors
    /// [`GanError::Memory`] when so many images at once take too much, [`GanError::Unable`] when the system makes none.
    pub fn next(&mut self, count: usize) -> Result<Vec<u8>, GanError> {
        let drawn = self.draw(count)?;
        Ok(bytes(&drawn.values, self.trained.system.pixel_range()))
    }

    /// The next samples as the networks give them, with what they were made of.
    ///
    /// # Errors
    /// As for [`Self::next`].
    pub fn draw(&mut self, count: usize) -> Result<Drawn, GanError> {
        let Self { trained, random, labels, class } = self;
        let outputs: u128 = trained.networks.iter().map(|(_, network)| Footprint::of(network.graph()).outputs).sum();
        check_numbers("a batch of so many images", count as u128 * outputs)?;
        let classes = trained.system.classes_made().map(|classes| match *class {
            Some(class) => vec![class; count],
            None => (0..count).map(|_| labels.below(classes)).collect(),
        });
        let latent = trained.config.latent;
        // The same numbers that the samples are drawn from. Codes have the stream of labels, which no system has beside a code.
        let [mut again, mut codes] = [&*random, &*labels].map(Random::clone);
        let mut draw = Draw { count, latent, classes: classes.as_deref(), random: &mut again, codes: &mut codes };
        let start = trained.system.start(&mut draw)?;
        let mut draw = Draw { count, latent, classes: classes.as_deref(), random, codes: labels };
        Ok(Drawn { values: trained.system.sample(&trained.networks, &mut draw)?, start })
    }
}

/// Samples, and what they were made of.
#[derive(Debug)]
pub struct Drawn {
    /// Images in the range of the system, N×C×H×W, or points.
    pub values: Tensor,
    /// z and what else the generator was given, where an image is made of these alone.
    pub start: Option<Start>,
}

/// The random numbers that samples are made of: not a stream that training uses, so that no z was seen in training.
pub fn sampling_stream(seed: u64) -> Random {
    const PURPOSE: u64 = 100;
    Random::stream(seed, PURPOSE)
}

/// The random numbers that labels and codes of samples are made of: a stream of its own, so that the z of a seed are the same with
/// them and without.
pub fn label_stream(seed: u64) -> Random {
    const PURPOSE: u64 = 101;
    Random::stream(seed, PURPOSE)
}

/// Samples that stay the same for a whole run: of class after class where there are classes.
pub(super) fn fixed(
    system: &dyn System,
    networks: &Networks,
    latent: Latent,
    count: usize,
    mut random: Random,
) -> Result<Tensor, GanError> {
    let classes: Option<Vec<usize>> = system.classes_made().map(|classes| (0..count).map(|i| i % classes).collect());
    let mut codes = random.fork();
    let mut draw = Draw { count, latent, classes: classes.as_deref(), random: &mut random, codes: &mut codes };
    system.sample(networks, &mut draw)
}

/// Images as bytes.
pub(super) fn bytes(images: &Tensor, range: PixelRange) -> Vec<u8> {
    images.data().iter().map(|&value| range.to_byte(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::models::ModelSpec;

    #[test]
    fn a_batch_beyond_memory_is_refused_before_it_is_drawn() {
        let networks = ModelSpec { size: 4, latent: 3, width: 4, ..ModelSpec::named("mlp").unwrap() };
        let config = TrainConfig::new(networks);
        let system = config.system().unwrap();
        let networks = Networks::new(system.networks(), &mut Random::new(1)).unwrap();
        let mut sampler = ImageSampler::new(Trained { config, step: 0, class_names: Vec::new(), system, networks }, 1);
        for count in [1_000_000_000_000, usize::MAX] {
            let message = sampler.next(count).unwrap_err().to_string();
            assert!(message.contains("a batch of so many images") && message.contains("at most 64 GiB"), "{message}");
        }
        assert_eq!(sampler.next(2).unwrap().len(), 2 * 16);
        let message = sampler.of_class(1).err().unwrap().to_string();
        assert_eq!(message, "mlp cannot make images of a class");
    }
}
