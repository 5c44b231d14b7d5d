//! Classification with few labels: a discriminator that tells K classes of real images from each other and from generated ones, and
//! a classifier of the same few labels to hold it against.

use super::condition::one_hot;
use super::player::{DISCRIMINATOR, GENERATOR};
use super::scores::{columns, mean_score, taken_for, told_apart};
use super::{Measure, PlayerSpec, Reader, System};
use crate::gan::error::GanError;
use crate::gan::models::PixelRange;
use crate::gan::networks::{Graph, Outputs, name};
use crate::gan::objectives::{accuracy, mean_features};
use crate::gan::optim::Rule;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;
use crate::gan::train::{Batch, Step, Weights};

/// What is known of the images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labelling {
    /// Number of classes.
    pub classes: usize,
    /// How many images have a label that training sees.
    pub labels: usize,
}

/// The game of Salimans et al. (2016) with K logits ℓ: class K+1, of generated images, has the logit 0, so that Z = ln Σ exp ℓ is the
/// logit of being real. The discriminator minimises the sum of E(Z − ℓ_y) on labelled images, E softplus(−Z(x)) on unlabelled and
/// E softplus(Z(G(z))) on generated ones; the generator ‖E f(x) − E f(G(z))‖² + E softplus(−Z(G(z))), f the discriminator's last
/// hidden layer.
#[derive(Debug)]
pub struct SemiSupervised {
    title: String,
    generator: Graph,
    discriminator: Graph,
    range: PixelRange,
    labelling: Labelling,
    rule: Rule,
}

impl SemiSupervised {
    /// The game between a generator from [`name::Z`] to [`name::IMAGES`] and a discriminator from [`name::IMAGES`] to
    /// [`name::FEATURES`] and [`name::CLASSES`]; `rule` is how both step where nothing else is said.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the networks do not fit.
    pub fn new(
        title: impl Into<String>,
        [generator, discriminator]: [Graph; 2],
        range: PixelRange,
        labelling: Labelling,
        rule: Rule,
    ) -> Result<Self, GanError> {
        generator.output_shape(name::IMAGES)?;
        discriminator.output_shape(name::FEATURES)?;
        check_classes(&discriminator, labelling)?;
        Ok(SemiSupervised { title: title.into(), generator, discriminator, range, labelling, rule })
    }

    /// One step of the discriminator on labelled, unlabelled and generated images, each a batch of its own.
    fn judge(&self, step: &mut Step<'_>, labelled: Batch, real: &Tensor, fake: &Tensor) -> Result<(), GanError> {
        let weights = step.variables(DISCRIMINATOR)?;
        let of_labels = label_loss(step, &weights, labelled, self.labelling)?;
        let mut pass = |images: &Tensor| {
            let outputs = step.forward(&weights, DISCRIMINATOR, &[&Var::constant(images.clone())])?;
            being_real(&outputs)
        };
        let (of_real, of_fake) = (pass(real)?, pass(fake)?);
        step.record("real_score", mean_score(&of_real, true));
        step.record("fake_score_before", mean_score(&of_fake, true));
        let loss = of_labels.add(&told_apart(&of_real, &of_fake)?)?;
        drop((of_labels, of_real, of_fake));
        step.descend(DISCRIMINATOR, weights, loss)
    }
}

/// Both tell classes by the discriminator.
const READER: Reader = Reader { network: DISCRIMINATOR, outputs: &[name::CLASSES] };

/// Z = ln Σ exp ℓ.
fn being_real(outputs: &Outputs) -> Result<Var, GanError> {
    outputs.get(name::CLASSES)?.log_sum_exp(1)
}

/// E(Z − ℓ_y) on labelled images, which is noted.
fn label_loss(step: &mut Step<'_>, weights: &Weights, labelled: Batch, labelling: Labelling) -> Result<Var, GanError> {
    let classes = classes_of(&labelled, labelling)?;
    let outputs = step.forward(weights, DISCRIMINATOR, &[&Var::constant(labelled.images)])?;
    let loss = outputs.get(name::CLASSES)?.cross_entropy(&classes)?.mean();
    step.record("label_loss", f64::from(loss.item()?));
    Ok(loss)
}

/// Share of a batch whose class the discriminator tells before it learns from it, in evaluation: by labels that training does not
/// see.
fn note_accuracy(step: &mut Step<'_>, batch: &Batch, labelling: Labelling) -> Result<(), GanError> {
    let classes = classes_of(batch, labelling)?;
    let logits = step.networks().output(DISCRIMINATOR, &[&batch.images], name::CLASSES)?;
    step.record("accuracy", accuracy(&Var::constant(logits), &classes));
    Ok(())
}

fn classes_of(batch: &Batch, labelling: Labelling) -> Result<Var, GanError> {
    let classes = batch.classes.as_ref().ok_or_else(|| GanError::Data("their classes are not known".into()))?;
    Ok(Var::constant(one_hot(classes, labelling.classes)))
}

fn check_classes(discriminator: &Graph, labelling: Labelling) -> Result<(), GanError> {
    let classes = discriminator.output_shape(name::CLASSES)?;
    match classes == [labelling.classes] {
        true => Ok(()),
        false => {
            let problem = format!("the discriminator tells {classes:?} classes, there are {}", labelling.classes);
            Err(GanError::shape("game", problem))
        }
    }
}

impl System for SemiSupervised {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn networks(&self) -> Vec<(&'static str, Graph)> {
        vec![(GENERATOR, self.generator.clone()), (DISCRIMINATOR, self.discriminator.clone())]
    }

    fn players(&self) -> Vec<PlayerSpec> {
        [GENERATOR, DISCRIMINATOR].map(|name| PlayerSpec { name, networks: vec![name], rule: self.rule }).into()
    }

    fn measures(&self) -> Vec<Measure> {
        columns(Some(["D(x)", "D(G(z))"]), ["accuracy", "label_loss"])
    }

    fn step(&mut self, step: &mut Step<'_>) -> Result<(), GanError> {
        let (labelled, real) = (step.labelled()?, step.batch()?);
        note_accuracy(step, &real, self.labelling)?;
        let z = Var::constant(step.latent(&self.generator.inputs()[0].value)?);
        let weights = step.variables(GENERATOR)?;
        let fake = step.forward(&weights, GENERATOR, &[&z])?.get(name::IMAGES)?.clone();
        let real = real.images;
        self.judge(step, labelled, &real, fake.value())?;

        let constant = Weights::constant();
        let of_fake = step.forward(&constant, DISCRIMINATOR, &[&fake])?;
        let of_real = step.forward(&constant, DISCRIMINATOR, &[&Var::constant(real.clone())])?;
        let gap = mean_features(&of_fake)?.sub(&mean_features(&of_real)?)?;
        let being_real = being_real(&of_fake)?;
        step.record("fake_score_after", mean_score(&being_real, true));
        let loss = gap.square().sum().add(&taken_for(true, &being_real))?;
        let images = fake.value().clone();
        drop((of_fake, of_real, gap, being_real, fake));
        step.descend(GENERATOR, weights, loss)?;
        step.show(&real, &images);
        Ok(())
    }

    fn pixel_range(&self) -> PixelRange {
        self.range
    }

    fn classes(&self) -> Option<usize> {
        Some(self.labelling.classes)
    }

    fn classes_made(&self) -> Option<usize> {
        None
    }

    fn labels(&self) -> usize {
        self.labelling.labels
    }

    fn averaged(&self) -> Vec<&'static str> {
        vec![GENERATOR, DISCRIMINATOR]
    }

    fn classifier(&self) -> Option<Reader> {
        Some(READER)
    }
}

/// The discriminator of [`SemiSupervised`] with labelled images alone: what its unlabelled and generated ones are worth is the
/// difference of both accuracies.
#[derive(Debug)]
pub struct Classifier {
    title: String,
    discriminator: Graph,
    range: PixelRange,
    labelling: Labelling,
    rule: Rule,
}

impl Classifier {
    /// A network from [`name::IMAGES`] to [`name::CLASSES`]; `rule` is how it steps where nothing else is said.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the network tells other classes.
    pub fn new(
        title: impl Into<String>,
        discriminator: Graph,
        range: PixelRange,
        labelling: Labelling,
        rule: Rule,
    ) -> Result<Self, GanError> {
        check_classes(&discriminator, labelling)?;
        Ok(Classifier { title: title.into(), discriminator, range, labelling, rule })
    }
}

impl System for Classifier {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn networks(&self) -> Vec<(&'static str, Graph)> {
        vec![(DISCRIMINATOR, self.discriminator.clone())]
    }

    fn players(&self) -> Vec<PlayerSpec> {
        vec![PlayerSpec { name: DISCRIMINATOR, networks: vec![DISCRIMINATOR], rule: self.rule }]
    }

    fn measures(&self) -> Vec<Measure> {
        vec![
            Measure::new("discriminator_loss").shown("loss").drawn("losses", "discriminator"),
            Measure::new("accuracy").shown("accuracy").drawn("accuracy", "accuracy"),
            Measure::new("discriminator_gradient").drawn("gradient norms", "discriminator"),
        ]
    }

    fn step(&mut self, step: &mut Step<'_>) -> Result<(), GanError> {
        let (labelled, unseen) = (step.labelled()?, step.batch()?);
        note_accuracy(step, &unseen, self.labelling)?;
        let weights = step.variables(DISCRIMINATOR)?;
        let loss = label_loss(step, &weights, labelled, self.labelling)?;
        step.descend(DISCRIMINATOR, weights, loss)
    }

    fn pixel_range(&self) -> PixelRange {
        self.range
    }

    fn classes(&self) -> Option<usize> {
        Some(self.labelling.classes)
    }

    fn classes_made(&self) -> Option<usize> {
        None
    }

    fn labels(&self) -> usize {
        self.labelling.labels
    }

    fn averaged(&self) -> Vec<&'static str> {
        vec![DISCRIMINATOR]
    }

    fn generator(&self) -> Option<&'static str> {
        None
    }

    fn makes_samples(&self) -> bool {
        false
    }

    fn classifier(&self) -> Option<Reader> {
        Some(READER)
    }
}
