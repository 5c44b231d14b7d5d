use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// A function of every value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// x where positive, this times x elsewhere.
    LeakyRelu(f64),
    /// Hyperbolic tangent.
    Tanh,
    /// 1/(1+e⁻ˣ).
    Sigmoid,
    /// ln(1+eˣ).
    Softplus,
    /// x/(1+e⁻ˣ), also called swish.
    Silu,
}

impl Definition for Activation {
    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        Ok(inputs[0].to_vec())
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let x = call.input();
        Ok(match *self {
            Activation::Relu => x.relu(),
            Activation::LeakyRelu(slope) => x.leaky_relu(T::of(slope)),
            Activation::Tanh => x.tanh(),
            Activation::Sigmoid => x.sigmoid(),
            Activation::Softplus => x.softplus(),
            Activation::Silu => x.silu(),
        })
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        let x = node.input();
        Some(match *self {
            Activation::Relu => node.graph.relu(&node.name, &x),
            Activation::LeakyRelu(slope) => node.graph.leaky_relu(&node.name, &x, slope as f32),
            Activation::Tanh => node.graph.tanh(&node.name, &x),
            Activation::Sigmoid => node.graph.sigmoid(&node.name, &x),
            Activation::Softplus => node.graph.softplus(&node.name, &x),
            // No single operator of the version that is written.
            Activation::Silu => return None,
        })
    }
}
