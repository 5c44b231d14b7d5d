//! A list of layers with its weights.

use std::ops::Range;

use super::init::Initializer;
use super::spec::{Layer, NORMALIZATION_EPSILON};
use crate::gan::error::GanError;
use crate::gan::ops::BatchMoments;
use crate::gan::random::Random;
use crate::gan::real::Real;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;

/// Share of a batch in the running moments, PyTorch's default.
const MOMENTUM: f64 = 0.1;

/// A tensor with its name, `layer.tensor` as in PyTorch's `state_dict` of an `nn.Sequential`.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter<T: Real = f32> {
    /// Name: the index of the layer, a dot, and what it is there.
    pub name: String,
    /// Values.
    pub value: Tensor<T>,
}

/// Layers applied one after the other, and their tensors.
#[derive(Debug, Clone)]
pub struct Network<T: Real = f32> {
    layers: Vec<Placed>,
    parameters: Vec<Parameter<T>>,
    /// Running mean and variance of every batch normalisation, in this order.
    running: Vec<[Parameter<T>; 2]>,
}

/// A layer and where its tensors are.
#[derive(Debug, Clone)]
struct Placed {
    layer: Layer,
    parameters: Range<usize>,
    running: Option<usize>,
}

impl<T: Real> Network<T> {
    /// A network with fresh weights.
    ///
    /// # Errors
    /// [`GanError::Setting`] when the probability of a dropout is not in \[0, 1).
    pub fn new(layers: Vec<Layer>, initializer: Initializer, random: &mut Random) -> Result<Self, GanError> {
        let mut network = Network { layers: Vec::new(), parameters: Vec::new(), running: Vec::new() };
        for (index, layer) in layers.into_iter().enumerate() {
            let first = network.parameters.len();
            for spec in layer.parameters() {
                let value = initializer.draw(&spec.shape, spec.role, random);
                network.parameters.push(Parameter { name: format!("{index}.{}", spec.name), value });
            }
            let mut running = None;
            match layer {
                Layer::BatchNorm { channels } => {
                    running = Some(network.running.len());
                    let moment = |name: &str, value| Parameter {
                        name: format!("{index}.{name}"),
                        value: Tensor::full(&[channels], value),
                    };
                    network.running.push([moment("running_mean", T::ZERO), moment("running_var", T::ONE)]);
                }
                Layer::Dropout { p } if !(0.0..1.0).contains(&p) => {
                    return Err(GanError::setting("the probability of a dropout", p, "in [0, 1)"));
                }
                _ => {}
            }
            network.layers.push(Placed { layer, parameters: first..network.parameters.len(), running });
        }
        Ok(network)
    }

    /// The layers.
    pub fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter().map(|placed| &placed.layer)
    }

    /// What is trained.
    pub fn parameters(&self) -> &[Parameter<T>] {
        &self.parameters
    }

    /// What is trained, to be changed.
    pub fn parameters_mut(&mut self) -> &mut [Parameter<T>] {
        &mut self.parameters
    }

    /// Number of trained values.
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().map(|parameter| parameter.value.len()).sum()
    }

    /// Everything that makes up the network: what is trained, and the running moments.
    pub fn state(&self) -> impl Iterator<Item = &Parameter<T>> {
        self.parameters.iter().chain(self.running.iter().flatten())
    }

    /// Everything that makes up the network, to be changed.
    pub fn state_mut(&mut self) -> impl Iterator<Item = &mut Parameter<T>> {
        self.parameters.iter_mut().chain(self.running.iter_mut().flatten())
    }

    /// The parameters as variables that can be differentiated by.
    pub fn variables(&self) -> Vec<Var<T>> {
        self.parameters.iter().map(|parameter| Var::leaf(parameter.value.clone())).collect()
    }

    /// The parameters as constants.
    pub fn constants(&self) -> Vec<Var<T>> {
        self.parameters.iter().map(|parameter| Var::constant(parameter.value.clone())).collect()
    }

    /// The output in training: batches are normalised by their own moments, which move the running ones, and dropout
    /// draws from `random`. `parameters` are [`Network::variables`] or [`Network::constants`].
    ///
    /// # Errors
    /// [`GanError::Shape`] when the input does not fit.
    pub fn forward(&mut self, parameters: &[Var<T>], x: &Var<T>, random: &mut Random) -> Result<Var<T>, GanError> {
        let mut x = x.clone();
        for Placed { layer, parameters: range, running } in &self.layers {
            let parameters = &parameters[range.clone()];
            x = match (layer, running) {
                (Layer::BatchNorm { .. }, Some(running)) => {
                    let normalised = x.batch_norm(&parameters[0], &parameters[1], NORMALIZATION_EPSILON)?;
                    update_running(&mut self.running[*running], &normalised.moments);
                    normalised.output
                }
                (Layer::Dropout { p }, _) if *p > 0.0 => {
                    let kept = T::of(1.0 / (1.0 - p));
                    let mask = Tensor::from_fn(x.shape(), |_| if random.uniform() < *p { T::ZERO } else { kept });
                    x.mul(&Var::constant(mask))?
                }
                _ => layer.apply(parameters, &x)?,
            };
        }
        Ok(x)
    }

    /// The output in evaluation: batches are normalised by the running moments, so that every sample is treated by
    /// itself, and nothing drops out.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the input does not fit.
    pub fn evaluate(&self, x: &Var<T>) -> Result<Var<T>, GanError> {
        let constants = self.constants();
        let mut x = x.clone();
        for Placed { layer, parameters, running } in &self.layers {
            let parameters = &constants[parameters.clone()];
            x = match running {
                Some(running) => {
                    let [scale, shift] = self.affine_of(parameters, &self.running[*running]);
                    x.channel_affine(&scale, &shift)?
                }
                None => layer.apply(parameters, &x)?,
            };
        }
        Ok(x)
    }

    /// Batch normalisation with the running moments, as a scale and a shift.
    fn affine_of(&self, parameters: &[Var<T>], [mean, variance]: &[Parameter<T>; 2]) -> [Var<T>; 2] {
        let [gamma, beta] = [0, 1].map(|i| parameters[i].value().data());
        let (mean, variance) = (mean.value.data(), variance.value.data());
        let scale = |i: usize| gamma[i].to_f64() / (variance[i].to_f64() + NORMALIZATION_EPSILON).sqrt();
        let shape = [gamma.len()];
        let shift = Tensor::from_fn(&shape, |i| T::of(beta[i].to_f64() - mean[i].to_f64() * scale(i)));
        [Tensor::from_fn(&shape, |i| T::of(scale(i))), shift].map(Var::constant)
    }

    /// Moves the weights towards those of `other`, w ← decay·w + (1−decay)·w′, and takes over its running moments: an
    /// exponential moving average of weights.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the networks differ.
    pub fn average_towards(&mut self, other: &Network<T>, decay: f64) -> Result<(), GanError> {
        let same = self.layers().eq(other.layers());
        if !same {
            return Err(GanError::shape("average of weights", "the networks have different layers"));
        }
        let (kept, taken) = (T::of(decay), T::of(1.0 - decay));
        for (average, parameter) in self.parameters.iter_mut().zip(&other.parameters) {
            crate::gan::kernels::pointwise::update(
                average.value.data_mut(),
                parameter.value.data(),
                |average, value| {
                    *average = kept * *average + taken * value;
                },
            );
        }
        self.running.clone_from(&other.running);
        Ok(())
    }
}

/// PyTorch's rule: the running variance takes the unbiased variance of the batch.
fn update_running<T: Real>([mean, variance]: &mut [Parameter<T>; 2], moments: &BatchMoments) {
    let n = moments.n as f64;
    let unbiased = n / (n - 1.0);
    let blend = |running: &mut T, value: f64| *running = T::of((1.0 - MOMENTUM) * running.to_f64() + MOMENTUM * value);
    for (running, &value) in mean.value.data_mut().iter_mut().zip(&moments.mean) {
        blend(running, value);
    }
    for (running, &value) in variance.value.data_mut().iter_mut().zip(&moments.variance) {
        blend(running, value * unbiased);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::layers::{Activation, Bias};
    use crate::gan::testing::{check_derivatives, sample};

    fn small() -> Vec<Layer> {
        vec![
            Layer::Conv2d { inputs: 1, outputs: 2, kernel: 3, stride: 1, padding: 1, bias: Bias::Yes },
            Layer::BatchNorm { channels: 2 },
            Layer::Activation(Activation::LeakyRelu(0.2)),
            Layer::Upsample { factor: 2 },
            Layer::Reshape { shape: vec![2 * 16] },
            Layer::Linear { inputs: 32, outputs: 3, bias: Bias::Yes },
            Layer::LayerNorm { shape: vec![3] },
            Layer::Activation(Activation::Tanh),
        ]
    }

    #[test]
    fn names_are_those_of_a_sequential_state_dict() {
        let network: Network = Network::new(small(), Initializer::Dcgan, &mut Random::new(1)).unwrap();
        let names: Vec<_> = network.state().map(|parameter| parameter.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "0.weight",
                "0.bias",
                "1.weight",
                "1.bias",
                "5.weight",
                "5.bias",
                "6.weight",
                "6.bias",
                "1.running_mean",
                "1.running_var"
            ]
        );
        assert_eq!(network.parameter_count(), 18 + 2 + 4 + 96 + 3 + 6);
    }

    #[test]
    fn a_whole_network_differentiates_by_its_parameters_and_its_input() {
        let mut random = Random::new(1);
        let network: Network<f64> = Network::new(small(), Initializer::XavierNormal, &mut random).unwrap();
        let mut at: Vec<_> = network.parameters().iter().map(|parameter| parameter.value.clone()).collect();
        at.push(sample(&[3, 1, 2, 2], 5));
        // The up-sampled map has 4×4 positions.
        check_derivatives(&at, |x| {
            let (input, parameters) = x.split_last().unwrap();
            network.clone().forward(parameters, input, &mut Random::new(2))
        });
    }

    #[test]
    fn evaluation_normalises_by_the_running_moments() {
        let layers = vec![Layer::BatchNorm { channels: 2 }];
        let mut network: Network<f64> = Network::new(layers, Initializer::Dcgan, &mut Random::new(1)).unwrap();
        let x = Var::constant(sample(&[4, 2, 3, 3], 1));
        for _ in 0..400 {
            network.forward(&network.constants(), &x, &mut Random::new(0)).unwrap();
        }
        // The running moments have converged to those of the batch, 0.9⁴⁰⁰ = 5e-19, but for the unbiased variance.
        let trained = network.forward(&network.constants(), &x, &mut Random::new(0)).unwrap();
        let evaluated = network.evaluate(&x).unwrap();
        let beta_and_gamma = network.constants();
        let ratio = (35.0_f64 / 36.0).sqrt();
        for (i, (t, e)) in trained.value().data().iter().zip(evaluated.value().data()).enumerate() {
            let channel = i / 9 % 2;
            let beta = beta_and_gamma[1].value().data()[channel];
            assert!(((t - beta) * ratio - (e - beta)).abs() < 1e-5, "{t} {e}");
        }
    }

    #[test]
    fn dropout_keeps_the_mean_and_does_nothing_in_evaluation() {
        let layers = vec![Layer::Dropout { p: 0.25 }];
        let mut network: Network<f64> = Network::new(layers, Initializer::Dcgan, &mut Random::new(1)).unwrap();
        let x = Var::constant(Tensor::full(&[10_000], 1.0));
        let y = network.forward(&[], &x, &mut Random::new(3)).unwrap();
        let zeros = y.value().data().iter().filter(|&&value| value == 0.0).count();
        // Five standard deviations of a binomial count: √(10⁴·¼·¾) = 43.
        assert!((zeros as f64 - 2500.0).abs() < 217.0);
        assert!(y.value().data().iter().all(|&value| value == 0.0 || (value - 4.0 / 3.0).abs() < 1e-15));
        assert_eq!(network.evaluate(&x).unwrap().value(), x.value());
        let wrong = Network::<f32>::new(vec![Layer::Dropout { p: 1.0 }], Initializer::Dcgan, &mut Random::new(1));
        assert!(wrong.is_err());
    }

    #[test]
    fn an_average_of_weights_moves_by_its_decay() {
        let network = |seed| Network::<f64>::new(small(), Initializer::Dcgan, &mut Random::new(seed)).unwrap();
        let (mut average, other) = (network(1), network(2));
        let before = average.parameters()[0].value.data()[0];
        average.average_towards(&other, 0.75).unwrap();
        let expected = 0.75 * before + 0.25 * other.parameters()[0].value.data()[0];
        assert_eq!(average.parameters()[0].value.data()[0], expected);
        let unlike = Network::<f64>::new(Vec::new(), Initializer::Dcgan, &mut Random::new(1)).unwrap();
        assert!(average.average_towards(&unlike, 0.5).is_err());
    }
}
