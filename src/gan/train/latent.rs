//! What generators start from.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::gan::error::GanError;
use crate::gan::random::Random;
use crate::gan::tensor::Tensor;

/// Distribution of z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Latent {
    /// Independent standard normal numbers.
    Normal,
    /// Independent numbers, uniform on \[−1, 1).
    Uniform,
}

impl Latent {
    /// z of `length` numbers for one image after the other: how they are cut into batches does not change them.
    pub fn numbers(self, length: usize, batch: usize, random: &mut Random) -> Vec<f32> {
        let mut values = Vec::with_capacity(batch * length);
        for _ in 0..batch {
            let z: Tensor = match self {
                Latent::Normal => random.normal(&[length], 0.0, 1.0),
                Latent::Uniform => random.uniforms(&[length], -1.0, 1.0),
            };
            values.extend_from_slice(z.data());
        }
        values
    }

    /// [`Self::numbers`] as a batch of samples of this shape.
    pub fn draw(self, shape: &[usize], batch: usize, random: &mut Random) -> Tensor {
        let values = self.numbers(shape.iter().product(), batch, random);
        Tensor::new(&[&[batch], shape].concat(), values).expect("z has this length for every sample")
    }
}

impl fmt::Display for Latent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Latent::Normal => "normal",
            Latent::Uniform => "uniform",
        })
    }
}

impl FromStr for Latent {
    type Err = GanError;

    fn from_str(text: &str) -> Result<Self, GanError> {
        match text {
            "normal" => Ok(Latent::Normal),
            "uniform" => Ok(Latent::Uniform),
            _ => Err(GanError::UnknownName {
                what: "distribution of z",
                name: text.to_owned(),
                known: "normal, uniform".to_owned(),
            }),
        }
    }
}
