//! What is trained: networks, the players that own them, and what one step does.
//!
//! A [`System`] is an algorithm over networks. Two networks that play a game of some [objective](super::objectives) are one:
//! [`Adversarial`]. Whoever has another implements the trait, in this crate or outside of it; the
//! [trainer](crate::gan::train::Trainer) draws its batches, steps its optimizers, averages its weights, and keeps its state.

mod adversarial;
mod bidirectional;
mod condition;
mod networks;
mod regularizers;
mod scores;
mod semi_supervised;

pub use adversarial::{Adversarial, Discriminating, Pair};
pub use bidirectional::{Bidirectional, Trio};
pub use condition::{Condition, one_hot};
pub use networks::Networks;
pub use semi_supervised::{Classifier, Labelling, SemiSupervised};

use super::error::GanError;
use super::models::PixelRange;
use super::networks::{Graph, numbers};
use super::optim::Rule;
use super::random::Random;
use super::state::SavedState;
use super::tensor::Tensor;
use super::train::{Latent, Step};

/// Names of players, and of their networks where they have one.
pub mod player {
    /// Makes images.
    pub const GENERATOR: &str = "generator";
    /// Tells real from generated ones.
    pub const DISCRIMINATOR: &str = "discriminator";
    /// Makes codes of images.
    pub const ENCODER: &str = "encoder";
    /// Learns by itself.
    pub const MODEL: &str = "model";
}

/// Somebody who minimises a loss of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayerSpec {
    /// Name, as in settings and curves.
    pub name: &'static str,
    /// The networks whose weights it moves.
    pub networks: Vec<&'static str>,
    /// How, where nothing else is said.
    pub rule: Rule,
}

/// A number that every step gives: a column of `metrics.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Name of the column.
    pub name: &'static str,
    /// Heading of the column in the table that is shown, where it is.
    pub heading: Option<&'static str>,
    /// Title of the plot that it is drawn in and its label there, where it is.
    pub plot: Option<[&'static str; 2]>,
}

impl Measure {
    /// A number that is neither shown nor drawn.
    pub const fn new(name: &'static str) -> Self {
        Measure { name, heading: None, plot: None }
    }

    /// Shown under a heading.
    pub const fn shown(self, heading: &'static str) -> Self {
        Measure { heading: Some(heading), ..self }
    }

    /// Drawn.
    pub const fn drawn(self, plot: &'static str, label: &'static str) -> Self {
        Measure { plot: Some([plot, label]), ..self }
    }
}

/// What a batch of samples is made from.
#[derive(Debug)]
pub struct Draw<'a> {
    /// How many.
    pub count: usize,
    /// Distribution of z.
    pub latent: Latent,
    /// The class of each, where classes were asked for.
    pub classes: Option<&'a [usize]>,
    /// What is drawn from, image by image: how images are cut into batches does not change them. Where an image takes several
    /// draws with passes between them, each image has a [fork](Random::fork) of its own.
    pub random: &'a mut Random,
    /// What codes are drawn from: a stream of its own, so that neither those nor z depend on how images are cut into batches.
    pub codes: &'a mut Random,
}

impl Draw<'_> {
    /// z for every image, each of this shape.
    pub fn z(&mut self, shape: &[usize]) -> Tensor {
        self.latent.draw(shape, self.count, self.random)
    }

    /// A code for every image: a category, one-hot, then numbers that are uniform on \[−1, 1).
    ///
    /// # Errors
    /// [`GanError::Shape`] never.
    pub fn code(&mut self, categories: usize, numbers: usize) -> Result<Tensor, GanError> {
        let mut rows = Vec::with_capacity(self.count * (categories + numbers));
        for _ in 0..self.count {
            rows.extend_from_slice(one_hot(&[self.codes.below(categories)], categories).data());
            rows.extend_from_slice(self.codes.uniforms::<f32>(&[numbers], -1.0, 1.0).data());
        }
        Tensor::new(&[self.count, categories + numbers], rows)
    }
}

/// What a batch of samples is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// N×length.
    pub z: Tensor,
    /// N×[`Condition::len`], where the generator is given more than z.
    pub condition: Option<Tensor>,
}

/// A network that is of use by itself: what it takes is [`name::IMAGES`](super::networks::name::IMAGES), and this is what it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// The network.
    pub network: &'static str,
    /// Its outputs.
    pub outputs: &'static [&'static str],
}

/// What the likelihood that a system tells of an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likelihood {
    /// The probability of its pixels as bits, 1 from a half on.
    ExactOfBits,
    /// A lower bound of the probability of bits, for which gray levels are taken as shares.
    BoundOfBits,
    /// The density of its bytes with uniform noise, by one draw of it: below the probability of the bytes on average.
    DensityOfBytes,
}

/// Networks that are trained together, and how.
pub trait System: Send + Sync {
    /// What it is called in messages, such as `dcgan, hinge`.
    fn title(&self) -> String;

    /// The networks by name, in the order in which their weights are drawn.
    fn networks(&self) -> Vec<(&'static str, Graph)>;

    /// Who moves them.
    fn players(&self) -> Vec<PlayerSpec>;

    /// The numbers that a step gives.
    fn measures(&self) -> Vec<Measure>;

    /// One step of every player, as the paper has it.
    ///
    /// # Errors
    /// [`GanError::NotFinite`] when a loss or a gradient is not a finite number, [`GanError::Shape`] when tensors do not fit.
    fn step(&mut self, step: &mut Step<'_>) -> Result<(), GanError>;

    /// Range of pixel values that the networks see and give.
    fn pixel_range(&self) -> PixelRange;

    /// Numbers that a step holds besides the weights for each sample of a batch, about.
    fn numbers_per_sample(&self) -> u128 {
        // Every output has a gradient; real and generated images both go through.
        let outputs: u128 =
            self.networks().iter().map(|(_, graph)| super::networks::Footprint::of(graph).outputs).sum();
        4 * outputs
            + self
                .networks()
                .iter()
                .flat_map(|(_, graph)| graph.inputs())
                .map(|port| numbers(&port.value))
                .sum::<u128>()
    }

    /// Number of classes that its batches must have labels of; `None` where it takes no labels.
    fn classes(&self) -> Option<usize> {
        None
    }

    /// Number of classes that one can ask images of; `None` where all images are asked for alike.
    fn classes_made(&self) -> Option<usize> {
        self.classes()
    }

    /// How many images of the data have a label that it learns from, of every class as many as of the others or one more; 0 where
    /// it learns from the labels of all or of none.
    fn labels(&self) -> usize {
        0
    }

    /// Whether the outputs of the critic are probabilities, and the loss below which it has won.
    fn won_below(&self) -> Option<f64> {
        None
    }

    /// Networks of which a moving average is kept where one is asked for: those that samples come from.
    fn averaged(&self) -> Vec<&'static str> {
        vec![player::GENERATOR]
    }

    /// Samples, N×C×H×W in [`Self::pixel_range`], by networks in evaluation.
    ///
    /// # Errors
    /// [`GanError::Unable`] where it makes none, [`GanError::Shape`] when the networks are others.
    fn sample(&self, networks: &Networks, draw: &mut Draw<'_>) -> Result<Tensor, GanError> {
        match self.start(draw)? {
            Some(Start { z, condition }) => self.decode(networks, &z, condition.as_ref()),
            None => Err(GanError::Unable { system: self.title(), action: "make images" }),
        }
    }

    /// Whether it makes samples at all.
    fn makes_samples(&self) -> bool {
        true
    }

    /// What samples are made of, where that is z and a [condition](Self::condition): [`Self::decode`] makes them. Of classes that
    /// were not asked for, one after the other.
    ///
    /// # Errors
    /// [`GanError::Shape`] never, for classes that there are.
    fn start(&self, draw: &mut Draw<'_>) -> Result<Option<Start>, GanError> {
        let Some(length) = self.latent() else { return Ok(None) };
        let z = draw.z(&[length]);
        let condition = match self.condition() {
            Condition::None => None,
            Condition::Class { classes } => {
                let of_samples =
                    draw.classes.map_or_else(|| (0..draw.count).map(|i| i % classes).collect(), <[_]>::to_vec);
                Some(one_hot(&of_samples, classes))
            }
            Condition::Code { categories, numbers } => Some(draw.code(categories, numbers)?),
        };
        Ok(Some(Start { z, condition }))
    }

    /// Length of z, where an image is made of one: that which the [generator](Self::generator) takes.
    fn latent(&self) -> Option<usize> {
        let name = self.generator()?;
        let graph = self.networks().into_iter().find_map(|(known, graph)| (known == name).then_some(graph))?;
        let z = graph.inputs().first().filter(|port| port.name == super::networks::name::Z)?;
        Some(z.value.iter().product())
    }

    /// What the generator is given besides z.
    fn condition(&self) -> Condition {
        Condition::None
    }

    /// The images of given z, N×[`Self::latent`], and of rows of its [condition](Self::condition) where there is one.
    ///
    /// # Errors
    /// [`GanError::Unable`] where images are made in another way, [`GanError::Shape`] when the tensors do not fit.
    fn decode(&self, networks: &Networks, z: &Tensor, condition: Option<&Tensor>) -> Result<Tensor, GanError> {
        let unable = || GanError::Unable { system: self.title(), action: "make an image of given noise" };
        networks.images(self.generator().ok_or_else(unable)?, z, condition)
    }

    /// Codes of images, which are N×C×H×W in [`Self::pixel_range`], by networks in evaluation.
    ///
    /// # Errors
    /// [`GanError::Unable`] where it has none, [`GanError::Shape`] when the images are of another shape.
    fn encode(&self, networks: &Networks, images: &Tensor) -> Result<Tensor, GanError> {
        read(self.encoder(), networks, images)
            .unwrap_or_else(|| Err(GanError::Unable { system: self.title(), action: "encode images" }))
    }

    /// Images as the system sees them when only what it keeps of them is left: an autoencoder's, from the most likely code,
    /// or a denoiser's, from a noisy copy. Both are N×C×H×W in [`Self::pixel_range`]; `random` is forked for every image, so
    /// that how images are cut into batches does not change them.
    ///
    /// # Errors
    /// [`GanError::Unable`] where it keeps nothing, [`GanError::Shape`] when the images or the networks are others.
    fn reconstruct(&self, networks: &Networks, images: &Tensor, random: &mut Random) -> Result<Tensor, GanError> {
        let _ = (networks, images, random);
        Err(GanError::Unable { system: self.title(), action: "reconstruct images" })
    }

    /// Logits of the classes of images, N×K, by networks in evaluation.
    ///
    /// # Errors
    /// [`GanError::Unable`] where it tells no classes, [`GanError::Shape`] when the images are of another shape.
    fn classify(&self, networks: &Networks, images: &Tensor) -> Result<Tensor, GanError> {
        read(self.classifier(), networks, images)
            .unwrap_or_else(|| Err(GanError::Unable { system: self.title(), action: "classify images" }))
    }

    /// ln p of each of N×C×H×W images in [`Self::pixel_range`], in nats: a probability or a lower bound of one, of what its
    /// system says it is a distribution of. `random` is forked for every image, as in [`Self::reconstruct`].
    ///
    /// # Errors
    /// [`GanError::Unable`] where it knows none, [`GanError::Shape`] when the images or the networks are others.
    fn log_likelihood(&self, networks: &Networks, images: &Tensor, random: &mut Random) -> Result<Vec<f64>, GanError> {
        let _ = (networks, images, random);
        Err(GanError::Unable { system: self.title(), action: "tell how likely images are" })
    }

    /// What [`Self::log_likelihood`] tells, where it tells anything.
    fn likelihood(&self) -> Option<Likelihood> {
        None
    }

    /// The network that is exported as what makes images, where one pass of one network does.
    fn generator(&self) -> Option<&'static str> {
        Some(player::GENERATOR)
    }

    /// The network that makes codes of images, where there is one.
    fn encoder(&self) -> Option<Reader> {
        None
    }

    /// The network that tells the classes of images, where there is one: its first output is the logits, N×K.
    fn classifier(&self) -> Option<Reader> {
        None
    }

    /// Puts in what it remembers from step to step besides weights.
    fn save(&self, state: &mut SavedState) {
        let _ = state;
    }

    /// Takes it out again.
    ///
    /// # Errors
    /// [`GanError::State`] when it is not there.
    fn restore(&mut self, state: &SavedState) -> Result<(), GanError> {
        let _ = state;
        Ok(())
    }
}

/// The first output of a network for images, where there is such a network.
fn read(reader: Option<Reader>, networks: &Networks, images: &Tensor) -> Option<Result<Tensor, GanError>> {
    let Reader { network, outputs } = reader?;
    Some(networks.output(network, &[images], outputs[0]))
}
