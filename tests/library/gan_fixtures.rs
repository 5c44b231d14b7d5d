//! The training core against PyTorch; the fixtures are made by `python_ref/make_gan_fixtures.py`.

use std::collections::BTreeMap;

use gan_metrics::gan::layers::{Network, Parameter};
use gan_metrics::gan::models::ModelSpec;
use gan_metrics::gan::optim::{Optimizer, Rule};
use gan_metrics::gan::train::{Round, TrainConfig, Trainer, TrainingSet};
use gan_metrics::gan::{ConvOptions, Differentiability, GanError, Random, Real, Tensor, Var, grad};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::support;

#[derive(Deserialize)]
struct Stored {
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl Stored {
    fn tensor<T: Real>(&self) -> Tensor<T> {
        Tensor::new(&self.shape, self.values.iter().map(|&value| T::of(value)).collect()).unwrap()
    }
}

fn fixture<T: DeserializeOwned>(name: &str) -> T {
    support::fixture(&format!("gan/{name}"))
}

#[derive(Deserialize)]
struct Operation {
    operation: String,
    options: BTreeMap<String, usize>,
    inputs: Vec<Stored>,
    output: Stored,
    direction: Stored,
    gradients: Vec<Stored>,
    directions: Vec<Stored>,
    second_gradients: Vec<Stored>,
}

impl Operation {
    fn apply(&self, x: &[Var<f64>]) -> Result<Var<f64>, GanError> {
        let option = |name: &str| self.options[name];
        let conv = || ConvOptions { stride: option("stride"), padding: option("padding") };
        match self.operation.as_str() {
            "conv2d" => x[0].conv2d(&x[1], conv()),
            "conv_transpose2d" => x[0].conv_transpose2d(&x[1], conv(), option("output_padding")),
            "batch_norm" => Ok(x[0].batch_norm(&x[1], &x[2], 1e-5)?.output),
            "layer_norm" => x[0].layer_norm(&x[1], &x[2], 1e-5),
            "linear" => x[0].linear(&x[1], Some(&x[2])),
            "leaky_relu" => Ok(x[0].leaky_relu(0.2).square()),
            "tanh" => Ok(x[0].tanh()),
            "sigmoid" => Ok(x[0].sigmoid()),
            "softplus" => Ok(x[0].softplus()),
            "upsample" => Ok(x[0].upsample(2)?.square()),
            other => panic!("{other} is not in the table"),
        }
    }
}

/// Both sides compute in f64: sums of tens of terms in different orders, normalised at most twice. PyTorch's softplus
/// turns into the identity above 20 and its batch norm rounds as we do.
const ROUNDING: f64 = 1e-11;

fn assert_close<T: Real>(ours: &Tensor<T>, theirs: &Stored, tolerance: f64, what: &str) {
    assert_eq!(ours.shape(), theirs.shape, "{what}");
    let scale = theirs.values.iter().fold(1.0_f64, |largest, value| largest.max(value.abs()));
    for (i, (ours, theirs)) in ours.data().iter().zip(&theirs.values).enumerate() {
        let error = (ours.to_f64() - theirs).abs() / scale;
        assert!(error <= tolerance, "{what}, element {i}: {ours} is not {theirs}");
    }
}

#[test]
fn operations_and_their_first_and_second_derivatives() {
    let cases: Vec<Operation> = fixture("operations.json");
    assert!(cases.len() >= 15);
    for case in &cases {
        let name = format!("{} {:?}", case.operation, case.options);
        let leaves: Vec<Var<f64>> = case.inputs.iter().map(|input| Var::leaf(input.tensor())).collect();
        let all: Vec<_> = leaves.iter().collect();
        let output = case.apply(&leaves).unwrap();
        assert_close(output.value(), &case.output, ROUNDING, &name);
        let scalar = output.mul(&Var::constant(case.direction.tensor())).unwrap().sum();
        // Once with the fused kernels, once differentiable.
        for differentiability in [Differentiability::Once, Differentiability::Again] {
            let gradients = grad(&scalar, &all, differentiability).unwrap();
            for (gradient, theirs) in gradients.iter().zip(&case.gradients) {
                assert_close(gradient.value(), theirs, ROUNDING, &format!("gradient of {name}"));
            }
        }
        let gradients = grad(&scalar, &all, Differentiability::Again).unwrap();
        let products = gradients
            .iter()
            .zip(&case.directions)
            .map(|(gradient, direction)| gradient.mul(&Var::constant(direction.tensor())).unwrap().sum());
        let product = products.reduce(|sum, product| sum.add(&product).unwrap()).unwrap();
        let seconds = grad(&product, &all, Differentiability::Once).unwrap();
        for (second, theirs) in seconds.iter().zip(&case.second_gradients) {
            assert_close(second.value(), theirs, ROUNDING, &format!("second gradient of {name}"));
        }
    }
}

#[derive(Deserialize)]
struct Trajectories {
    start: Stored,
    target: Stored,
    cases: Vec<Trajectory>,
}

#[derive(Deserialize)]
struct Trajectory {
    rule: Rule,
    steps: Vec<Stored>,
}

#[test]
fn ten_steps_of_every_optimizer() {
    let Trajectories { start, target, cases } = fixture("optimizers.json");
    assert_eq!(cases.len(), 5);
    for Trajectory { rule, steps } in cases {
        let mut parameters = [Parameter::<f64> { name: "w".into(), value: start.tensor() }];
        let mut optimizer = Optimizer::new(rule, &parameters).unwrap();
        for (i, theirs) in steps.iter().enumerate() {
            let w = Var::leaf(parameters[0].value.clone());
            let loss = w.sub(&Var::constant(target.tensor())).unwrap().square().square().sum();
            let gradient = grad(&loss, &[&w], Differentiability::Once).unwrap().remove(0);
            optimizer.step(&mut parameters, &[gradient.value().clone()]).unwrap();
            assert_close(&parameters[0].value, theirs, ROUNDING, &format!("step {i} of {rule:?}"));
        }
    }
}

#[derive(Deserialize)]
struct Counts {
    networks: ModelSpec,
    counts: [usize; 2],
}

#[test]
fn parameter_counts_of_every_model() {
    let cases: Vec<Counts> = fixture("counts.json");
    assert_eq!(cases.len(), 11);
    for Counts { networks, counts } in cases {
        let mut random = Random::new(0);
        let generator: Network = networks.generator(&mut random).unwrap();
        let discriminator: Network = networks.discriminator(&mut random).unwrap();
        assert_eq!([generator.parameter_count(), discriminator.parameter_count()], counts, "{networks:?}");
    }
}

#[derive(Deserialize)]
struct GanStep {
    networks: ModelSpec,
    real: Stored,
    z: Stored,
    before: Pair,
    after: Pair,
    discriminator_loss: f64,
    generator_loss: f64,
}

#[derive(Deserialize)]
struct Pair {
    generator: BTreeMap<String, Stored>,
    discriminator: BTreeMap<String, Stored>,
}

fn load(network: &mut Network, values: &BTreeMap<String, Stored>) {
    for parameter in network.state_mut() {
        parameter.value = theirs(values, &parameter.name).tensor();
    }
}

/// Layers that reshape count in our lists and not in PyTorch's modules, or the reverse: only fully connected networks
/// have them, and both have them in the same places.
fn theirs<'a>(values: &'a BTreeMap<String, Stored>, name: &str) -> &'a Stored {
    values.get(name).unwrap_or_else(|| panic!("PyTorch has no {name}"))
}

#[test]
fn a_full_step_of_both_players() {
    /// What f32 allows, relative to the largest weight of a tensor or to 1.
    const TOLERANCE: f64 = 1e-5;
    let cases: Vec<GanStep> = fixture("steps.json");
    assert_eq!(cases.len(), 2);
    for case in cases {
        let (channels, size, batch) = (case.networks.channels(), case.networks.size(), case.real.shape[0]);
        let config = TrainConfig { batch_size: batch, ..TrainConfig::new(case.networks.clone()) };
        let mut random = Random::new(0);
        let mut generator = case.networks.generator(&mut random).unwrap();
        let mut discriminator = case.networks.discriminator(&mut random).unwrap();
        load(&mut generator, &case.before.generator);
        load(&mut discriminator, &case.before.discriminator);
        // The images of the step are given; those of the set are not looked at.
        let data = TrainingSet::new(channels, size, vec![0; batch * channels * size * size]).unwrap();
        let mut trainer = Trainer::with_networks(config, data, generator, discriminator).unwrap();
        let round = Round { real: case.real.tensor(), z: case.z.tensor() };
        let (event, _) = trainer.step_on(&[round]).unwrap();
        assert!((event.discriminator_loss / case.discriminator_loss - 1.0).abs() < TOLERANCE, "{event:?}");
        assert!((event.generator_loss / case.generator_loss - 1.0).abs() < TOLERANCE, "{event:?}");
        for (network, after, before) in [
            (trainer.generator(), &case.after.generator, &case.before.generator),
            (trainer.discriminator(), &case.after.discriminator, &case.before.discriminator),
        ] {
            for parameter in network.state() {
                let expected = theirs(after, &parameter.name);
                assert_close(&parameter.value, expected, TOLERANCE, &parameter.name);
                assert_ne!(expected.values, theirs(before, &parameter.name).values, "{} did not move", parameter.name);
            }
        }
    }
}
