//! A model by name and sizes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::REGISTRY;
use crate::gan::error::GanError;
use crate::gan::objectives::ObjectiveSpec;
use crate::gan::systems::System;
use crate::gan::train::TrainConfig;

/// A line of the list of models.
pub struct ModelEntry {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) paper: &'static str,
    pub(super) latent: usize,
    pub(super) width: usize,
    /// Classes where nothing is said; 0 where there are none, or the data tell how many.
    pub(super) classes: usize,
    pub(super) labelled: bool,
    /// Images whose labels it learns from where nothing is said; 0 where it learns from those of all or of none.
    pub(super) labels: usize,
    /// Whether a critic is trained against it.
    pub(super) critic: bool,
    pub(super) plays: bool,
    /// Whether it has codes whose divergence from a prior has a weight.
    pub(super) beta: bool,
    /// Numbers of a sample where nothing is said; 0 where samples are images.
    pub(super) dimensions: usize,
    /// The game that it plays where nothing is said, where it is not the first of the list.
    pub(super) objective: Option<&'static str>,
    pub(super) check: fn(&ModelSpec) -> Result<(), GanError>,
    pub(super) make: fn(&TrainConfig) -> Result<Box<dyn System>, GanError>,
}

impl ModelEntry {
    /// A model that plays a game of any objective, without labels; `about` and `paper` are to be filled in.
    pub(super) const fn game(
        name: &'static str,
        latent: usize,
        width: usize,
        check: fn(&ModelSpec) -> Result<(), GanError>,
        make: fn(&TrainConfig) -> Result<Box<dyn System>, GanError>,
    ) -> Self {
        let (about, paper, classes, labels) = ("", "", 0, 0);
        let (labelled, critic, plays, beta, dimensions, objective) = (false, true, true, false, 0, None);
        ModelEntry {
            name,
            about,
            paper,
            latent,
            width,
            classes,
            labelled,
            labels,
            critic,
            plays,
            beta,
            dimensions,
            objective,
            check,
            make,
        }
    }

    /// The same without a critic: a model that learns by itself.
    pub(super) const fn alone(self) -> Self {
        ModelEntry { critic: false, plays: false, ..self }
    }

    /// All of them.
    pub fn all() -> &'static [ModelEntry] {
        REGISTRY
    }

    /// Name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is, in a line.
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// Where it was first described.
    pub fn paper(&self) -> &'static str {
        self.paper
    }

    /// Whether it learns from the classes of the images.
    pub fn is_labelled(&self) -> bool {
        self.labelled
    }

    /// Whether it has a critic, to which its normalisation, its steps and regularizers apply.
    pub fn has_critic(&self) -> bool {
        self.critic
    }

    /// Whether it plays a game whose objective can be chosen.
    pub fn plays(&self) -> bool {
        self.plays
    }

    /// Whether it is an autoencoder with a [weight](TrainConfig::beta) of the divergence of its codes from their prior.
    pub fn has_beta(&self) -> bool {
        self.beta
    }

    /// Whether its samples are points, rows of a few numbers, and not images.
    pub fn takes_points(&self) -> bool {
        self.dimensions > 0
    }

    /// The game that it plays where nothing is said.
    pub fn objective(&self) -> ObjectiveSpec {
        self.objective.map_or_else(ObjectiveSpec::default, |name| name.parse().expect("a name of the list"))
    }

    /// Its sizes where nothing is said: images of 64×64 in gray, or points.
    pub fn spec(&self) -> ModelSpec {
        ModelSpec {
            model: self.name.to_owned(),
            size: if self.takes_points() { 1 } else { 64 },
            channels: 1,
            dimensions: self.dimensions,
            latent: self.latent,
            width: self.width,
            discriminator_width: None,
            classes: self.classes,
            labels: self.labels,
            critic_normalization: None,
            minibatch_statistic: None,
        }
    }

    /// The system that a configuration of this model trains.
    ///
    /// # Errors
    /// [`GanError::Setting`] when the configuration does not fit it.
    pub(in crate::gan) fn make(&self, config: &TrainConfig) -> Result<Box<dyn System>, GanError> {
        (self.make)(config)
    }
}

/// A model and its sizes, as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// A name of the [list](ModelEntry::all).
    pub model: String,
    /// Side of the square images; 1 where samples are points.
    pub size: usize,
    /// 1 or 3.
    pub channels: usize,
    /// Numbers of a sample, where samples are points; 0 where they are images.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dimensions: usize,
    /// Length of z.
    pub latent: usize,
    /// Channels of the generator's last hidden layer, of which every layer before has twice as many; or units of hidden
    /// layers.
    #[serde(alias = "generator_width", alias = "hidden")]
    pub width: usize,
    /// Channels of the discriminator's first layer, where it is not the same; every layer after has twice as many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discriminator_width: Option<usize>,
    /// Number of classes, where the model knows any.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub classes: usize,
    /// Number of images whose labels are learnt from, of every class as many as of the others, where the model takes few.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub labels: usize,
    /// What normalises the discriminator, where it is not what the model's paper and the penalties ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critic_normalization: Option<CriticNormalization>,
    /// What the discriminator sees of the batch that a sample is in, beside the sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minibatch_statistic: Option<MinibatchStatistic>,
}

/// What keeps the numbers in a discriminator in range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CriticNormalization {
    /// Moments of the batch, for every channel.
    Batch,
    /// Moments of every sample by itself.
    Layer,
    /// Weights divided by their largest singular value (Miyato et al. 2018); no layer.
    Spectral,
    /// Nothing.
    None,
}

/// What a discriminator sees of a batch, by which a collapsed generator gives itself away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MinibatchStatistic {
    /// How close each sample is to the others, by [`MinibatchDiscrimination`](crate::gan::layers::MinibatchDiscrimination) (Salimans et
    /// al. 2016).
    Discrimination,
    /// How much samples differ, by [`MinibatchDeviation`](crate::gan::layers::MinibatchDeviation) (Karras et al. 2018).
    Deviation,
}

impl fmt::Display for MinibatchStatistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MinibatchStatistic::Discrimination => "discrimination",
            MinibatchStatistic::Deviation => "deviation",
        })
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl ModelSpec {
    /// The largest width, image size or length of z.
    pub const LARGEST: usize = 1 << 20;

    /// A model with its default sizes.
    ///
    /// # Errors
    /// [`GanError::UnknownName`].
    pub fn named(name: &str) -> Result<Self, GanError> {
        find(name).map(ModelEntry::spec)
    }

    /// The line of the list that it comes from.
    ///
    /// # Panics
    /// When there is none: [`Self::validate`] tells.
    pub fn entry(&self) -> &'static ModelEntry {
        find(&self.model).expect("the model was validated")
    }

    /// The game that is played where nothing else is said.
    pub fn objective(&self) -> ObjectiveSpec {
        // An unknown model is told when it is validated.
        find(&self.model).map(ModelEntry::objective).unwrap_or_default()
    }

    /// Channels of the discriminator's first layer.
    pub fn of_discriminator(&self) -> usize {
        self.discriminator_width.unwrap_or(self.width)
    }

    /// Shape of a sample: that of an image, or the length of a point.
    pub fn sample(&self) -> Vec<usize> {
        if self.dimensions > 0 { vec![self.dimensions] } else { self.image().to_vec() }
    }

    /// Shape of an image.
    pub fn image(&self) -> [usize; 3] {
        [self.channels, self.size, self.size]
    }

    /// Checks the name and the sizes.
    ///
    /// # Errors
    /// [`GanError::Setting`] with the one that is out of range, [`GanError::UnknownName`].
    pub fn validate(&self) -> Result<(), GanError> {
        let entry = find(&self.model)?;
        let in_range = |name, value: usize| match value {
            1..=Self::LARGEST => Ok(()),
            _ => Err(GanError::setting(name, value, format!("from 1 to {}", Self::LARGEST))),
        };
        in_range("the length of z", self.latent)?;
        in_range("the image size", self.size)?;
        in_range("the width", self.width)?;
        in_range("the discriminator's width", self.of_discriminator())?;
        match (entry.takes_points(), self.dimensions) {
            (true, 0) | (false, 1..) => {
                let requirement = if entry.takes_points() { "at least 1 for this model" } else { "0: it makes images" };
                return Err(GanError::setting("the number of dimensions", self.dimensions, requirement));
            }
            (true, _) => in_range("the number of dimensions", self.dimensions)?,
            (false, _) => {}
        }
        if !matches!(self.channels, 1 | 3) {
            return Err(GanError::setting("the number of channels", self.channels, "1 (gray) or 3 (RGB)"));
        }
        if entry.labelled && self.classes < 2 {
            return Err(GanError::setting("the number of classes", self.classes, "at least 2 for this model"));
        }
        match (entry.labels, self.labels) {
            (0, 0) => {}
            (0, labels) => return Err(GanError::setting("the number of labels", labels, "0 for this model")),
            (_, labels) if (self.classes..=Self::LARGEST).contains(&labels) => {}
            (_, labels) => {
                let requirement = format!("from {} (one of each class) to {}", self.classes, Self::LARGEST);
                return Err(GanError::setting("the number of labels", labels, requirement));
            }
        }
        (entry.check)(self)
    }
}

fn find(name: &str) -> Result<&'static ModelEntry, GanError> {
    REGISTRY.iter().find(|entry| entry.name == name).ok_or_else(|| GanError::UnknownName {
        what: "model",
        name: name.to_owned(),
        known: REGISTRY.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", "),
    })
}
