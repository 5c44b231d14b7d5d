//! Steps of systems that are more than two networks with a loss, against PyTorch; the fixture is made by
//! `python_ref/make_family_fixtures.py`.

use std::collections::{BTreeMap, BTreeSet};

use gan_metrics::gan::models::ModelSpec;
use gan_metrics::gan::networks::{Network, Parameter};
use gan_metrics::gan::train::{Batch, Given, TrainConfig, Trainer, TrainingSet, checkpoint};
use gan_metrics::gan::{GanError, Tensor};
use serde::Deserialize;

use crate::support;
use crate::support::made_features::Made;

#[derive(Deserialize)]
struct Case {
    name: String,
    config: TrainConfig,
    before: BTreeMap<String, Before>,
    steps: Vec<Played>,
    after: BTreeMap<String, After>,
}

/// A tensor by the formula that both sides know.
#[derive(Deserialize)]
struct Recipe {
    seed: u32,
    shape: Vec<usize>,
    scale: f64,
    offset: f64,
}

impl Recipe {
    fn tensor(&self) -> Tensor {
        let &Recipe { seed, scale, offset, .. } = self;
        let made = Made { seed, n: 1, d: self.shape.iter().product(), shift: 0.0, offset, scale };
        Tensor::new(&self.shape, made.values().into_raw_vec_and_offset().0).unwrap()
    }
}

#[derive(Deserialize)]
struct Stored {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Stored {
    fn tensor(&self) -> Tensor {
        Tensor::new(&self.shape, self.values.clone()).unwrap()
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Noise {
    Made(Recipe),
    Stored(Stored),
}

#[derive(Deserialize)]
struct Before {
    parameters: Vec<Recipe>,
    buffers: Vec<Stored>,
}

#[derive(Deserialize)]
struct StoredBatch {
    images: Recipe,
    classes: Option<Vec<usize>>,
}

impl StoredBatch {
    fn batch(&self) -> Batch {
        Batch { images: self.images.tensor(), classes: self.classes.clone() }
    }
}

#[derive(Deserialize)]
struct Played {
    batch: StoredBatch,
    labelled: Option<StoredBatch>,
    noise: Vec<Noise>,
    values: BTreeMap<String, f64>,
}

impl Played {
    fn given(&self) -> Given {
        let noise = self.noise.iter().map(|noise| match noise {
            Noise::Made(recipe) => recipe.tensor(),
            Noise::Stored(stored) => stored.tensor(),
        });
        Given {
            batches: [self.batch.batch()].into(),
            labelled: self.labelled.iter().map(StoredBatch::batch).collect(),
            noise: noise.collect(),
        }
    }
}

#[derive(Deserialize)]
struct After {
    parameters: Vec<Thinned>,
    buffers: Vec<Thinned>,
}

/// Every so manieth value of a tensor.
#[derive(Deserialize)]
struct Thinned {
    shape: Vec<usize>,
    every: usize,
    values: Vec<f64>,
}

/// Images that nobody looks at, for a trainer that is given its batches.
fn images(spec: &ModelSpec, count: usize) -> TrainingSet {
    let set = TrainingSet::new(spec.channels, spec.size, support::discs(11, count * spec.channels, spec.size)).unwrap();
    if !spec.entry().is_labelled() {
        return set;
    }
    let names = (0..spec.classes).map(|class| format!("class {class}")).collect();
    set.with_classes(names, (0..count).map(|image| (image % spec.classes) as u32).collect()).unwrap()
}

fn load(network: &mut Network, before: &Before) {
    let parameters = network.parameters().len();
    assert_eq!((before.parameters.len(), before.buffers.len()), (parameters, network.state().count() - parameters));
    let values = before.parameters.iter().map(Recipe::tensor).chain(before.buffers.iter().map(Stored::tensor));
    for (ours, value) in network.state_mut().zip(values) {
        assert_eq!(ours.value.shape(), value.shape(), "{}", ours.name);
        ours.value = value;
    }
}

/// How far a tensor is from PyTorch's, relative to the largest value or to 1.
fn distance(ours: &Parameter, theirs: &Thinned, what: &str) -> f64 {
    assert_eq!(ours.value.shape(), theirs.shape, "{what}");
    let scale = theirs.values.iter().fold(1.0_f64, |largest, value| largest.max(value.abs()));
    let kept = ours.value.data().iter().step_by(theirs.every);
    assert_eq!(kept.len(), theirs.values.len(), "{what}");
    kept.zip(&theirs.values).map(|(&ours, theirs)| (f64::from(ours) - theirs).abs() / scale).fold(0.0, f64::max)
}

#[test]
fn steps_of_the_family_equal_pytorchs() {
    /// Ours in f32 against PyTorch's in f64, relative to the largest value of a tensor or to 1, and to a number of a step or to
    /// 1: sums of hundreds of terms, normalised by moments of four samples.
    const TOLERANCE: f64 = 1e-5;
    let cases: Vec<Case> = support::fixture("gan/family.json");
    let mut models = BTreeSet::new();
    for case in &cases {
        let spec = &case.config.networks;
        models.insert(spec.model.as_str());
        let mut trainer = Trainer::new(case.config.clone(), images(spec, 12)).unwrap();
        for (name, before) in &case.before {
            load(trainer.networks_mut().get_mut(name).unwrap(), before);
        }
        let start = trainer.networks().clone();
        let mut worst = 0.0_f64;
        let mut check = |error: f64, what: String| {
            assert!(error <= TOLERANCE, "{}: {what} is off by {error:.1e}", case.name);
            worst = worst.max(error);
        };
        for (index, played) in case.steps.iter().enumerate() {
            let (event, _) = trainer.step_with(&mut played.given()).unwrap();
            for (name, theirs) in &played.values {
                let ours = event.value(name).unwrap_or_else(|| panic!("{}: no {name}", case.name));
                check((ours - theirs).abs() / theirs.abs().max(1.0), format!("{name} of step {index}, {ours}"));
            }
        }
        for (name, after) in &case.after {
            let network = trainer.networks().get(name).unwrap();
            let theirs = after.parameters.iter().chain(&after.buffers);
            let mut moved = 0;
            for ((ours, theirs), before) in network.state().zip(theirs).zip(start.get(name).unwrap().state()) {
                let what = format!("{name}.{}", ours.name);
                check(distance(ours, theirs, &what), what.clone());
                moved += usize::from(ours.value != before.value);
            }
            // Constants before a normalisation have no gradient, and the direction of a single number is always the same.
            assert!(2 * moved > network.state().count(), "{}: {name} did not move", case.name);
        }
        println!("{}: off by {worst:.1e} at most", case.name);
    }
    let expected = [
        "acgan",
        "bigan",
        "catgan",
        "cgan",
        "classifier",
        "dcgan",
        "infogan",
        "mlp",
        "sagan",
        "sagan-class",
        "sngan",
        "ssgan",
    ];
    assert_eq!(models, expected.into());
}

fn few_labels(model: &str) -> TrainConfig {
    let named = ModelSpec::named(model).unwrap();
    let spec = ModelSpec { size: 16, latent: named.latent.min(3), width: 2, classes: 2, labels: 4, ..named };
    TrainConfig { batch_size: 4, average_decay: Some(0.9), seed: 3, ..TrainConfig::new(spec) }
}

#[test]
fn a_resumed_run_with_few_labels_equals_one_that_never_stopped() {
    let folder = tempfile::tempdir().unwrap();
    for model in ["ssgan", "classifier"] {
        let new = || Trainer::new(few_labels(model), images(&few_labels(model).networks, 13)).unwrap();
        let mut whole = new();
        whole.run(5, &mut ()).unwrap();
        let mut first = new();
        first.run(2, &mut ()).unwrap();
        let path = folder.path().join("half.safetensors");
        checkpoint::save(&first, &path).unwrap();
        let mut second = checkpoint::resume(&path, images(&few_labels(model).networks, 13)).unwrap();
        second.run(5, &mut ()).unwrap();
        assert!(whole.state() == second.state(), "{model}");
    }
}

#[test]
fn labels_that_are_not_asked_for_are_not_learnt_from() {
    // Two classifiers of one seed, of which the second is told wrong classes of all images but the chosen ones.
    let config = few_labels("classifier");
    let data = |of_images: Vec<u32>| {
        let names = ["a", "b"].map(String::from).into();
        let images = TrainingSet::new(1, 16, support::discs(11, 40, 16)).unwrap();
        images.with_classes(names, of_images).unwrap()
    };
    let truth: Vec<u32> = (0..40).map(|image| image % 2).collect();
    let trained = |of_images: Vec<u32>| {
        let mut trainer = Trainer::new(config.clone(), data(of_images)).unwrap();
        trainer.run(3, &mut ()).unwrap();
        let network = trainer.networks().get("discriminator").unwrap();
        network.parameters().iter().flat_map(|parameter| parameter.value.data().to_vec()).collect::<Vec<f32>>()
    };
    let weights = trained(truth.clone());
    // Chosen are two of the twenty images of each class, by their places: at most four of these swaps change one of them.
    let mut same = 0;
    for image in 0..10 {
        let mut swapped = truth.clone();
        swapped.swap(4 * image, 4 * image + 1);
        same += usize::from(trained(swapped) == weights);
    }
    assert!(same >= 6, "{same}");
}

#[test]
fn too_few_images_of_a_class_are_named() {
    let mut config = few_labels("ssgan");
    config.networks.labels = 40;
    let data = images(&config.networks, 13);
    let error = Trainer::new(config, data).err().unwrap();
    assert!(matches!(error, GanError::Data(_)));
    let expected = "cannot train on these images: there are 7 of class `class 0`, and 20 of them are to have labels: fewer labels in all are needed";
    assert_eq!(error.to_string(), expected);
}
