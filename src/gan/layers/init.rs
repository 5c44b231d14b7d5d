//! Weights before training.

use serde::{Deserialize, Serialize};

use super::definition::Role;
use crate::gan::random::Random;
use crate::gan::real::Real;
use crate::gan::tensor::Tensor;

/// How weights are drawn. Biases and other shifts start at 0, scales of normalising layers at 1, unless said otherwise.
///
/// Fans follow PyTorch's convention for every layer: the second axis of the weight times the kernel's area is the
/// fan-in, the first axis times that area the fan-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Initializer {
    /// Weights N(0, 0.02²), scales N(1, 0.02²), as the reference implementation of DCGAN (Radford, Metz and Chintala
    /// 2016).
    Dcgan,
    /// Uniform with variance 2/(fan-in + fan-out) (Glorot and Bengio 2010).
    XavierUniform,
    /// N(0, 2/(fan-in + fan-out)).
    XavierNormal,
    /// Uniform with variance 2/fan-in (He, Zhang, Ren and Sun 2015).
    HeUniform,
    /// N(0, 2/fan-in).
    HeNormal,
    /// Weights and biases uniform on ±1/√fan-in, a variance of 1/(3 fan-in): what PyTorch's own layers start from.
    FanInUniform,
    /// All 0, for a layer that adds nothing at first: the end of a residual branch, or of a coupling of a flow.
    Zero,
}

impl Initializer {
    pub(in crate::gan) fn draw<T: Real>(self, shape: &[usize], role: Role, random: &mut Random) -> Tensor<T> {
        const DCGAN_DEVIATION: f64 = 0.02;
        // A uniform distribution on ±a has the variance a²/3.
        let mut uniform = |deviation: f64| {
            let bound = deviation * 3.0_f64.sqrt();
            random.uniforms(shape, -bound, bound)
        };
        let fan_in_uniform = |fan_in: f64| (3.0 * fan_in).sqrt().recip();
        match (role, self) {
            (Role::Bias { fan_in }, Initializer::FanInUniform) => uniform(fan_in_uniform(fan_in as f64)),
            (Role::Bias { .. } | Role::Shift, _) => Tensor::zeros(shape),
            (Role::Scale, Initializer::Dcgan) => random.normal(shape, 1.0, DCGAN_DEVIATION),
            (Role::Scale, _) => Tensor::full(shape, T::ONE),
            (Role::Weight, Initializer::Zero) => Tensor::zeros(shape),
            (Role::Weight, Initializer::Dcgan) => random.normal(shape, 0.0, DCGAN_DEVIATION),
            (Role::Weight, _) => {
                let area = shape[2..].iter().product::<usize>() as f64;
                let (fan_out, fan_in) = (shape[0] as f64 * area, shape[1] as f64 * area);
                let glorot = (2.0 / (fan_in + fan_out)).sqrt();
                let he = (2.0 / fan_in).sqrt();
                match self {
                    Initializer::XavierUniform => uniform(glorot),
                    Initializer::HeUniform => uniform(he),
                    Initializer::FanInUniform => uniform(fan_in_uniform(fan_in)),
                    Initializer::XavierNormal => random.normal(shape, 0.0, glorot),
                    _ => random.normal(shape, 0.0, he),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviations_are_those_of_the_papers() {
        let shape = [64, 32, 4, 4];
        let (fan_in, fan_out) = (32.0 * 16.0, 64.0 * 16.0);
        let glorot = (2.0_f64 / (fan_in + fan_out)).sqrt();
        let he = (2.0_f64 / fan_in).sqrt();
        for (initializer, expected) in [
            (Initializer::Dcgan, 0.02),
            (Initializer::XavierUniform, glorot),
            (Initializer::XavierNormal, glorot),
            (Initializer::HeUniform, he),
            (Initializer::HeNormal, he),
            (Initializer::FanInUniform, (3.0 * fan_in).sqrt().recip()),
        ] {
            let weight: Tensor<f64> = initializer.draw(&shape, Role::Weight, &mut Random::new(1));
            let n = weight.len() as f64;
            let deviation = (weight.data().iter().map(|x| x * x).sum::<f64>() / n).sqrt();
            // Five standard errors of a normal sample's deviation, 1/√(2n).
            assert!((deviation / expected - 1.0).abs() < 5.0 / (2.0 * n).sqrt(), "{initializer:?}: {deviation}");
        }
        let bound = Initializer::XavierUniform.draw::<f64>(&shape, Role::Weight, &mut Random::new(1));
        assert!(bound.data().iter().all(|x| x.abs() <= glorot * 3.0_f64.sqrt()));
    }

    #[test]
    fn shifts_are_zero_and_scales_one() {
        let mut random = Random::new(1);
        let scale = |initializer: Initializer, random: &mut Random| initializer.draw::<f32>(&[50], Role::Scale, random);
        assert_eq!(scale(Initializer::HeNormal, &mut random), Tensor::full(&[50], 1.0));
        let drawn = scale(Initializer::Dcgan, &mut random);
        assert!(drawn.data().iter().all(|x| (x - 1.0).abs() < 0.12) && drawn != Tensor::full(&[50], 1.0));
        assert_eq!(Initializer::Zero.draw::<f32>(&[3, 2], Role::Weight, &mut random), Tensor::zeros(&[3, 2]));
        assert_eq!(scale(Initializer::Zero, &mut random), Tensor::full(&[50], 1.0));
        assert_eq!(Initializer::Dcgan.draw::<f32>(&[3], Role::Shift, &mut random), Tensor::zeros(&[3]));
        let bias = Role::Bias { fan_in: 4 };
        assert_eq!(Initializer::HeNormal.draw::<f32>(&[3], bias, &mut random), Tensor::zeros(&[3]));
        let drawn: Tensor<f32> = Initializer::FanInUniform.draw(&[50], bias, &mut random);
        assert!(drawn.data().iter().all(|x| x.abs() <= 0.5) && drawn.data().iter().any(|x| x.abs() > 0.25));
    }
}
