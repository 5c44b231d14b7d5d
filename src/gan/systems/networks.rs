//! Networks by name.

use crate::gan::error::GanError;
use crate::gan::networks::{Graph, Network, name};
use crate::gan::random::Random;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;

/// The networks of a system.
#[derive(Debug, Clone)]
pub struct Networks(Vec<(&'static str, Network)>);

impl Networks {
    /// With fresh weights.
    ///
    /// # Errors
    /// [`GanError::Memory`] when one takes too much.
    pub fn new(graphs: Vec<(&'static str, Graph)>, random: &mut Random) -> Result<Self, GanError> {
        let made = graphs.into_iter().map(|(name, graph)| Ok((name, Network::new(graph, random)?)));
        made.collect::<Result<_, GanError>>().map(Networks)
    }

    /// The network of this name.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there is none.
    pub fn get(&self, name: &str) -> Result<&Network, GanError> {
        self.iter().find(|(known, _)| *known == name).map(|(_, network)| network).ok_or_else(|| unknown(name))
    }

    /// The network of this name, to be changed.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub fn get_mut(&mut self, name: &str) -> Result<&mut Network, GanError> {
        self.iter_mut().find(|(known, _)| *known == name).map(|(_, network)| network).ok_or_else(|| unknown(name))
    }

    /// What a network makes of inputs in evaluation: its output of a name.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there is no such network or output, or the inputs do not fit.
    pub fn output(&self, network: &str, inputs: &[&Tensor], output: &str) -> Result<Tensor, GanError> {
        let inputs: Vec<Var> = inputs.iter().map(|&input| Var::constant(input.clone())).collect();
        let inputs: Vec<&Var> = inputs.iter().collect();
        Ok(self.get(network)?.evaluate(&inputs)?.get(output)?.value().clone())
    }

    /// The images that a generator makes of z, N×length, and of rows of a condition where it takes one.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there is no such network or the tensors do not fit.
    pub fn images(&self, generator: &str, z: &Tensor, condition: Option<&Tensor>) -> Result<Tensor, GanError> {
        let batch = z.shape().first().copied().unwrap_or_default();
        let of_sample = self.get(generator)?.graph().inputs().first().map(|port| port.value.clone());
        let z = z.reshape(&[&[batch], of_sample.unwrap_or_default().as_slice()].concat())?;
        let inputs: Vec<&Tensor> = std::iter::once(&z).chain(condition).collect();
        self.output(generator, &inputs, name::IMAGES)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Network)> {
        self.0.iter().map(|(name, network)| (*name, network))
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Network)> {
        self.0.iter_mut().map(|(name, network)| (*name, network))
    }
}

fn unknown(name: &str) -> GanError {
    GanError::shape("system", format!("it has no network `{name}`"))
}
