//! DRAGAN: slopes of 1 around real images.

use super::slopes::mean_squared_distance_from_one;
use super::{Images, Regularizer};
use crate::gan::error::GanError;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;

/// λ·E(‖∇v(x + δ)‖ − 1)², δ uniform on ± half the standard deviation of all pixels of the batch (Kodali, Abernethy, Hays and
/// Kira 2017, whose code draws to one side only).
pub(super) struct Dragan(pub f64);

impl Regularizer for Dragan {
    fn on_images(&mut self, images: Images<'_>) -> Result<Option<Var>, GanError> {
        let half = deviation(images.real) / 2.0;
        let offsets: Tensor = images.random.uniforms(images.real.shape(), -half, half);
        let around = Var::constant(images.real.clone()).add(&Var::constant(offsets))?;
        let penalty = mean_squared_distance_from_one(around.value(), images.critic)?;
        Ok(Some(penalty.scale(self.0 as f32)))
    }

    fn wants_single_images(&self) -> bool {
        true
    }
}

fn deviation(batch: &Tensor) -> f64 {
    let n = batch.len().max(1) as f64;
    let values = || batch.data().iter().map(|&value| f64::from(value));
    let mean = values().sum::<f64>() / n;
    (values().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt()
}
