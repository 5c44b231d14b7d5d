//! How steep a critic is.

use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::{Differentiability, Var, grad};
use crate::gan::tensor::Tensor;

/// ∇v at each image, N×C×H×W: differentiable by what the critic is made of.
///
/// # Errors
/// What `critic` returns; [`GanError::NotDifferentiable`] where its gradient has no derivative.
pub fn slopes<T: Real>(
    images: &Tensor<T>,
    critic: impl FnOnce(&Var<T>) -> Result<Var<T>, GanError>,
) -> Result<Var<T>, GanError> {
    let images = Var::leaf(images.clone());
    Ok(grad(&critic(&images)?.sum(), &[&images], Differentiability::Again)?.remove(0))
}

/// E‖∇v‖² over the images; the square of the norm is a sum over all pixels.
///
/// # Errors
/// As for [`slopes`].
pub fn mean_squared_slope<T: Real>(
    images: &Tensor<T>,
    critic: impl FnOnce(&Var<T>) -> Result<Var<T>, GanError>,
) -> Result<Var<T>, GanError> {
    Ok(slopes(images, critic)?.square().sum_rows()?.mean())
}

/// E(‖∇v‖ − 1)² over the images.
pub(super) fn mean_squared_distance_from_one<T: Real>(
    images: &Tensor<T>,
    critic: impl FnOnce(&Var<T>) -> Result<Var<T>, GanError>,
) -> Result<Var<T>, GanError> {
    /// Under the root: the norm of a gradient that vanishes has no derivative.
    const SMALLEST_SQUARE: f64 = 1e-12;
    let norms = slopes(images, critic)?.square().sum_rows()?.shift(T::of(SMALLEST_SQUARE)).sqrt();
    Ok(norms.shift(-T::ONE).square().mean())
}
