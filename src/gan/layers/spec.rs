//! Layers as plain data: what a network is made of, without its weights.

use serde::{Deserialize, Serialize};

use crate::gan::error::GanError;
use crate::gan::ops::ConvOptions;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// ε of normalising layers, PyTorch's default.
pub const NORMALIZATION_EPSILON: f64 = 1e-5;

/// A layer. Inputs have the batch as their first axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Layer {
    /// x·Wᵀ + b; the weight is outputs×inputs.
    Linear {
        /// Values of an input row.
        inputs: usize,
        /// Values of an output row.
        outputs: usize,
        /// Whether b is there.
        bias: Bias,
    },
    /// Cross-correlation with square kernels; the weight is outputs×inputs×kernel×kernel.
    Conv2d {
        /// Channels in.
        inputs: usize,
        /// Channels out.
        outputs: usize,
        /// Side of the kernel.
        kernel: usize,
        /// Distance of neighbouring positions.
        stride: usize,
        /// Zeros around the image.
        padding: usize,
        /// Whether every output channel has a constant added.
        bias: Bias,
    },
    /// The transpose of a convolution; the weight is inputs×outputs×kernel×kernel.
    ConvTranspose2d {
        /// Channels in.
        inputs: usize,
        /// Channels out.
        outputs: usize,
        /// Side of the kernel.
        kernel: usize,
        /// Enlargement.
        stride: usize,
        /// Pixels cut off around the output.
        padding: usize,
        /// Pixels added at the lower right.
        output_padding: usize,
        /// Whether every output channel has a constant added.
        bias: Bias,
    },
    /// Batch normalisation of every channel, with running moments for evaluation (momentum 0.1, ε = 1e-5).
    BatchNorm {
        /// Channels.
        channels: usize,
    },
    /// Normalisation of every sample by itself (ε = 1e-5).
    LayerNorm {
        /// Shape of a sample.
        shape: Vec<usize>,
    },
    /// A function of every value.
    Activation(Activation),
    /// Sets values to zero with probability `p` in training and scales the others by 1/(1−p).
    Dropout {
        /// Probability, in \[0, 1).
        p: f64,
    },
    /// Repeats every pixel in both directions.
    Upsample {
        /// How many times.
        factor: usize,
    },
    /// Gives every sample another shape.
    Reshape {
        /// Shape of a sample.
        shape: Vec<usize>,
    },
}

/// Whether a layer adds a constant to every output or output channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bias {
    /// It does.
    Yes,
    /// It does not: what follows subtracts the mean anyway.
    No,
}

/// Functions of a value.
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
}

impl Activation {
    /// The function of every value.
    pub fn apply<T: Real>(self, x: &Var<T>) -> Var<T> {
        match self {
            Activation::Relu => x.relu(),
            Activation::LeakyRelu(slope) => x.leaky_relu(T::of(slope)),
            Activation::Tanh => x.tanh(),
            Activation::Sigmoid => x.sigmoid(),
            Activation::Softplus => x.softplus(),
        }
    }
}

/// A tensor that a layer is trained by: its name within the layer, its shape, and what part it plays.
pub(crate) struct ParameterSpec {
    pub name: &'static str,
    pub shape: Vec<usize>,
    pub role: Role,
}

/// What part a parameter plays, which decides how it is initialised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A matrix or kernels.
    Weight,
    /// The scale of a normalising layer.
    Scale,
    /// Something added.
    Shift,
}

impl Layer {
    pub(crate) fn parameters(&self) -> Vec<ParameterSpec> {
        let spec = |name, shape, role| ParameterSpec { name, shape, role };
        let weighted = |shape: Vec<usize>, outputs: usize, bias: Bias| {
            let mut specs = vec![spec("weight", shape, Role::Weight)];
            if bias == Bias::Yes {
                specs.push(spec("bias", vec![outputs], Role::Shift));
            }
            specs
        };
        let normalising = |shape: &[usize]| {
            vec![spec("weight", shape.to_vec(), Role::Scale), spec("bias", shape.to_vec(), Role::Shift)]
        };
        match *self {
            Layer::Linear { inputs, outputs, bias } => weighted(vec![outputs, inputs], outputs, bias),
            Layer::Conv2d { inputs, outputs, kernel, bias, .. } => {
                weighted(vec![outputs, inputs, kernel, kernel], outputs, bias)
            }
            Layer::ConvTranspose2d { inputs, outputs, kernel, bias, .. } => {
                weighted(vec![inputs, outputs, kernel, kernel], outputs, bias)
            }
            Layer::BatchNorm { channels } => normalising(&[channels]),
            Layer::LayerNorm { ref shape } => normalising(shape),
            Layer::Activation(_) | Layer::Dropout { .. } | Layer::Upsample { .. } | Layer::Reshape { .. } => Vec::new(),
        }
    }

    /// Shape of an output sample, given that of an input sample.
    pub(crate) fn output_shape(&self, input: &[usize]) -> Vec<usize> {
        let image = |channels: usize, side: &dyn Fn(usize) -> usize| {
            let sides = input.iter().skip(1).map(|&length| side(length));
            std::iter::once(channels).chain(sides).collect()
        };
        match *self {
            Layer::Linear { outputs, .. } => vec![outputs],
            Layer::Conv2d { outputs, kernel, stride, padding, .. } => {
                image(outputs, &|side| (side + 2 * padding - kernel) / stride + 1)
            }
            Layer::ConvTranspose2d { outputs, kernel, stride, padding, output_padding, .. } => {
                image(outputs, &|side| (side - 1) * stride + kernel + output_padding - 2 * padding)
            }
            Layer::Upsample { factor } => image(input.first().copied().unwrap_or(1), &|side| side * factor),
            Layer::Reshape { ref shape } => shape.clone(),
            Layer::BatchNorm { .. } | Layer::LayerNorm { .. } | Layer::Activation(_) | Layer::Dropout { .. } => {
                input.to_vec()
            }
        }
    }

    /// The output of a layer that does the same in training and evaluation.
    pub(super) fn apply<T: Real>(&self, parameters: &[Var<T>], x: &Var<T>) -> Result<Var<T>, GanError> {
        let with_bias = |y: Var<T>, outputs: usize| match parameters {
            [_, bias] => y.add(&bias.reshape(&[outputs, 1, 1])?),
            _ => Ok(y),
        };
        match *self {
            Layer::Linear { .. } => x.linear(&parameters[0], parameters.get(1)),
            Layer::Conv2d { outputs, stride, padding, .. } => {
                with_bias(x.conv2d(&parameters[0], ConvOptions { stride, padding })?, outputs)
            }
            Layer::ConvTranspose2d { outputs, stride, padding, output_padding, .. } => {
                let options = ConvOptions { stride, padding };
                with_bias(x.conv_transpose2d(&parameters[0], options, output_padding)?, outputs)
            }
            Layer::LayerNorm { .. } => x.layer_norm(&parameters[0], &parameters[1], T::of(NORMALIZATION_EPSILON)),
            Layer::Activation(activation) => Ok(activation.apply(x)),
            Layer::Upsample { factor } => x.upsample(factor),
            Layer::Reshape { ref shape } => {
                let batch = x.shape().first().copied().unwrap_or_default();
                x.reshape(&[&[batch], shape.as_slice()].concat())
            }
            Layer::Dropout { .. } => Ok(x.clone()),
            Layer::BatchNorm { .. } => unreachable!("the network has the running moments"),
        }
    }
}
