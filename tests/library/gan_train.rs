//! Training runs: repeatable, resumable, and safe to interrupt.

use std::fs;
use std::ops::ControlFlow;

use std::path::Path;

use gan_metrics::divergence::Generator;
use gan_metrics::gan::models::ModelSpec;
use gan_metrics::gan::objectives::{ObjectiveEntry, ObjectiveSpec};
use gan_metrics::gan::optim::Rule;
use gan_metrics::gan::regularizers::RegularizerEntry;
use gan_metrics::gan::train::{
    Given, ImageSampler, Latent, Observer, StepEvent, TrainConfig, Trainer, TrainingSet, checkpoint,
};
use gan_metrics::gan::{GanError, Random, Tensor};
use gan_metrics::{Blame, Result};

use crate::support;

const SIZE: usize = 16;

fn dcgan() -> ModelSpec {
    ModelSpec { size: SIZE, latent: 5, width: 2, ..ModelSpec::named("dcgan").unwrap() }
}

fn mlp() -> ModelSpec {
    ModelSpec { size: SIZE, latent: 5, width: 8, ..ModelSpec::named("mlp").unwrap() }
}

fn discs(images: usize) -> TrainingSet {
    TrainingSet::new(1, SIZE, support::discs(11, images, SIZE)).unwrap()
}

fn config(networks: ModelSpec) -> TrainConfig {
    TrainConfig { batch_size: 4, average_decay: Some(0.9), seed: 3, ..TrainConfig::new(networks) }
}

fn saved(trainer: &Trainer, folder: &Path, name: &str) -> Vec<u8> {
    let path = folder.join(name);
    checkpoint::save(trainer, &path).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn the_same_seed_is_the_same_run_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let run = |seed: u64, name: &str| {
        let mut trainer = Trainer::new(TrainConfig { seed, ..config(dcgan()) }, discs(10)).unwrap();
        trainer.run(3, &mut ()).unwrap();
        saved(&trainer, folder.path(), name)
    };
    assert!(run(3, "a") == run(3, "b"), "two runs of one seed differ");
    assert!(run(3, "a") != run(4, "c"), "two seeds give the same run");
}

#[test]
fn a_resumed_run_equals_one_that_never_stopped() {
    let folder = tempfile::tempdir().unwrap();
    for networks in [dcgan(), mlp()] {
        // Three batches an epoch: the interruption falls inside one, and epochs end before and after it.
        let mut whole = Trainer::new(config(networks.clone()), discs(13)).unwrap();
        whole.run(10, &mut ()).unwrap();
        let mut first = Trainer::new(config(networks), discs(13)).unwrap();
        first.run(5, &mut ()).unwrap();
        let path = folder.path().join("half.safetensors");
        checkpoint::save(&first, &path).unwrap();
        drop(first);
        let mut second = checkpoint::resume(&path, discs(13)).unwrap();
        assert_eq!(second.steps(), 5);
        second.run(10, &mut ()).unwrap();
        assert!(saved(&whole, folder.path(), "whole") == saved(&second, folder.path(), "second"));
        assert_eq!(whole.samples(3).unwrap(), second.samples(3).unwrap());
    }
}

#[test]
fn a_generator_loads_and_its_images_do_not_depend_on_the_batches() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let mut trainer = Trainer::new(config(mlp()), discs(8)).unwrap();
    trainer.run(2, &mut ()).unwrap();
    checkpoint::save(&trainer, &path).unwrap();
    let trained = checkpoint::trained(&path).unwrap();
    assert_eq!((trained.step, &trained.config), (2, trainer.config()));
    let sampler = || ImageSampler::new(checkpoint::trained(&path).unwrap(), 1);
    let at_once = sampler().next(6).unwrap();
    let mut one = sampler();
    let in_parts = [one.next(1).unwrap(), one.next(3).unwrap(), one.next(2).unwrap()].concat();
    assert_eq!(at_once.len(), 6 * SIZE * SIZE);
    // Products of other widths may round differently, by one level of a byte at most.
    assert!(at_once.iter().zip(&in_parts).all(|(a, b)| a.abs_diff(*b) <= 1));
}

/// Stops after some steps.
struct StopAfter(u64);

impl Observer for StopAfter {
    fn step(&mut self, event: &StepEvent, trainer: &Trainer) -> Result<ControlFlow<()>> {
        assert_eq!(event.step, trainer.steps());
        let number = |name| event.value(name).unwrap();
        assert!(event.images_per_second > 0.0);
        assert!(number("generator_gradient") > 0.0 && number("discriminator_gradient") > 0.0);
        for score in ["real_score", "fake_score_before", "fake_score_after"] {
            assert!((0.0..=1.0).contains(&number(score)));
        }
        Ok(if event.step == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

#[test]
fn an_observer_sees_every_step_and_may_stop() {
    let mut trainer = Trainer::new(config(mlp()), discs(8)).unwrap();
    trainer.run(100, &mut StopAfter(4)).unwrap();
    assert_eq!(trainer.steps(), 4);
}

#[test]
fn every_objective_trains() {
    for objective in objectives() {
        let (name, critic_steps) = (objective.to_string(), Some(2));
        let settings = TrainConfig { objective, critic_steps, real_label: 0.9, ..config(dcgan()) };
        let mut trainer = Trainer::new(settings, discs(9)).unwrap();
        let before = weights(&trainer, "generator");
        trainer.run(2, &mut ()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_ne!(weights(&trainer, "generator"), before, "{name} left the generator as it was");
    }
    let clipped = TrainConfig { objective: "wasserstein:0.02".parse().unwrap(), ..config(dcgan()) };
    let mut trainer = Trainer::new(clipped, discs(9)).unwrap();
    trainer.run(1, &mut ()).unwrap();
    assert!(weights(&trainer, "discriminator").into_iter().all(|weight| weight.abs() <= 0.02));
}

#[test]
fn every_regularizer_trains_and_resumes() {
    let folder = tempfile::tempdir().unwrap();
    for entry in RegularizerEntry::all() {
        let settings = TrainConfig { regularizers: vec![entry.name().parse().unwrap()], ..config(dcgan()) };
        let mut whole = Trainer::new(settings.clone(), discs(9)).unwrap();
        whole.run(4, &mut ()).unwrap();
        let plain = Trainer::new(TrainConfig { regularizers: Vec::new(), ..settings.clone() }, discs(9));
        let mut plain = plain.unwrap();
        plain.run(4, &mut ()).unwrap();
        assert_ne!(
            weights(&whole, "discriminator"),
            weights(&plain, "discriminator"),
            "{} changes nothing",
            entry.name()
        );
        let mut first = Trainer::new(settings, discs(9)).unwrap();
        first.run(2, &mut ()).unwrap();
        let path = folder.path().join("half.safetensors");
        checkpoint::save(&first, &path).unwrap();
        let mut second = checkpoint::resume(&path, discs(9)).unwrap();
        second.run(4, &mut ()).unwrap();
        assert!(saved(&whole, folder.path(), "a") == saved(&second, folder.path(), "b"), "{}", entry.name());
    }
}

fn weights(trainer: &Trainer, network: &str) -> Vec<f32> {
    let network = trainer.networks().get(network).unwrap();
    network.parameters().iter().flat_map(|parameter| parameter.value.data()).copied().collect()
}

/// Every objective, and every divergence of the calculator as an f-GAN.
fn objectives() -> Vec<ObjectiveSpec> {
    let plain = ObjectiveEntry::all().iter().filter(|entry| !entry.name().starts_with("f-gan"));
    let mut specs: Vec<ObjectiveSpec> = plain.map(|entry| entry.name().parse().unwrap()).collect();
    for generator in Generator::catalogue() {
        specs.extend(["f-gan", "f-gan-minimax"].map(|game| format!("{game}:{generator}").parse().unwrap()));
    }
    specs
}

#[test]
fn every_objective_teaches_both_players() {
    // On one batch, again and again, with the other player at rest.
    const AT_REST: Rule = Rule::Sgd { learning_rate: 1e-300, momentum: 0.0 };
    const LEARNING: Rule = Rule::adam(5e-4, 0.5, 0.999);
    let batch = 8;
    let real = support::discs(11, batch, SIZE).iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let real = Tensor::new(&[batch, 1, SIZE, SIZE], real).unwrap();
    let z = Latent::Normal.draw(&[5], batch, &mut Random::new(1));
    let play = |objective: &ObjectiveSpec, generator: Rule, discriminator: Rule| -> Vec<StepEvent> {
        let rules = [("generator".to_owned(), generator), ("discriminator".to_owned(), discriminator)].into();
        let settings = TrainConfig {
            objective: objective.clone(),
            critic_steps: Some(1),
            rules,
            batch_size: batch,
            ..config(mlp())
        };
        let mut trainer = Trainer::new(settings, discs(batch)).unwrap();
        let step = |_| {
            let mut round = Given::default().round(real.clone(), z.clone());
            trainer.step_with(&mut round).unwrap_or_else(|e| panic!("{objective}: {e}")).0
        };
        (0..40).map(step).collect()
    };
    for objective in objectives() {
        let number = |event: &StepEvent, name| event.value(name);
        let events = play(&objective, AT_REST, LEARNING);
        let (first, last) = (&events[1], &events[39]);
        let fell = |name| number(last, name) < number(first, name);
        assert!(fell("discriminator_loss"), "{objective}: {first:?} {last:?}");
        let gap = |event| Some(number(event, "real_score")? - number(event, "fake_score_before")?);
        if let (Some(first), Some(last)) = (gap(first), gap(last)) {
            assert!(last > 0.0 && last > first, "{objective}: {first} {last}");
        }
        let events = play(&objective, LEARNING, AT_REST);
        let (first, last) = (&events[1], &events[39]);
        assert!(number(last, "generator_loss") < number(first, "generator_loss"), "{objective}: {first:?} {last:?}");
        // Whoever matches features does not play for the critic's output.
        if objective.entry().name() != "feature-matching" {
            let score = |event| number(event, "fake_score_after");
            assert!(score(last) >= score(first), "{objective}: {first:?} {last:?}");
        }
    }
}

#[test]
fn a_discriminator_learns_to_tell_discs_from_noise() {
    let mut trainer = Trainer::new(config(mlp()), discs(16)).unwrap();
    let first = trainer.step().unwrap().0;
    for _ in 0..30 {
        trainer.step().unwrap();
    }
    let last = trainer.step().unwrap().0;
    assert!(last.value("discriminator_loss") < first.value("discriminator_loss"), "{first:?} {last:?}");
    assert!(last.value("real_score") > last.value("fake_score_before"), "{last:?}");
}

#[test]
fn a_loss_that_explodes_stops_the_run_with_its_step() {
    let huge = Rule::Sgd { learning_rate: 1e30, momentum: 0.0 };
    let rules = ["generator", "discriminator"].map(|name| (name.to_owned(), huge)).into();
    let settings = TrainConfig { rules, ..config(mlp()) };
    let mut trainer = Trainer::new(settings, discs(8)).unwrap();
    let error = loop {
        assert!(trainer.steps() < 50, "a learning rate of 1e30 went well");
        if let Err(error) = trainer.step() {
            break error;
        }
    };
    assert!(matches!(error, GanError::NotFinite { .. }), "{error}");
    assert!(error.to_string().contains(&format!("step {}", trainer.steps() + 1)), "{error}");
}

#[test]
fn unfit_settings_and_data_are_refused() {
    let refused = |settings: TrainConfig, data: TrainingSet| Trainer::new(settings, data).err().unwrap().to_string();
    assert_eq!(
        refused(TrainConfig { batch_size: 1, ..config(mlp()) }, discs(8)),
        "the batch size = 1 is out of range: it must be from 2 (for batch normalisation) to 1048576"
    );
    assert_eq!(
        refused(TrainConfig { real_label: 1.1, ..config(mlp()) }, discs(8)),
        "the label of real images = 1.1 is out of range: it must be in (0.5, 1]"
    );
    assert_eq!(
        refused(config(mlp()), discs(3)),
        "cannot train on these images: there are 3 of them, fewer than a batch of 4"
    );
    let small = ModelSpec { size: 8, ..mlp() };
    assert_eq!(
        refused(config(small), discs(8)),
        "cannot train on these images: they are 1×16×16, the model makes 1×8×8"
    );
    assert!(TrainConfig { critic_steps: Some(0), ..config(mlp()) }.validate().is_err());
    assert!(TrainConfig { clip_norm: Some(f64::NAN), ..config(mlp()) }.validate().is_err());
    assert!(TrainConfig { average_decay: Some(1.0), ..config(mlp()) }.validate().is_err());
}

#[test]
fn damaged_and_foreign_checkpoints_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let trainer = Trainer::new(config(mlp()), discs(8)).unwrap();
    let bytes = saved(&trainer, folder.path(), "x.safetensors");
    let refused = |content: &[u8]| {
        fs::write(&path, content).unwrap();
        let error = checkpoint::resume(&path, discs(8)).err().unwrap();
        assert_eq!(gan_metrics::Error::from(error).blame(), Blame::Model);
    };
    for length in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        refused(&bytes[..length]);
    }
    // The same bytes under another name, so that a tensor is missing.
    let text = b"generator.0.weight";
    let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
    let mut renamed = bytes.clone();
    renamed[at] = b'G';
    refused(&renamed);
    // A place of the order beyond the images, and a model that there is not: in the header, as long as what stands there.
    let replaced = |from: &str, to: &str| {
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        [&bytes[..at], to.as_bytes(), &bytes[at + to.len()..]].concat()
    };
    refused(&replaced("order.position\\\":0", "order.position\\\":9"));
    let no_model = replaced("\"model\\\":\\\"mlp", "\"model\\\":\\\"nix");
    refused(&no_model);
    let message = checkpoint::config(&path).unwrap_err().to_string();
    assert!(message.contains("x.safetensors") && message.contains("no model called `nix`"), "{message}");
    // A weight that is not a number: nothing can be made of it.
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let place = 8 + length + header["average.generator.0.weight"]["data_offsets"][0].as_u64().unwrap() as usize;
    let odd = [&bytes[..place], &f32::NAN.to_le_bytes(), &bytes[place + 4..]].concat();
    fs::write(&path, odd).unwrap();
    let message = checkpoint::trained(&path).err().unwrap().to_string();
    assert!(message.contains("`average.generator.0.weight` has values that are not finite"), "{message}");

    fs::write(&path, &bytes).unwrap();
    let message = checkpoint::resume(&path, discs(9)).err().unwrap().to_string();
    assert!(message.contains("it was trained on 8 other images"), "{message}");
    let missing = checkpoint::trained(&folder.path().join("no")).err().unwrap();
    assert_eq!(gan_metrics::Error::from(missing).blame(), Blame::Input);
}
