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

mod catgan;
mod conditional;
mod dcgan;
mod heads;
mod infogan;
mod mlp;
mod range;
mod spec;

use super::error::GanError;
use super::layers::{BatchNorm, Layer, LayerNorm};
use super::objectives::{CriticKind, Defaults, Objective};
use super::regularizers::Regularizer;
use super::systems::{Adversarial, Condition, Discriminating, Pair, System};
use super::train::TrainConfig;
pub use range::PixelRange;
pub use spec::{ModelEntry, ModelSpec, Normalization};

static REGISTRY: &[ModelEntry] = &[
    ModelEntry {
        about: "convolutional networks, batch normalisation, no fully connected hidden layer",
        paper: "Radford, Metz and Chintala 2016",
        ..ModelEntry::game("dcgan", 100, 64, dcgan::check, |config| {
            game(config, dcgan::pair, &Wish::default(), |game| game)
        })
    },
    ModelEntry {
        about: "fully connected networks with one hidden layer",
        paper: "Goodfellow et al. 2014",
        ..ModelEntry::game("mlp", 128, 256, |_| Ok(()), |config| game(config, mlp::pair, &Wish::default(), |game| game))
    },
    ModelEntry {
        about: "both networks are told the class of each image",
        paper: "Mirza and Osindero 2014",
        labelled: true,
        ..ModelEntry::game("cgan", 100, 64, dcgan::check, conditional::of_both)
    },
    ModelEntry {
        about: "the generator is told the class, the discriminator tells it",
        paper: "Odena, Olah and Shlens 2017",
        labelled: true,
        ..ModelEntry::game("acgan", 100, 64, dcgan::check, conditional::auxiliary)
    },
    ModelEntry {
        about: "the discriminator reads a code of the generator's off the image: a category and two numbers",
        paper: "Chen et al. 2016",
        classes: 10,
        ..ModelEntry::game("infogan", 62, 64, dcgan::check, infogan::make)
    },
    ModelEntry {
        about: "the discriminator sorts real images into classes of its own, without labels",
        paper: "Springenberg 2016",
        classes: 10,
        plays: false,
        ..ModelEntry::game("catgan", 100, 64, dcgan::check, catgan::make)
    },
];

/// What a pair of networks is asked to be, by the game that they are to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish {
    /// What the generator is given besides z.
    pub condition: Condition,
    /// Whether the discriminator is given it too.
    pub judges_condition: bool,
    /// What the discriminator tells of an image besides its verdict.
    pub tells: Tells,
}

/// What a discriminator tells of an image besides its verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tells {
    /// Nothing.
    Nothing,
    /// Its class: [`name::CLASSES`](super::networks::name::CLASSES).
    Class,
    /// Its category and numbers: also [`name::MEAN`](super::networks::name::MEAN) and
    /// [`name::LOG_VARIANCE`](super::networks::name::LOG_VARIANCE).
    Code {
        /// How many numbers.
        numbers: usize,
    },
}

impl Default for Wish {
    fn default() -> Self {
        Wish { condition: Condition::None, judges_condition: false, tells: Tells::Nothing }
    }
}

/// A [`Wish`], and what the configuration asks of the discriminator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted<'a> {
    /// What the game asks for.
    pub wish: &'a Wish,
    /// What the discriminator gives.
    pub critic: CriticKind,
    /// What normalises maps in the discriminator.
    pub normalization: Normalization,
}

impl Wanted<'_> {
    /// What normalises a map in the discriminator, if a layer does.
    fn normalisation(&self, map: &[usize]) -> Option<Layer> {
        match self.normalization {
            Normalization::Batch => Some(BatchNorm { channels: map[0] }.into()),
            Normalization::Layer => Some(LayerNorm { shape: map.to_vec() }.into()),
            Normalization::Spectral | Normalization::None => None,
        }
    }
}

type MakePair = fn(&ModelSpec, &Wanted<'_>) -> Result<Pair, GanError>;

/// The game of the configuration between networks of a family; `dress` adds to its objective.
fn game(
    config: &TrainConfig,
    pair: MakePair,
    wish: &Wish,
    dress: impl FnOnce(Box<dyn Objective>) -> Box<dyn Objective>,
) -> Result<Box<dyn System>, GanError> {
    let objective = dress(config.objective.make::<f32>());
    adversarial(config, pair, wish, objective, config.objective.entry().defaults())
}

/// A game between networks of a family.
fn adversarial(
    config: &TrainConfig,
    pair: MakePair,
    wish: &Wish,
    objective: Box<dyn Objective>,
    defaults: Defaults,
) -> Result<Box<dyn System>, GanError> {
    let specs = objective.regularizers().into_iter().chain(config.regularizers.iter().copied());
    let regularizers: Vec<Box<dyn Regularizer>> = specs.map(|spec| spec.make()).collect();
    let single_images = regularizers.iter().any(|one| one.wants_single_images());
    let normalization = match config.networks.critic_normalization {
        Some(chosen) => chosen,
        // The twin of a penalised critic: batch normalisation would make its slope that of the whole batch.
        None if single_images => Normalization::Layer,
        None => Normalization::Batch,
    };
    let networks = pair(&config.networks, &Wanted { wish, critic: objective.critic(), normalization })?;
    let discriminating = Discriminating { steps: config.discriminator_steps(), real_label: config.real_label };
    let title = config.networks.model.clone();
    Ok(Box::new(Adversarial::new(title, networks, objective, regularizers, defaults, discriminating)?))
}

#[cfg(test)]
mod tests;
