use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Attention of every pixel to all pixels of its image (Vaswani et al. 2017), with one head: from maps of queries q, keys k
/// and values v, each N×C×H×W, the output at a pixel i is Σⱼ softmaxⱼ(qᵢ·kⱼ/√C)·vⱼ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attention;

impl Definition for Attention {
    fn arity(&self) -> RangeInclusive<usize> {
        3..=3
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match inputs[0].len() == 3 && inputs[1..].iter().all(|input| *input == inputs[0]) {
            true => Ok(inputs[0].to_vec()),
            false => Err(GanError::shape("attention", format!("it takes three maps of one shape, not {inputs:?}"))),
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let &[batch, channels, height, width] = call.input().shape() else {
            return Err(GanError::shape("attention", format!("it takes maps, not {:?}", call.input().shape())));
        };
        let flat = |i: usize| call.inputs[i].reshape(&[batch, channels, height * width]);
        let likeness = flat(0)?.batched_matmul_tn(&flat(1)?)?.scale(T::of(1.0 / (channels as f64).sqrt()));
        flat(2)?.batched_matmul_nt(&likeness.softmax(2)?)?.reshape(call.input().shape())
    }

    /// No operator of the version that is written does it, and no generator has this layer.
    #[cfg(feature = "inference")]
    fn onnx(&self, _: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::Value> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::definition::Mode;
    use super::*;
    use crate::gan::tensor::Tensor;
    use crate::gan::testing::{check_first_derivatives, sample};

    fn attend(maps: &[Var<f64>]) -> Result<Var<f64>, GanError> {
        Attention.apply(Call { parameters: &[], inputs: maps, mode: Mode::Evaluation { buffers: &[] } })
    }

    #[test]
    fn derivatives() {
        check_first_derivatives(&[1, 2, 3].map(|seed| sample(&[2, 3, 2, 2], seed)), attend);
    }

    #[test]
    fn queries_that_like_nothing_get_the_mean_and_those_that_like_one_pixel_get_it() {
        let values = sample(&[1, 2, 2, 2], 1);
        let constant = |value: f64| Tensor::full(&[1, 2, 2, 2], value);
        // Only the third pixel has a key.
        let keys = Tensor::from_fn(&[1, 2, 2, 2], |i| if i % 4 == 2 { 1.0 } else { 0.0 });
        for (query, expected) in [(0.0, [0.25; 4]), (1e4, [0.0, 0.0, 1.0, 0.0])] {
            let maps = [constant(query), keys.clone(), values.clone()].map(Var::constant);
            let output = attend(&maps).unwrap();
            for (channel, value) in output.value().data().chunks(4).zip(values.data().chunks(4)) {
                let mean: f64 = value.iter().zip(expected).map(|(value, share)| value * share).sum();
                assert!(channel.iter().all(|x| (x - mean).abs() < 1e-12), "{channel:?} is not {mean}");
            }
        }
        let shapes: [&[usize]; 3] = [&[2, 2, 2], &[2, 2, 2], &[3, 2, 2]];
        assert!(Attention.output_shape(&shapes).is_err());
    }
}
