//! Gradients as one long vector.

use crate::gan::kernels::{pointwise, reduce};
use crate::gan::real::Real;
use crate::gan::tensor::Tensor;

/// Euclidean norm of all gradients together.
pub fn norm<T: Real>(gradients: &[Tensor<T>]) -> f64 {
    let squares = gradients.iter().map(|gradient| reduce::total_of(gradient.data(), |g| g * g).to_f64());
    squares.sum::<f64>().sqrt()
}

/// Scales all gradients together so that their norm is at most `limit`; gives the norm before. As PyTorch's
/// `clip_grad_norm_`, the factor is limit/(norm + 1e-6).
pub fn clip_norm<T: Real>(gradients: &mut [Tensor<T>], limit: f64) -> f64 {
    let norm = norm(gradients);
    let factor = limit / (norm + 1e-6);
    if factor < 1.0 {
        let factor = T::of(factor);
        for gradient in gradients {
            *gradient = Tensor::from_buffer(gradient.shape(), pointwise::map(gradient.data(), |g| g * factor));
        }
    }
    norm
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_gradients_are_shortened_and_short_ones_left_alone() {
        let gradients = [Tensor::full(&[1], 3.0_f64), Tensor::full(&[1], 4.0)];
        let mut clipped = gradients.clone();
        assert_eq!(clip_norm(&mut clipped, 1.0), 5.0);
        assert!((norm(&clipped) - 1.0).abs() < 1e-6);
        assert!((clipped[0].data()[0] / clipped[1].data()[0] - 0.75).abs() < 1e-15);
        let mut untouched = gradients.clone();
        clip_norm(&mut untouched, 6.0);
        assert_eq!(untouched, gradients);
    }
}
