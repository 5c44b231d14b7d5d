use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition, ParameterSpec, Bias};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

use crate::gan::tensor::Tensor;

/// Degrees of units, spread evenly and in order: of `units` units, unit i has the degree ⌊i·degrees/units⌋.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degrees {
    /// How many units there are.
    pub units: usize,
    /// Above all degrees.
    pub degrees: usize,
}

impl Degrees {
    fn iter(self) -> impl Iterator<Item = usize> {
        (0..self.units).map(move |unit| unit * self.degrees / self.units)
    }
}

/// Which values of an input an output of a [`MaskedLinear`] may depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sees {
    /// Those of its own degree and of lower ones.
    UpToItself,
    /// Those of lower degrees.
    Before,
}

/// x·(mask ⊙ W)ᵀ + b, the weight outputs×inputs: every input and every output has a degree, and the mask leaves only the
/// weights from lower degrees to higher ones (Germain et al. 2015). What is masked gets no gradient, and nothing that an
/// optimizer does to it is seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaskedLinear {
    /// Values of an input row.
    pub inputs: Degrees,
    /// Values of an output row.
    pub outputs: Degrees,
    /// How they are compared.
    pub sees: Sees,
}

impl MaskedLinear {
    fn mask<T: Real>(&self) -> Tensor<T> {
        let inputs: Vec<usize> = self.inputs.iter().collect();
        let mut values = Vec::with_capacity(inputs.len() * self.outputs.units);
        for output in self.outputs.iter() {
            values.extend(inputs.iter().map(|&input| {
                let seen = match self.sees {
                    Sees::UpToItself => input <= output,
                    Sees::Before => input < output,
                };
                if seen { T::ONE } else { T::ZERO }
            }));
        }
        Tensor::new(&[self.outputs.units, inputs.len()], values).expect("a value for each weight")
    }
}

impl Definition for MaskedLinear {
    fn parameters(&self) -> Vec<ParameterSpec> {
        ParameterSpec::weighted(vec![self.outputs.units, self.inputs.units], self.outputs.units, Bias::Yes)
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        match inputs[0] == [self.inputs.units] {
            true => Ok(vec![self.outputs.units]),
            false => {
                let problem = format!("it takes rows of {} values, the input is {:?}", self.inputs.units, inputs[0]);
                Err(GanError::shape("masked_linear", problem))
            }
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let weight = call.parameters[0].mul(&Var::constant(self.mask()))?;
        call.input().linear(&weight, call.parameters.get(1))
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
    fn masks_are_those_of_the_degrees() {
        // Two hidden units over three values, of degrees 0 and 1.
        let (values, hidden) = (Degrees { units: 3, degrees: 3 }, Degrees { units: 2, degrees: 2 });
        let first = MaskedLinear { inputs: values, outputs: hidden, sees: Sees::UpToItself };
        assert_eq!(first.mask::<f32>().data(), [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
        let last = MaskedLinear { inputs: hidden, outputs: values, sees: Sees::Before };
        assert_eq!(last.mask::<f32>().data(), [0.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
        // More units than degrees.
        assert_eq!(Degrees { units: 5, degrees: 2 }.iter().collect::<Vec<_>>(), [0, 0, 0, 1, 1]);
    }
}
