//! Algorithm 1 of Goodfellow et al. (2014).

use std::time::Instant;

use super::collapse::Monitor;
use super::config::TrainConfig;
use super::data::{Order, TrainingSet};
use super::observer::{Control, Observer, StepEvent};
use super::sampling;
use crate::error::Result;
use crate::gan::error::GanError;
use crate::gan::layers::Network;
use crate::gan::objective::{Objective, gradient_penalty};
use crate::gan::optim::{Optimizer, clip_norm, norm};
use crate::gan::random::Random;
use crate::gan::tape::{Differentiability, Var, grad};
use crate::gan::tensor::Tensor;

/// Streams of random numbers, apart by what they are for.
enum Purpose {
    Weights = 0,
    Order = 1,
    Noise = 2,
    Samples = 3,
}

/// One of the two networks with its optimizer.
#[derive(Debug, Clone)]
pub(super) struct Player {
    pub network: Network,
    pub optimizer: Optimizer,
}

impl Player {
    /// Steps against gradients; gives their norm. Nothing else may hold the parameters, or they are copied.
    fn descend(&mut self, mut gradients: Vec<Tensor>, limit: Option<f64>) -> std::result::Result<f64, GanError> {
        let norm = match limit {
            Some(limit) => clip_norm(&mut gradients, limit),
            None => norm(&gradients),
        };
        // Checked before the weights change: what is on disk and in memory stays good.
        if norm.is_finite() {
            self.optimizer.step(self.network.parameters_mut(), &gradients)?;
        }
        Ok(norm)
    }
}

fn gradients(loss: &Var, variables: &[Var]) -> std::result::Result<Vec<Tensor>, GanError> {
    let variables: Vec<_> = variables.iter().collect();
    let gradients = grad(loss, &variables, Differentiability::Once)?;
    Ok(gradients.iter().map(|gradient| gradient.value().clone()).collect())
}

/// What a step of the discriminator sees.
#[derive(Debug, Clone)]
pub struct Round {
    /// Real images, N×C×H×W, in the generator's range of pixel values.
    pub real: Tensor,
    /// z of as many generated images, of [`ModelSpec::latent_shape`](crate::gan::models::ModelSpec::latent_shape).
    pub z: Tensor,
}

/// What the discriminator's step gave.
struct Judgement {
    loss: f64,
    real_score: f64,
    fake_score: f64,
    gradient: f64,
}

/// A training run: networks, optimizers, the data, and every random number to come.
///
/// Two runs with the same configuration, data and number of threads are equal bit by bit, and so is a run that was
/// interrupted and resumed from a checkpoint.
#[derive(Debug, Clone)]
pub struct Trainer {
    pub(super) config: TrainConfig,
    pub(super) data: TrainingSet,
    pub(super) generator: Player,
    pub(super) discriminator: Player,
    pub(super) average: Option<Network>,
    pub(super) order: Order,
    /// z, dropout, and the places of the gradient penalty.
    pub(super) random: Random,
    pub(super) step: u64,
    monitor: Monitor,
}

impl Trainer {
    /// A run before its first step.
    ///
    /// # Errors
    /// [`GanError::Setting`] for settings out of range, [`GanError::Data`] when the images do not fit the model or are
    /// fewer than a batch.
    pub fn new(config: TrainConfig, data: TrainingSet) -> std::result::Result<Self, GanError> {
        config.validate()?;
        let mut weights = Random::stream(config.seed, Purpose::Weights as u64);
        let generator = config.networks.generator(&mut weights)?;
        let discriminator = config.networks.discriminator(&mut weights)?;
        Self::with_networks(config, data, generator, discriminator)
    }

    /// A run that begins with given weights.
    ///
    /// # Errors
    /// As for [`Trainer::new`], and [`GanError::Shape`] when the networks are not those of the model.
    pub fn with_networks(
        config: TrainConfig,
        data: TrainingSet,
        generator: Network,
        discriminator: Network,
    ) -> std::result::Result<Self, GanError> {
        config.validate()?;
        let networks = &config.networks;
        if !(generator.layers().eq(&networks.generator_layers()?)
            && discriminator.layers().eq(&networks.discriminator_layers()?))
        {
            return Err(GanError::shape("trainer", format!("the networks given are not those of {networks:?}")));
        }
        if (data.channels(), data.size()) != (networks.channels(), networks.size()) {
            let (c, s) = (networks.channels(), networks.size());
            let problem = format!("they are {0}×{1}×{1}, the model makes {c}×{s}×{s}", data.channels(), data.size());
            return Err(GanError::Data(problem));
        }
        if data.len() < config.batch_size {
            let problem = format!("there are {} of them, fewer than a batch of {}", data.len(), config.batch_size);
            return Err(GanError::Data(problem));
        }
        let stream = |purpose: Purpose| Random::stream(config.seed, purpose as u64);
        let average = config.average_decay.map(|_| generator.clone());
        let order = Order::new(data.len(), stream(Purpose::Order), 0);
        let random = stream(Purpose::Noise);
        Ok(Trainer {
            generator: Player {
                optimizer: Optimizer::new(config.generator_rule, generator.parameters())?,
                network: generator,
            },
            discriminator: Player {
                optimizer: Optimizer::new(config.discriminator_rule, discriminator.parameters())?,
                network: discriminator,
            },
            average,
            order,
            random,
            config,
            data,
            step: 0,
            monitor: Monitor::default(),
        })
    }

    /// The settings.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// The images.
    pub fn data(&self) -> &TrainingSet {
        &self.data
    }

    /// Steps of the generator so far.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// The generator that samples are drawn from: the moving average where there is one.
    pub fn generator(&self) -> &Network {
        self.average.as_ref().unwrap_or(&self.generator.network)
    }

    /// The discriminator.
    pub fn discriminator(&self) -> &Network {
        &self.discriminator.network
    }

    /// Images of z that stay the same for the whole run, as bytes: count×channels×size×size.
    ///
    /// # Errors
    /// [`GanError::Shape`] never, for a generator of the model.
    pub fn samples(&self, count: usize) -> std::result::Result<Vec<u8>, GanError> {
        let mut random = Random::stream(self.config.seed, Purpose::Samples as u64);
        let z = self.config.latent.draw(&self.config.networks, count, &mut random);
        sampling::images(&self.config.networks, self.generator(), z)
    }

    /// Trains until `steps` steps are done in all, or the observer has seen enough.
    ///
    /// # Errors
    /// [`GanError::NotFinite`] when a loss or a gradient is no finite number, and what the observer returns.
    pub fn run(&mut self, steps: u64, observer: &mut dyn Observer) -> Result<()> {
        while self.step < steps {
            let (event, warnings) = self.step()?;
            for warning in &warnings {
                observer.warning(warning);
            }
            if observer.step(&event, self)? == Control::Stop {
                return Ok(());
            }
        }
        Ok(())
    }

    /// k steps of the discriminator and one of the generator. As in the reference implementation of DCGAN, the generator
    /// learns from the last images that the discriminator saw, judged anew.
    ///
    /// # Errors
    /// [`GanError::NotFinite`] when a loss or a gradient is no finite number; the weights of that player are unchanged.
    pub fn step(&mut self) -> std::result::Result<(StepEvent, Vec<super::CollapseWarning>), GanError> {
        let size = self.config.batch_size;
        let range = self.config.networks.pixel_range();
        let draw = |_| Round {
            real: self.data.batch(self.order.next(size), range),
            z: self.config.latent.draw(&self.config.networks, size, &mut self.random),
        };
        let rounds: Vec<Round> = (0..self.config.critic_steps).map(draw).collect();
        self.step_on(&rounds)
    }

    /// [`Trainer::step`] with given images and z: one round for each step of the discriminator.
    ///
    /// # Errors
    /// As for [`Trainer::step`], and [`GanError::Shape`] when the tensors do not fit the networks or there is no round.
    pub fn step_on(
        &mut self,
        rounds: &[Round],
    ) -> std::result::Result<(StepEvent, Vec<super::CollapseWarning>), GanError> {
        let started = Instant::now();
        let step = self.step + 1;
        let Some((last, earlier)) = rounds.split_last() else {
            return Err(GanError::shape("trainer", "a step needs at least one batch"));
        };
        let variables = self.generator.network.variables();
        let constants: Vec<_> = variables.iter().map(Var::detach).collect();
        for Round { real, z } in earlier {
            let fake = self.generate(&constants, z)?;
            self.judge(step, real, fake.value())?;
        }
        let Round { real, z } = last;
        let fake = self.generate(&variables, z)?;
        let judgement = self.judge(step, real, fake.value())?;

        let discriminator = &mut self.discriminator.network;
        let output = discriminator.forward(&discriminator.constants(), &fake, &mut self.random)?;
        let loss = self.config.objective.generator_loss(&output);
        let generator_loss = finite(step, "the generator's loss", f64::from(loss.item()?))?;
        let fake_score_after = self.score(&output);
        let gradients = gradients(&loss, &variables)?;
        let images = fake.value().clone();
        drop((loss, output, fake, constants, variables));
        let gradient = self.generator.descend(gradients, self.config.clip_norm)?;
        let generator_gradient = finite(step, "the norm of the generator's gradient", gradient)?;
        if let (Some(average), Some(decay)) = (&mut self.average, self.config.average_decay) {
            average.average_towards(&self.generator.network, decay)?;
        }
        self.step = step;

        let seconds = started.elapsed().as_secs_f64();
        let event = StepEvent {
            step,
            discriminator_loss: judgement.loss,
            generator_loss,
            real_score: judgement.real_score,
            fake_score_before: judgement.fake_score,
            fake_score_after,
            discriminator_gradient: judgement.gradient,
            generator_gradient,
            seconds,
            images_per_second: rounds.iter().map(|round| round.real.shape()[0]).sum::<usize>() as f64 / seconds,
        };
        let mut warnings = self.monitor.observe(&event, self.config.objective.has_probabilities());
        if self.monitor.wants_images(step) {
            warnings.extend(self.monitor.observe_images(step, real, &images));
        }
        Ok((event, warnings))
    }

    fn generate(&mut self, parameters: &[Var], z: &Tensor) -> std::result::Result<Var, GanError> {
        self.generator.network.forward(parameters, &Var::constant(z.clone()), &mut self.random)
    }

    /// One step of the discriminator. Real and generated images are batches of their own, also for normalisation.
    fn judge(&mut self, step: u64, real: &Tensor, fake: &Tensor) -> std::result::Result<Judgement, GanError> {
        let variables = self.discriminator.network.variables();
        let (network, random) = (&mut self.discriminator.network, &mut self.random);
        let of_real = network.forward(&variables, &Var::constant(real.clone()), random)?;
        let of_fake = network.forward(&variables, &Var::constant(fake.clone()), random)?;
        let mut loss = self.config.objective.critic_loss(&of_real, &of_fake, self.config.real_label)?;
        if let Objective::WassersteinGradientPenalty { lambda } = self.config.objective {
            let mut inner = random.clone();
            let penalty = gradient_penalty(real, fake, random, |x| network.forward(&variables, x, &mut inner))?;
            loss = loss.add(&penalty.scale(lambda as f32))?;
        }
        let value = finite(step, "the discriminator's loss", f64::from(loss.item()?))?;
        let (real_score, fake_score) = (self.score(&of_real), self.score(&of_fake));
        let gradients = gradients(&loss, &variables)?;
        drop((loss, of_real, of_fake, variables));
        let gradient = self.discriminator.descend(gradients, self.config.clip_norm)?;
        if let Objective::Wasserstein { clip } = self.config.objective {
            let clip = clip as f32;
            for parameter in self.discriminator.network.parameters_mut() {
                parameter.value.data_mut().iter_mut().for_each(|weight| *weight = weight.clamp(-clip, clip));
            }
        }
        Ok(Judgement {
            loss: value,
            real_score,
            fake_score,
            gradient: finite(step, "the norm of the discriminator's gradient", gradient)?,
        })
    }

    /// Mean of D's outputs, as probabilities where the objective knows them.
    fn score(&self, output: &Var) -> f64 {
        let probabilities = self.config.objective.has_probabilities();
        let value = |v: &f32| {
            let v = f64::from(*v);
            if probabilities { 1.0 / (1.0 + (-v).exp()) } else { v }
        };
        output.value().data().iter().map(value).sum::<f64>() / output.value().len() as f64
    }
}

fn finite(step: u64, quantity: &str, value: f64) -> std::result::Result<f64, GanError> {
    match value.is_finite() {
        true => Ok(value),
        false => Err(GanError::NotFinite { step, quantity: quantity.to_owned(), value }),
    }
}
