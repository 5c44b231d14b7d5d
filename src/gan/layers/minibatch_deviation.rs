use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Under the root, where features do not differ at all: that of the authors' code.
const EPSILON: f64 = 1e-8;

/// Minibatch standard deviation (Karras, Aila, Laine and Lehtinen 2018, section 3): beside its features a sample gets one number, the
/// same for all of a batch of n: the mean over features of √(Σᵢ (fᵢ − f̄)²/n + 10⁻⁸). (The paper gives it to a map before the last
/// convolution, as a channel; here features are a row.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinibatchDeviation;

impl Definition for MinibatchDeviation {
    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match inputs[0] {
            &[length] => Ok(vec![length + 1]),
            other => Err(GanError::shape("minibatch deviation", format!("it takes rows, the input is {other:?}"))),
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let x = call.input();
        let variances = x.sub(&x.mean_axes_kept(&[0])?)?.square().mean_axes(&[0])?;
        let deviation = variances.shift(T::of(EPSILON)).sqrt().mean();
        Var::concat(&[x, &deviation.broadcast_to(&[x.shape()[0], 1])?], 1)
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

    fn apply(x: &Var<f64>) -> Var<f64> {
        let call = Call { parameters: &[], inputs: std::slice::from_ref(x), mode: Mode::Evaluation { buffers: &[] } };
        MinibatchDeviation.apply(call).unwrap()
    }

    #[test]
    fn a_collapsed_batch_has_none_and_another_that_of_its_features() {
        let same = apply(&Var::constant(Tensor::full(&[5, 3], 0.5)));
        let none = EPSILON.sqrt();
        assert!(same.value().data().chunks(4).all(|row| row[..3] == [0.5; 3] && (row[3] - none).abs() < 1e-18));
        // Deviations 1 and 3 about means of 2 and 7.
        let differing = apply(&Var::constant(Tensor::new(&[2, 2], vec![1.0, 4.0, 3.0, 10.0]).unwrap()));
        assert!(differing.value().data().chunks(3).all(|row| (row[2] - 2.0).abs() < 1e-7));
    }

    #[test]
    fn derivatives() {
        check_derivatives(&[sample(&[4, 3], 2)], |x| Ok(apply(&x[0]).square()));
    }
}
