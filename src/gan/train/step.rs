//! What a system is given to take a step with.

use super::data::{Batch, Feed};
use super::latent::Latent;
use crate::gan::error::GanError;
use crate::gan::models::PixelRange;
use crate::gan::networks::{Outputs, Parameter};
use crate::gan::optim::{Optimizer, clip_norm, norm};
use crate::gan::random::Random;
use crate::gan::systems::Networks;
use crate::gan::tape::{Differentiability, Var, grad};
use crate::gan::tensor::Tensor;

/// A player with its optimizers, one for each of its networks.
#[derive(Debug, Clone)]
pub(super) struct Player {
    pub name: &'static str,
    pub networks: Vec<(&'static str, Optimizer)>,
}

/// The weights that a pass goes by: variables for the networks of a player who learns from it, constants for all others.
#[derive(Debug, Clone, Default)]
pub struct Weights {
    networks: Vec<&'static str>,
    ends: Vec<usize>,
    variables: Vec<Var>,
}

impl Weights {
    /// Nobody learns from the pass.
    pub fn constant() -> Self {
        Self::default()
    }

    /// All variables, one network after the other.
    pub fn all(&self) -> &[Var] {
        &self.variables
    }

    fn of(&self, network: &str) -> Option<&[Var]> {
        let index = self.networks.iter().position(|known| *known == network)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.variables[start..self.ends[index]])
    }
}

/// A step in the making: batches, noise, passes through networks, and steps of players.
pub struct Step<'a> {
    pub(super) number: u64,
    pub(super) batch_size: usize,
    pub(super) latent: Latent,
    pub(super) range: PixelRange,
    pub(super) clip_norm: Option<f64>,
    pub(super) networks: &'a mut Networks,
    pub(super) players: &'a mut [Player],
    pub(super) feed: &'a mut dyn Feed,
    pub(super) random: &'a mut Random,
    pub(super) values: Vec<(String, f64)>,
    pub(super) images_seen: usize,
    pub(super) shown: Option<[Tensor; 2]>,
}

impl Step<'_> {
    /// Its number, counted from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Samples in a batch.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// The next real batch.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the feed has no more.
    pub fn batch(&mut self) -> Result<Batch, GanError> {
        let batch = self.feed.batch(self.batch_size, self.range)?;
        self.images_seen += batch.images.shape().first().copied().unwrap_or_default();
        Ok(batch)
    }

    /// The next batch of images whose labels are known where those of most are not.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there are none, or no more.
    pub fn labelled(&mut self) -> Result<Batch, GanError> {
        let batch = self.feed.labelled(self.batch_size, self.range)?;
        self.images_seen += batch.images.shape().first().copied().unwrap_or_default();
        Ok(batch)
    }

    /// The networks as they are, for passes in evaluation.
    pub fn networks(&self) -> &Networks {
        self.networks
    }

    /// z for a batch, of the distribution that was asked for; `shape` is that of one sample.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the feed has no more.
    pub fn latent(&mut self, shape: &[usize]) -> Result<Tensor, GanError> {
        let Step { feed, latent, batch_size, random, .. } = self;
        feed.noise(&mut || latent.draw(shape, *batch_size, random))
    }

    /// Normal numbers of this shape.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the feed has no more.
    pub fn normal(&mut self, shape: &[usize]) -> Result<Tensor, GanError> {
        let Step { feed, random, .. } = self;
        feed.noise(&mut || random.normal(shape, 0.0, 1.0))
    }

    /// Numbers of this shape, uniform on \[low, high).
    ///
    /// # Errors
    /// [`GanError::Shape`] when the feed has no more.
    pub fn uniform(&mut self, shape: &[usize], low: f64, high: f64) -> Result<Tensor, GanError> {
        let Step { feed, random, .. } = self;
        feed.noise(&mut || random.uniforms(shape, low, high))
    }

    /// A class for each sample of a batch, all equally likely, as numbers: N×1.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the feed has no more.
    pub fn classes(&mut self, classes: usize) -> Result<Vec<usize>, GanError> {
        let Step { feed, batch_size, random, .. } = self;
        let drawn = feed.noise(&mut || Tensor::from_fn(&[*batch_size], |_| random.below(classes) as f32))?;
        Ok(drawn.data().iter().map(|&class| class as usize).collect())
    }

    /// What dropout and penalties draw from.
    pub fn random(&mut self) -> &mut Random {
        self.random
    }

    /// The weights of a player's networks, to learn from a pass.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there is no such player.
    pub fn variables(&self, player: &str) -> Result<Weights, GanError> {
        let mut weights = Weights::default();
        for (name, _) in &self.player(player)?.networks {
            weights.variables.extend(self.networks.get(name)?.variables());
            weights.networks.push(name);
            weights.ends.push(weights.variables.len());
        }
        Ok(weights)
    }

    /// A pass in training.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there is no such network or the inputs do not fit.
    pub fn forward(&mut self, weights: &Weights, network: &str, inputs: &[&Var]) -> Result<Outputs, GanError> {
        let of_network = self.networks.get_mut(network)?;
        match weights.of(network) {
            Some(variables) => of_network.forward(variables, inputs, self.random),
            None => {
                let constants = of_network.constants();
                of_network.forward(&constants, inputs, self.random)
            }
        }
    }

    /// A step of a player against the gradient of its loss, which is recorded with its norm, as `PLAYER_loss` and
    /// `PLAYER_gradient`. Everything that was made from `weights` should be gone by now: what is still held is copied.
    ///
    /// # Errors
    /// [`GanError::NotFinite`] when the loss or the gradient is not a finite number; the player's weights are unchanged.
    pub fn descend(&mut self, player: &'static str, weights: Weights, loss: Var) -> Result<(), GanError> {
        let value = self.finite(|| format!("the {player}'s loss"), f64::from(loss.item()?))?;
        self.record(format!("{player}_loss"), value);
        let variables: Vec<_> = weights.variables.iter().collect();
        let gradients = grad(&loss, &variables, Differentiability::Once)?;
        let mut gradients: Vec<Tensor> = gradients.iter().map(|gradient| gradient.value().clone()).collect();
        drop((loss, variables));
        let Weights { ends, variables, .. } = weights;
        drop(variables);
        let length = match self.clip_norm {
            Some(limit) => clip_norm(&mut gradients, limit),
            None => norm(&gradients),
        };
        // Checked before the weights change: what is on disk and in memory stays good.
        self.finite(|| format!("the norm of the {player}'s gradient"), length)?;
        self.record(format!("{player}_gradient"), length);
        let at = self.players.iter().position(|known| known.name == player).ok_or_else(|| no_player(player))?;
        let mut start = 0;
        for ((name, optimizer), end) in self.players[at].networks.iter_mut().zip(ends) {
            optimizer.step(self.networks.get_mut(name)?.parameters_mut(), &gradients[start..end])?;
            start = end;
        }
        Ok(())
    }

    /// Changes the weights of a player, those of all its networks together.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there is no such player.
    pub fn change_weights(&mut self, player: &str, change: impl FnOnce(&mut [&mut Parameter])) -> Result<(), GanError> {
        let names: Vec<_> = self.player(player)?.networks.iter().map(|(name, _)| *name).collect();
        let of_player = self.networks.iter_mut().filter(|(name, _)| names.contains(name));
        let mut weights: Vec<&mut Parameter> = of_player.flat_map(|(_, network)| network.parameters_mut()).collect();
        change(&mut weights);
        Ok(())
    }

    /// Takes note of a number that the step gives; the last one of a name counts.
    pub fn record(&mut self, name: impl Into<String>, value: f64) {
        let name = name.into();
        match self.values.iter_mut().find(|(known, _)| *known == name) {
            Some((_, before)) => *before = value,
            None => self.values.push((name, value)),
        }
    }

    /// Hands over real images and generated ones, to see how much they vary.
    pub fn show(&mut self, real: &Tensor, fake: &Tensor) {
        self.shown = Some([real.clone(), fake.clone()]);
    }

    fn player(&self, name: &str) -> Result<&Player, GanError> {
        self.players.iter().find(|player| player.name == name).ok_or_else(|| no_player(name))
    }

    fn finite(&self, quantity: impl FnOnce() -> String, value: f64) -> Result<f64, GanError> {
        match value.is_finite() {
            true => Ok(value),
            false => Err(GanError::NotFinite { step: self.number, quantity: quantity(), value }),
        }
    }
}

fn no_player(name: &str) -> GanError {
    GanError::shape("system", format!("it has no player `{name}`"))
}
