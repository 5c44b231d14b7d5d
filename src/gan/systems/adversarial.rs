//! Algorithm 1 of Goodfellow et al. (2014): a generator and a critic, over any objective.

use super::condition::Condition;
use super::player::{DISCRIMINATOR, GENERATOR};
use super::regularizers::Regularizers;
use super::scores::{columns, mean_score};
use super::{Measure, PlayerSpec, Reader, System};
use crate::gan::error::GanError;
use crate::gan::models::PixelRange;
use crate::gan::networks::{Graph, Outputs, name};
use crate::gan::objectives::{CriticKind, Defaults, Game, Objective, Verdict};
use crate::gan::regularizers::Regularizer;
use crate::gan::state::SavedState;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;
use crate::gan::train::{Batch, Step, Weights};

/// Two networks that fit each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// From [`name::Z`], and [`name::LABELS`] where there is a condition, to [`name::IMAGES`].
    pub generator: Graph,
    /// From [`name::IMAGES`], and [`name::LABELS`] where it judges whether both fit, to what the objective wants of its
    /// critic.
    pub discriminator: Graph,
    /// What the generator is given besides z.
    pub condition: Condition,
    /// Range of the pixels.
    pub range: PixelRange,
}

impl Pair {
    /// What the discriminator says of images.
    fn discriminate(
        &self,
        step: &mut Step<'_>,
        weights: &Weights,
        images: &Var,
        condition: Option<&Var>,
    ) -> Result<Outputs, GanError> {
        let takes_condition = self.discriminator.inputs().len() > 1;
        let inputs: Vec<&Var> = std::iter::once(images).chain(condition.filter(|_| takes_condition)).collect();
        step.forward(weights, DISCRIMINATOR, &inputs)
    }
}

/// How the game is played besides its objective.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Discriminating {
    /// Steps of the critic for each one of the generator: k of Algorithm 1.
    pub steps: usize,
    /// Probability that the critic should give to real images.
    pub real_label: f64,
}

/// The game.
pub struct Adversarial {
    title: String,
    pair: Pair,
    objective: Box<dyn Objective>,
    regularizers: Regularizers,
    defaults: Defaults,
    discriminating: Discriminating,
}

impl Adversarial {
    /// A game between two networks. `defaults` say how they step where nothing else is said, and `title` what the game is
    /// called.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the networks do not fit the objective or each other; [`GanError::Setting`] when a regularizer
    /// wants a critic that looks at every image by itself, and this one does not.
    pub fn new(
        title: impl Into<String>,
        pair: Pair,
        objective: Box<dyn Objective>,
        regularizers: Vec<Box<dyn Regularizer>>,
        defaults: Defaults,
        discriminating: Discriminating,
    ) -> Result<Self, GanError> {
        let images = pair.generator.output_shape(name::IMAGES)?;
        let row = [pair.condition.len()];
        if !pair.discriminator.takes(&[images]) && !pair.discriminator.takes(&[images, &row]) {
            return Err(GanError::shape("game", format!("the discriminator takes other images than {images:?}")));
        }
        if pair.generator.inputs().len() != 1 + usize::from(!pair.condition.is_empty()) {
            return Err(GanError::shape("game", "the generator takes z, and a condition where there is one"));
        }
        for output in objective.outputs() {
            pair.discriminator.output_shape(output)?;
        }
        let regularizers = Regularizers::new(regularizers, &pair.discriminator)?;
        Ok(Adversarial { title: title.into(), pair, objective, regularizers, defaults, discriminating })
    }

    /// The condition of a batch, and images that the generator makes of it.
    fn generate(&self, step: &mut Step<'_>, weights: &Weights, real: &Batch) -> Result<(Option<Var>, Var), GanError> {
        let z = Var::constant(step.latent(self.latent_shape())?);
        let condition = self.pair.condition.draw(step, real)?;
        let inputs: Vec<&Var> = std::iter::once(&z).chain(&condition).collect();
        let fake = step.forward(weights, GENERATOR, &inputs)?.get(name::IMAGES)?.clone();
        Ok((condition, fake))
    }

    /// One step of the discriminator. Real and generated images are batches of their own, also for normalisation.
    fn judge(
        &mut self,
        step: &mut Step<'_>,
        real: &Tensor,
        fake: &Tensor,
        condition: Option<&Var>,
    ) -> Result<(), GanError> {
        let weights = step.variables(DISCRIMINATOR)?;
        let (real_images, fake_images) = (Var::constant(real.clone()), Var::constant(fake.clone()));
        let of_real = self.pair.discriminate(step, &weights, &real_images, condition)?;
        let of_fake = self.pair.discriminate(step, &weights, &fake_images, condition)?;
        let game = Game {
            real: Some(Verdict { images: &real_images, outputs: &of_real }),
            fake: Verdict { images: &fake_images, outputs: &of_fake },
            condition,
            real_label: self.discriminating.real_label,
        };
        let mut loss = self.objective.critic_loss(&game)?;
        if self.objective.critic() == CriticKind::Logit {
            step.record("real_score", self.score(game.real()?.logit()?));
            step.record("fake_score_before", self.score(game.fake.logit()?));
        }
        let pair = &self.pair;
        let critic =
            |step: &mut Step<'_>, x: &Var| pair.discriminate(step, &weights, x, condition)?.get(name::LOGIT).cloned();
        loss = self.regularizers.on_critic(loss, step, &weights, [real, fake], critic)?;
        drop((of_real, of_fake));
        step.descend(DISCRIMINATOR, weights, loss)?;
        self.regularizers.after_step(step, DISCRIMINATOR)
    }

    /// Mean of D's outputs, as probabilities where the objective knows them.
    fn score(&self, output: &Var) -> f64 {
        mean_score(output, self.objective.has_probabilities())
    }

    fn latent_shape(&self) -> &[usize] {
        &self.pair.generator.inputs()[0].value
    }
}

impl System for Adversarial {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn networks(&self) -> Vec<(&'static str, Graph)> {
        vec![(GENERATOR, self.pair.generator.clone()), (DISCRIMINATOR, self.pair.discriminator.clone())]
    }

    fn players(&self) -> Vec<PlayerSpec> {
        let player = |name, rule| PlayerSpec { name, networks: vec![name], rule };
        vec![player(GENERATOR, self.defaults.generator), player(DISCRIMINATOR, self.defaults.critic)]
    }

    fn measures(&self) -> Vec<Measure> {
        let headings = match self.objective.critic() {
            CriticKind::Logit if self.objective.has_probabilities() => Some(["D(x)", "D(G(z))"]),
            CriticKind::Logit => Some(["v(x)", "v(G(z))"]),
            _ => None,
        };
        columns(headings, self.objective.values().into_iter().map(|(name, _)| name))
    }

    /// k steps of the discriminator and one of the generator. As in the reference implementation of DCGAN, the generator
    /// learns from the last images that the discriminator saw, judged anew.
    fn step(&mut self, step: &mut Step<'_>) -> Result<(), GanError> {
        for _ in 1..self.discriminating.steps {
            let real = step.batch()?;
            let (condition, fake) = self.generate(step, &Weights::constant(), &real)?;
            self.judge(step, &real.images, fake.value(), condition.as_ref())?;
        }
        let real = step.batch()?;
        let weights = step.variables(GENERATOR)?;
        let (condition, fake) = self.generate(step, &weights, &real)?;
        let (real, condition) = (real.images, condition.as_ref());
        self.judge(step, &real, fake.value(), condition)?;

        let constant = Weights::constant();
        let of_fake = self.pair.discriminate(step, &constant, &fake, condition)?;
        let real_images = Var::constant(real.clone());
        let of_real = match self.objective.generator_sees_real() {
            true => Some(self.pair.discriminate(step, &constant, &real_images, condition)?),
            false => None,
        };
        let game = Game {
            real: of_real.as_ref().map(|outputs| Verdict { images: &real_images, outputs }),
            fake: Verdict { images: &fake, outputs: &of_fake },
            condition,
            real_label: self.discriminating.real_label,
        };
        let mut loss = self.objective.generator_loss(&game)?;
        if self.objective.critic() == CriticKind::Logit {
            step.record("fake_score_after", self.score(game.fake.logit()?));
        }
        loss = self.regularizers.on_player(GENERATOR, loss, &weights)?;
        let images = fake.value().clone();
        drop((of_real, of_fake, fake));
        step.descend(GENERATOR, weights, loss)?;
        self.regularizers.after_step(step, GENERATOR)?;
        for (name, value) in self.objective.values() {
            step.record(name, value);
        }
        step.show(&real, &images);
        Ok(())
    }

    fn pixel_range(&self) -> PixelRange {
        self.pair.range
    }

    fn classes(&self) -> Option<usize> {
        match self.pair.condition {
            Condition::Class { classes } => Some(classes),
            _ => None,
        }
    }

    fn won_below(&self) -> Option<f64> {
        self.objective.won_below()
    }

    fn condition(&self) -> Condition {
        self.pair.condition
    }

    /// A critic that tells classes, or sorts into some of its own.
    fn classifier(&self) -> Option<Reader> {
        let has_classes = self.pair.discriminator.has_output(name::CLASSES);
        has_classes.then_some(Reader { network: DISCRIMINATOR, outputs: &[name::CLASSES] })
    }

    fn save(&self, state: &mut SavedState) {
        self.objective.save(state);
        self.regularizers.save(state);
    }

    fn restore(&mut self, state: &SavedState) -> Result<(), GanError> {
        self.objective.restore(state)?;
        self.regularizers.restore(state)
    }
}
