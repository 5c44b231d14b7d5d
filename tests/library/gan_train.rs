//! Training runs: repeatable, resumable, and safe to interrupt.

use std::fs;
use std::path::Path;

use gan_metrics::divergence::Generator;
use gan_metrics::gan::models::ModelSpec;
use gan_metrics::gan::objective::{OBJECTIVES, Objective};
use gan_metrics::gan::optim::Rule;
use gan_metrics::gan::train::{
    Control, ImageSampler, Latent, Observer, Round, StepEvent, TrainConfig, Trainer, TrainingSet, checkpoint,
};
use gan_metrics::gan::{GanError, Random, Tensor};
use gan_metrics::{Blame, Result};

use crate::support;

const SIZE: usize = 16;

fn dcgan() -> ModelSpec {
    ModelSpec::Dcgan { size: SIZE, channels: 1, latent: 5, generator_width: 2, discriminator_width: 2 }
}

fn mlp() -> ModelSpec {
    ModelSpec::Mlp { size: SIZE, channels: 1, latent: 5, hidden: 8 }
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
    let trained = checkpoint::generator(&path).unwrap();
    assert_eq!((trained.step, &trained.config), (2, trainer.config()));
    let sampler = || ImageSampler::new(trained.config.networks.clone(), trained.network.clone(), Latent::Normal, 1);
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
    fn step(&mut self, event: &StepEvent, trainer: &Trainer) -> Result<Control> {
        assert_eq!(event.step, trainer.steps());
        assert!(event.images_per_second > 0.0 && event.generator_gradient > 0.0 && event.discriminator_gradient > 0.0);
        for score in [event.real_score, event.fake_score_before, event.fake_score_after] {
            assert!((0.0..=1.0).contains(&score));
        }
        Ok(if event.step == self.0 { Control::Stop } else { Control::Continue })
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
    for objective in
        ["minimax", "non-saturating", "f-gan:kl", "wasserstein", "wasserstein-gp", "least-squares", "hinge"]
    {
        let settings =
            TrainConfig { objective: objective.parse().unwrap(), critic_steps: 2, real_label: 0.9, ..config(dcgan()) };
        let mut trainer = Trainer::new(settings, discs(9)).unwrap();
        let before = trainer.samples(1).unwrap();
        trainer.run(2, &mut ()).unwrap_or_else(|error| panic!("{objective}: {error}"));
        assert_ne!(trainer.samples(1).unwrap(), before, "{objective} left the generator as it was");
    }
    let clipped = TrainConfig { objective: "wasserstein:0.02".parse().unwrap(), ..config(dcgan()) };
    let mut trainer = Trainer::new(clipped, discs(9)).unwrap();
    trainer.run(1, &mut ()).unwrap();
    let weights = trainer.discriminator().parameters().iter().flat_map(|parameter| parameter.value.data());
    assert!(weights.into_iter().all(|weight| weight.abs() <= 0.02));
}

/// Every objective, and every divergence of the calculator as an f-GAN.
fn objectives() -> Vec<Objective> {
    let plain = OBJECTIVES.split(", ").filter(|name| *name != "f-gan:NAME").map(|name| name.parse().unwrap());
    plain.chain(Generator::catalogue().map(Objective::FGan)).collect()
}

#[test]
fn every_objective_teaches_both_players() {
    // On one batch, again and again, with the other player at rest.
    const AT_REST: Rule = Rule::Sgd { learning_rate: 1e-300, momentum: 0.0 };
    const LEARNING: Rule =
        Rule::Adam { learning_rate: 5e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
    let batch = 8;
    let real = support::discs(11, batch, SIZE).iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let round = Round {
        real: Tensor::new(&[batch, 1, SIZE, SIZE], real).unwrap(),
        z: Latent::Normal.draw(&mlp(), batch, &mut Random::new(1)),
    };
    let play = |objective: Objective, generator_rule: Rule, discriminator_rule: Rule| -> Vec<StepEvent> {
        let settings = TrainConfig { objective, generator_rule, discriminator_rule, ..config(mlp()) };
        let mut trainer = Trainer::new(TrainConfig { batch_size: batch, ..settings }, discs(batch)).unwrap();
        let step = |_| trainer.step_on(std::slice::from_ref(&round)).unwrap_or_else(|e| panic!("{objective}: {e}")).0;
        (0..40).map(step).collect()
    };
    for objective in objectives() {
        // Clipping of weights is not learning: it has been done once when the second step looks.
        let events = play(objective, AT_REST, LEARNING);
        let (first, last) = (events[1], events[39]);
        assert!(last.discriminator_loss < first.discriminator_loss, "{objective}: {first:?} {last:?}");
        assert!(last.real_score > last.fake_score_before, "{objective}: {last:?}");
        assert!(
            last.real_score - last.fake_score_before > first.real_score - first.fake_score_before,
            "{objective}: {first:?} {last:?}"
        );
        let events = play(objective, LEARNING, AT_REST);
        let (first, last) = (events[1], events[39]);
        assert!(last.generator_loss < first.generator_loss, "{objective}: {first:?} {last:?}");
        assert!(last.fake_score_after > first.fake_score_after, "{objective}: {first:?} {last:?}");
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
    assert!(last.discriminator_loss < first.discriminator_loss, "{first:?} {last:?}");
    assert!(last.real_score > last.fake_score_before, "{last:?}");
}

#[test]
fn a_loss_that_explodes_stops_the_run_with_its_step() {
    let huge = Rule::Sgd { learning_rate: 1e30, momentum: 0.0 };
    let settings = TrainConfig { discriminator_rule: huge, generator_rule: huge, ..config(mlp()) };
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
    let refused = |settings: TrainConfig, data: TrainingSet| Trainer::new(settings, data).unwrap_err().to_string();
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
    let small = ModelSpec::Mlp { size: 8, channels: 1, latent: 5, hidden: 8 };
    assert_eq!(
        refused(config(small), discs(8)),
        "cannot train on these images: they are 1×16×16, the model makes 1×8×8"
    );
    assert!(TrainConfig { critic_steps: 0, ..config(mlp()) }.validate().is_err());
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
        let error = checkpoint::resume(&path, discs(8)).unwrap_err();
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

    fs::write(&path, &bytes).unwrap();
    let message = checkpoint::resume(&path, discs(9)).unwrap_err().to_string();
    assert!(message.contains("it was trained on 8 other images"), "{message}");
    let missing = checkpoint::generator(&folder.path().join("no")).unwrap_err();
    assert_eq!(gan_metrics::Error::from(missing).blame(), Blame::Input);
}
