use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition, ParameterSpec, Role};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Minibatch discrimination (Salimans et al. 2016, section 3.2): beside its features a sample gets how close it is to the
/// others of its batch. With M = f·T, a matrix of `kernels`×`dimensions` for each sample, the output is f and, for each
/// kernel b, Σⱼ≠ᵢ exp(−‖Mᵢᵦ − Mⱼᵦ‖₁) + bias. (The paper also counts the sample itself, which adds 1.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinibatchDiscrimination {
    /// Values of an input row.
    pub inputs: usize,
    /// Numbers that are added to each row.
    pub kernels: usize,
    /// Length of the vectors that are compared.
    pub dimensions: usize,
}

impl Definition for MinibatchDiscrimination {
    fn parameters(&self) -> Vec<ParameterSpec> {
        let spec = |name, shape, role| ParameterSpec { name, shape, role };
        vec![
            spec("tensor", vec![self.kernels * self.dimensions, self.inputs], Role::Weight),
            spec("bias", vec![self.kernels], Role::Shift),
        ]
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match inputs[0] == [self.inputs] {
            true => Ok(vec![self.inputs + self.kernels]),
            false => {
                let problem = format!("it takes rows of {} values, the input is {:?}", self.inputs, inputs[0]);
                Err(GanError::shape("minibatch discrimination", problem))
            }
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let (x, [tensor, bias]) = (call.input(), [0, 1].map(|i| &call.parameters[i]));
        let batch = x.shape()[0];
        let vectors = x.linear(tensor, None)?.reshape(&[batch, self.kernels, self.dimensions])?;
        // A sample's distance from itself is 0.
        let close = vectors.pairwise_l1()?.neg().exp().sum_axes(&[1])?.shift(-T::ONE).add(bias)?;
        Var::concat(&[x, &close], 1)
    }

    /// Critics alone have it.
    #[cfg(feature = "inference")]
    fn onnx(&self, _: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::definition::Mode;
    use super::*;
    use crate::gan::tensor::Tensor;
    use crate::gan::testing::{check_derivatives, sample};

    fn apply(tensor: &Var<f64>, x: &Var<f64>) -> Var<f64> {
        let layer = MinibatchDiscrimination { inputs: 3, kernels: 2, dimensions: 4 };
        let parameters = [tensor.clone(), Var::constant(Tensor::full(&[2], 0.25))];
        let call = Call { parameters: &parameters, inputs: std::slice::from_ref(x), mode: Mode::Evaluation { buffers: &[] } };
        layer.apply(call).unwrap()
    }

    #[test]
    fn copies_are_close_to_all_others_and_strangers_to_none() {
        let tensor = Var::constant(sample(&[8, 3], 1));
        let same = apply(&tensor, &Var::constant(Tensor::full(&[5, 3], 0.5)));
        assert!(same.value().data().chunks(5).all(|row| row == [0.5, 0.5, 0.5, 4.25, 4.25]));
        let far = Var::constant(Tensor::from_fn(&[3, 3], |i| 1e3 * (i * i) as f64));
        let alone = apply(&tensor, &far);
        assert!(alone.value().data().chunks(5).all(|row| row[3..] == [0.25, 0.25]));
    }

    #[test]
    fn derivatives() {
        check_derivatives(&[sample(&[8, 3], 1), sample(&[4, 3], 2)], |x| Ok(apply(&x[0], &x[1])));
    }
}
