//! What a training run is made of, apart from its data.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::gan::error::GanError;
use crate::gan::models::ModelSpec;
use crate::gan::models::memory::{self, numbers};
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
    /// The largest batch.
    pub const LARGEST_BATCH: usize = 1 << 20;
    /// The most steps of the discriminator for each one of the generator.
    pub const MOST_CRITIC_STEPS: usize = 1 << 20;

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
    /// [`GanError::Setting`] with the one that is out of range, [`GanError::Memory`] when a step takes too much.
    pub fn validate(&self) -> Result<(), GanError> {
        self.networks.validate()?;
        self.objective.validate()?;
        self.generator_rule.validate()?;
        self.discriminator_rule.validate()?;
        if !(2..=Self::LARGEST_BATCH).contains(&self.batch_size) {
            let requirement = format!("from 2 (for batch normalisation) to {}", Self::LARGEST_BATCH);
            return Err(GanError::setting("the batch size", self.batch_size, requirement));
        }
        if !(1..=Self::MOST_CRITIC_STEPS).contains(&self.critic_steps) {
            let requirement = format!("from 1 to {}", Self::MOST_CRITIC_STEPS);
            return Err(GanError::setting("the number of discriminator steps", self.critic_steps, requirement));
        }
        self.validate_memory()?;
        if !(self.real_label > 0.5 && self.real_label <= 1.0) {
            return Err(GanError::setting("the label of real images", self.real_label, "in (0.5, 1]"));
        }
        if let Some(decay) = self.average_decay.filter(|decay| !(0.0..1.0).contains(decay)) {
            return Err(GanError::setting("the decay of the average", decay, "in [0, 1)"));
        }
        match self.clip_norm {
            Some(limit) if !(limit > 0.0 && limit.is_finite()) => {
                Err(GanError::setting("the largest gradient norm", limit, "positive and finite"))
            }
            _ => Ok(()),
        }
    }

    /// Weights have a gradient and two moments of Adam, outputs a gradient; the discriminator sees real and generated
    /// images, and the batches of all its steps are drawn at once.
    fn validate_memory(&self) -> Result<(), GanError> {
        let [generator, discriminator] = self.networks.footprints()?;
        let weights = 4 * (generator.parameters + discriminator.parameters);
        let outputs = 2 * (generator.outputs + 2 * discriminator.outputs);
        let image = [self.networks.channels(), self.networks.size(), self.networks.size()];
        let drawn = self.critic_steps as u128 * (numbers(&image) + self.networks.latent() as u128);
        memory::check("a step of this training", weights + self.batch_size as u128 * (outputs + drawn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILLY: [usize; 5] = [100_000, 1 << 20, (1 << 20) + 1, 1_000_000_000_000, usize::MAX];

    fn dcgan(width: usize) -> ModelSpec {
        let [generator_width, discriminator_width] = [width; 2];
        ModelSpec::Dcgan { size: 64, channels: 3, latent: 100, generator_width, discriminator_width }
    }

    /// The bound of one setting, or that of all together.
    fn assert_bounded(config: &TrainConfig, value: usize) {
        let message = config.validate().unwrap_err().to_string();
        let expected = if value <= 1 << 20 { "at most 64 GiB" } else { "to 1048576" };
        assert!(message.contains(expected), "{value}: {message}");
    }

    #[test]
    fn sizes_beyond_memory_are_refused_before_anything_is_made() {
        for value in SILLY {
            for networks in [
                dcgan(value),
                ModelSpec::Mlp { size: value, channels: 1, latent: 8, hidden: 8 },
                ModelSpec::Mlp { size: 28, channels: 1, latent: value, hidden: value },
            ] {
                assert_bounded(&TrainConfig::new(networks), value);
            }
            assert_bounded(&TrainConfig { batch_size: value, ..TrainConfig::new(dcgan(64)) }, value);
            assert_bounded(&TrainConfig { critic_steps: value, ..TrainConfig::new(dcgan(64)) }, value);
        }
    }

    #[test]
    fn settings_of_the_literature_fit() {
        // DCGAN's own, WGAN's 100 steps of the critic, and the largest model here.
        for (width, batch_size, critic_steps) in [(64, 128, 1), (64, 64, 100), (256, 64, 1)] {
            TrainConfig { batch_size, critic_steps, ..TrainConfig::new(dcgan(width)) }.validate().unwrap();
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let standard = TrainConfig::new(dcgan(4));
        for (config, part) in [
            (TrainConfig { batch_size: 1, ..standard.clone() }, "the batch size = 1 is out of range"),
            (TrainConfig { clip_norm: Some(f64::INFINITY), ..standard.clone() }, "the largest gradient norm = inf"),
            (TrainConfig { average_decay: Some(1.0), ..standard.clone() }, "the decay of the average = 1"),
            (TrainConfig { real_label: 0.5, ..standard.clone() }, "the label of real images = 0.5"),
        ] {
            assert!(config.validate().unwrap_err().to_string().contains(part));
        }
    }
}
