use super::CriticNormalization::{Batch, Layer as LayerNormalization, None as Plain, Spectral};
use super::*;
use crate::gan::networks::{Footprint, name};
use crate::gan::random::Random;
use crate::gan::systems::{Networks, player::DISCRIMINATOR};
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
        let (latent, random, codes) = (Latent::Normal, &mut Random::new(2), &mut Random::new(3));
        let mut draw = crate::gan::systems::Draw { count: 2, latent, classes: None, random, codes };
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
    let mixes = |objective: &str| {
        networks(&dcgan(32, 1, 4), objective).get("discriminator").unwrap().graph().normalises_by_batch()
    };
    assert!(mixes("hinge") && mixes("wasserstein"));
    assert!(!mixes("wasserstein-gp"));
    let mut with_penalty = config(&dcgan(32, 1, 4), "non-saturating");
    with_penalty.regularizers = vec!["r1".parse().unwrap()];
    let system = with_penalty.system().unwrap();
    assert!(system.networks().iter().all(|(name, graph)| graph.normalises_by_batch() == (*name == "generator")));
}

#[test]
fn a_critic_may_see_its_whole_batch() {
    let parameters = |minibatch_statistic| {
        let spec = ModelSpec { minibatch_statistic, ..dcgan(32, 1, 4) };
        networks(&spec, "hinge").get("discriminator").unwrap().parameter_count()
    };
    let plain = parameters(None);
    // Features of 16 maps of 4×4, in a tensor of 32×5 vectors; the verdict has a bias here.
    let features = 256;
    assert_eq!(parameters(Some(MinibatchStatistic::Discrimination)), plain + features * 160 + 32 + 32 + 1);
    assert_eq!(parameters(Some(MinibatchStatistic::Deviation)), plain + 1 + 1);
}

#[test]
fn an_autoencoder_refuses_a_minibatch_statistic() {
    for statistic in [MinibatchStatistic::Discrimination, MinibatchStatistic::Deviation] {
        let spec = ModelSpec { minibatch_statistic: Some(statistic), ..mlp() };
        let message = config(&spec, "ebgan").system().err().unwrap().to_string();
        let expected = format!("the minibatch statistic = {statistic} is out of range: it must be left alone for a ");
        assert!(message.starts_with(&expected), "{message}");
    }
}

/// What does not go together is refused before the first step.
#[test]
fn games_that_cannot_be_played_are_refused() {
    let message = |model: &str, objective: &str, regularizers: &[&str]| {
        let spec = ModelSpec { size: 16, ..ModelSpec::named(model).unwrap() };
        let classes = if spec.entry().is_labelled() { 2 } else { spec.classes };
        let regularizers = regularizers.iter().map(|text| text.parse().unwrap()).collect();
        let config = TrainConfig { regularizers, ..config(&ModelSpec { classes, ..spec }, objective) };
        config.system().err().map(|error| error.to_string()).unwrap_or_default()
    };
    for model in ["acgan", "infogan", "sngan", "sagan", "sagan-class"] {
        for objective in ["ebgan", "began"] {
            let found = message(model, objective, &[]);
            assert!(found.contains("whose discriminator is no autoencoder"), "{model} {objective}: {found}");
        }
    }
    for penalty in ["r1", "r2", "dragan", "gradient-penalty"] {
        for (model, objective) in [("mlp", "ebgan"), ("dcgan", "began"), ("catgan", "non-saturating")] {
            let found = message(model, objective, &[penalty]);
            assert!(found.contains("gives no verdict"), "{model} {objective} {penalty}: {found}");
        }
    }
    assert!(message("mlp", "wasserstein", &["clip:0.1"]).contains("given once"));
    assert!(message("mlp", "hinge", &["r1:1", "r1:2"]).contains("given once"));
    assert_eq!(message("mlp", "hinge", &["r1:1", "r2:2"]), "");
    assert_eq!(message("dcgan", "ebgan", &["historical-averaging"]), "");
}

/// What a normalisation makes of every network that a critic of a game can be.
#[test]
fn every_critic_is_normalised_as_it_is_asked_to_be() {
    let choices = [Batch, LayerNormalization, Spectral, Plain].map(Some);
    let games =
        ModelEntry::all().iter().filter(|entry| entry.has_critic()).map(|entry| (entry.spec(), entry.objective()));
    let energies = ["mlp", "dcgan"].map(|name| (ModelSpec::named(name).unwrap(), "ebgan".parse().unwrap()));
    for (spec, objective) in games.chain(energies) {
        let classes = if spec.entry().is_labelled() { 2 } else { spec.classes };
        let critic = |critic_normalization| {
            let networks = ModelSpec { size: spec.size.min(16), classes, critic_normalization, ..spec.clone() };
            let system = TrainConfig { objective: objective.clone(), ..TrainConfig::new(networks) }.system().unwrap();
            system.networks().into_iter().find(|(name, _)| *name == DISCRIMINATOR).unwrap().1
        };
        let graphs = choices.map(critic);
        for (one, other) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
            assert_ne!(graphs[one], graphs[other], "{} {objective}: {one}, {other}", spec.model);
        }
    }
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
    let labels = named.labels.min(4);
    // The smallest that every model takes; those that start from no z have a length of 1.
    let width = if named.entry().plays() || classes > 0 { 2 } else { 16 };
    let size = if named.entry().takes_points() { named.size } else { 16 };
    let networks = ModelSpec { size, latent: named.latent.min(3), width, classes, labels, ..named };
    // Halves that are light, above or below.
    let image = |class: usize| (0..256).map(move |i| if (i / 128) % 2 == class { 220 } else { 30 });
    let samples = (0..12).flat_map(|i| image(i % 2)).collect();
    let names = ["above", "below"].map(String::from).into();
    let data = match networks.entry().takes_points() {
        true => TrainingSet::points(2, (0..24).map(|i| i as f32).collect()),
        false => TrainingSet::new(1, 16, samples),
    };
    let data = data.unwrap().with_classes(names, (0..12).map(|i| i % 2).collect()).unwrap();
    let config = TrainConfig { batch_size: 4, seed: 1, ..TrainConfig::new(networks) };
    let mut trainer = Trainer::new(config, data).unwrap();
    trainer.run(steps, &mut ()).unwrap();
    trainer
}

#[test]
fn every_model_trains_and_makes_images() {
    for entry in ModelEntry::all() {
        let trainer = trained(entry.name(), 3);
        match entry.name() {
            "classifier" => assert!(matches!(trainer.samples(3), Err(GanError::Unable { .. }))),
            "points" => assert_eq!(trainer.sample_values(3).unwrap().shape(), [3, 2]),
            name => assert_eq!(trainer.samples(3).unwrap().len(), 3 * 256, "{name}"),
        }
        for measure in trainer.system().measures() {
            assert!(!measure.name.is_empty());
        }
    }
}

#[test]
fn a_class_is_made_when_it_is_asked_for() {
    use crate::gan::train::ImageSampler;
    for model in ["cgan", "acgan", "sagan-class"] {
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
    use crate::gan::models::CriticNormalization;
    let norms = |normalization: CriticNormalization| {
        let spec = ModelSpec { critic_normalization: Some(normalization), ..dcgan(32, 1, 4) };
        let networks = networks(&spec, "hinge");
        let graph = networks.get("discriminator").unwrap().graph();
        (graph.normalises_by_batch(), graph.nodes().iter().filter(|node| node.spectral_norm).count())
    };
    assert_eq!(norms(CriticNormalization::Batch), (true, 0));
    assert_eq!(norms(CriticNormalization::Layer), (false, 0));
    assert_eq!(norms(CriticNormalization::None), (false, 0));
    assert_eq!(norms(CriticNormalization::Spectral), (false, 4));
    let mut config = config(&dcgan(32, 1, 4), "wasserstein-gp");
    config.networks.critic_normalization = Some(CriticNormalization::Batch);
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

#[test]
fn sizes_of_the_family_are_those_of_the_papers() {
    let counts = |spec: ModelSpec| -> Vec<usize> {
        let (system, networks) = (config(&spec, "hinge").system().unwrap(), networks(&spec, "hinge"));
        system.networks().iter().map(|(name, _)| networks.get(name).unwrap().parameter_count()).collect()
    };
    let model = |name: &str, size, channels, width| ModelSpec {
        size,
        channels,
        width,
        latent: 64,
        ..ModelSpec::named(name).unwrap()
    };
    // Counted from the layers of the papers' networks by hand; attention of 32 channels has 1,281.
    assert_eq!(counts(model("sngan", 28, 1, 16))[1], 46_961);
    assert_eq!(counts(model("sngan", 32, 3, 16))[1], 185_617);
    assert_eq!(counts(model("sagan", 28, 1, 32)), [141_633 + 1_281, 66_209 + 1_281]);
    assert_eq!(counts(model("sagan", 32, 3, 32)), [93_251 + 1_281, 66_849 + 1_281]);
    let with_classes = ModelSpec { classes: 10, ..model("sagan-class", 32, 3, 32) };
    assert_eq!(counts(with_classes), [96_707 + 1_281, 67_169 + 1_281]);
    let bigan = ModelSpec { size: 28, ..ModelSpec::named("bigan").unwrap() };
    let system = TrainConfig::new(bigan).system().unwrap();
    let networks = Networks::new(system.networks(), &mut Random::new(1)).unwrap();
    let counts: Vec<usize> = networks.iter().map(|(_, network)| network.parameter_count()).collect();
    assert_eq!(counts, [496_784, 495_250, 495_601]);
}

#[test]
fn a_model_has_a_game_and_rates_of_its_own() {
    let sngan = TrainConfig::new(ModelSpec { size: 32, ..ModelSpec::named("sngan").unwrap() });
    assert_eq!(sngan.objective.to_string(), "hinge");
    let discriminator = |config: &TrainConfig| {
        let graphs = config.system().unwrap().networks();
        graphs.into_iter().find(|(name, _)| *name == "discriminator").unwrap().1
    };
    let normalised =
        |graph: &crate::gan::networks::Graph| graph.nodes().iter().filter(|node| node.spectral_norm).count();
    assert_eq!((normalised(&discriminator(&sngan)), discriminator(&sngan).normalises_by_batch()), (8, false));
    let with_penalty = TrainConfig { regularizers: vec!["r1".parse().unwrap()], ..sngan.clone() };
    assert_eq!(normalised(&discriminator(&with_penalty)), 8);
    let autoencoder = TrainConfig { objective: "began".parse().unwrap(), ..sngan };
    assert!(autoencoder.system().err().unwrap().to_string().contains("whose discriminator is no autoencoder"));
    let sagan = TrainConfig::new(ModelSpec { size: 32, ..ModelSpec::named("sagan").unwrap() });
    let rates: Vec<f64> = sagan.system().unwrap().players().iter().map(|player| player.rule.learning_rate()).collect();
    assert_eq!(rates, [1e-4, 4e-4]);
}

#[test]
fn games_that_cannot_be_chosen_refuse_their_settings() {
    let bigan = TrainConfig::new(ModelSpec { size: 4, width: 4, ..ModelSpec::named("bigan").unwrap() });
    bigan.validate().unwrap();
    let vae = TrainConfig::new(ModelSpec { size: 4, width: 4, ..ModelSpec::named("vae").unwrap() });
    vae.validate().unwrap();
    let mut with_norm = vae.clone();
    with_norm.networks.critic_normalization = Some(CriticNormalization::Layer);
    for (config, name) in [
        (TrainConfig { objective: "hinge".parse().unwrap(), ..bigan.clone() }, "the objective = hinge"),
        (TrainConfig { regularizers: vec!["r1".parse().unwrap()], ..vae.clone() }, "the regularizer = r1:10"),
        (TrainConfig { critic_steps: Some(3), ..vae.clone() }, "the number of discriminator steps = 3"),
        (with_norm, "the discriminator's normalisation = another"),
        (TrainConfig { critic_steps: Some(2), ..bigan.clone() }, "the number of discriminator steps = 2"),
        (TrainConfig { real_label: 0.9, ..bigan.clone() }, "the label of real images = 0.9"),
    ] {
        let message = config.validate().unwrap_err().to_string();
        assert_eq!(message, format!("{name} is out of range: it must be left alone for this model"));
    }
    let labels = |model: &str, labels| {
        let spec = ModelSpec { classes: 10, size: 16, labels, ..ModelSpec::named(model).unwrap() };
        spec.validate().unwrap_err().to_string()
    };
    assert!(
        labels("ssgan", 9).contains("the number of labels = 9 is out of range: it must be from 10 (one of each class)")
    );
    assert!(labels("cgan", 9).contains("the number of labels = 9 is out of range: it must be 0 for this model"));
}

#[test]
fn the_list_knows_which_models_have_a_critic() {
    for entry in ModelEntry::all() {
        let spec = entry.spec();
        let classes = if entry.is_labelled() { 2 } else { spec.classes };
        let config = TrainConfig::new(ModelSpec { size: spec.size.min(16), classes, ..spec });
        let has_one = config.system().unwrap().players().iter().any(|player| player.name == DISCRIMINATOR);
        assert_eq!(entry.has_critic(), has_one, "{}", entry.name());
    }
}

#[test]
fn a_penalised_critic_of_pairs_looks_at_each_by_itself() {
    let spec = ModelSpec { size: 4, width: 4, ..ModelSpec::named("bigan").unwrap() };
    let mixes = |regularizers: &[&str], critic_normalization| {
        let networks = ModelSpec { critic_normalization, ..spec.clone() };
        let regularizers = regularizers.iter().map(|name| name.parse().unwrap()).collect();
        let system = TrainConfig { regularizers, ..TrainConfig::new(networks) }.system()?;
        Ok::<_, GanError>(system.networks().iter().map(|(_, graph)| graph.normalises_by_batch()).collect::<Vec<_>>())
    };
    assert_eq!(mixes(&[], None).unwrap(), [true, true, true]);
    assert_eq!(mixes(&["historical-averaging"], None).unwrap(), [true, true, true]);
    assert_eq!(mixes(&["r1"], None).unwrap(), [true, true, false]);
    assert_eq!(mixes(&[], Some(CriticNormalization::Spectral)).unwrap(), [true, true, false]);
    let message = mixes(&["r1"], Some(CriticNormalization::Batch)).unwrap_err().to_string();
    assert!(message.contains("layer, spectral or none under a penalty"), "{message}");
}

#[test]
fn attention_is_there_and_silent_at_first() {
    let trainer = trained("sagan", 0);
    let mut networks = trainer.averaged();
    let z = Random::new(4).normal(&[2, 3], 0.0, 1.0);
    let images = |networks: &Networks| networks.output("generator", &[&z], name::IMAGES).unwrap();
    let at_first = images(&networks);
    let change = |networks: &mut Networks, of_attention: fn(&crate::gan::layers::Layer) -> bool, value: f32| {
        let network = networks.get_mut("generator").unwrap();
        let node = network.graph().nodes().iter().position(|node| of_attention(&node.layer)).unwrap();
        let prefix = format!("{node}.");
        for parameter in network.parameters_mut().iter_mut().filter(|parameter| parameter.name.starts_with(&prefix)) {
            parameter.value.data_mut().fill(value);
        }
    };
    use crate::gan::layers::Layer;
    let is_pointwise = |layer: &Layer| matches!(layer, Layer::Conv2d(conv) if conv.kernel == 1 && conv.outputs == 1);
    change(&mut networks, is_pointwise, 0.3);
    assert_eq!(images(&networks), at_first);
    change(&mut networks, |layer| matches!(layer, Layer::Gain(_)), 0.5);
    assert_ne!(images(&networks), at_first);
}

#[test]
fn a_bigan_without_a_judgement_loses_two_bits_for_either_player() {
    use crate::gan::train::{Given, Trainer, TrainingSet};
    let networks = ModelSpec { size: 2, latent: 3, width: 4, ..ModelSpec::named("bigan").unwrap() };
    let config = TrainConfig { batch_size: 4, ..TrainConfig::new(networks) };
    let mut trainer = Trainer::new(config, TrainingSet::new(1, 2, vec![9; 16]).unwrap()).unwrap();
    let judge = trainer.networks_mut().get_mut("discriminator").unwrap();
    judge.parameters_mut().iter_mut().for_each(|parameter| parameter.value.data_mut().fill(0.0));
    let random = &mut Random::new(3);
    let mut round = Given::default().round(random.uniforms(&[4, 1, 2, 2], 0.0, 1.0), random.normal(&[4, 3], 0.0, 1.0));
    let (event, _) = trainer.step_with(&mut round).unwrap();
    for loss in ["discriminator_loss", "generator_loss"] {
        assert!((event.value(loss).unwrap() - 2.0 * 2.0_f64.ln()).abs() < 1e-6, "{loss}");
    }
}

#[test]
fn a_bigan_makes_codes_of_images_and_images_of_codes() {
    let (before, trainer) = (trained("bigan", 0), trained("bigan", 3));
    let (system, networks) = (trainer.system(), trainer.networks());
    let images = Random::new(4).uniforms(&[2, 1, 16, 16], 0.0, 1.0);
    let codes = system.encode(networks, &images).unwrap();
    assert_eq!(codes.shape(), [2, 3]);
    assert_ne!(codes, before.system().encode(before.networks(), &images).unwrap());
    let again = system.reconstruct(networks, &images, &mut Random::new(1)).unwrap();
    assert_eq!(again.shape(), images.shape());
    assert_eq!(again, networks.output("generator", &[&codes], name::IMAGES).unwrap());
    let other = trained("dcgan", 0);
    let message = other.system().encode(other.networks(), &images).unwrap_err().to_string();
    assert_eq!(message, "dcgan cannot encode images");
}

#[test]
fn who_tells_classes_can_be_asked() {
    let images = Random::new(4).uniforms(&[3, 1, 16, 16], -1.0, 1.0);
    for model in ["ssgan", "classifier", "acgan", "catgan", "infogan"] {
        let trainer = trained(model, 2);
        let classes = trainer.config().networks.classes;
        let logits = trainer.system().classify(trainer.networks(), &images).unwrap();
        assert_eq!(logits.shape(), [3, classes], "{model}");
    }
    let other = trained("cgan", 0);
    assert!(other.system().classify(other.networks(), &images).is_err());
    // Nothing was told to the generator: no class can be asked of it.
    use crate::gan::train::ImageSampler;
    assert!(ImageSampler::new(trained("ssgan", 1).trained().unwrap(), 5).of_class(0).is_err());
}

#[test]
fn without_an_opinion_a_classifier_loses_the_entropy_of_the_classes() {
    use crate::gan::train::{Batch, Given};
    for model in ["ssgan", "classifier"] {
        let mut trainer = trained(model, 0);
        let judge = trainer.networks_mut().get_mut("discriminator").unwrap();
        judge.parameters_mut().iter_mut().for_each(|parameter| parameter.value.data_mut().fill(0.0));
        let random = &mut Random::new(3);
        let images = random.uniforms(&[4, 1, 16, 16], -1.0, 1.0);
        let batch = |classes: [usize; 4]| Batch { images: images.clone(), classes: Some(classes.into()) };
        let mut given = Given { noise: [random.normal(&[4, 3, 1, 1], 0.0, 1.0)].into(), ..Given::default() };
        given.labelled.push_back(batch([0, 1, 0, 1]));
        given.batches.push_back(batch([0, 0, 1, 0]));
        let (event, _) = trainer.step_with(&mut given).unwrap();
        let ln2 = 2.0_f64.ln();
        let close = |name: &str, expected: f64| {
            let value = event.value(name).unwrap();
            assert!((value - expected).abs() < 1e-6, "{model}, {name}: {value}");
        };
        // Z = ln 2 for every image: σ(Z) = 2/3. All logits are equal: of equal ones the first counts.
        close("accuracy", 0.75);
        match model {
            "ssgan" => {
                close("label_loss", ln2);
                close("real_score", 2.0 / 3.0);
                close("discriminator_loss", ln2 + 1.5_f64.ln() + 3.0_f64.ln());
            }
            _ => close("discriminator_loss", ln2),
        }
    }
}

#[test]
fn few_labels_are_enough_for_what_is_easily_told_apart() {
    use crate::gan::optim::Rule;
    for model in ["ssgan", "classifier"] {
        let start = trained(model, 0);
        let mut config = start.config().clone();
        config.rules.values_mut().for_each(|rule| *rule = Rule::adam(0.01, 0.5, 0.999));
        let mut trainer = crate::gan::train::Trainer::new(config, start.data().clone()).unwrap();
        let mut accuracies = Vec::new();
        for _ in 0..80 {
            accuracies.push(trainer.step().unwrap().0.value("accuracy").unwrap());
        }
        let last = accuracies[70..].iter().sum::<f64>() / 10.0;
        assert!(last > 0.9, "{model}: {last}, after {accuracies:?}");
    }
}
