//! What a layer is given to write itself into an ONNX graph.

use crate::extractor::weights::onnx::{ConvolutionWeights, Graph, GraphValue, Window};
use crate::extractor::weights::pth;
use crate::gan::networks::Parameter;

/// A layer's place in the graph that is being written.
pub(crate) struct Export<'a> {
    /// What is written to.
    pub graph: &'a mut Graph,
    /// Name of the node.
    pub name: String,
    /// Inputs of the layer.
    pub inputs: &'a [GraphValue],
    /// Parameters and buffers of the layer, under their names within it.
    pub tensors: Vec<(&'a str, &'a Parameter)>,
}

impl Export<'_> {
    /// The input of a layer that has one.
    pub fn input(&self) -> GraphValue {
        self.inputs[0].clone()
    }

    fn parameter(&self, part: &str) -> Option<&Parameter> {
        self.tensors.iter().find(|(name, _)| *name == part).map(|&(_, parameter)| parameter)
    }

    /// A tensor that the layer has by definition.
    pub fn tensor(&self, part: &str) -> pth::StoredTensor {
        let value = &self.parameter(part).expect("the layer has this tensor").value;
        pth::StoredTensor::new(value.shape().to_vec(), value.data().to_vec()).expect("as many values as the shape says")
    }

    /// The values of a tensor that the layer has by definition.
    pub fn values(&self, part: &str) -> Vec<f32> {
        self.parameter(part).expect("the layer has this tensor").value.data().to_vec()
    }

    /// The weights of a convolution.
    pub fn kernel(&self) -> ConvolutionWeights {
        let bias = self.parameter("bias").map(|bias| bias.value.data().to_vec());
        ConvolutionWeights { weight: self.tensor("weight"), bias }
    }

    /// A square window.
    pub fn window(&self, kernel: usize, stride: usize, padding: usize) -> Window {
        Window::new(kernel, kernel).stride(stride).pad(padding)
    }
}
