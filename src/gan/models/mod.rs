//! Systems of the literature by name: networks and how they are trained. A model is a file and a line of the list below.
//!
//! ```
//! use gan_metrics::gan::models::ModelSpec;
//! use gan_metrics::gan::train::TrainConfig;
//!
//! let networks = ModelSpec { size: 32, width: 16, ..ModelSpec::named("dcgan")? };
//! let system = TrainConfig::new(networks).system()?;
//! assert_eq!(system.title(), "dcgan");
//! # Ok::<(), gan_metrics::gan::GanError>(())
//! ```

mod alone;
mod autoregressive;
mod dcgan;
mod ddpm;
mod gsn;
mod mlp;
mod range;
mod realnvp;
mod spec;
mod vae;

use super::error::GanError;
use super::layers::{BatchNorm, Layer, LayerNorm};
use super::objectives::CriticKind;
use super::regularizers::Regularizer;
use super::systems::{Adversarial, Discriminating, Pair, System};
use super::train::TrainConfig;
pub use range::PixelRange;
pub use spec::{ModelEntry, ModelSpec};

static REGISTRY: &[ModelEntry] = &[
    ModelEntry {
        name: "dcgan",
        about: "convolutional networks, batch normalisation, no fully connected hidden layer",
        paper: "Radford, Metz and Chintala 2016",
        latent: 100,
        width: 64,
        check: dcgan::check,
        make: |config| game(config, dcgan::pair),
    },
    ModelEntry {
        name: "mlp",
        about: "fully connected networks with one hidden layer",
        paper: "Goodfellow et al. 2014",
        latent: 128,
        width: 256,
        check: |_| Ok(()),
        make: |config| game(config, mlp::pair),
    },
    ModelEntry {
        name: "vae",
        about: "a variational autoencoder of fully connected networks; bound of the likelihood",
        paper: "Kingma and Welling 2014",
        latent: 20,
        width: 400,
        check: alone::check,
        make: |config| vae::system(config, vae::fully_connected),
    },
    ModelEntry {
        name: "vae-conv",
        about: "a variational autoencoder of convolutions; bound of the likelihood",
        paper: "Kingma and Welling 2014",
        latent: 20,
        width: 32,
        check: vae::check_convolutional,
        make: |config| vae::system(config, vae::convolutional),
    },
    ModelEntry {
        name: "made",
        about: "bits given those before them, by a fully connected network with masks; exact likelihood",
        paper: "Germain et al. 2015",
        latent: alone::NO_LATENT,
        width: 500,
        check: autoregressive::check_made,
        make: |config| autoregressive::system(config, autoregressive::MADE),
    },
    ModelEntry {
        name: "pixelcnn",
        about: "bits given those before them, by convolutions with masks; exact likelihood",
        paper: "van den Oord et al. 2016",
        latent: alone::NO_LATENT,
        width: 16,
        check: alone::check_bits,
        make: |config| autoregressive::system(config, autoregressive::PIXELCNN),
    },
    ModelEntry {
        name: "realnvp",
        about: "an invertible map from images to normal numbers; exact density",
        paper: "Dinh et al. 2017",
        latent: alone::NO_LATENT,
        width: 16,
        check: realnvp::check,
        make: realnvp::system,
    },
    ModelEntry {
        name: "ddpm",
        about: "denoising diffusion: a U-Net that sees noise, sampled in 50 steps",
        paper: "Ho et al. 2020",
        latent: alone::NO_LATENT,
        width: 16,
        check: ddpm::check,
        make: ddpm::system,
    },
    ModelEntry {
        name: "gsn",
        about: "a chain of denoising steps, trained by walking back",
        paper: "Bengio et al. 2014",
        latent: alone::NO_LATENT,
        width: 1000,
        check: alone::check_bits,
        make: gsn::system,
    },
];

/// What a pair of networks is asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// What the discriminator gives.
    pub critic: CriticKind,
    /// Whether the discriminator must look at every image by itself: its batch normalisation is then layer normalisation.
    pub single_images: bool,
}

impl Wanted {
    /// What normalises a map in the discriminator.
    fn normalisation(self, map: &[usize]) -> Layer {
        match self.single_images {
            false => BatchNorm { channels: map[0] }.into(),
            true => LayerNorm { shape: map.to_vec() }.into(),
        }
    }
}

/// The game of the configuration between networks of a family.
fn game(
    config: &TrainConfig,
    pair: fn(&ModelSpec, Wanted) -> Result<Pair, GanError>,
) -> Result<Box<dyn System>, GanError> {
    let objective = config.objective.make::<f32>();
    let specs = objective.regularizers().into_iter().chain(config.regularizers.iter().copied());
    let regularizers: Vec<Box<dyn Regularizer>> = specs.map(|spec| spec.make()).collect();
    let single_images = regularizers.iter().any(|one| one.wants_single_images());
    let networks = pair(&config.networks, Wanted { critic: objective.critic(), single_images })?;
    let discriminating = Discriminating { steps: config.discriminator_steps(), real_label: config.real_label };
    let (title, defaults) = (config.networks.model.clone(), config.objective.entry().defaults());
    Ok(Box::new(Adversarial::new(title, networks, objective, regularizers, defaults, discriminating)?))
}

#[cfg(test)]
mod tests;
