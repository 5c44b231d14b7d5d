//! Averages of pixels.

use super::{images_of_squares, upsample};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

impl<T: Real> Var<T> {
    /// Mean of every square of `side`×`side` pixels of N×C×H×W images.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless there are four axes and the images can be cut into such squares.
    pub fn avg_pool2d(&self, side: usize) -> Result<Var<T>, GanError> {
        images_of_squares("avg_pool2d", self, side)?;
        Ok(upsample::sum_squares(self, side).scale(T::of(1.0 / (side * side) as f64)))
    }
}

#[cfg(test)]
mod tests {
    use crate::gan::testing::{check_derivatives, sample};
    use crate::gan::{Tensor, Var};

    #[test]
    fn derivatives() {
        check_derivatives(&[sample(&[2, 2, 4, 6], 1)], |x| Ok(x[0].avg_pool2d(2)?.square()));
    }

    #[test]
    fn squares_become_their_means() {
        let x = Var::constant(Tensor::from_fn(&[1, 2, 2, 4], |i| i as f32));
        assert_eq!(x.avg_pool2d(2).unwrap().value().data(), [2.5, 4.5, 10.5, 12.5]);
        let message = x.avg_pool2d(3).unwrap_err().to_string();
        assert_eq!(message, "avg_pool2d: images of 2×4 cannot be cut into squares of 3×3");
        // Many images, so that several threads have some.
        let many = Var::constant(Tensor::from_fn(&[64, 8, 16, 16], |i| i as f64));
        let means = many.avg_pool2d(16).unwrap();
        assert!(means.value().data().iter().enumerate().all(|(i, &mean)| mean == 256.0 * i as f64 + 127.5));
    }
}
