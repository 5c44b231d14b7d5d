use super::*;
use crate::gan::networks::{Footprint, name};
use crate::gan::random::Random;
use crate::gan::systems::Networks;
use crate::gan::tape::Var;
use crate::gan::{GanError, train::Latent};

fn dcgan(size: usize, channels: usize, width: usize) -> ModelSpec {
    ModelSpec { size, channels, width, ..ModelSpec::named("dcgan").unwrap() }
}

fn mlp() -> ModelSpec {
    ModelSpec { size: 28, latent: 10, width: 8, ..ModelSpec::named("mlp").unwrap() }
}

fn config(spec: &ModelSpec, objective: &str) -> TrainConfig {
    TrainConfig { objective: objective.parse().unwrap(), ..TrainConfig::new(spec.clone()) }
}

fn networks(spec: &ModelSpec, objective: &str) -> Networks {
    let system = config(spec, objective).system().unwrap();
    Networks::new(system.networks(), &mut Random::new(1)).unwrap()
}

#[test]
fn every_size_makes_images_of_that_size_and_one_logit() {
    let mut specs: Vec<_> = [16, 28, 32, 64, 128].map(|size| dcgan(size, 3, 2)).into();
    specs.push(mlp());
    for spec in specs {
        let system = config(&spec, "hinge").system().unwrap();
        let networks = networks(&spec, "hinge");
        let (latent, random) = (Latent::Normal, &mut Random::new(2));
        let mut draw = crate::gan::systems::Draw { count: 2, latent, classes: None, random };
        let images = Var::constant(system.sample(&networks, &mut draw).unwrap());
        assert_eq!(images.shape(), [2, spec.channels, spec.size, spec.size]);
        let verdict = networks.get("discriminator").unwrap().evaluate(&[&images]).unwrap();
        assert_eq!(verdict.get(name::LOGIT).unwrap().value().len(), 2);
    }
}

#[test]
fn parameter_counts_are_those_of_the_reference() {
    let counts = |spec: &ModelSpec| {
        let networks = networks(spec, "hinge");
        ["generator", "discriminator"].map(|name| networks.get(name).unwrap().parameter_count())
    };
    // The PyTorch example of DCGAN.
    assert_eq!(counts(&dcgan(64, 3, 64)), [3_576_704, 2_765_568]);
    let mlp = ModelSpec { latent: 128, width: 256, ..mlp() };
    assert_eq!(counts(&mlp), [128 * 256 + 256 + 256 * 784 + 784, 784 * 256 + 256 + 256 + 1]);
}

#[test]
fn sizes_out_of_range_are_named() {
    let message = |spec: ModelSpec| spec.validate().unwrap_err().to_string();
    assert_eq!(
        message(dcgan(48, 3, 64)),
        "the image size = 48 is out of range: it must be 16, 28, 32, 64 or 128 for this model"
    );
    assert_eq!(message(dcgan(64, 2, 64)), "the number of channels = 2 is out of range: it must be 1 (gray) or 3 (RGB)");
    assert!(dcgan(64, 3, 0).validate().is_err());
    let unknown = ModelSpec::named("nonsense").unwrap_err();
    assert!(matches!(unknown, GanError::UnknownName { what: "model", .. }), "{unknown}");
}

#[test]
fn a_critic_under_a_gradient_penalty_looks_at_every_image_by_itself() {
    let mixes =
        |objective: &str| networks(&dcgan(32, 1, 4), objective).get("discriminator").unwrap().graph().mixes_samples();
    assert!(mixes("hinge") && mixes("wasserstein"));
    assert!(!mixes("wasserstein-gp"));
    let mut with_penalty = config(&dcgan(32, 1, 4), "non-saturating");
    with_penalty.regularizers = vec!["r1".parse().unwrap()];
    let system = with_penalty.system().unwrap();
    assert!(system.networks().iter().all(|(name, graph)| graph.mixes_samples() == (*name == "generator")));
}

#[test]
fn a_critic_may_see_its_whole_batch() {
    let spec = ModelSpec { minibatch_discrimination: true, ..dcgan(32, 1, 4) };
    let networks = networks(&spec, "hinge");
    let discriminator = networks.get("discriminator").unwrap();
    assert!(discriminator.graph().has_output(name::LOGIT));
    let plain = self::networks(&dcgan(32, 1, 4), "hinge").get("discriminator").unwrap().parameter_count();
    // Features of 16 maps of 4×4, in a tensor of 32×5 vectors; the verdict has a bias here.
    let features = 256;
    assert_eq!(discriminator.parameter_count(), plain + features * 160 + 32 + 32 + 1);
}

#[test]
fn footprints_are_those_of_the_networks() {
    for spec in [dcgan(28, 3, 2), dcgan(64, 1, 2), ModelSpec { channels: 3, ..mlp() }] {
        for (_, network) in networks(&spec, "hinge").iter() {
            let footprint = Footprint::of(network.graph());
            assert_eq!(footprint.parameters, network.parameter_count() as u128);
        }
    }
}

/// A small run of a model on images of two classes.
fn trained(model: &str, steps: u64) -> crate::gan::train::Trainer {
    use crate::gan::train::{Trainer, TrainingSet};
    let named = ModelSpec::named(model).unwrap();
    let classes = if named.entry().is_labelled() { 2 } else { named.classes };
    let networks = ModelSpec { size: 16, latent: 3, width: 2, classes, ..named };
    // Halves that are light, above or below.
    let image = |class: usize| (0..256).map(move |i| if (i / 128) % 2 == class { 220 } else { 30 });
    let samples = (0..12).flat_map(|i| image(i % 2)).collect();
    let names = ["above", "below"].map(String::from).into();
    let data = TrainingSet::new(1, 16, samples).unwrap().with_classes(names, (0..12).map(|i| i % 2).collect()).unwrap();
    let config = TrainConfig { batch_size: 4, seed: 1, ..TrainConfig::new(networks) };
    let mut trainer = Trainer::new(config, data).unwrap();
    trainer.run(steps, &mut ()).unwrap();
    trainer
}

#[test]
fn every_model_trains_and_makes_images() {
    for entry in ModelEntry::all() {
        let trainer = trained(entry.name(), 3);
        assert_eq!(trainer.samples(3).unwrap().len(), 3 * 256, "{}", entry.name());
        for measure in trainer.system().measures() {
            assert!(!measure.name.is_empty());
        }
    }
}

#[test]
fn a_class_is_made_when_it_is_asked_for() {
    use crate::gan::train::ImageSampler;
    for model in ["cgan", "acgan"] {
        let trainer = trained(model, 1);
        let of = |class| ImageSampler::new(trainer.trained().unwrap(), 5).of_class(class).unwrap().next(2).unwrap();
        assert_ne!(of(0), of(1), "{model}");
        assert!(ImageSampler::new(trainer.trained().unwrap(), 5).of_class(2).is_err());
    }
}

#[test]
fn models_with_labels_refuse_data_without() {
    use crate::gan::train::{Trainer, TrainingSet};
    let networks = ModelSpec { size: 16, latent: 3, width: 2, classes: 2, ..ModelSpec::named("cgan").unwrap() };
    let data = || TrainingSet::new(1, 16, vec![0; 64 * 256]).unwrap();
    let message = Trainer::new(TrainConfig::new(networks.clone()), data()).err().unwrap().to_string();
    assert_eq!(message, "cannot train on these images: cgan learns from classes, and theirs are not known");
    let names = ["a", "b", "c"].map(String::from).into();
    let three = data().with_classes(names, vec![0; 64]).unwrap();
    let message = Trainer::new(TrainConfig::new(networks.clone()), three).err().unwrap().to_string();
    assert_eq!(message, "cannot train on these images: they have 3 classes, the model has 2");
    let message = ModelSpec { classes: 0, ..networks }.validate().unwrap_err().to_string();
    assert_eq!(message, "the number of classes = 0 is out of range: it must be at least 2 for this model");
}

#[test]
fn critics_are_normalised_as_asked() {
    use crate::gan::models::Normalization;
    let norms = |normalization: Normalization| {
        let spec = ModelSpec { critic_normalization: Some(normalization), ..dcgan(32, 1, 4) };
        let networks = networks(&spec, "hinge");
        let graph = networks.get("discriminator").unwrap().graph();
        (graph.mixes_samples(), graph.nodes().iter().filter(|node| node.spectral_norm).count())
    };
    assert_eq!(norms(Normalization::Batch), (true, 0));
    assert_eq!(norms(Normalization::Layer), (false, 0));
    assert_eq!(norms(Normalization::None), (false, 0));
    assert_eq!(norms(Normalization::Spectral), (false, 4));
    let mut config = config(&dcgan(32, 1, 4), "wasserstein-gp");
    config.networks.critic_normalization = Some(Normalization::Batch);
    let message = config.system().err().unwrap().to_string();
    assert!(message.contains("the discriminator's normalisation = batch is out of range"), "{message}");
}

#[test]
fn codes_and_classes_are_traversed_row_by_row() {
    use crate::gan::train::Explorer;
    let explorer = |model| Explorer::new(trained(model, 1).trained().unwrap(), 3).unwrap();
    let image = 256;
    // Rows of two classes, of as many images.
    let classes = explorer("cgan").traversals(4).unwrap();
    assert_eq!(classes.len(), 2 * 4 * image);
    assert_ne!(classes[..image], classes[4 * image..][..image], "the same noise, another class");
    // Rows of ten categories, then ten for each of two numbers.
    let codes = explorer("infogan").traversals(3).unwrap();
    assert_eq!(codes.len(), 30 * 3 * image);
    assert!(explorer("dcgan").traversals(3).is_err());
    let between = explorer("cgan").interpolations(2, 5).unwrap();
    assert_eq!(between.len(), 10 * image);
}
