//! The gradient penalty of Gulrajani et al. 2017.

use super::slopes::mean_squared_distance_from_one;
use super::{Images, Regularizer};
use crate::gan::error::GanError;
use crate::gan::random::Random;
use crate::gan::real::Real;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;

/// λ·E(‖∇v(x̂)‖ − 1)².
pub(super) struct GradientPenalty(pub f64);

impl Regularizer for GradientPenalty {
    fn on_images(&mut self, images: Images<'_>) -> Result<Option<Var>, GanError> {
        let Images { real, fake, random, critic } = images;
        let penalty = gradient_penalty(real, fake, random, critic)?;
        Ok(Some(penalty.scale(self.0 as f32)))
    }

    fn wants_single_images(&self) -> bool {
        true
    }
}

/// E(‖∇ₓ̂ v(x̂)‖ − 1)² with x̂ = ε·x + (1−ε)·x̃ and one uniform ε for each pair of a real image x and a generated one x̃.
///
/// # Errors
/// [`GanError::Shape`] when the batches differ in shape, and what `critic` returns.
pub fn gradient_penalty<T: Real>(
    real: &Tensor<T>,
    fake: &Tensor<T>,
    random: &mut Random,
    critic: impl FnOnce(&Var<T>) -> Result<Var<T>, GanError>,
) -> Result<Var<T>, GanError> {
    let [batch, image @ ..] = real.shape() else {
        return Err(GanError::shape("gradient penalty", "expected batches of images, got a single value"));
    };
    let share_shape: Vec<usize> = std::iter::once(*batch).chain(image.iter().map(|_| 1)).collect();
    let share = Var::constant(random.uniforms(&share_shape, 0.0, 1.0));
    let (real, fake) = (Var::constant(real.clone()), Var::constant(fake.clone()));
    let between = fake.add(&share.mul(&real.sub(&fake)?)?)?;
    mean_squared_distance_from_one(between.value(), critic)
}
