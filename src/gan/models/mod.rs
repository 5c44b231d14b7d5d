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
mod bigan;
mod catgan;
mod conditional;
mod dcgan;
mod ddpm;
mod gsn;
mod heads;
mod infogan;
mod mlp;
mod points;
mod range;
mod realnvp;
mod residual;
mod sagan;
mod sngan;
mod spec;
mod ssgan;
mod vae;

use super::error::GanError;
use super::layers::{BatchNorm, Layer, LayerNorm};
use super::objectives::{CriticKind, Defaults, Objective};
use super::regularizers::{Regularizer, RegularizerSpec};
use super::systems::{Adversarial, Condition, Discriminating, Pair, System};
use super::train::TrainConfig;
pub use range::PixelRange;
pub use spec::{CriticNormalization, MinibatchStatistic, ModelEntry, ModelSpec};

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
        about: "fully connected networks for points, rows of a few numbers, in place of images",
        paper: "Metz, Poole, Pfau and Sohl-Dickstein 2017",
        dimensions: 2,
        ..ModelEntry::game("points", 8, 128, |_| Ok(()), points::system)
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
    ModelEntry {
        about: "with an encoder, which inverts the generator: it can reconstruct images",
        paper: "Donahue, Krähenbühl and Darrell 2017; Dumoulin et al. 2017",
        plays: false,
        ..ModelEntry::game("bigan", 50, 400, |_| Ok(()), bigan::make)
    },
    ModelEntry {
        about: "a classifier that learns from few labels, many images without and generated ones",
        paper: "Salimans et al. 2016; Odena 2016",
        labelled: true,
        labels: 100,
        plays: false,
        ..ModelEntry::game("ssgan", 100, 64, dcgan::check, ssgan::game)
    },
    ModelEntry {
        about: "the discriminator of ssgan with its few labels alone, to hold against it",
        paper: "Salimans et al. 2016",
        labelled: true,
        labels: 100,
        plays: false,
        ..ModelEntry::game("classifier", alone::NO_LATENT, 64, ssgan::check_classifier, ssgan::classifier)
    },
    ModelEntry {
        about: "the generator of dcgan against a critic with spectral normalisation; hinge where nothing else is said",
        paper: "Miyato, Kataoka, Koyama and Yoshida 2018",
        objective: Some("hinge"),
        ..ModelEntry::game("sngan", 128, 64, dcgan::check, sngan::make)
    },
    ModelEntry {
        about: "residual networks with self-attention; hinge where nothing else is said",
        paper: "Zhang, Goodfellow, Metaxas and Odena 2019",
        objective: Some("hinge"),
        ..ModelEntry::game("sagan", 128, 64, dcgan::check, sagan::plain)
    },
    ModelEntry {
        about: "sagan with classes: conditional batch normalisation, and a critic that projects",
        paper: "Zhang, Goodfellow, Metaxas and Odena 2019; Miyato and Koyama 2018",
        labelled: true,
        objective: Some("hinge"),
        ..ModelEntry::game("sagan-class", 128, 64, dcgan::check, sagan::of_class)
    },
    ModelEntry {
        about: "a variational autoencoder of fully connected networks; bound of the likelihood",
        paper: "Kingma and Welling 2014",
        beta: true,
        ..ModelEntry::game("vae", 20, 400, alone::check, |config| vae::system(config, vae::fully_connected)).alone()
    },
    ModelEntry {
        about: "a variational autoencoder of convolutions; bound of the likelihood",
        paper: "Kingma and Welling 2014",
        beta: true,
        ..ModelEntry::game("vae-conv", 20, 32, vae::check_convolutional, |config| {
            vae::system(config, vae::convolutional)
        })
        .alone()
    },
    ModelEntry {
        about: "bits given those before them, by a fully connected network with masks; exact likelihood",
        paper: "Germain et al. 2015",
        ..ModelEntry::game("made", alone::NO_LATENT, 500, autoregressive::check_made, |config| {
            autoregressive::system(config, autoregressive::MADE)
        })
        .alone()
    },
    ModelEntry {
        about: "bits given those before them, by convolutions with masks; exact likelihood",
        paper: "van den Oord et al. 2016",
        ..ModelEntry::game("pixelcnn", alone::NO_LATENT, 16, alone::check_bits, |config| {
            autoregressive::system(config, autoregressive::PIXELCNN)
        })
        .alone()
    },
    ModelEntry {
        about: "an invertible map from images to normal numbers; exact density",
        paper: "Dinh et al. 2017",
        ..ModelEntry::game("realnvp", alone::NO_LATENT, 16, realnvp::check, realnvp::system).alone()
    },
    ModelEntry {
        about: "denoising diffusion: a U-Net that sees noise, sampled in 50 steps",
        paper: "Ho et al. 2020",
        ..ModelEntry::game("ddpm", alone::NO_LATENT, 16, ddpm::check, ddpm::system).alone()
    },
    ModelEntry {
        about: "a chain of denoising steps, trained by walking back",
        paper: "Bengio et al. 2014",
        ..ModelEntry::game("gsn", alone::NO_LATENT, 1000, alone::check_bits, gsn::system).alone()
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
    /// Whether the discriminator can be an autoencoder.
    pub reconstructs: bool,
    /// What normalises the discriminator where neither the configuration nor a penalty says otherwise.
    pub normalization: CriticNormalization,
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
        let (condition, normalization) = (Condition::None, CriticNormalization::Batch);
        Wish { condition, judges_condition: false, tells: Tells::Nothing, reconstructs: true, normalization }
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
    pub normalization: CriticNormalization,
}

impl Wanted<'_> {
    /// What normalises a map in the discriminator, if a layer does.
    fn normalisation(&self, map: &[usize]) -> Option<Layer> {
        match self.normalization {
            CriticNormalization::Batch => Some(BatchNorm { channels: map[0] }.into()),
            CriticNormalization::Layer => Some(LayerNorm { shape: map.to_vec() }.into()),
            CriticNormalization::Spectral | CriticNormalization::None => None,
        }
    }

    /// The same in networks of few layers, which have it only where the configuration asks for it.
    fn normalisation_asked_for(&self, spec: &ModelSpec, map: &[usize]) -> Option<Layer> {
        spec.critic_normalization.and_then(|_| self.normalisation(map))
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
    let specs: Vec<RegularizerSpec> =
        objective.regularizers().into_iter().chain(config.regularizers.iter().copied()).collect();
    let critic = objective.critic();
    check_game(config, critic, wish, &specs)?;
    let (regularizers, normalization) = regularized(config, specs, wish)?;
    let networks = pair(&config.networks, &Wanted { wish, critic, normalization })?;
    let discriminating = Discriminating { steps: config.discriminator_steps(), real_label: config.real_label };
    let title = config.networks.model.clone();
    Ok(Box::new(Adversarial::new(title, networks, objective, regularizers, defaults, discriminating)?))
}

/// Refuses what does not go together with a discriminator: a statistic of batches, heads and slopes.
fn check_game(
    config: &TrainConfig,
    critic: CriticKind,
    wish: &Wish,
    specs: &[RegularizerSpec],
) -> Result<(), GanError> {
    if critic == CriticKind::Autoencoder {
        if let Some(statistic) = config.networks.minibatch_statistic {
            let requirement = "left alone for a discriminator that is an autoencoder";
            return Err(GanError::setting("the minibatch statistic", statistic, requirement));
        }
        if !wish.reconstructs || wish.tells != Tells::Nothing {
            let requirement = "one whose discriminator is no autoencoder for this model";
            return Err(GanError::setting("the objective", &config.objective, requirement));
        }
    }
    match specs.iter().find(|spec| critic != CriticKind::Logit && spec.make().wants_single_images()) {
        None => Ok(()),
        Some(spec) => {
            let requirement = "one of weights: this discriminator gives no verdict whose slope could be penalised";
            Err(GanError::setting("the regularizer", spec, requirement))
        }
    }
}

/// Regularizers, each of a name once, and what normalises maps in a discriminator beside them.
fn regularized(
    config: &TrainConfig,
    specs: Vec<RegularizerSpec>,
    wish: &Wish,
) -> Result<(Vec<Box<dyn Regularizer>>, CriticNormalization), GanError> {
    let is_again =
        |place: usize| specs[..place].iter().any(|other| other.entry().name() == specs[place].entry().name());
    if let Some(place) = (0..specs.len()).find(|&place| is_again(place)) {
        let requirement = "given once: the game has one of its name";
        return Err(GanError::setting("the regularizer", specs[place], requirement));
    }
    let regularizers: Vec<Box<dyn Regularizer>> = specs.into_iter().map(|spec| spec.make()).collect();
    let single_images = regularizers.iter().any(|one| one.wants_single_images());
    let normalization = match config.networks.critic_normalization {
        Some(chosen) => chosen,
        // The twin of a penalised critic: batch normalisation would make its slope that of the whole batch.
        None if single_images && wish.normalization == CriticNormalization::Batch => CriticNormalization::Layer,
        None => wish.normalization,
    };
    Ok((regularizers, normalization))
}

/// What is said of a setting that a model has no use for.
fn left_alone(name: &'static str, value: impl ToString) -> GanError {
    GanError::setting(name, value, "left alone for this model")
}

/// Refuses settings of games that can be chosen, for a model whose game is its own.
fn refuse_settings_of_games(config: &TrainConfig) -> Result<(), GanError> {
    match config.regularizers.first() {
        Some(regularizer) => Err(left_alone("the regularizer", regularizer)),
        None => refuse_other_games(config),
    }
}

/// Refuses the same, and settings of a critic, for a model that has none.
pub(super) fn refuse_settings_of_critics(config: &TrainConfig) -> Result<(), GanError> {
    match (config.networks.critic_normalization, config.networks.minibatch_statistic) {
        (Some(_), _) => Err(left_alone("the discriminator's normalisation", "another")),
        (None, Some(statistic)) => Err(left_alone("the minibatch statistic", statistic)),
        (None, None) => refuse_settings_of_games(config),
    }
}

/// Refuses the same but for regularizers.
fn refuse_other_games(config: &TrainConfig) -> Result<(), GanError> {
    if config.objective != config.networks.objective() {
        return Err(left_alone("the objective", &config.objective));
    }
    match config.critic_steps {
        Some(steps) if steps != 1 => Err(left_alone("the number of discriminator steps", steps)),
        _ if config.real_label < 1.0 => Err(left_alone("the label of real images", config.real_label)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
