//! What a training run is made of, apart from its data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::latent::Latent;
use crate::gan::error::GanError;
use crate::gan::models::{ModelSpec, refuse_settings_of_critics};
use crate::gan::networks::{Footprint, check_numbers};
use crate::gan::objectives::ObjectiveSpec;
use crate::gan::optim::Rule;
use crate::gan::regularizers::RegularizerSpec;
use crate::gan::systems::System;

/// Everything that decides how a run goes, apart from its data and the number of threads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Seed of the weights, the order of the images, and z.
    pub seed: u64,
    /// Images in a batch, real ones and generated ones each; at least 2.
    pub batch_size: usize,
    /// Steps of the discriminator for each one of the generator: k of Algorithm 1 (Goodfellow et al. 2014). Those of the
    /// objective's paper where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critic_steps: Option<usize>,
    /// What the players minimise, where the model plays a game that can be chosen.
    pub objective: ObjectiveSpec,
    /// What is minimised along with it.
    #[serde(default)]
    pub regularizers: Vec<RegularizerSpec>,
    /// Probability that the discriminator should give to real images: 1, or less for one-sided label smoothing.
    pub real_label: f64,
    /// Distribution of z.
    pub latent: Latent,
    /// Decay of the moving average of the generator's weights that samples are drawn from, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_decay: Option<f64>,
    /// Weight of the divergence of codes from their prior, for a variational autoencoder: β of Higgins et al. (2017), 1 where nothing
    /// is said. With another the loss is not the bound of a likelihood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
    /// Largest norm of a gradient, if it is clipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// The networks.
    pub networks: ModelSpec,
    /// How players step, by name; those that are not named step as in their paper.
    #[serde(default)]
    pub rules: BTreeMap<String, Rule>,
}

impl TrainConfig {
    /// The largest batch.
    pub const LARGEST_BATCH: usize = 1 << 20;
    /// The most steps of the discriminator for each one of the generator.
    pub const MOST_CRITIC_STEPS: usize = 1 << 20;

    /// Batches of 64, the game of the model and normal z; optimizers and steps as in the papers.
    pub fn new(networks: ModelSpec) -> Self {
        TrainConfig {
            seed: 0,
            batch_size: 64,
            critic_steps: None,
            objective: networks.objective(),
            regularizers: Vec::new(),
            real_label: 1.0,
            latent: Latent::Normal,
            average_decay: None,
            beta: None,
            clip_norm: None,
            networks,
            rules: BTreeMap::new(),
        }
    }

    /// Steps of the discriminator for each one of the generator.
    pub fn discriminator_steps(&self) -> usize {
        self.critic_steps.unwrap_or(self.objective.entry().defaults().critic_steps)
    }

    /// The system that is trained.
    ///
    /// # Errors
    /// [`GanError::Setting`] with the setting that is out of range, [`GanError::Memory`] when a step takes too much.
    pub fn system(&self) -> Result<Box<dyn System>, GanError> {
        self.validate_settings()?;
        let entry = self.networks.entry();
        if !entry.has_critic() {
            refuse_settings_of_critics(self)?;
        }
        let system = entry.make(self)?;
        self.validate_for(system.as_ref())?;
        Ok(system)
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// As for [`Self::system`].
    pub fn validate(&self) -> Result<(), GanError> {
        self.system().map(|_| ())
    }

    /// The same with the rule of every player of a system written out.
    #[must_use]
    pub(super) fn written_out(mut self, system: &dyn System) -> Self {
        for player in system.players() {
            self.rules.entry(player.name.to_owned()).or_insert(player.rule);
        }
        self
    }

    fn validate_settings(&self) -> Result<(), GanError> {
        self.networks.validate()?;
        self.rules.values().try_for_each(Rule::validate)?;
        if !(2..=Self::LARGEST_BATCH).contains(&self.batch_size) {
            let requirement = format!("from 2 (for batch normalisation) to {}", Self::LARGEST_BATCH);
            return Err(GanError::setting("the batch size", self.batch_size, requirement));
        }
        let steps = self.discriminator_steps();
        if !(1..=Self::MOST_CRITIC_STEPS).contains(&steps) {
            let requirement = format!("from 1 to {}", Self::MOST_CRITIC_STEPS);
            return Err(GanError::setting("the number of discriminator steps", steps, requirement));
        }
        if !(self.real_label > 0.5 && self.real_label <= 1.0) {
            return Err(GanError::setting("the label of real images", self.real_label, "in (0.5, 1]"));
        }
        if let Some(decay) = self.average_decay.filter(|decay| !(0.0..1.0).contains(decay)) {
            return Err(GanError::setting("the decay of the average", decay, "in [0, 1)"));
        }
        match self.beta {
            Some(beta) if !self.networks.entry().has_beta() => {
                return Err(GanError::setting("β", beta, "left alone: this model has no codes with a prior"));
            }
            Some(beta) if !(beta > 0.0 && beta.is_finite()) => {
                return Err(GanError::setting("β", beta, "positive and finite"));
            }
            _ => {}
        }
        match self.clip_norm {
            Some(limit) if !(limit > 0.0 && limit.is_finite()) => {
                Err(GanError::setting("the largest gradient norm", limit, "positive and finite"))
            }
            _ => Ok(()),
        }
    }

    /// Checks what depends on the system: the names of its players, and memory. Weights have a gradient and two moments of
    /// Adam.
    pub(super) fn validate_for(&self, system: &dyn System) -> Result<(), GanError> {
        let players = system.players();
        if let Some(unknown) = self.rules.keys().find(|name| players.iter().all(|player| player.name != **name)) {
            let known = players.iter().map(|player| player.name).collect::<Vec<_>>().join(", ");
            return Err(GanError::UnknownName { what: "player", name: unknown.clone(), known });
        }
        let weights: u128 = system.networks().iter().map(|(_, graph)| Footprint::of(graph).parameters).sum();
        check_numbers("the weights of these networks", weights)?;
        let of_batch = self.batch_size as u128 * system.numbers_per_sample();
        check_numbers("a step of this training", 4 * weights + of_batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILLY: [usize; 5] = [100_000, 1 << 20, (1 << 20) + 1, 1_000_000_000_000, usize::MAX];

    fn dcgan(width: usize) -> ModelSpec {
        ModelSpec { channels: 3, width, ..ModelSpec::named("dcgan").unwrap() }
    }

    fn mlp(size: usize, latent: usize, width: usize) -> ModelSpec {
        ModelSpec { size, latent, width, ..ModelSpec::named("mlp").unwrap() }
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
            for networks in [dcgan(value), mlp(value, 8, 8), mlp(28, value, value)] {
                assert_bounded(&TrainConfig::new(networks), value);
            }
            assert_bounded(&TrainConfig { batch_size: value, ..TrainConfig::new(dcgan(64)) }, value);
        }
        for steps in SILLY.into_iter().filter(|&steps| steps > TrainConfig::MOST_CRITIC_STEPS) {
            assert_bounded(&TrainConfig { critic_steps: Some(steps), ..TrainConfig::new(dcgan(64)) }, steps);
        }
    }

    #[test]
    fn settings_of_the_literature_fit() {
        // DCGAN's own, WGAN's 100 steps of the critic, and the largest model here.
        for (width, batch_size, steps) in [(64, 128, 1), (64, 64, 100), (256, 64, 1)] {
            let critic_steps = Some(steps);
            TrainConfig { batch_size, critic_steps, ..TrainConfig::new(dcgan(width)) }.validate().unwrap();
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let standard = TrainConfig::new(dcgan(4));
        let rules = BTreeMap::from([("critic".to_owned(), Rule::DCGAN)]);
        for (config, part) in [
            (TrainConfig { batch_size: 1, ..standard.clone() }, "the batch size = 1 is out of range"),
            (TrainConfig { clip_norm: Some(f64::INFINITY), ..standard.clone() }, "the largest gradient norm = inf"),
            (TrainConfig { average_decay: Some(1.0), ..standard.clone() }, "the decay of the average = 1"),
            (TrainConfig { real_label: 0.5, ..standard.clone() }, "the label of real images = 0.5"),
            (TrainConfig { beta: Some(2.0), ..standard.clone() }, "β = 2 is out of range: it must be left alone"),
            (
                TrainConfig { beta: Some(0.0), ..TrainConfig::new(ModelSpec::named("vae").unwrap()) },
                "β = 0 is out of range: it must be positive and finite",
            ),
            (
                TrainConfig { rules, ..standard.clone() },
                "no player called `critic`: expected one of generator, discriminator",
            ),
        ] {
            let message = config.validate().unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn a_run_steps_as_the_paper_of_its_objective_unless_told_otherwise() {
        let config = TrainConfig { objective: "wasserstein".parse().unwrap(), ..TrainConfig::new(dcgan(4)) };
        assert_eq!(config.discriminator_steps(), 5);
        let system = config.system().unwrap();
        let rules = BTreeMap::from([("generator".to_owned(), Rule::DCGAN)]);
        let rules = TrainConfig { rules, ..config }.written_out(system.as_ref()).rules;
        let rms_prop = Rule::RmsProp { learning_rate: 5e-5, alpha: 0.99, epsilon: 1e-8 };
        assert_eq!((rules["generator"], rules["discriminator"]), (Rule::DCGAN, rms_prop));
    }
}
