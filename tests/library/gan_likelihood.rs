//! Models that learn by themselves against PyTorch; the fixture is made by `python_ref/make_likelihood_fixtures.py`.

use std::collections::{BTreeSet, VecDeque};

use gan_metrics::gan::models::ModelSpec;
use gan_metrics::gan::optim::Rule;
use gan_metrics::gan::train::{Batch, Given, ImageSampler, TrainConfig, Trainer, TrainingSet, checkpoint};
use gan_metrics::gan::{GanError, Random, Tensor};
use serde::Deserialize;

use crate::support;
use crate::support::made_features::Made;

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
struct Case {
    networks: ModelSpec,
    learning_rate: f64,
    images: Stored,
    noise: Vec<Stored>,
    loss: f64,
    gradient: f64,
    /// Of all networks, one after the other.
    after: Vec<Weight>,
}

/// A tensor of a network: how it is made, and what a step makes of it.
#[derive(Deserialize)]
struct Weight {
    shape: Vec<usize>,
    seed: u32,
    scale: f64,
    offset: f64,
    /// Length of the way from before to after.
    moved: f64,
    /// Some of the values after the step, evenly spread.
    values: Vec<f64>,
}

impl Weight {
    fn before(&self) -> Tensor {
        let &Weight { seed, scale, offset, .. } = self;
        let made = Made { seed, n: 1, d: self.shape.iter().product(), shift: 0.0, offset, scale };
        Tensor::new(&self.shape, made.values().into_raw_vec_and_offset().0).unwrap()
    }
}

/// Ours in f32 against PyTorch's in f64, relative to the value or to 1.
const TOLERANCE: f64 = 1e-5;

/// Of how far a tensor moved, relative to itself: weights before and after are rounded to f32, 1e-7 of themselves, and move by
/// a hundredth of themselves or more.
const TOLERANCE_OF_MOVES: f64 = 1e-4;

/// Shorter ways are roundings of zero: softmax does not see the biases of keys.
const NO_MOVE: f64 = 1e-5;

fn assert_close(ours: f64, theirs: f64, what: &str) {
    let error = (ours - theirs).abs() / theirs.abs().max(1.0);
    assert!(error < TOLERANCE, "{what}: {ours} is not {theirs}");
}

#[test]
fn a_full_step_of_every_model() {
    let cases: Vec<Case> = support::fixture("gan/likelihood.json");
    for case in &cases {
        let spec = case.networks.clone();
        let what = format!("{} of {}×{}", spec.model, spec.size, spec.channels);
        let batch_size = case.images.shape[0];
        let rule = Rule::Sgd { learning_rate: case.learning_rate, momentum: 0.0 };
        let rules = [("model".to_owned(), rule)].into();
        let config = TrainConfig { batch_size, rules, ..TrainConfig::new(spec.clone()) };
        // Its images are never looked at: the step is given its own.
        let bytes = vec![0; batch_size * spec.image().iter().product::<usize>()];
        let mut trainer = Trainer::new(config, TrainingSet::new(spec.channels, spec.size, bytes).unwrap()).unwrap();
        let parameters = trainer.networks_mut().iter_mut().flat_map(|(_, network)| network.parameters_mut());
        let mut made = 0;
        for (parameter, weight) in parameters.zip(&case.after) {
            assert_eq!(parameter.value.shape(), weight.shape, "{what}, {}", parameter.name);
            parameter.value = weight.before();
            made += 1;
        }
        assert_eq!(made, case.after.len(), "{what}");

        let batch = Batch { images: case.images.tensor(), classes: None };
        let noise: VecDeque<Tensor> = case.noise.iter().map(Stored::tensor).collect();
        let mut given = Given { batches: [batch].into(), noise, ..Given::default() };
        let (event, _) = trainer.step_with(&mut given).unwrap();
        assert!(given.noise.is_empty() && given.batches.is_empty(), "{what} left noise over");
        assert_close(event.value("model_loss").unwrap(), case.loss, &format!("loss of {what}"));
        assert_close(event.value("model_gradient").unwrap(), case.gradient, &format!("gradient of {what}"));
        let parameters: Vec<_> = trainer.networks().iter().flat_map(|(_, network)| network.parameters()).collect();
        assert_eq!(parameters.len(), case.after.len(), "{what}");
        for (parameter, weight) in parameters.into_iter().zip(&case.after) {
            let what = format!("{} of {what}", parameter.name);
            let stride = parameter.value.len().div_ceil(64);
            let shown: Vec<f32> = parameter.value.data().iter().step_by(stride).copied().collect();
            assert_eq!(shown.len(), weight.values.len(), "{what}");
            for (ours, &theirs) in shown.into_iter().zip(&weight.values) {
                assert_close(f64::from(ours), theirs, &what);
            }
            let before = weight.before();
            let squares = parameter.value.data().iter().zip(before.data()).map(|(a, b)| f64::from(a - b).powi(2));
            let moved = squares.sum::<f64>().sqrt();
            if weight.moved < NO_MOVE {
                assert!(moved < NO_MOVE, "{what} moved by {moved}");
            } else {
                let error = (moved / weight.moved - 1.0).abs();
                assert!(error < TOLERANCE_OF_MOVES, "{what} moved by {moved}, not {}", weight.moved);
            }
        }
    }
    let names: BTreeSet<&str> = cases.iter().map(|case| case.networks.model.as_str()).collect();
    assert_eq!(names, MODELS.into(), "a model without a fixture");
}

const MODELS: [&str; 7] = ["vae", "vae-conv", "made", "pixelcnn", "realnvp", "ddpm", "gsn"];

/// A small one of a kind.
fn small(model: &str) -> ModelSpec {
    let width = if model == "ddpm" { 16 } else { 4 };
    ModelSpec { size: 16, width, ..ModelSpec::named(model).unwrap() }
}

#[test]
fn every_model_resumes_bit_by_bit_and_samples_from_its_average() {
    let folder = tempfile::tempdir().unwrap();
    let data = || TrainingSet::new(1, 16, support::discs(11, 5, 16)).unwrap();
    for model in MODELS {
        let config = TrainConfig { batch_size: 2, average_decay: Some(0.5), seed: 3, ..TrainConfig::new(small(model)) };
        let path = folder.path().join("x.safetensors");
        let mut whole = Trainer::new(config.clone(), data()).unwrap();
        whole.run(4, &mut ()).unwrap();
        let mut first = Trainer::new(config, data()).unwrap();
        first.run(2, &mut ()).unwrap();
        checkpoint::save(&first, &path).unwrap();
        let mut second = checkpoint::resume(&path, data()).unwrap();
        second.run(4, &mut ()).unwrap();
        assert!(whole.state() == second.state(), "{model}");
        assert_eq!(whole.samples(1).unwrap(), second.samples(1).unwrap(), "{model}");
        let averages: Vec<String> =
            whole.state().tensors().keys().filter(|name| name.starts_with("average.")).cloned().collect();
        let weights = whole.networks().iter().map(|(_, network)| network.parameters().len()).sum::<usize>();
        assert_eq!(averages.len(), weights, "{model}");
        let drawn = ImageSampler::new(second.trained().unwrap(), 1).next(1).unwrap();
        assert_eq!(drawn.len(), 256, "{model}");
    }
}

#[test]
fn abilities_are_those_of_the_models() {
    for model in MODELS {
        let spec = small(model);
        let trainer = Trainer::new(
            TrainConfig { batch_size: 2, ..TrainConfig::new(spec) },
            TrainingSet::new(1, 16, support::discs(11, 2, 16)).unwrap(),
        );
        let trainer = trainer.unwrap();
        let images = Tensor::full(&[2, 1, 16, 16], 0.25);
        let (system, networks) = (trainer.system(), trainer.networks());
        let likely = system.log_likelihood(networks, &images, &mut Random::new(1));
        match ["ddpm", "gsn"].contains(&model) {
            true => assert!(matches!(likely, Err(GanError::Unable { .. })), "{model}"),
            false => {
                let likely = likely.unwrap();
                assert!(
                    likely.len() == 2 && likely.iter().all(|nats| *nats < -1.0 && nats.is_finite()),
                    "{model}: {likely:?}"
                );
            }
        }
        let again = system.reconstruct(networks, &images, &mut Random::new(1));
        match ["vae", "vae-conv", "gsn"].contains(&model) {
            true => assert_eq!(again.unwrap().shape(), images.shape(), "{model}"),
            false => assert!(matches!(again, Err(GanError::Unable { .. })), "{model}"),
        }
        for other in [Tensor::scalar(0.5), Tensor::zeros(&[2, 1, 16, 15])] {
            assert!(system.log_likelihood(networks, &other, &mut Random::new(1)).is_err(), "{model}");
            assert!(system.reconstruct(networks, &other, &mut Random::new(1)).is_err(), "{model}");
        }
        assert_eq!(system.generator().is_some(), model.starts_with("vae"), "{model}");
    }
}
