//! What a training run is made of, apart from its data.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::gan::error::GanError;
use crate::gan::models::ModelSpec;
use crate::gan::objective::Objective;
use crate::gan::optim::Rule;
use crate::gan::random::Random;
use crate::gan::tensor::Tensor;

/// Distribution of z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Latent {
    /// Independent standard normal numbers.
    Normal,
    /// Independent numbers, uniform on \[−1, 1).
    Uniform,
}

impl Latent {
    /// z of `length` numbers for one image after the other: how they are cut into batches does not change them.
    pub fn numbers(self, length: usize, batch: usize, random: &mut Random) -> Vec<f32> {
        let mut values = Vec::with_capacity(batch * length);
        for _ in 0..batch {
            let z: Tensor = match self {
                Latent::Normal => random.normal(&[length], 0.0, 1.0),
                Latent::Uniform => random.uniforms(&[length], -1.0, 1.0),
            };
            values.extend_from_slice(z.data());
        }
        values
    }

    /// [`Self::numbers`] as the generator of a model takes them.
    pub fn draw(self, spec: &ModelSpec, batch: usize, random: &mut Random) -> Tensor {
        let values = self.numbers(spec.latent(), batch, random);
        Tensor::new(&spec.latent_shape(batch), values).expect("z has this length for every image")
    }
}

impl fmt::Display for Latent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Latent::Normal => "normal",
            Latent::Uniform => "uniform",
        })
    }
}

impl FromStr for Latent {
    type Err = GanError;

    fn from_str(text: &str) -> Result<Self, GanError> {
        match text {
            "normal" => Ok(Latent::Normal),
            "uniform" => Ok(Latent::Uniform),
            _ => Err(GanError::UnknownName {
                what: "distribution of z",
                name: text.to_owned(),
                known: "normal, uniform",
            }),
        }
    }
}

/// Everything that decides how a run goes, apart from its data and the number of threads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Seed of the weights, the order of the images, and z.
    pub seed: u64,
    /// Images in a batch, real ones and generated ones each; at least 2.
    pub batch_size: usize,
    /// Steps of the discriminator for each one of the generator: k of Algorithm 1 (Goodfellow et al. 2014).
    pub critic_steps: usize,
    /// What the players minimise.
    pub objective: Objective,
    /// Probability that the discriminator should give to real images: 1, or less for one-sided label smoothing.
    pub real_label: f64,
    /// Distribution of z.
    pub latent: Latent,
    /// Decay of the moving average of the generator's weights that samples are drawn from, if there is one.
    pub average_decay: Option<f64>,
    /// Largest norm of a gradient, if it is clipped.
    pub clip_norm: Option<f64>,
    /// The networks.
    pub networks: ModelSpec,
    /// How the generator steps.
    pub generator_rule: Rule,
    /// How the discriminator steps.
    pub discriminator_rule: Rule,
}

impl TrainConfig {
    /// The settings of DCGAN's authors for a model: batches of 64, the non-saturating loss, Adam with β₁ = 0.5, one step
    /// of the discriminator for each one of the generator, normal z.
    pub fn new(networks: ModelSpec) -> Self {
        TrainConfig {
            seed: 0,
            batch_size: 64,
            critic_steps: 1,
            objective: Objective::NonSaturating,
            real_label: 1.0,
            latent: Latent::Normal,
            average_decay: None,
            clip_norm: None,
            networks,
            generator_rule: Rule::DCGAN,
            discriminator_rule: Rule::DCGAN,
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`GanError::Setting`] with the one that is out of range.
    pub fn validate(&self) -> Result<(), GanError> {
        self.networks.validate()?;
        self.objective.validate()?;
        self.generator_rule.validate()?;
        self.discriminator_rule.validate()?;
        if self.batch_size < 2 {
            return Err(GanError::setting("the batch size", self.batch_size, "at least 2, for batch normalisation"));
        }
        if self.critic_steps == 0 {
            return Err(GanError::setting("the number of discriminator steps", 0, "at least 1"));
        }
        if !(self.real_label > 0.5 && self.real_label <= 1.0) {
            return Err(GanError::setting("the label of real images", self.real_label, "in (0.5, 1]"));
        }
        if let Some(decay) = self.average_decay.filter(|decay| !(0.0..1.0).contains(decay)) {
            return Err(GanError::setting("the decay of the average", decay, "in [0, 1)"));
        }
        match self.clip_norm {
            Some(limit) if limit.is_nan() || limit <= 0.0 => {
                Err(GanError::setting("the largest gradient norm", limit, "positive"))
            }
            _ => Ok(()),
        }
    }
}
