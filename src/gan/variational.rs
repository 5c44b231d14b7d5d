//! A lower bound on an f-divergence with a critic that is a neural network.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate};

use super::error::GanError;
use super::layers::{Activation, Initializer, Layer, Linear};
use super::networks::{Graph, Network};
use super::optim::{Optimizer, Rule, clip_norm};
use super::random::Random;
use super::tape::{Differentiability, Var, grad};
use super::tensor::Tensor;
use crate::divergence::generator::Generator;
use crate::divergence::random::Random as Shuffler;
use crate::divergence::variational::held_out::{EarlyStopping, Outputs, Split, check_size, conclude, neutral_output};
use crate::divergence::variational::{CriticFeatures, FeatureMap, LowerBound, VariationalError, VariationalEstimator};

/// Samples of P in a batch, about; those of Q are cut into as many batches.
const BATCH: usize = 256;
/// Divergences with an exponential penalty have gradients without bound.
const LARGEST_GRADIENT: f64 = 10.0;
const RULE: Rule = Rule::Adam { learning_rate: 3e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };

/// A critic T = g_f(V(x)), where V is a perceptron with two hidden layers of tanh units on standardized coordinates.
///
/// It starts at the critic that sees no divergence and is trained by Adam on batches, in f64; an epoch is a step of
/// [`LowerBound::steps`]. The same seed gives the same bound on the same number of threads.
///
/// Source: Nowozin, Cseke and Tomioka 2016 (arXiv:1606.00709); the split of the samples is that of
/// [`LinearCritic`](crate::divergence::variational::LinearCritic).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MlpCritic {
    hidden: usize,
    seed: u64,
}

impl MlpCritic {
    /// Units that a hidden layer may have: the weights between two such layers, with what Adam keeps of them, take 1 GB.
    pub const MOST_UNITS: usize = 4096;

    /// Takes the number of units in each hidden layer, and a seed for the split of the samples, the weights and the batches.
    ///
    /// # Errors
    /// [`VariationalError::Units`].
    pub fn new(hidden: usize, seed: u64) -> Result<Self, VariationalError> {
        match hidden {
            1..=Self::MOST_UNITS => Ok(Self { hidden, seed }),
            units => Err(VariationalError::Units { units, most: Self::MOST_UNITS }),
        }
    }

    fn network(&self, inputs: usize, generator: Generator) -> Result<Network<f64>, GanError> {
        let linear = |inputs, outputs| Layer::from(Linear::new(inputs, outputs));
        let (hidden, tanh) = (self.hidden, || Layer::from(Activation::Tanh));
        let layers = [linear(inputs, hidden), tanh(), linear(hidden, hidden), tanh(), linear(hidden, 1)];
        let graph = Graph::chain(("x", &[inputs]), layers, "v", Initializer::XavierNormal)?;
        let mut network = Network::new(graph, &mut Random::new(self.seed))?;
        let [.., weight, bias] = network.parameters_mut() else {
            unreachable!("three linear layers have six parameters")
        };
        weight.value.data_mut().fill(0.0);
        bias.value.data_mut().fill(neutral_output(generator));
        Ok(network)
    }

    fn train(
        &self,
        generator: Generator,
        [p, q]: [Split; 2],
        mut shuffler: Shuffler,
    ) -> Result<Result<LowerBound, VariationalError>, GanError> {
        let pooled = concatenate(Axis(0), &[p.train.view(), q.train.view()]).expect("dimensions agree");
        let map = FeatureMap::new(CriticFeatures::Linear, pooled.view(), &mut shuffler);
        let stage = |p: &Array2<f64>, q: &Array2<f64>| [map.apply(p.view()), map.apply(q.view())];
        let train = stage(&p.train, &q.train);
        let (validation, test) = (stage(&p.validation, &q.validation), stage(&p.test, &q.test));

        let mut network = self.network(train[0].ncols(), generator)?;
        let mut optimizer = Optimizer::new(RULE, network.parameters())?;
        let mut best = EarlyStopping::new(outputs(&network, &validation)?.value(generator), network.clone());
        let mut orders = train.each_ref().map(|samples| (0..samples.nrows()).collect::<Vec<_>>());
        let batches = (train[0].nrows() / BATCH).clamp(1, train[1].nrows());
        loop {
            orders.iter_mut().for_each(|order| shuffler.shuffle(order));
            for batch in 0..batches {
                let rows =
                    |set: usize| train[set].select(Axis(0), &orders[set][part(batch, batches, train[set].nrows())]);
                ascend(&mut network, &mut optimizer, generator, [rows(0), rows(1)])?;
            }
            let value = outputs(&network, &validation)?.value(generator);
            if best.offer(value, || network.clone()).is_break() {
                break;
            }
        }
        let EarlyStopping { weights, step, .. } = best;
        let of = |samples| outputs(&weights, samples);
        Ok(conclude(generator, [of(&train)?, of(&validation)?, of(&test)?], step))
    }
}

impl VariationalEstimator for MlpCritic {
    fn lower_bound(
        &self,
        generator: Generator,
        p: ArrayView2<'_, f64>,
        q: ArrayView2<'_, f64>,
    ) -> Result<LowerBound, VariationalError> {
        check_size(self.hidden.max(p.ncols()), p.nrows() + q.nrows())?;
        let mut shuffler = Shuffler::new(self.seed);
        let samples = Split::of_both(p, q, &mut shuffler)?;
        self.train(generator, samples, shuffler).expect("the network is built for these samples")
    }
}

/// The `index`-th of `parts` nearly equal parts.
fn part(index: usize, parts: usize, len: usize) -> Range<usize> {
    index * len / parts..(index + 1) * len / parts
}

fn variable(samples: &Array2<f64>) -> Result<Var<f64>, GanError> {
    let (rows, columns) = samples.dim();
    Ok(Var::constant(Tensor::new(&[rows, columns], samples.iter().copied().collect())?))
}

fn outputs(network: &Network<f64>, samples: &[Array2<f64>; 2]) -> Result<Outputs, GanError> {
    let of = |samples| {
        Ok::<_, GanError>(Array1::from(network.evaluate(&[&variable(samples)?])?.only()?.value().data().to_vec()))
    };
    Ok(Outputs { p: of(&samples[0])?, q: of(&samples[1])? })
}

/// One step of the optimizer up the objective, whose derivative by the network's outputs is known.
fn ascend(
    network: &mut Network<f64>,
    optimizer: &mut Optimizer<f64>,
    generator: Generator,
    samples: [Array2<f64>; 2],
) -> Result<(), GanError> {
    // No layer of this network draws anything.
    let mut unused = Random::new(0);
    let variables = network.variables();
    let mut forward = |samples| network.forward(&variables, &[&variable(samples)?], &mut unused)?.only().cloned();
    let (of_p, of_q) = (forward(&samples[0])?, forward(&samples[1])?);
    let values = |output: &Var<f64>| Array1::from(output.value().data().to_vec());
    let slopes = Outputs { p: values(&of_p), q: values(&of_q) }.slopes(generator);
    let weighted = |output: &Var<f64>, slopes: &Array1<f64>| {
        // Downhill: optimizers minimise.
        let weights = Tensor::new(&[slopes.len(), 1], slopes.iter().map(|slope| -slope).collect())?;
        Ok::<_, GanError>(output.mul(&Var::constant(weights))?.sum())
    };
    let loss = weighted(&of_p, &slopes.p)?.add(&weighted(&of_q, &slopes.q)?)?;
    let gradients = grad(&loss, &variables.iter().collect::<Vec<_>>(), Differentiability::Once)?;
    let mut gradients: Vec<Tensor<f64>> = gradients.iter().map(|gradient| gradient.value().clone()).collect();
    drop((loss, of_p, of_q, variables));
    clip_norm(&mut gradients, LARGEST_GRADIENT);
    optimizer.step(network.parameters_mut(), &gradients)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::divergence::variational::LinearCritic;
    use crate::divergence::{Density, Divergence, continuous};

    fn samples(n: usize, seed: u64, mut draw: impl FnMut(&mut Shuffler) -> f64) -> Array2<f64> {
        let mut random = Shuffler::new(seed);
        Array2::from_shape_simple_fn((n, 1), || draw(&mut random))
    }

    fn density(text: &str) -> Density {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_sees_what_moments_do_not() {
        // A two-peaked mixture against the normal of the same mean and variance.
        let x = samples(6000, 5, |random| if random.uniform() < 0.5 { -1.5 } else { 1.5 } + 0.5 * random.normal());
        let y = samples(6000, 6, |random| 2.5_f64.sqrt() * random.normal());
        let (p, q) =
            (density("0.5*normal(-1.5, 0.5) + 0.5*normal(1.5, 0.5)"), Density::normal(0.0, 2.5_f64.sqrt()).unwrap());
        let moments = LinearCritic::new(CriticFeatures::Quadratic, 1).unwrap();
        let network = MlpCritic::new(16, 1).unwrap();
        let generator = Generator::JENSEN_SHANNON;
        let truth = continuous::divergence(Divergence::F(generator), &p, &q).unwrap().value();
        let of = |critic: &dyn VariationalEstimator| critic.lower_bound(generator, x.view(), y.view()).unwrap();
        let (blind, seeing) = (of(&moments), of(&network));
        assert!(blind.estimate < 0.2 * truth, "{blind:?} of {truth}");
        // Finite samples and a finite network leave a gap; a fifth tells this critic from those that see less.
        assert!(seeing.estimate > 0.8 * truth, "{seeing:?} of {truth}");
        assert!(seeing.bound > 0.5 * truth && seeing.bound <= truth, "{seeing:?} of {truth}");
    }

    #[test]
    fn equal_distributions_give_no_divergence_and_seeds_repeat() {
        let draw = |seed| samples(2000, seed, Shuffler::normal);
        let (x, y) = (draw(3), draw(4));
        let bound = |seed| {
            let critic = MlpCritic::new(8, seed).unwrap();
            critic.lower_bound(Generator::JENSEN_SHANNON, x.view(), y.view()).unwrap()
        };
        let found = bound(0);
        assert_eq!(found.bound, 0.0, "{found:?}");
        assert!(found.estimate.abs() < 0.02, "{found:?}");
        assert_eq!(found, bound(0));
        assert_ne!(found, bound(1));
    }

    #[test]
    fn unusable_input_is_refused() {
        for units in [0, MlpCritic::MOST_UNITS + 1, usize::MAX] {
            assert_eq!(MlpCritic::new(units, 1), Err(VariationalError::Units { units, most: 4096 }));
        }
        let few = samples(7, 0, Shuffler::normal);
        let error = MlpCritic::new(4, 0).unwrap().lower_bound(Generator::JENSEN_SHANNON, few.view(), few.view());
        assert!(matches!(error, Err(VariationalError::Samples(_))));
    }
}
