use serde::{Deserialize, Serialize};

use super::definition::{Bias, Call, Definition, ParameterSpec, expect_channels, map_shape};
use crate::gan::error::GanError;
use crate::gan::ops::ConvOptions;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// The transpose of a convolution; the weight is inputs×outputs×kernel×kernel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConvTranspose2d {
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Enlargement.
    pub stride: usize,
    /// Pixels cut off around the output.
    pub padding: usize,
    /// Pixels added at the lower right.
    pub output_padding: usize,
    /// Whether every output channel has a constant added.
    pub bias: Bias,
}

impl Definition for ConvTranspose2d {
    fn parameters(&self) -> Vec<ParameterSpec> {
        let shape = vec![self.inputs, self.outputs, self.kernel, self.kernel];
        ParameterSpec::weighted(shape, self.outputs, self.bias)
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        expect_channels("conv_transpose2d", inputs[0], self.inputs)?;
        map_shape("conv_transpose2d", inputs[0], self.outputs, |side| {
            (side.checked_sub(1)? * self.stride + self.kernel + self.output_padding).checked_sub(2 * self.padding)
        })
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let options = ConvOptions { stride: self.stride, padding: self.padding };
        call.with_bias(call.input().conv_transpose2d(&call.parameters[0], options, self.output_padding)?)
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        let (x, kernel) = (node.input(), node.kernel());
        let window = node.window(self.kernel, self.stride, self.padding);
        Some(node.graph.conv_transpose(&node.name, &x, kernel, window, self.output_padding))
    }
}
