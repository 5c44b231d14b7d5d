//! What a layer tells of itself, and what it is given to work with.

use std::ops::RangeInclusive;

use crate::gan::error::GanError;
use crate::gan::networks::Parameter;
use crate::gan::random::Random;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// A tensor that a layer is trained by: its name within the layer, its shape, and what part it plays.
pub(crate) struct ParameterSpec {
    pub name: &'static str,
    pub shape: Vec<usize>,
    pub role: Role,
}

impl ParameterSpec {
    /// A weight, and a bias where there is one.
    pub fn weighted(shape: Vec<usize>, outputs: usize, bias: Bias) -> Vec<Self> {
        let fan_in = shape[1..].iter().product();
        let mut specs = vec![ParameterSpec { name: "weight", shape, role: Role::Weight }];
        if bias == Bias::Yes {
            specs.push(ParameterSpec { name: "bias", shape: vec![outputs], role: Role::Bias { fan_in } });
        }
        specs
    }

    /// A scale and a shift of this shape.
    pub fn normalising(shape: &[usize]) -> Vec<Self> {
        let spec = |name, role| ParameterSpec { name, shape: shape.to_vec(), role };
        vec![spec("weight", Role::Scale), spec("bias", Role::Shift)]
    }
}

/// What part a parameter plays, which decides how it is initialised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A matrix or kernels.
    Weight,
    /// What is added to the product with a weight of this fan-in.
    Bias { fan_in: usize },
    /// The scale of a normalising layer.
    Scale,
    /// Anything else that is added.
    Shift,
}

/// A tensor that belongs to a layer and is not trained, such as running moments.
pub(crate) struct BufferSpec {
    pub name: &'static str,
    pub shape: Vec<usize>,
    pub initial: Initial,
}

/// What a buffer holds at first.
pub(crate) enum Initial {
    /// One value everywhere.
    Full(f64),
    /// Normal numbers, scaled to a vector of length 1.
    Direction,
}

/// Whether a layer adds a constant to every output or output channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bias {
    /// It does.
    Yes,
    /// It does not: what follows subtracts the mean anyway.
    No,
}

/// What a layer is applied to. Inputs have the batch as their first axis.
pub(crate) struct Call<'a, T: Real> {
    pub parameters: &'a [Var<T>],
    pub inputs: &'a [Var<T>],
    pub mode: Mode<'a, T>,
}

/// Training moves running moments and draws what drops out; evaluation treats every sample by itself, always the same.
pub(crate) enum Mode<'a, T: Real> {
    Training { buffers: &'a mut [Parameter<T>], random: &'a mut Random },
    Evaluation { buffers: &'a [Parameter<T>] },
}

impl<T: Real> Call<'_, T> {
    /// The input of a layer that has one.
    pub fn input(&self) -> &Var<T> {
        &self.inputs[0]
    }

    /// A map with the constant of every channel added, where the layer has one.
    pub fn with_bias(&self, map: Var<T>) -> Result<Var<T>, GanError> {
        match self.parameters {
            [_, bias] => map.add(&bias.reshape(&[bias.value().len(), 1, 1])?),
            _ => Ok(map),
        }
    }
}

/// A layer: what it holds, what comes out of it, and what it does.
pub(crate) trait Definition {
    /// What is trained.
    fn parameters(&self) -> Vec<ParameterSpec> {
        Vec::new()
    }

    /// What is kept and not trained.
    fn buffers(&self) -> Vec<BufferSpec> {
        Vec::new()
    }

    /// How many inputs it takes.
    fn arity(&self) -> RangeInclusive<usize> {
        1..=1
    }

    /// Whether it divides samples by moments of their batch: the slope at one of them is then that of the whole batch.
    fn normalises_by_batch(&self) -> bool {
        false
    }

    /// Shape of an output sample, given those of input samples, as many as [`Self::arity`] says.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the inputs do not fit, [`GanError::Setting`] when the layer cannot be.
    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError>;

    /// The output.
    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError>
    where
        Self: Sized;

    /// The layer in an ONNX graph, in evaluation; `None` where no node computes it.
    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue>;
}

/// Checks the first axis of an input sample.
pub(super) fn expect_channels(layer: &'static str, input: &[usize], channels: usize) -> Result<(), GanError> {
    match input.first() == Some(&channels) {
        true => Ok(()),
        false => Err(GanError::shape(layer, format!("it takes {channels} channels, the input is {input:?}"))),
    }
}

/// The shape of a map: other channels, and each side changed.
pub(super) fn map_shape(
    layer: &'static str,
    input: &[usize],
    channels: usize,
    side: impl Fn(usize) -> Option<usize>,
) -> Result<Vec<usize>, GanError> {
    let &[_, height, width] = input else {
        return Err(GanError::shape(layer, format!("it takes channels×height×width, the input is {input:?}")));
    };
    match (side(height), side(width)) {
        (Some(height), Some(width)) if height > 0 && width > 0 => Ok(vec![channels, height, width]),
        _ => Err(GanError::shape(layer, format!("nothing is left of an input of {input:?}"))),
    }
}

/// The shape of a map whose squares of so many pixels become one pixel each.
pub(super) fn squares_shape(layer: &'static str, input: &[usize], side: usize) -> Result<Vec<usize>, GanError> {
    let channels = input.first().copied().unwrap_or_default();
    let cut = input.get(1..).unwrap_or_default().iter().all(|length| side > 0 && length.is_multiple_of(side));
    match cut {
        true => map_shape(layer, input, channels, |length| Some(length / side)),
        false => {
            let problem = format!("an input of {input:?} cannot be cut into squares of {side}×{side}");
            Err(GanError::shape(layer, problem))
        }
    }
}
