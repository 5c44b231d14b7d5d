//! Generators and discriminators of the literature.

mod dcgan;
pub(crate) mod memory;
mod mlp;

use serde::{Deserialize, Serialize};

use super::error::GanError;
use super::layers::{Initializer, Layer, Network};
use super::random::Random;
use super::real::Real;
use memory::Footprint;

/// A pair of networks by its name and its sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ModelSpec {
    /// Fully connected networks as in the first paper (Goodfellow et al. 2014): a generator z → hidden → pixels with
    /// ReLU and sigmoid, a discriminator pixels → hidden → logit with LeakyReLU.
    Mlp {
        /// Side of the square images.
        size: usize,
        /// 1 or 3.
        channels: usize,
        /// Length of z.
        latent: usize,
        /// Width of the hidden layers.
        hidden: usize,
    },
    /// All-convolutional networks (Radford, Metz and Chintala 2016): batch normalisation everywhere but at the
    /// generator's output and the discriminator's input, ReLU and tanh in the generator, LeakyReLU(0.2) in the
    /// discriminator, no bias, no fully connected hidden layer.
    Dcgan {
        /// Side of the square images: 16, 28, 32, 64 or 128.
        size: usize,
        /// 1 or 3.
        channels: usize,
        /// Length of z.
        latent: usize,
        /// Channels of the generator's last hidden layer; every layer before has twice as many.
        generator_width: usize,
        /// Channels of the discriminator's first layer; every layer after has twice as many.
        discriminator_width: usize,
    },
}

/// Range of pixel values that a generator puts out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelRange {
    /// \[0, 1\], from a sigmoid.
    Unit,
    /// \[−1, 1\], from a tanh.
    Symmetric,
}

impl PixelRange {
    /// Its ends.
    pub fn bounds(self) -> [f32; 2] {
        match self {
            PixelRange::Unit => [0.0, 1.0],
            PixelRange::Symmetric => [-1.0, 1.0],
        }
    }

    /// A byte as the networks see it.
    pub fn from_byte(self, byte: u8) -> f32 {
        match self {
            PixelRange::Unit => f32::from(byte) / 255.0,
            PixelRange::Symmetric => f32::from(byte) / 127.5 - 1.0,
        }
    }

    /// The nearest byte.
    pub fn to_byte(self, value: f32) -> u8 {
        let scaled = match self {
            PixelRange::Unit => value * 255.0,
            PixelRange::Symmetric => (value + 1.0) * 127.5,
        };
        // `as` saturates, and takes NaN to 0.
        scaled.round() as u8
    }
}

impl ModelSpec {
    /// The largest width, image size or length of z.
    pub const LARGEST: usize = 1 << 20;

    /// Side of the square images.
    pub fn size(&self) -> usize {
        match *self {
            ModelSpec::Mlp { size, .. } | ModelSpec::Dcgan { size, .. } => size,
        }
    }

    /// Channels of the images.
    pub fn channels(&self) -> usize {
        match *self {
            ModelSpec::Mlp { channels, .. } | ModelSpec::Dcgan { channels, .. } => channels,
        }
    }

    /// Length of z.
    pub fn latent(&self) -> usize {
        match *self {
            ModelSpec::Mlp { latent, .. } | ModelSpec::Dcgan { latent, .. } => latent,
        }
    }

    /// Shape of a batch of z as the generator takes it.
    pub fn latent_shape(&self, batch: usize) -> Vec<usize> {
        match *self {
            ModelSpec::Mlp { latent, .. } => vec![batch, latent],
            ModelSpec::Dcgan { latent, .. } => vec![batch, latent, 1, 1],
        }
    }

    /// Range of the pixels.
    pub fn pixel_range(&self) -> PixelRange {
        match self {
            ModelSpec::Mlp { .. } => PixelRange::Unit,
            ModelSpec::Dcgan { .. } => PixelRange::Symmetric,
        }
    }

    fn initializer(&self) -> Initializer {
        match self {
            ModelSpec::Mlp { .. } => Initializer::XavierUniform,
            ModelSpec::Dcgan { .. } => Initializer::Dcgan,
        }
    }

    /// Checks the sizes.
    ///
    /// # Errors
    /// [`GanError::Setting`] with the one that is out of range, [`GanError::Memory`] when the networks are too large.
    pub fn validate(&self) -> Result<(), GanError> {
        self.validate_sizes()?;
        let [generator, discriminator] = self.footprints()?;
        memory::check("the weights of these networks", generator.parameters + discriminator.parameters)
    }

    /// What the generator and the discriminator hold.
    pub(crate) fn footprints(&self) -> Result<[Footprint; 2], GanError> {
        let image = [self.channels(), self.size(), self.size()];
        Ok([
            Footprint::of(&self.generator_layers()?, &self.latent_shape(1)[1..]),
            Footprint::of(&self.discriminator_layers()?, &image),
        ])
    }

    fn validate_sizes(&self) -> Result<(), GanError> {
        let in_range = |name, value: usize| match value {
            1..=Self::LARGEST => Ok(()),
            _ => Err(GanError::setting(name, value, format!("from 1 to {}", Self::LARGEST))),
        };
        in_range("the length of z", self.latent())?;
        if !matches!(self.channels(), 1 | 3) {
            return Err(GanError::setting("the number of channels", self.channels(), "1 (gray) or 3 (RGB)"));
        }
        match *self {
            ModelSpec::Mlp { size, hidden, .. } => {
                in_range("the image size", size).and(in_range("the hidden width", hidden))
            }
            ModelSpec::Dcgan { size, generator_width, discriminator_width, .. } => {
                in_range("the generator's width", generator_width)?;
                in_range("the discriminator's width", discriminator_width)?;
                dcgan::plan(size).map(|_| ())
            }
        }
    }

    /// The generator's layers, from z to pixels.
    ///
    /// # Errors
    /// [`GanError::Setting`] when the sizes are out of range.
    pub fn generator_layers(&self) -> Result<Vec<Layer>, GanError> {
        self.validate_sizes()?;
        match *self {
            ModelSpec::Mlp { size, channels, latent, hidden } => Ok(mlp::generator(size, channels, latent, hidden)),
            ModelSpec::Dcgan { size, channels, latent, generator_width, .. } => {
                Ok(dcgan::generator(&dcgan::plan(size)?, channels, latent, generator_width))
            }
        }
    }

    /// The discriminator's layers, from pixels to a logit.
    ///
    /// # Errors
    /// [`GanError::Setting`] when the sizes are out of range.
    pub fn discriminator_layers(&self) -> Result<Vec<Layer>, GanError> {
        self.validate_sizes()?;
        match *self {
            ModelSpec::Mlp { size, channels, hidden, .. } => Ok(mlp::discriminator(size, channels, hidden)),
            ModelSpec::Dcgan { size, channels, discriminator_width, .. } => {
                Ok(dcgan::discriminator(&dcgan::plan(size)?, channels, discriminator_width))
            }
        }
    }

    /// A generator with fresh weights.
    ///
    /// # Errors
    /// As for [`Self::validate`].
    pub fn generator<T: Real>(&self, random: &mut Random) -> Result<Network<T>, GanError> {
        self.validate()?;
        Network::new(self.generator_layers()?, self.initializer(), random)
    }

    /// A discriminator with fresh weights.
    ///
    /// # Errors
    /// As for [`Self::validate`].
    pub fn discriminator<T: Real>(&self, random: &mut Random) -> Result<Network<T>, GanError> {
        self.validate()?;
        Network::new(self.discriminator_layers()?, self.initializer(), random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::tape::Var;

    fn dcgan(size: usize, channels: usize, width: usize) -> ModelSpec {
        ModelSpec::Dcgan { size, channels, latent: 100, generator_width: width, discriminator_width: width }
    }

    #[test]
    fn every_size_makes_images_of_that_size_and_one_logit() {
        let mut random = Random::new(1);
        let mut specs: Vec<_> = [16, 28, 32, 64, 128].map(|size| dcgan(size, 3, 2)).into();
        specs.push(ModelSpec::Mlp { size: 28, channels: 1, latent: 10, hidden: 8 });
        for spec in specs {
            let (mut generator, mut discriminator) =
                (spec.generator::<f32>(&mut random).unwrap(), spec.discriminator::<f32>(&mut random).unwrap());
            let z = Var::constant(random.normal(&spec.latent_shape(2), 0.0, 1.0));
            let images = generator.forward(&generator.constants(), &z, &mut random).unwrap();
            assert_eq!(images.shape(), [2, spec.channels(), spec.size(), spec.size()]);
            let logits = discriminator.forward(&discriminator.constants(), &images, &mut random).unwrap();
            assert_eq!(logits.value().len(), 2);
        }
    }

    #[test]
    fn parameter_counts_are_those_of_the_reference() {
        // The PyTorch example of DCGAN: 3,576,704 and 2,765,568.
        let mut random = Random::new(1);
        let spec = dcgan(64, 3, 64);
        assert_eq!(spec.generator::<f32>(&mut random).unwrap().parameter_count(), 3_576_704);
        assert_eq!(spec.discriminator::<f32>(&mut random).unwrap().parameter_count(), 2_765_568);
        let mlp = ModelSpec::Mlp { size: 28, channels: 1, latent: 128, hidden: 256 };
        assert_eq!(mlp.generator::<f32>(&mut random).unwrap().parameter_count(), 128 * 256 + 256 + 256 * 784 + 784);
        assert_eq!(mlp.discriminator::<f32>(&mut random).unwrap().parameter_count(), 784 * 256 + 256 + 256 + 1);
    }

    #[test]
    fn sizes_out_of_range_are_named() {
        let message = |spec: ModelSpec| spec.validate().unwrap_err().to_string();
        assert_eq!(
            message(dcgan(48, 3, 64)),
            "the image size = 48 is out of range: it must be 16, 28, 32, 64 or 128 for this model"
        );
        assert_eq!(
            message(dcgan(64, 2, 64)),
            "the number of channels = 2 is out of range: it must be 1 (gray) or 3 (RGB)"
        );
        assert!(dcgan(64, 3, 0).validate().is_err());
    }

    #[test]
    fn footprints_are_those_of_the_networks() {
        let mut random = Random::new(1);
        for spec in [dcgan(28, 3, 2), dcgan(64, 1, 2), ModelSpec::Mlp { size: 9, channels: 3, latent: 5, hidden: 4 }] {
            let networks = [spec.generator::<f32>(&mut random).unwrap(), spec.discriminator(&mut random).unwrap()];
            let inputs = [spec.latent_shape(2), vec![2, spec.channels(), spec.size(), spec.size()]];
            for ((network, input), footprint) in networks.into_iter().zip(inputs).zip(spec.footprints().unwrap()) {
                assert_eq!(footprint.parameters, network.parameter_count() as u128);
                let mut shape = input[1..].to_vec();
                let mut x: Var = Var::constant(random.normal(&input, 0.0, 1.0));
                for layer in network.layers() {
                    shape = layer.output_shape(&shape);
                    let mut alone = Network::new(vec![layer.clone()], Initializer::Dcgan, &mut random).unwrap();
                    x = alone.forward(&alone.constants(), &x, &mut random).unwrap();
                    assert_eq!(x.shape()[1..], shape, "{layer:?}");
                }
            }
        }
    }

    #[test]
    fn bytes_survive_the_pixel_range() {
        for range in [PixelRange::Unit, PixelRange::Symmetric] {
            assert!((0..=255).all(|byte| range.to_byte(range.from_byte(byte)) == byte));
            assert_eq!((range.to_byte(-9.0), range.to_byte(9.0)), (0, 255));
        }
        assert_eq!(PixelRange::Symmetric.from_byte(0), -1.0);
    }
}
