//! What is trained, and how: flags, and the configuration that they make.

use clap::{Args, ValueEnum};

use crate::cli::numbers::{seed, whole};
use crate::gan::GanError;
use crate::gan::models::{CriticNormalization, MinibatchStatistic, ModelEntry, ModelSpec};
use crate::gan::objectives::ObjectiveSpec;
use crate::gan::optim::Rule;
use crate::gan::regularizers::RegularizerSpec;
use crate::gan::systems::player;
use crate::gan::train::{Latent, TrainConfig};

use super::plan::PlanError;

/// Where nothing is said, of images and of built-in points.
const MODEL: &str = "dcgan";
const MODEL_OF_POINTS: &str = "points";
/// Side of the images where nothing is said.
pub const SIZE: usize = 64;

/// What is trained, and how. A run that is resumed keeps what it began with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model and training")]
pub struct SettingsArgs {
    /// Networks and how they are trained: dcgan, mlp or another of --list [default: dcgan, for built-in points points].
    #[arg(long, value_name = "NAME", conflicts_with = "resume", value_parser = model)]
    pub model: Option<ModelSpec>,
    /// Side of the images; others are cropped to a square and resized [default: 64].
    #[arg(long, value_name = "PIXELS", conflicts_with = "resume", value_parser = whole(1..=ModelSpec::LARGEST))]
    pub size: Option<usize>,
    /// 1 (gray) or 3 (RGB) [default: 1 if every image is gray].
    #[arg(long, value_name = "N", conflicts_with = "resume", value_parser = whole(1_usize..=3))]
    pub channels: Option<usize>,
    /// Length of z [default: 100, for mlp 128, for points 8].
    #[arg(long, value_name = "N", conflicts_with = "resume", value_parser = whole(1..=ModelSpec::LARGEST))]
    pub latent_size: Option<usize>,
    /// Distribution of z: normal or uniform [default: normal].
    #[arg(long, value_name = "NAME", conflicts_with = "resume", value_parser = |text: &str| text.parse::<Latent>())]
    pub latent: Option<Latent>,
    /// Channels at the widest resolution of both networks, or units of hidden layers [default: 64, for mlp 256, for points
    /// 128].
    #[arg(long, value_name = "N", conflicts_with = "resume", value_parser = whole(1..=ModelSpec::LARGEST))]
    pub width: Option<usize>,
    /// Classes that infogan and catgan find [default: 10].
    #[arg(long, value_name = "K", conflicts_with = "resume", value_parser = whole(2_usize..=4096))]
    pub classes: Option<usize>,
    /// Labelled images that ssgan and classifier learn from, of every class as many as of the others or one more [default: 100].
    #[arg(long, value_name = "N", conflicts_with = "resume", value_parser = whole(1..=ModelSpec::LARGEST))]
    pub labels: Option<usize>,
    /// What normalises the discriminator [default: as in the paper of the model; under a penalty of its gradient layer, not batch].
    #[arg(long, value_enum, conflicts_with = "resume")]
    pub critic_norm: Option<NormalizationArg>,
    /// What the discriminator sees of the batch that an image is in: how close it is to the others, or how much all differ.
    #[arg(long, value_enum, conflicts_with = "resume")]
    pub minibatch_statistic: Option<MinibatchArg>,
    /// Images in a batch [default: 64].
    #[arg(long, value_name = "N", conflicts_with = "resume", value_parser = whole(2..=TrainConfig::LARGEST_BATCH))]
    pub batch_size: Option<usize>,
    /// Game: non-saturating, minimax, f-gan:NAME, wasserstein-gp, hinge or another of --list [default: non-saturating].
    #[arg(long, value_name = "NAME", conflicts_with = "resume")]
    #[arg(value_parser = |text: &str| text.parse::<ObjectiveSpec>())]
    pub objective: Option<ObjectiveSpec>,
    /// Regularizer added to the game: r1:10, dragan or another of --list; repeat the flag for several.
    #[arg(long, value_name = "NAME", conflicts_with = "resume")]
    #[arg(value_parser = |text: &str| text.parse::<RegularizerSpec>())]
    pub regularizer: Vec<RegularizerSpec>,
    /// Steps of the discriminator for each step of the generator [default: as in the objective's paper].
    #[arg(long, value_name = "K", conflicts_with = "resume")]
    #[arg(value_parser = whole(1..=TrainConfig::MOST_CRITIC_STEPS))]
    pub critic_steps: Option<usize>,
    /// Optimizer of the weights [default: as in the objective's paper].
    #[arg(long, value_enum, conflicts_with = "resume")]
    pub optimizer: Option<OptimizerArg>,
    /// Learning rate of all networks [default: as in the objective's paper].
    #[arg(long, value_name = "RATE", conflicts_with = "resume")]
    pub learning_rate: Option<f64>,
    /// Learning rate of the discriminator, if it differs.
    #[arg(long, value_name = "RATE", conflicts_with = "resume")]
    pub critic_learning_rate: Option<f64>,
    /// Decays of the moments of Adam [default: as in the objective's paper].
    #[arg(long, value_name = "BETA1,BETA2", conflicts_with = "resume", value_parser = betas)]
    pub betas: Option<[f64; 2]>,
    /// Label of real images in minimax and non-saturating: below 1 for one-sided label smoothing [default: 1].
    #[arg(long, value_name = "P", conflicts_with = "resume")]
    pub real_label: Option<f64>,
    /// Keep a moving average of the weights with this decay, such as 0.999: samples are made by it, and classes told.
    #[arg(long, value_name = "DECAY", conflicts_with = "resume")]
    pub average_decay: Option<f64>,
    /// Weight of the divergence of codes from their prior, for vae and vae-conv [default: 1].
    #[arg(long, value_name = "BETA", conflicts_with = "resume")]
    pub beta: Option<f64>,
    /// Clip gradients to this norm.
    #[arg(long, value_name = "NORM", conflicts_with = "resume")]
    pub clip_norm: Option<f64>,
    /// Seed of weights, order and noise [default: 0].
    #[arg(long, conflicts_with = "resume", value_parser = seed)]
    pub seed: Option<u64>,
}

/// What normalises the discriminator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NormalizationArg {
    /// Moments of the batch.
    Batch,
    /// Moments of every image by itself.
    Layer,
    /// Weights divided by their largest singular value.
    Spectral,
    /// Nothing.
    None,
}

impl From<NormalizationArg> for CriticNormalization {
    fn from(argument: NormalizationArg) -> Self {
        match argument {
            NormalizationArg::Batch => CriticNormalization::Batch,
            NormalizationArg::Layer => CriticNormalization::Layer,
            NormalizationArg::Spectral => CriticNormalization::Spectral,
            NormalizationArg::None => CriticNormalization::None,
        }
    }
}

/// What the discriminator sees of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MinibatchArg {
    /// Minibatch discrimination (Salimans et al. 2016).
    Discrimination,
    /// Minibatch standard deviation (Karras et al. 2018).
    Deviation,
}

impl From<MinibatchArg> for MinibatchStatistic {
    fn from(argument: MinibatchArg) -> Self {
        match argument {
            MinibatchArg::Discrimination => MinibatchStatistic::Discrimination,
            MinibatchArg::Deviation => MinibatchStatistic::Deviation,
        }
    }
}

/// How weights step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OptimizerArg {
    /// Gradient descent without momentum.
    Sgd,
    /// RMSProp, α = 0.99.
    Rmsprop,
    /// Adam.
    Adam,
}

fn model(text: &str) -> Result<ModelSpec, GanError> {
    ModelSpec::named(text)
}

fn betas(text: &str) -> Result<[f64; 2], String> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    let two = numbers.and_then(|numbers| <[f64; 2]>::try_from(numbers).ok());
    two.ok_or_else(|| "expected two numbers with a comma between them, such as 0.5,0.999".to_owned())
}

impl SettingsArgs {
    /// Side of the images.
    pub fn size(&self) -> usize {
        self.size.unwrap_or(SIZE)
    }

    /// The model with its default sizes, for built-in points or for other data.
    pub fn model(&self, of_points: bool) -> Result<ModelSpec, GanError> {
        let standard = if of_points { MODEL_OF_POINTS } else { MODEL };
        self.model.clone().map_or_else(|| ModelSpec::named(standard), Ok)
    }

    /// The game: that of the model where nothing is said.
    pub fn objective(&self) -> ObjectiveSpec {
        let of_model = || self.model.as_ref().map(ModelSpec::objective).unwrap_or_default();
        self.objective.clone().unwrap_or_else(of_model)
    }

    /// The settings of a model for samples of a shape and so many classes, with those of the papers where nothing is said.
    pub fn config(&self, named: ModelSpec, sample: &[usize], classes: usize) -> crate::Result<TrainConfig> {
        self.check_model(named.entry())?;
        let classes = if named.entry().is_labelled() { classes } else { self.classes.unwrap_or(named.classes) };
        let (channels, size, dimensions) = match sample {
            [dimensions] => (named.channels, named.size, *dimensions),
            sample => (sample[0], self.size(), named.dimensions),
        };
        let networks = ModelSpec {
            size,
            channels,
            dimensions,
            classes,
            latent: self.latent_size.unwrap_or(named.latent),
            width: self.width.unwrap_or(named.width),
            labels: self.labels.unwrap_or(named.labels),
            critic_normalization: self.critic_norm.map(CriticNormalization::from),
            minibatch_statistic: self.minibatch_statistic.map(MinibatchStatistic::from),
            ..named
        };
        let standard = TrainConfig::new(networks);
        let mut config = TrainConfig {
            seed: self.seed.unwrap_or(standard.seed),
            batch_size: self.batch_size.unwrap_or(standard.batch_size),
            critic_steps: self.critic_steps,
            objective: self.objective(),
            regularizers: self.regularizer.clone(),
            real_label: self.real_label.unwrap_or(standard.real_label),
            latent: self.latent.unwrap_or(standard.latent),
            average_decay: self.average_decay,
            beta: self.beta,
            clip_norm: self.clip_norm,
            ..standard
        };
        for player in config.system()?.players() {
            let rule = self.rule(player.rule, player.name == player::DISCRIMINATOR)?;
            config.rules.insert(player.name.to_owned(), rule);
        }
        config.validate()?;
        Ok(config)
    }

    /// Refuses flags that the model has no use for.
    fn check_model(&self, entry: &ModelEntry) -> Result<(), PlanError> {
        let model = || entry.name().to_owned();
        let of_images = [("--size", self.size.is_some()), ("--channels", self.channels.is_some())];
        if let Some((flag, _)) = of_images.into_iter().find(|(_, given)| *given && entry.takes_points()) {
            return Err(PlanError::NoImages { flag, model: model() });
        }
        let of_games = [("--objective", self.objective.is_some()), ("--real-label", self.real_label.is_some())];
        if let Some((flag, _)) = of_games.into_iter().find(|(_, given)| *given && !entry.plays()) {
            return Err(PlanError::PlaysItsOwn { flag, model: model() });
        }
        let of_critics = [
            ("--critic-learning-rate", self.critic_learning_rate.is_some()),
            ("--critic-steps", self.critic_steps.is_some()),
            ("--critic-norm", self.critic_norm.is_some()),
            ("--minibatch-statistic", self.minibatch_statistic.is_some()),
            ("--regularizer", !self.regularizer.is_empty()),
        ];
        if let Some((flag, _)) = of_critics.into_iter().find(|(_, given)| *given && !entry.has_critic()) {
            return Err(PlanError::NoCritic { flag, model: model() });
        }
        if self.beta.is_some() && !entry.has_beta() {
            return Err(PlanError::NoBeta(model()));
        }
        match self.classes {
            Some(_) if entry.is_labelled() || entry.spec().classes == 0 => Err(PlanError::NoClasses(model())),
            _ => Ok(()),
        }
    }

    /// A player's rule, as far as flags change it.
    fn rule(&self, of_paper: Rule, is_critic: bool) -> Result<Rule, PlanError> {
        let rate = self.critic_learning_rate.filter(|_| is_critic).or(self.learning_rate);
        let rate = rate.unwrap_or(of_paper.learning_rate());
        let rule = match (self.optimizer, of_paper) {
            (None, rule) | (Some(OptimizerArg::Adam), rule @ Rule::Adam { .. }) => rule.with_learning_rate(rate),
            (Some(OptimizerArg::Adam), _) => Rule::adam(rate, 0.9, 0.999),
            (Some(OptimizerArg::Sgd), _) => Rule::Sgd { learning_rate: rate, momentum: 0.0 },
            (Some(OptimizerArg::Rmsprop), _) => Rule::RmsProp { learning_rate: rate, alpha: 0.99, epsilon: 1e-8 },
        };
        match (self.betas, rule) {
            (None, rule) => Ok(rule),
            (Some([beta1, beta2]), Rule::Adam { learning_rate, epsilon, weight_decay, .. }) => {
                Ok(Rule::Adam { learning_rate, beta1, beta2, epsilon, weight_decay })
            }
            (Some(_), _) => Err(PlanError::NoBetas),
        }
    }
}
