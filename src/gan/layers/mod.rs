//! Layers as plain data: what a network is made of, without its weights. A layer is a file and a line of the list below.

mod definition;
mod init;
#[cfg(feature = "inference")]
pub(crate) mod onnx;

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::error::GanError;
use super::real::Real;
use super::tape::Var;
pub use definition::Bias;
pub(crate) use definition::{BufferSpec, Call, Definition, Initial, Mode, ParameterSpec, Role};
pub use init::Initializer;
pub use masked_linear::{Degrees, Sees};

/// ε of normalising layers, PyTorch's default.
pub const NORMALIZATION_EPSILON: f64 = 1e-5;

macro_rules! layers {
    ($($module:ident :: $Layer:ident),+ $(,)?) => {
        $(mod $module; pub use $module::$Layer;)+

        /// A layer. Inputs have the batch as their first axis.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum Layer {
            $(
                #[doc = concat!("[`", stringify!($Layer), "`].")]
                $Layer($Layer),
            )+
        }

        $(impl From<$Layer> for Layer {
            fn from(layer: $Layer) -> Self {
                Layer::$Layer(layer)
            }
        })+

        impl Definition for Layer {
            fn parameters(&self) -> Vec<ParameterSpec> {
                match self { $(Layer::$Layer(layer) => layer.parameters(),)+ }
            }

            fn buffers(&self) -> Vec<BufferSpec> {
                match self { $(Layer::$Layer(layer) => layer.buffers(),)+ }
            }

            fn arity(&self) -> RangeInclusive<usize> {
                match self { $(Layer::$Layer(layer) => layer.arity(),)+ }
            }

            fn normalises_by_batch(&self) -> bool {
                match self { $(Layer::$Layer(layer) => layer.normalises_by_batch(),)+ }
            }

            fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
                match self { $(Layer::$Layer(layer) => layer.output_shape(inputs),)+ }
            }

            fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
                match self { $(Layer::$Layer(layer) => layer.apply(call),)+ }
            }

            #[cfg(feature = "inference")]
            fn onnx(&self, node: onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
                match self { $(Layer::$Layer(layer) => layer.onnx(node),)+ }
            }
        }
    };
}

layers! {
    activation::Activation,
    average_pool::AveragePool,
    batch_norm::BatchNorm,
    channel_scale::ChannelScale,
    channel_shift::ChannelShift,
    clamp::Clamp,
    concat::Concat,
    conditional_batch_norm::ConditionalBatchNorm,
    conv2d::Conv2d,
    conv_transpose2d::ConvTranspose2d,
    dropout::Dropout,
    embedding::Embedding,
    gain::Gain,
    group_norm::GroupNorm,
    layer_norm::LayerNorm,
    linear::Linear,
    masked_conv2d::MaskedConv2d,
    masked_linear::MaskedLinear,
    max_pool::MaxPool,
    minibatch_deviation::MinibatchDeviation,
    minibatch_discrimination::MinibatchDiscrimination,
    projection::Projection,
    reshape::Reshape,
    self_attention::SelfAttention,
    space_sum::SpaceSum,
    spread::Spread,
    sum::Sum,
    tied_autoencoder::TiedAutoencoder,
    time_embedding::TimeEmbedding,
    upsample::Upsample,
}

#[cfg(test)]
mod tests;
