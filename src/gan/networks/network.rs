//! A graph with its weights.

use std::ops::Range;

use super::graph::{Graph, Node, Source};
use super::spectral::Matrix;
use crate::gan::error::GanError;
use crate::gan::layers::{BufferSpec, Call, Definition, Initial, Mode};
use crate::gan::random::Random;
use crate::gan::real::Real;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;

/// A tensor with its name, `node.tensor` as in PyTorch's `state_dict` of an `nn.Sequential`.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter<T: Real = f32> {
    /// Name: the index of the node, a dot, and what it is there.
    pub name: String,
    /// Values.
    pub value: Tensor<T>,
}

/// A graph and its tensors.
#[derive(Debug, Clone)]
pub struct Network<T: Real = f32> {
    graph: Graph,
    places: Vec<Place>,
    parameters: Vec<Parameter<T>>,
    /// What is not trained: running moments, the vectors of spectral normalisation.
    buffers: Vec<Parameter<T>>,
}

/// Where the tensors of a node are.
#[derive(Debug, Clone)]
struct Place {
    parameters: Range<usize>,
    buffers: Range<usize>,
    /// The weight, where it is divided by its largest singular value; its vectors are the last two buffers.
    spectral: Option<Matrix>,
    /// Nodes that nobody needs after this one.
    done: Vec<usize>,
}

/// What a network gives, by name.
#[derive(Debug, Clone)]
pub struct Outputs<T: Real = f32>(Vec<(String, Var<T>)>);

impl<T: Real> Outputs<T> {
    /// The output of this name.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there is none.
    pub fn get(&self, name: &str) -> Result<&Var<T>, GanError> {
        let found = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        found.ok_or_else(|| GanError::shape("network", format!("it has no output `{name}`")))
    }

    /// The output of a network that has one.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there are others.
    pub fn only(&self) -> Result<&Var<T>, GanError> {
        match self.0.as_slice() {
            [(_, value)] => Ok(value),
            several => Err(GanError::shape("network", format!("it has {} outputs", several.len()))),
        }
    }
}

impl<T: Real> FromIterator<(String, Var<T>)> for Outputs<T> {
    fn from_iter<I: IntoIterator<Item = (String, Var<T>)>>(outputs: I) -> Self {
        Outputs(outputs.into_iter().collect())
    }
}

impl<T: Real> Network<T> {
    /// A network with fresh weights.
    ///
    /// # Errors
    /// [`GanError::Memory`] when the weights take too much.
    pub fn new(graph: Graph, random: &mut Random) -> Result<Self, GanError> {
        super::check_numbers("the weights of these networks", super::Footprint::of(&graph).parameters)?;
        let (mut parameters, mut buffers, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (index, node) in graph.nodes().iter().enumerate() {
            let name = |part: &str| format!("{index}.{part}");
            let (first, first_buffer) = (parameters.len(), buffers.len());
            let initializer = node.initializer.unwrap_or(graph.initializer());
            let mut spectral = None;
            for spec in node.layer.parameters() {
                if node.spectral_norm && spec.is_normalisable() {
                    spectral = Some(Matrix::of(&node.layer, &spec.shape));
                }
                let value = initializer.draw(&spec.shape, spec.role, random);
                parameters.push(Parameter { name: name(spec.name), value });
            }
            let vectors = spectral.into_iter().flat_map(Matrix::buffers);
            for spec in node.layer.buffers().into_iter().chain(vectors) {
                buffers.push(Parameter { name: name(spec.name), value: initial(&spec, random) });
            }
            let done = last_uses(&graph, index);
            places.push(Place {
                parameters: first..parameters.len(),
                buffers: first_buffer..buffers.len(),
                spectral,
                done,
            });
        }
        Ok(Network { graph, places, parameters, buffers })
    }

    /// What it is made of.
    pub fn graph(&self) -> &Graph {
        &self.graph
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

    /// Everything that makes up the network: what is trained, and what moves with it.
    pub fn state(&self) -> impl Iterator<Item = &Parameter<T>> {
        self.parameters.iter().chain(&self.buffers)
    }

    /// Everything that makes up the network, to be changed.
    pub fn state_mut(&mut self) -> impl Iterator<Item = &mut Parameter<T>> {
        self.parameters.iter_mut().chain(&mut self.buffers)
    }

    /// Parameters and buffers of a node as evaluation sees them, under their names within it: a weight is divided by its
    /// largest singular value where it is in every pass.
    #[cfg(feature = "inference")]
    pub(crate) fn exported_tensors_of(&self, node: usize) -> Vec<(String, Parameter<T>)> {
        let Place { parameters, buffers, spectral, .. } = &self.places[node];
        let buffers = &self.buffers[buffers.clone()];
        let mut of_node: Vec<Parameter<T>> = self.parameters[parameters.clone()].to_vec();
        if let (Some(matrix), Some(weight)) = (spectral, of_node.first_mut()) {
            let normalised = matrix.normalise(&Var::constant(weight.value.clone()), &buffers[buffers.len() - 2..]);
            weight.value = normalised.expect("the vectors fit the weight").value().clone();
        }
        of_node.extend_from_slice(buffers);
        let named = |parameter: Parameter<T>| {
            let part = parameter.name.split_once('.').map_or("", |(_, part)| part).to_owned();
            (part, parameter)
        };
        of_node.into_iter().map(named).collect()
    }

    /// The parameters as variables that can be differentiated by.
    pub fn variables(&self) -> Vec<Var<T>> {
        self.parameters.iter().map(|parameter| Var::leaf(parameter.value.clone())).collect()
    }

    /// The parameters as constants.
    pub fn constants(&self) -> Vec<Var<T>> {
        self.parameters.iter().map(|parameter| Var::constant(parameter.value.clone())).collect()
    }

    /// The outputs in training: batches are normalised by their own moments, which move the running ones, and dropout
    /// draws from `random`. `parameters` are [`Network::variables`] or [`Network::constants`], inputs in the order of the
    /// graph.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the inputs do not fit.
    pub fn forward(
        &mut self,
        parameters: &[Var<T>],
        inputs: &[&Var<T>],
        random: &mut Random,
    ) -> Result<Outputs<T>, GanError> {
        let Network { graph, places, buffers, .. } = self;
        run(graph, places, inputs, |node, place, inputs| {
            let mut parameters = parameters[place.parameters.clone()].to_vec();
            let buffers = &mut buffers[place.buffers.clone()];
            let own = match place.spectral {
                None => buffers,
                Some(matrix) => {
                    let (own, vectors) = buffers.split_at_mut(buffers.len() - 2);
                    matrix.iterate(parameters[0].value(), vectors);
                    parameters[0] = matrix.normalise(&parameters[0], vectors)?;
                    own
                }
            };
            let mode = Mode::Training { buffers: own, random };
            node.layer.apply(Call { parameters: &parameters, inputs, mode })
        })
    }

    /// The outputs in evaluation: batches are normalised by the running moments, so that every sample is treated by
    /// itself, and nothing drops out.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the inputs do not fit.
    pub fn evaluate(&self, inputs: &[&Var<T>]) -> Result<Outputs<T>, GanError> {
        self.evaluate_with(&self.constants(), inputs)
    }

    /// [`Network::evaluate`] with given parameters: [`Network::variables`], where the result is differentiated.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the inputs do not fit.
    pub fn evaluate_with(&self, parameters: &[Var<T>], inputs: &[&Var<T>]) -> Result<Outputs<T>, GanError> {
        run(&self.graph, &self.places, inputs, |node, place, inputs| {
            let mut parameters = parameters[place.parameters.clone()].to_vec();
            let mut buffers = &self.buffers[place.buffers.clone()];
            if let Some(matrix) = place.spectral {
                let (own, vectors) = buffers.split_at(buffers.len() - 2);
                parameters[0] = matrix.normalise(&parameters[0], vectors)?;
                buffers = own;
            }
            node.layer.apply(Call { parameters: &parameters, inputs, mode: Mode::Evaluation { buffers } })
        })
    }

    /// Moves the weights towards those of `other`, w ← decay·w + (1−decay)·w′, and takes over its running moments: an
    /// exponential moving average of weights.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the networks differ.
    pub fn average_towards(&mut self, other: &Network<T>, decay: f64) -> Result<(), GanError> {
        if self.graph != other.graph {
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
        self.buffers.clone_from(&other.buffers);
        Ok(())
    }
}

/// Applies every node in turn.
fn run<T: Real>(
    graph: &Graph,
    places: &[Place],
    inputs: &[&Var<T>],
    mut apply: impl FnMut(&Node, &Place, &[Var<T>]) -> Result<Var<T>, GanError>,
) -> Result<Outputs<T>, GanError> {
    check_inputs(graph, inputs)?;
    let mut made: Vec<Option<Var<T>>> = Vec::with_capacity(places.len());
    let value = |made: &[Option<Var<T>>], source: Source| match source {
        Source::Input(index) => inputs[index].clone(),
        Source::Node(index) => made[index].clone().expect("a value is kept until it was used"),
    };
    for (node, place) in graph.nodes().iter().zip(places) {
        let of_node: Vec<_> = node.inputs.iter().map(|&source| value(&made, source)).collect();
        made.push(Some(apply(node, place, &of_node)?));
        // Without a tape behind them, values go as soon as they were used.
        place.done.iter().for_each(|&index| made[index] = None);
    }
    Ok(graph.outputs().iter().map(|port| (port.name.clone(), value(&made, port.value))).collect())
}

fn check_inputs<T: Real>(graph: &Graph, inputs: &[&Var<T>]) -> Result<(), GanError> {
    let expected = graph.inputs();
    if inputs.len() != expected.len() {
        return Err(GanError::shape("network", format!("it takes {} inputs, got {}", expected.len(), inputs.len())));
    }
    for (input, port) in inputs.iter().zip(expected) {
        if input.shape().get(1..) != Some(port.value.as_slice()) {
            let problem =
                format!("`{}` takes samples of {:?}, the batch is {:?}", port.name, port.value, input.shape());
            return Err(GanError::shape("network", problem));
        }
    }
    Ok(())
}

/// The nodes that are used by this one and by none after it.
fn last_uses(graph: &Graph, index: usize) -> Vec<usize> {
    let uses = |node: &Node, wanted: usize| node.inputs.contains(&Source::Node(wanted));
    let later = &graph.nodes()[index + 1..];
    let is_output = |wanted: usize| graph.outputs().iter().any(|port| port.value == Source::Node(wanted));
    let used = graph.nodes()[index].inputs.iter().filter_map(|source| match *source {
        Source::Node(node) => Some(node),
        Source::Input(_) => None,
    });
    used.filter(|&wanted| !is_output(wanted) && !later.iter().any(|node| uses(node, wanted))).collect()
}

fn initial<T: Real>(spec: &BufferSpec, random: &mut Random) -> Tensor<T> {
    match spec.initial {
        Initial::Full(value) => Tensor::full(&spec.shape, T::of(value)),
        Initial::Direction => {
            let normal: Tensor<f64> = random.normal(&spec.shape, 0.0, 1.0);
            let norm = normal.data().iter().map(|x| x * x).sum::<f64>().sqrt();
            Tensor::from_fn(&spec.shape, |i| T::of(normal.data()[i] / norm))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::layers::{
        Activation, BatchNorm, Bias, Conv2d, Dropout, Initializer, Layer, LayerNorm, Linear, Reshape, Sum, Upsample,
    };
    use crate::gan::testing::{check_derivatives, sample};

    fn small(initializer: Initializer) -> Graph {
        let layers = [
            Conv2d { inputs: 1, outputs: 2, kernel: 3, stride: 1, padding: 1, bias: Bias::Yes }.into(),
            BatchNorm { channels: 2 }.into(),
            Activation::LeakyRelu(0.2).into(),
            Upsample { factor: 2 }.into(),
            Reshape { shape: vec![2 * 16] }.into(),
            Linear::new(32, 3).into(),
            LayerNorm { shape: vec![3] }.into(),
            Activation::Tanh.into(),
        ];
        Graph::chain(("x", &[1, 2, 2]), layers, "y", initializer).unwrap()
    }

    fn alone<T: Real>(layer: impl Into<Layer>, shape: &[usize]) -> Network<T> {
        let graph = Graph::chain(("x", shape), [layer.into()], "y", Initializer::Dcgan).unwrap();
        Network::new(graph, &mut Random::new(1)).unwrap()
    }

    /// The output in training.
    fn trained<T: Real>(network: &mut Network<T>, x: &Var<T>, random: &mut Random) -> Var<T> {
        network.forward(&network.constants(), &[x], random).unwrap().only().unwrap().clone()
    }

    #[test]
    fn names_are_those_of_a_sequential_state_dict() {
        let network: Network = Network::new(small(Initializer::Dcgan), &mut Random::new(1)).unwrap();
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
        let network: Network<f64> = Network::new(small(Initializer::XavierNormal), &mut random).unwrap();
        let mut at: Vec<_> = network.parameters().iter().map(|parameter| parameter.value.clone()).collect();
        at.push(sample(&[3, 1, 2, 2], 5));
        // The up-sampled map has 4×4 positions.
        check_derivatives(&at, |x| {
            let (input, parameters) = x.split_last().unwrap();
            network.clone().forward(parameters, &[input], &mut Random::new(2))?.only().cloned()
        });
    }

    #[test]
    fn a_value_that_is_used_later_is_kept() {
        let mut graph = Graph::builder(Initializer::XavierNormal);
        let x = graph.input("x", &[3]);
        let first = graph.node(Linear::new(3, 3), &[x]);
        let second = graph.node(Activation::Tanh, &[first]);
        let sum = graph.node(Sum, &[first, second]);
        graph.output("sum", sum).output("first", first);
        let network: Network<f64> = Network::new(graph.build().unwrap(), &mut Random::new(1)).unwrap();
        let outputs = network.evaluate(&[&Var::constant(sample(&[2, 3], 2))]).unwrap();
        let (sum, first) = (outputs.get("sum").unwrap().value(), outputs.get("first").unwrap().value());
        assert!(sum.data().iter().zip(first.data()).all(|(sum, first)| *sum == first + first.tanh()));
        assert!(outputs.only().is_err() && outputs.get("third").is_err());
    }

    #[test]
    fn inputs_that_do_not_fit_are_named() {
        let network: Network = alone(Linear::new(3, 1), &[3]);
        let of = |shape: &[usize]| network.evaluate(&[&Var::constant(Tensor::zeros(shape))]).unwrap_err().to_string();
        assert_eq!(of(&[2, 4]), "network: `x` takes samples of [3], the batch is [2, 4]");
        assert_eq!(network.evaluate(&[]).unwrap_err().to_string(), "network: it takes 1 inputs, got 0");
    }

    #[test]
    fn evaluation_normalises_by_the_running_moments() {
        let mut network: Network<f64> = alone(BatchNorm { channels: 2 }, &[2, 3, 3]);
        let x = Var::constant(sample(&[4, 2, 3, 3], 1));
        for _ in 0..400 {
            trained(&mut network, &x, &mut Random::new(0));
        }
        // The running moments have converged to those of the batch, 0.9⁴⁰⁰ = 5e-19, but for the unbiased variance.
        let trained = trained(&mut network, &x, &mut Random::new(0));
        let evaluated = network.evaluate(&[&x]).unwrap().only().unwrap().clone();
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
        let mut network: Network<f64> = alone(Dropout { p: 0.25 }, &[10_000]);
        let x = Var::constant(Tensor::full(&[1, 10_000], 1.0));
        let y = trained(&mut network, &x, &mut Random::new(3));
        let zeros = y.value().data().iter().filter(|&&value| value == 0.0).count();
        // Five standard deviations of a binomial count: √(10⁴·¼·¾) = 43.
        assert!((zeros as f64 - 2500.0).abs() < 217.0);
        assert!(y.value().data().iter().all(|&value| value == 0.0 || (value - 4.0 / 3.0).abs() < 1e-15));
        assert_eq!(network.evaluate(&[&x]).unwrap().only().unwrap().value(), x.value());
        let certain = [Dropout { p: 1.0 }.into()];
        assert!(Graph::chain(("x", &[1]), certain, "y", Initializer::Dcgan).is_err());
    }

    #[test]
    fn an_average_of_weights_moves_by_its_decay() {
        let network = |seed| Network::<f64>::new(small(Initializer::Dcgan), &mut Random::new(seed)).unwrap();
        let (mut average, other) = (network(1), network(2));
        let before = average.parameters()[0].value.data()[0];
        average.average_towards(&other, 0.75).unwrap();
        let expected = 0.75 * before + 0.25 * other.parameters()[0].value.data()[0];
        assert_eq!(average.parameters()[0].value.data()[0], expected);
        assert!(average.average_towards(&alone(Linear::new(1, 1), &[1]), 0.5).is_err());
    }
}
