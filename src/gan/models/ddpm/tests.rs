use super::*;
use crate::gan::models::ModelSpec;
use crate::gan::random::Random;
use crate::gan::train::{ImageSampler, Trainer, TrainingSet};

fn spec(size: usize, channels: usize, width: usize) -> ModelSpec {
    ModelSpec { size, channels, width, ..ModelSpec::named("ddpm").unwrap() }
}

#[test]
fn parameter_counts_are_those_of_the_reference() {
    for (width, expected) in [(16, 280_177), (24, 627_433)] {
        let graph = unet::network(&spec(28, 1, width)).unwrap();
        assert_eq!(Network::<f32>::new(graph, &mut Random::new(1)).unwrap().parameter_count(), expected);
    }
}

#[test]
fn a_fresh_network_sees_no_noise_and_a_trained_one_knows_the_time() {
    let mut network = Network::new(unet::network(&spec(8, 3, 16)).unwrap(), &mut Random::new(1)).unwrap();
    let images: Tensor = Random::new(2).normal(&[2, 3, 8, 8], 0.0, 1.0);
    assert!(noise_in(&network, &images, 7).unwrap().data().iter().all(|&value| value == 0.0));
    let mut random = Random::new(3);
    for parameter in network.parameters_mut() {
        parameter.value = random.normal(parameter.value.shape(), 0.0, 0.1);
    }
    let [early, late] = [7, 150].map(|time| noise_in(&network, &images, time).unwrap());
    assert_eq!(early.shape(), images.shape());
    assert!(early.data().iter().zip(late.data()).any(|(a, b)| (a - b).abs() > 1e-3));
}

#[test]
fn it_learns_a_single_image_and_draws_it() {
    // A cross: with one image to know, the noise in a noisy copy is certain.
    let image: [u8; 16] = std::array::from_fn(|i| if i / 4 == 1 || i % 4 == 2 { 255 } else { 0 });
    let rules = [(MODEL.to_owned(), Rule::adam(3e-3, 0.9, 0.999))].into();
    let config =
        TrainConfig { batch_size: 16, rules, average_decay: Some(0.95), seed: 1, ..TrainConfig::new(spec(4, 1, 16)) };
    let data = TrainingSet::new(1, 4, image.repeat(32)).unwrap();
    let mut trainer = Trainer::new(config, data).unwrap();
    let first = trainer.step().unwrap().0.value("model_loss").unwrap();
    // A network that sees no noise is wrong by its variance.
    assert!((first - 1.0).abs() < 0.3, "{first}");
    trainer.run(300, &mut ()).unwrap();
    let trained = || trainer.trained().unwrap();
    let drawn = ImageSampler::new(trained(), 1).next(5).unwrap();
    let mut parts = ImageSampler::new(trained(), 1);
    let parts = [parts.next(2).unwrap(), parts.next(3).unwrap()].concat();
    assert!(drawn.iter().zip(&parts).all(|(a, b)| a.abs_diff(*b) <= 1), "batches change images");
    let wrong = drawn.iter().zip(image.iter().cycle()).filter(|(drawn, pixel)| drawn.abs_diff(**pixel) > 60).count();
    assert!(wrong <= drawn.len() / 5, "{wrong} of {} pixels are wrong: {drawn:?}", drawn.len());
}

#[test]
fn what_cannot_be_is_refused() {
    let message = |spec: ModelSpec| spec.validate().unwrap_err().to_string();
    assert!(
        message(spec(30, 1, 16)).contains("the image size = 30 is out of range: it must be a multiple of 4 up to 128")
    );
    assert!(message(spec(132, 1, 16)).contains("up to 128"));
    for width in [8, 20] {
        assert!(message(spec(28, 1, width)).contains("it must be a multiple of 8, at least 16 for this model"));
    }
    let system = TrainConfig::new(spec(8, 1, 16)).system().unwrap();
    let networks = Networks::new(system.networks(), &mut Random::new(1)).unwrap();
    let images = Tensor::zeros(&[1, 1, 8, 8]);
    let error = system.log_likelihood(&networks, &images, &mut Random::new(1)).unwrap_err().to_string();
    assert_eq!(error, "ddpm cannot tell how likely images are");
    assert!(system.reconstruct(&networks, &images, &mut Random::new(1)).is_err());
}
