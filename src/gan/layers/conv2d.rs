use serde::{Deserialize, Serialize};

use super::definition::{Bias, Call, Definition, ParameterSpec, expect_channels, map_shape};
use crate::gan::error::GanError;
use crate::gan::ops::ConvOptions;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Cross-correlation with square kernels; the weight is outputs×inputs×kernel×kernel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conv2d {
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Distance of neighbouring positions.
    pub stride: usize,
    /// Zeros around the image.
    pub padding: usize,
    /// Whether every output channel has a constant added.
    pub bias: Bias,
}

impl Conv2d {
    /// Of an odd kernel, one position after the other: the map keeps its size. With a constant.
    pub fn same(inputs: usize, outputs: usize, kernel: usize) -> Self {
        Conv2d { inputs, outputs, kernel, stride: 1, padding: kernel / 2, bias: Bias::Yes }
    }
}

impl Definition for Conv2d {
    fn parameters(&self) -> Vec<ParameterSpec> {
        let shape = vec![self.outputs, self.inputs, self.kernel, self.kernel];
        ParameterSpec::weighted(shape, self.outputs, self.bias)
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        expect_channels("conv2d", inputs[0], self.inputs)?;
        map_shape("conv2d", inputs[0], self.outputs, |side| {
            Some((side + 2 * self.padding).checked_sub(self.kernel)? / self.stride + 1)
        })
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let options = ConvOptions { stride: self.stride, padding: self.padding };
        call.with_bias(call.input().conv2d(&call.parameters[0], options)?)
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        let (x, kernel) = (node.input(), node.kernel());
        let window = node.window(self.kernel, self.stride, self.padding);
        Some(node.graph.conv(&node.name, &x, kernel, window, 1))
    }
}
