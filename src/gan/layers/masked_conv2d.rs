use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition, ParameterSpec, Bias, expect_channels};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

use crate::gan::ops::ConvOptions;
use crate::gan::tensor::Tensor;

/// A convolution of odd square kernels that keeps the size of a map and sees only the pixels that come before each one, in
/// rows from top to bottom and in a row from left to right (van den Oord, Kalchbrenner and Kavukcuoglu 2016); the weight is
/// outputs×inputs×kernel×kernel, of which the rest is masked. With a constant for every output channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaskedConv2d {
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Side of the kernel, odd.
    pub kernel: usize,
    /// Whether a pixel also sees itself: mask B. The first layer has mask A, without it.
    pub sees_itself: bool,
}

impl MaskedConv2d {
    fn mask<T: Real>(&self) -> Tensor<T> {
        let centre = self.kernel * self.kernel / 2;
        Tensor::from_fn(&[self.kernel, self.kernel], |i| {
            // Places of a kernel come in the order of pixels.
            if i < centre || (i == centre && self.sees_itself) { T::ONE } else { T::ZERO }
        })
    }
}

impl Definition for MaskedConv2d {
    fn parameters(&self) -> Vec<ParameterSpec> {
        ParameterSpec::weighted(vec![self.outputs, self.inputs, self.kernel, self.kernel], self.outputs, Bias::Yes)
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        expect_channels("masked_conv2d", inputs[0], self.inputs)?;
        match (self.kernel % 2, inputs[0]) {
            (1, &[_, height, width]) => Ok(vec![self.outputs, height, width]),
            (1, other) => Err(GanError::shape("masked_conv2d", format!("it takes maps, the input is {other:?}"))),
            _ => Err(GanError::setting("the side of a masked kernel", self.kernel, "odd")),
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let weight = call.parameters[0].mul(&Var::constant(self.mask()))?;
        let options = ConvOptions { stride: 1, padding: self.kernel / 2 };
        call.with_bias(call.input().conv2d(&weight, options)?)
    }

    /// No generator has this layer: images are drawn pixel by pixel.
    #[cfg(feature = "inference")]
    fn onnx(&self, _: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_those_of_the_paper() {
        let mask = |sees_itself| MaskedConv2d { inputs: 1, outputs: 1, kernel: 3, sees_itself }.mask::<f32>();
        assert_eq!(mask(false).data(), [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(mask(true).data(), [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn kernels_without_a_centre_are_refused() {
        let layer = MaskedConv2d { inputs: 1, outputs: 1, kernel: 4, sees_itself: true };
        let message = layer.output_shape(&[&[1, 5, 5]]).unwrap_err().to_string();
        assert_eq!(message, "the side of a masked kernel = 4 is out of range: it must be odd");
    }
}
