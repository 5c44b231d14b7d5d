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
fn footprints_are_those_of_the_networks() {
    for spec in [dcgan(28, 3, 2), dcgan(64, 1, 2), ModelSpec { channels: 3, ..mlp() }] {
        for (_, network) in networks(&spec, "hinge").iter() {
            let footprint = Footprint::of(network.graph());
            assert_eq!(footprint.parameters, network.parameter_count() as u128);
        }
    }
}
