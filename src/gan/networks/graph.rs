//! A network as plain data.

use serde::{Deserialize, Serialize};

use crate::gan::error::GanError;
use crate::gan::layers::{Definition, Initializer, Layer};

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// An input of the network.
    Input(usize),
    /// The output of a node.
    Node(usize),
}

/// A layer in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// What is done.
    pub layer: Layer,
    /// To what.
    pub inputs: Vec<Source>,
    /// Whether the weight is divided by its largest singular value (Miyato et al. 2018).
    #[serde(default)]
    pub spectral_norm: bool,
    /// How its weights are drawn, where not as the others of the network.
    #[serde(default)]
    pub initializer: Option<Initializer>,
}

/// A value under a name: an input with the shape of a sample, or an output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Port<V> {
    /// One of [`name`](super::name), or another.
    pub name: String,
    /// What is under the name.
    pub value: V,
}

/// A network without its weights: layers, each applied to inputs or to what earlier layers gave.
///
/// ```
/// use gan_metrics::gan::layers::{Activation, Initializer, Linear, Sum};
/// use gan_metrics::gan::networks::Graph;
///
/// let mut graph = Graph::builder(Initializer::XavierUniform);
/// let x = graph.input("x", &[8]);
/// let hidden = graph.chain(x, [Linear::new(8, 8).into(), Activation::Relu.into()]);
/// let residual = graph.node(Sum, &[x, hidden]);
/// graph.output("y", residual);
/// let graph = graph.build()?;
/// assert_eq!(graph.output_shape("y")?, [8]);
/// # Ok::<(), gan_metrics::gan::GanError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    inputs: Vec<Port<Vec<usize>>>,
    nodes: Vec<Node>,
    outputs: Vec<Port<Source>>,
    initializer: Initializer,
    /// Of a sample of every node's output.
    #[serde(skip)]
    shapes: Vec<Vec<usize>>,
}

/// A graph in the making.
#[derive(Debug, Clone)]
pub struct GraphBuilder {
    graph: Graph,
    spectral_norm: bool,
    initializer: Option<Initializer>,
}

impl GraphBuilder {
    /// An input of samples of this shape.
    pub fn input(&mut self, name: &str, shape: &[usize]) -> Source {
        self.graph.inputs.push(Port { name: name.into(), value: shape.to_vec() });
        Source::Input(self.graph.inputs.len() - 1)
    }

    /// Divides the weights of all nodes that follow by their largest singular value, or no longer does.
    pub fn spectral_norm(&mut self, on: bool) -> &mut Self {
        self.spectral_norm = on;
        self
    }

    /// Draws the weights of all nodes that follow in this way, or as the rest of the network.
    pub fn initialized(&mut self, initializer: Option<Initializer>) -> &mut Self {
        self.initializer = initializer;
        self
    }

    /// A layer applied to values.
    pub fn node(&mut self, layer: impl Into<Layer>, inputs: &[Source]) -> Source {
        let layer = layer.into();
        let spectral_norm = self.spectral_norm && layer.parameters().iter().any(|spec| spec.is_normalisable());
        self.graph.nodes.push(Node { layer, inputs: inputs.to_vec(), spectral_norm, initializer: self.initializer });
        Source::Node(self.graph.nodes.len() - 1)
    }

    /// Layers one after the other.
    pub fn chain(&mut self, x: Source, layers: impl IntoIterator<Item = Layer>) -> Source {
        layers.into_iter().fold(x, |x, layer| self.node(layer, &[x]))
    }

    /// Gives a value a name.
    pub fn output(&mut self, name: &str, value: Source) -> &mut Self {
        self.graph.outputs.push(Port { name: name.into(), value });
        self
    }

    /// The graph.
    ///
    /// # Errors
    /// [`GanError::Shape`] when a layer does not fit what it is applied to, [`GanError::Setting`] when one cannot be.
    pub fn build(self) -> Result<Graph, GanError> {
        let mut graph = self.graph;
        for node in &graph.nodes {
            let shape = |source: &Source| graph.shape(*source);
            let inputs: Vec<&[usize]> = node.inputs.iter().map(shape).collect::<Option<_>>().ok_or_else(|| {
                GanError::shape("network", format!("{:?} is applied to what is made after it", node.layer))
            })?;
            if !node.layer.arity().contains(&inputs.len()) {
                let problem = format!("{:?} takes {:?} inputs, got {}", node.layer, node.layer.arity(), inputs.len());
                return Err(GanError::shape("network", problem));
            }
            let shape = node.layer.output_shape(&inputs)?;
            graph.shapes.push(shape);
        }
        match graph.outputs.iter().all(|port| graph.shape(port.value).is_some()) {
            true => Ok(graph),
            false => Err(GanError::shape("network", "an output names no node of it")),
        }
    }
}

impl Graph {
    /// A graph without layers yet.
    pub fn builder(initializer: Initializer) -> GraphBuilder {
        let (inputs, nodes, outputs, shapes) = Default::default();
        let graph = Graph { inputs, nodes, outputs, initializer, shapes };
        GraphBuilder { graph, spectral_norm: false, initializer: None }
    }

    /// Layers one after the other, from an input to an output: `input` and `output` are their names.
    ///
    /// # Errors
    /// As for [`GraphBuilder::build`].
    pub fn chain(
        input: (&str, &[usize]),
        layers: impl IntoIterator<Item = Layer>,
        output: &str,
        initializer: Initializer,
    ) -> Result<Self, GanError> {
        let mut graph = Self::builder(initializer);
        let x = graph.input(input.0, input.1);
        let y = graph.chain(x, layers);
        graph.output(output, y);
        graph.build()
    }

    /// The inputs and the shapes of their samples.
    pub fn inputs(&self) -> &[Port<Vec<usize>>] {
        &self.inputs
    }

    /// The layers, each after those that it is applied to.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The outputs.
    pub fn outputs(&self) -> &[Port<Source>] {
        &self.outputs
    }

    /// How weights are drawn where a node says nothing else.
    pub fn initializer(&self) -> Initializer {
        self.initializer
    }

    /// Shape of a sample of a value; `None` where there is no such value.
    pub fn shape(&self, source: Source) -> Option<&[usize]> {
        match source {
            Source::Input(index) => self.inputs.get(index).map(|port| port.value.as_slice()),
            Source::Node(index) => self.shapes.get(index).map(Vec::as_slice),
        }
    }

    /// Whether its inputs are samples of these shapes, in this order.
    pub fn takes(&self, shapes: &[&[usize]]) -> bool {
        self.inputs.iter().map(|port| port.value.as_slice()).eq(shapes.iter().copied())
    }

    /// Whether it has an output of this name.
    pub fn has_output(&self, name: &str) -> bool {
        self.outputs.iter().any(|port| port.name == name)
    }

    /// Shape of a sample of an output.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there is none of this name.
    pub fn output_shape(&self, name: &str) -> Result<&[usize], GanError> {
        let found = self.outputs.iter().find(|port| port.name == name).and_then(|port| self.shape(port.value));
        found.ok_or_else(|| GanError::shape("network", format!("it has no output `{name}`")))
    }

    /// Whether a layer divides samples by moments of their batch, as batch normalisation does.
    pub fn normalises_by_batch(&self) -> bool {
        self.nodes.iter().any(|node| node.layer.normalises_by_batch())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::layers::{Activation, Linear, Sum};

    #[test]
    fn what_does_not_fit_is_named() {
        let chain = |layers: Vec<Layer>| Graph::chain(("x", &[3]), layers, "y", Initializer::Dcgan);
        let message = chain(vec![Linear::new(4, 2).into()]).unwrap_err().to_string();
        assert_eq!(message, "linear: it takes rows of 4 values, the input is [3]");
        let message = chain(vec![Sum.into()]).unwrap_err().to_string();
        assert_eq!(message, "network: Sum(Sum) takes 2..=2 inputs, got 1");
        let mut later = Graph::builder(Initializer::Dcgan);
        later.node(Activation::Tanh, &[Source::Node(1)]);
        assert!(later.build().unwrap_err().to_string().contains("made after it"));
    }

    #[test]
    fn a_graph_knows_its_outputs() {
        let graph = Graph::chain(("x", &[3]), [Linear::new(3, 2).into()], "y", Initializer::Dcgan).unwrap();
        assert!(graph.has_output("y") && !graph.has_output("z"));
        assert_eq!(graph.output_shape("y").unwrap(), [2]);
        assert_eq!(graph.output_shape("z").unwrap_err().to_string(), "network: it has no output `z`");
    }
}
