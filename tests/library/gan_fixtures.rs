//! The training core against PyTorch; the fixtures are made by `python_ref/make_gan_fixtures.py`.

use std::collections::{BTreeMap, BTreeSet};

use gan_metrics::gan::models::ModelSpec;
use gan_metrics::gan::networks::{Network, Parameter};
use gan_metrics::gan::objectives::{ObjectiveEntry, ObjectiveSpec};
use gan_metrics::gan::optim::{Optimizer, Rule};
use gan_metrics::gan::regularizers::RegularizerSpec;
use gan_metrics::gan::systems::Networks;
use gan_metrics::gan::train::{Given, StepEvent, TrainConfig, Trainer, TrainingSet};
use gan_metrics::gan::{ConvOptions, Differentiability, GanError, Random, Real, Tensor, Var, grad};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::support;
use crate::support::made_features::Made;

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
            "abs" => x[0].abs().square().mul(&x[0].abs()),
            "clamp" => x[0].clamp(-0.5, 0.7)?.square().mul(&x[0]),
            "elu" => Ok(x[0].elu(0.7)),
            "silu" => Ok(x[0].silu()),
            "permute" => Ok(x[0].permute(&[0, 2, 3, 1])?.square()),
            "space_to_depth" => Ok(x[0].space_to_depth(2)?.square()),
            "depth_to_space" => Ok(x[0].depth_to_space(2)?.square()),
            "avg_pool2d" => Ok(x[0].avg_pool2d(2)?.square()),
            "max_pool2d" => Ok(x[0].max_pool2d(2)?.square()),
            "group_norm" => x[0].group_norm(2, &x[1], &x[2], 1e-5),
            "sample_affine" => {
                let [one, zero] = [1.0, 0.0].map(|value| Var::constant(Tensor::full(&[x[0].shape()[1]], value)));
                x[0].group_norm(2, &one, &zero, 1e-5)?.sample_affine(&x[1], &x[2])
            }
            "translate" => Ok(x[0].translate(&[[1, -2], [-3, 1]], 0.5)?.square()),
            "batched_matmul" => x[0].batched_matmul(&x[1]),
            "batched_matmul_tn" => x[0].batched_matmul_tn(&x[1]),
            "batched_matmul_nt" => x[0].batched_matmul_nt(&x[1]),
            "pairwise_l1" => Ok(x[0].pairwise_l1()?.neg().exp()),
            "cross_entropy" => x[0].cross_entropy(&x[1].softmax(1)?),
            "concat" => Ok(Var::concat(&[&x[0], &x[1], &x[0]], option("axis"))?.square()),
            "slice" => Ok(x[0].slice(option("axis"), 1..4)?.square()),
            "sum_axes" => Ok(x[0].sum_axes(&[option("axis")])?.square()),
            "mean_axes_kept" => x[0].mul(&x[0].mean_axes_kept(&[option("axis")])?),
            "max_axis" => Ok(x[0].max_axis(option("axis"))?.square()),
            "log_sum_exp" => x[0].log_sum_exp(option("axis")),
            "softmax" => x[0].softmax(option("axis")),
            "log_softmax" => x[0].log_softmax(option("axis")),
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
    assert_eq!(cases.len(), 56);
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

const PLAYERS: [&str; 2] = ["generator", "discriminator"];

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
        let system = TrainConfig::new(networks.clone()).system().unwrap();
        let made = Networks::new(system.networks(), &mut Random::new(0)).unwrap();
        assert_eq!(PLAYERS.map(|name| made.get(name).unwrap().parameter_count()), counts, "{networks:?}");
    }
}

/// What one step of each player gives.
#[derive(Deserialize)]
struct Played {
    after: Pair,
    discriminator_loss: f64,
    generator_loss: f64,
    discriminator_gradient: f64,
    generator_gradient: f64,
}

#[derive(Deserialize)]
struct GanStep {
    networks: ModelSpec,
    real: Stored,
    z: Stored,
    before: Pair,
    #[serde(flatten)]
    adam: Played,
    sgd: Descended,
}

#[derive(Deserialize)]
struct Descended {
    learning_rate: f64,
    #[serde(flatten)]
    played: Played,
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

/// A run that begins with the given weights. Its images are never looked at: every step is given its own.
fn trainer(config: TrainConfig, before: [&BTreeMap<String, Stored>; 2]) -> Trainer {
    let (channels, size) = (config.networks.channels, config.networks.size);
    let data = TrainingSet::new(channels, size, vec![0; config.batch_size * channels * size * size]).unwrap();
    let mut trainer = Trainer::new(config, data).unwrap();
    for (name, values) in PLAYERS.into_iter().zip(before) {
        load(trainer.networks_mut().get_mut(name).unwrap(), values);
    }
    trainer
}

/// Both players by one rule.
fn rules(rule: Rule) -> BTreeMap<String, Rule> {
    PLAYERS.map(|name| (name.to_owned(), rule)).into()
}

fn number(event: &StepEvent, name: &str) -> f64 {
    event.value(name).unwrap()
}

fn assert_relative(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    assert!((ours / theirs - 1.0).abs() < tolerance, "{what}: {ours} is not {theirs}");
}

#[test]
fn a_full_step_of_both_players() {
    /// What f32 allows, relative to the largest weight of a tensor or to 1; of losses and of gradients as a whole, relative
    /// to themselves. Adam's first step is the sign of the gradient times a constant: the norms, and descent without
    /// adaptation, are what sees its length.
    const TOLERANCE: f64 = 1e-5;
    let cases: Vec<GanStep> = fixture("steps.json");
    assert_eq!(cases.len(), 2);
    for case in cases {
        let sgd = Rule::Sgd { learning_rate: case.sgd.learning_rate, momentum: 0.0 };
        for (rule, played) in [(Rule::DCGAN, &case.adam), (sgd, &case.sgd.played)] {
            let config = TrainConfig {
                batch_size: case.real.shape[0],
                rules: rules(rule),
                ..TrainConfig::new(case.networks.clone())
            };
            let mut trainer = trainer(config, [&case.before.generator, &case.before.discriminator]);
            let mut round = Given::default().round(case.real.tensor(), case.z.tensor());
            let (event, _) = trainer.step_with(&mut round).unwrap();
            for (ours, theirs, what) in [
                (number(&event, "discriminator_loss"), played.discriminator_loss, "D's loss"),
                (number(&event, "generator_loss"), played.generator_loss, "G's loss"),
                (number(&event, "discriminator_gradient"), played.discriminator_gradient, "D's gradient"),
                (number(&event, "generator_gradient"), played.generator_gradient, "G's gradient"),
            ] {
                assert_relative(ours, theirs, TOLERANCE, &format!("{what}, {rule:?}"));
            }
            for (network, after, before) in [
                ("generator", &played.after.generator, &case.before.generator),
                ("discriminator", &played.after.discriminator, &case.before.discriminator),
            ] {
                let network = trainer.networks().get(network).unwrap();
                for parameter in network.state() {
                    let expected = theirs(after, &parameter.name);
                    assert_close(&parameter.value, expected, TOLERANCE, &parameter.name);
                    assert_ne!(
                        expected.values,
                        theirs(before, &parameter.name).values,
                        "{} did not move",
                        parameter.name
                    );
                }
            }
        }
    }
}

/// Twenty steps for each objective, from the same weights on the same images.
#[derive(Deserialize)]
struct Games {
    networks: ModelSpec,
    real: MadeBatches,
    z: MadeBatches,
    start: [BTreeMap<String, Stored>; 2],
    cases: Vec<Game>,
}

#[derive(Deserialize)]
struct Game {
    objective: ObjectiveSpec,
    rule: Rule,
    real_label: f64,
    critic_steps: usize,
    clip_norm: Option<f64>,
    regularizers: Vec<RegularizerSpec>,
    /// The critic's weights, where it is another than that of the others.
    discriminator_start: Option<BTreeMap<String, Stored>>,
    /// Of each step D's loss and the norm of its gradient, then those of G.
    events: Vec<[f64; 4]>,
    end: [BTreeMap<String, Stored>; 2],
}

/// Batches made by the formula that both sides know, each with the seed after that of the one before.
#[derive(Deserialize)]
struct MadeBatches {
    seed: u32,
    n: usize,
    d: usize,
    #[serde(default)]
    shift: f64,
    #[serde(default = "one")]
    scale: f64,
}

fn one() -> f64 {
    1.0
}

impl MadeBatches {
    fn tensor(&self, batch: usize, shape: &[usize]) -> Tensor {
        let &Self { seed, n, d, shift, scale } = self;
        let made = Made { seed: seed + batch as u32, n, d, shift, offset: 0.0, scale };
        Tensor::new(shape, made.values().into_raw_vec_and_offset().0).unwrap()
    }
}

#[test]
fn twenty_steps_of_every_objective() {
    /// Ours in f32 against PyTorch's in f64, relative to the value or to 1. Rounding grows from step to step; the worst
    /// measured is under a third of this. A gradient that is one hundredth too long shows in the first step.
    const TOLERANCE: f64 = 1e-5;
    let Games { networks, real, z, start, cases } = fixture("games.json");
    let mut worst = 0.0_f64;
    for game in &cases {
        let config = TrainConfig {
            batch_size: real.n,
            critic_steps: Some(game.critic_steps),
            objective: game.objective.clone(),
            real_label: game.real_label,
            clip_norm: game.clip_norm,
            regularizers: game.regularizers.clone(),
            rules: rules(game.rule),
            ..TrainConfig::new(networks.clone())
        };
        let mut trainer = trainer(config, [&start[0], game.discriminator_start.as_ref().unwrap_or(&start[1])]);
        let image = [real.n, networks.channels, networks.size, networks.size];
        assert_eq!(game.events.len(), 20);
        for (step, expected) in game.events.iter().enumerate() {
            let batches = step * game.critic_steps..(step + 1) * game.critic_steps;
            let mut rounds = batches.fold(Given::default(), |given, batch| {
                given.round(real.tensor(batch, &image), z.tensor(batch, &[z.n, networks.latent]))
            });
            let (event, _) = trainer.step_with(&mut rounds).unwrap();
            let found = [
                number(&event, "discriminator_loss"),
                number(&event, "discriminator_gradient"),
                number(&event, "generator_loss"),
                number(&event, "generator_gradient"),
            ];
            for (found, expected) in found.into_iter().zip(expected) {
                let error = (found - expected).abs() / expected.abs().max(1.0);
                worst = worst.max(error);
                assert!(error < TOLERANCE, "{}, step {step}: {found} is not {expected}", game.objective);
            }
        }
        for (name, end) in PLAYERS.into_iter().zip(&game.end) {
            let network = trainer.networks().get(name).unwrap();
            for parameter in network.state() {
                let what = format!("{} after {}", parameter.name, game.objective);
                assert_close(&parameter.value, theirs(end, &parameter.name), TOLERANCE, &what);
            }
        }
    }
    println!("off by {worst:.1e} at most");
    // One line of the list of objectives each.
    let names: BTreeSet<&str> = cases.iter().map(|game| game.objective.entry().name()).collect();
    let known = ObjectiveEntry::all().iter().map(ObjectiveEntry::name);
    assert_eq!(names, known.collect(), "an objective without a fixture");
}
