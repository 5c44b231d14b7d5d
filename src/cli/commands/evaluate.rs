//! `gan-metrics evaluate`: what a trained model knows of images, where it knows anything: how likely they are, and their classes.

use std::fmt::Write;

use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

use super::train::data::{Classes, DataArgs};
use crate::Result;
use crate::cli::args::OutputArgs;
use crate::cli::exit::Outcome;
use crate::cli::numbers::seed;
use crate::cli::{output, progress};
use crate::error::{Blame, Blamed};
use crate::gan::systems::Likelihood;
use crate::gan::train::{Trained, TrainingSet, checkpoint, sampling_stream};
use crate::gan::{Tensor, linear_probe};
use crate::output::Outputs;
use crate::report::{entry, pretty};

/// `gan-metrics evaluate --checkpoint FILE --data IMAGES`
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// Checkpoint of a training run of a model that has a likelihood, classifies images or makes codes of them.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    #[command(flatten)]
    pub data: DataArgs,
    /// Seed of the noise, if the likelihood needs any.
    #[arg(long, default_value_t = 0, value_parser = seed)]
    pub seed: u64,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
enum EvaluateModelError {
    #[error("{0} tells neither how likely images are nor their classes, and makes no codes of them")]
    Silent(String),
    #[error("{0} makes codes of images, which are judged by their classes, and those of the images are not known")]
    NoClassesOfCodes(String),
    #[error("{0} makes codes of images, which are judged by those of others, and there is one image only")]
    OneCode(String),
    #[error("{model} tells classes, and those of the images are not known")]
    NoClasses { model: String },
    #[error("{model} tells the classes {}, and some images are of class `{found}`", known.join(", "))]
    OtherClass { model: String, known: Vec<String>, found: String },
    #[error("interrupted after {done} of {total} images")]
    Interrupted { done: usize, total: usize },
}

impl Blamed for EvaluateModelError {
    fn blame(&self) -> Blame {
        match self {
            EvaluateModelError::Interrupted { .. } => Blame::Interrupted,
            _ => Blame::Input,
        }
    }
}

/// What was found, as JSON has it.
#[derive(Debug, Serialize)]
struct Found {
    model: String,
    step: u64,
    images: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    likelihood: Option<LikelihoodFound>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy: Option<Accuracy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<Probe>,
}

/// How likely the images are.
#[derive(Debug, Serialize)]
struct LikelihoodFound {
    /// Mean of ln p of an image, in nats.
    nats: f64,
    /// Standard error of that mean, of several images.
    #[serde(skip_serializing_if = "Option::is_none")]
    standard_error: Option<f64>,
    /// −nats divided by dimensions · ln 2.
    bits_per_dimension: f64,
    /// `exact`, `bound` or `density`.
    kind: &'static str,
}

/// How many classes are right.
#[derive(Debug, Serialize)]
struct Accuracy {
    /// Share of the images.
    share: f64,
    /// Whether the model's own categories were each taken for the class that most of its images have.
    by_majority: bool,
    /// What the most frequent class alone would give.
    most_frequent_class: f64,
}

/// What can be read off the codes.
#[derive(Debug, Serialize)]
struct Probe {
    /// Share of the images whose class a linear classifier tells that has learnt from the codes of all others.
    linear: f64,
    /// What the most frequent class alone would give.
    most_frequent_class: f64,
}

/// What is told of the images.
struct Plan {
    likelihood: Option<Likelihood>,
    /// Of every class of theirs, its number for the model, where the model tells classes.
    classes: Option<Vec<usize>>,
    /// Whether a classifier learns from their codes.
    probes: bool,
}

impl Plan {
    /// All that a model tells of these images.
    fn new(trained: &Trained, data: &TrainingSet) -> Result<Self, EvaluateModelError> {
        let system = trained.system.as_ref();
        let likelihood = system.likelihood();
        let classes = system.classifier().map(|_| classes(trained, data)).transpose()?;
        let probes = match (system.encoder(), data.class_names(), data.len()) {
            (None, ..) => false,
            (Some(_), Some(_), 2..) => true,
            // There is something else to tell.
            _ if likelihood.is_some() || classes.is_some() => false,
            (Some(_), None, _) => return Err(EvaluateModelError::NoClassesOfCodes(system.title())),
            (Some(_), Some(_), _) => return Err(EvaluateModelError::OneCode(system.title())),
        };
        Ok(Plan { likelihood, classes, probes })
    }
}

/// Tells.
pub fn run(args: &EvaluateArgs) -> Result<Outcome> {
    let mut outputs = Outputs::beside(args.data.data.iter().chain([&args.checkpoint]));
    let file = args.output.output.as_deref().map(|path| outputs.claim(path)).transpose()?;
    let trained = checkpoint::trained(&args.checkpoint)?;
    let system = trained.system.as_ref();
    let classes = match (system.classifier(), system.encoder(), system.likelihood()) {
        (Some(_), ..) => Classes::Needed,
        (None, Some(_), None) => Classes::Needed,
        (None, Some(_), Some(_)) => Classes::Welcome,
        (None, None, Some(_)) => Classes::Unwanted,
        (None, None, None) => return Err(EvaluateModelError::Silent(system.title()).into()),
    };
    let data = args.data.load(&trained.config.networks, classes)?;
    let plan = Plan::new(&trained, &data)?;
    let found = evaluate(&trained, &data, &plan, args.seed)?;
    let text = if args.output.json { pretty(&found) } else { text(&found, plan.likelihood) };
    output::write(file, &text)?;
    Ok(Outcome::Success)
}

/// The number that a model has for each class of the images: by its name where the model learnt from classes, else its own.
fn classes(trained: &Trained, data: &TrainingSet) -> Result<Vec<usize>, EvaluateModelError> {
    let model = || trained.system.title();
    let names = data.class_names().ok_or_else(|| EvaluateModelError::NoClasses { model: model() })?;
    if trained.system.classes().is_none() {
        return Ok((0..names.len()).collect());
    }
    let known = &trained.class_names;
    let of_name = |name: &String| {
        let place = known.iter().position(|one| one == name);
        let other = || EvaluateModelError::OtherClass { model: model(), known: known.clone(), found: name.clone() };
        place.ok_or_else(other)
    };
    names.iter().map(of_name).collect()
}

fn evaluate(trained: &Trained, data: &TrainingSet, plan: &Plan, seed: u64) -> Result<Found> {
    /// Images at once: their activations must fit into memory.
    const BATCH: usize = 64;
    let (system, total) = (trained.system.as_ref(), data.len());
    let (interrupt, mut random) = (progress::interrupt(), sampling_stream(seed));
    let (mut nats, mut table) = (Vec::new(), plan.classes.as_ref().map(|of_data| (of_data, Vec::<Vec<usize>>::new())));
    let mut codes = plan.probes.then(|| (Vec::new(), Vec::new()));
    for from in (0..total).step_by(BATCH) {
        if interrupt.is_requested() {
            return Err(EvaluateModelError::Interrupted { done: from, total }.into());
        }
        let batch = data.range(from, (from + BATCH).min(total), system.pixel_range());
        if plan.likelihood.is_some() {
            nats.extend(system.log_likelihood(&trained.networks, &batch.images, &mut random)?);
        }
        if let (Some((of_data, table)), Some(labels)) = (&mut table, &batch.classes) {
            let logits = system.classify(&trained.networks, &batch.images)?;
            let most = of_data.iter().map(|class| class + 1).max().unwrap_or_default();
            table.resize(logits.shape()[1], vec![0; most.max(logits.shape()[1])]);
            for (said, &label) in logits.argmax_of_rows().into_iter().zip(labels) {
                table[said][of_data[label]] += 1;
            }
        }
        if let (Some((codes, of)), Some(labels)) = (&mut codes, &batch.classes) {
            codes.extend_from_slice(system.encode(&trained.networks, &batch.images)?.data());
            of.extend_from_slice(labels);
        }
    }
    let dimensions: usize = data.shape().iter().product();
    Ok(Found {
        model: system.title(),
        step: trained.step,
        images: total,
        likelihood: plan.likelihood.map(|kind| likelihood_of(&nats, dimensions, kind)),
        accuracy: table.map(|(_, table)| accuracy_of(&table, system.classes().is_none())),
        probe: codes.map(|(codes, classes)| probe_of(codes, &classes)).transpose()?,
    })
}

fn probe_of(codes: Vec<f32>, classes: &[usize]) -> Result<Probe> {
    let count = classes.len();
    let linear = linear_probe(&Tensor::new(&[count, codes.len() / count], codes)?, classes)?;
    let of_class = |class| classes.iter().filter(|one| **one == class).count();
    let most = classes.iter().map(|class| class + 1).max().unwrap_or_default();
    Ok(Probe { linear, most_frequent_class: largest_share((0..most).map(of_class), count) })
}

fn likelihood_of(nats: &[f64], dimensions: usize, kind: Likelihood) -> LikelihoodFound {
    let count = nats.len() as f64;
    let mean = nats.iter().sum::<f64>() / count;
    let variance = nats.iter().map(|nats| (nats - mean).powi(2)).sum::<f64>() / (count - 1.0);
    LikelihoodFound {
        nats: mean,
        standard_error: (nats.len() > 1).then(|| (variance / count).sqrt()),
        bits_per_dimension: -mean / (dimensions as f64 * std::f64::consts::LN_2),
        kind: match kind {
            Likelihood::ExactOfBits => "exact",
            Likelihood::BoundOfBits => "bound",
            Likelihood::DensityOfBytes => "density",
        },
    }
}

/// Of a table of what was said (rows) against classes (columns).
fn accuracy_of(table: &[Vec<usize>], by_majority: bool) -> Accuracy {
    let total: usize = table.iter().flatten().sum();
    let right: usize = match by_majority {
        true => table.iter().map(|row| row.iter().max().copied().unwrap_or_default()).sum(),
        false => table.iter().enumerate().map(|(class, row)| row[class]).sum(),
    };
    let of_class = |class: usize| table.iter().map(|row| row[class]).sum::<usize>();
    let classes = table.first().map_or(0, Vec::len);
    let most_frequent_class = largest_share((0..classes).map(of_class), total);
    Accuracy { share: right as f64 / total.max(1) as f64, by_majority, most_frequent_class }
}

/// The share of the most frequent class.
fn largest_share(counts: impl Iterator<Item = usize>, total: usize) -> f64 {
    counts.max().unwrap_or_default() as f64 / total.max(1) as f64
}

fn text(found: &Found, likelihood: Option<Likelihood>) -> String {
    let mut text = String::new();
    writeln!(text, "{} of step {}, {} images", found.model, found.step, found.images).expect("texts take everything");
    if let (Some(values), Some(kind)) = (&found.likelihood, likelihood) {
        let what = match kind {
            Likelihood::ExactOfBits => "exact, of pixels as bits",
            Likelihood::BoundOfBits => "a lower bound, gray levels taken for probabilities of bits",
            Likelihood::DensityOfBytes => "of bytes, with one draw of their uniform noise",
        };
        let error = values.standard_error.map_or_else(String::new, |error| format!(" ± {error:.3}"));
        text += &entry("log-likelihood", format!("{:.3}{error} nats an image ({what})", values.nats));
        text += &entry("bits/dimension", format!("{:.4}", values.bits_per_dimension));
    }
    if let Some(accuracy) = &found.accuracy {
        let how = if accuracy.by_majority { ", each category taken for the class of most of its images" } else { "" };
        let (share, chance) = (accuracy.share, accuracy.most_frequent_class);
        text += &entry("accuracy", format!("{share:.4} (the most frequent class alone: {chance:.4}{how})"));
    }
    if let Some(Probe { linear, most_frequent_class }) = &found.probe {
        let how = "of a linear classifier of the other images' codes";
        text += &entry(
            "linear probe",
            format!("{linear:.4} ({how}; the most frequent class alone: {most_frequent_class:.4})"),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_is_the_share_of_the_diagonal_or_of_majorities() {
        let table = [vec![3, 1], vec![4, 2]];
        let own = accuracy_of(&table, false);
        assert_eq!((own.share, own.most_frequent_class), (0.5, 0.7));
        // Both categories hold more of the first class: it is right 7 times.
        assert_eq!(accuracy_of(&table, true).share, 0.7);
    }

    #[test]
    fn bits_are_nats_over_the_dimensions() {
        let found = likelihood_of(&[-2.0, -4.0], 3, Likelihood::ExactOfBits);
        assert_eq!((found.nats, found.standard_error), (-3.0, Some(1.0)));
        assert_eq!(likelihood_of(&[-2.0], 3, Likelihood::ExactOfBits).standard_error, None);
        assert!((found.bits_per_dimension - 1.0 / std::f64::consts::LN_2).abs() < 1e-15);
    }
}
