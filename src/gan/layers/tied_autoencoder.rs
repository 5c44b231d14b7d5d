use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition, ParameterSpec, Role};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// An autoencoder with one hidden layer whose two weights are each other's transpose: σ(x·Wᵀ + b)·W + c, where the weight is
/// hidden×inputs. The output has no sigmoid: it is a row of logits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TiedAutoencoder {
    /// Values of a row.
    pub inputs: usize,
    /// Hidden units.
    pub hidden: usize,
}

impl Definition for TiedAutoencoder {
    fn parameters(&self) -> Vec<ParameterSpec> {
        let spec = |name, shape, role| ParameterSpec { name, shape, role };
        vec![
            spec("weight", vec![self.hidden, self.inputs], Role::Weight),
            spec("bias", vec![self.hidden], Role::Shift),
            spec("output_bias", vec![self.inputs], Role::Shift),
        ]
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match inputs[0] == [self.inputs] {
            true => Ok(inputs[0].to_vec()),
            false => {
                let problem = format!("it takes rows of {} values, the input is {:?}", self.inputs, inputs[0]);
                Err(GanError::shape("tied_autoencoder", problem))
            }
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let [weight, bias, output_bias] = [0, 1, 2].map(|i| &call.parameters[i]);
        call.input().linear(weight, Some(bias))?.sigmoid().matmul(weight)?.add(output_bias)
    }

    /// No generator has this layer: images come from many passes.
    #[cfg(feature = "inference")]
    fn onnx(&self, _: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::definition::Mode;
    use super::*;
    use crate::gan::testing::{check_first_derivatives, sample};

    #[test]
    fn derivatives_of_a_weight_that_is_used_twice() {
        let layer = TiedAutoencoder { inputs: 3, hidden: 2 };
        let at = [sample(&[2, 3], 1), sample(&[2], 2), sample(&[3], 3), sample(&[4, 3], 4)];
        check_first_derivatives(&at, |x| {
            let mode = Mode::Evaluation { buffers: &[] };
            layer.apply(Call { parameters: &x[..3], inputs: &x[3..], mode })
        });
    }
}
