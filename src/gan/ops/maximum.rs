//! Largest values.

use super::{embedding, images_of_squares, split_at_filled_axis, without_axis};
use crate::gan::error::GanError;
use crate::gan::kernels::maximum::{largest_along, largest_of_squares};
use crate::gan::real::Real;
use crate::gan::tape::Var;

impl<T: Real> Var<T> {
    /// The values at these places.
    fn at(&self, places: Vec<usize>, shape: &[usize]) -> Result<Var<T>, GanError> {
        embedding::gather(&self.reshape(&[self.value().len(), 1])?, &places.into()).reshape(shape)
    }

    /// Largest value along an axis, which disappears. Among equal ones the derivative goes to the first.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the axis is not there or empty.
    pub fn max_axis(&self, axis: usize) -> Result<Var<T>, GanError> {
        let split = split_at_filled_axis("max_axis", self.shape(), axis)?;
        self.at(largest_along(self.value().data(), split), &without_axis(self.shape(), axis))
    }

    /// Largest pixel of every square of `side`×`side` pixels of N×C×H×W images. Among equal ones the derivative goes to
    /// the first, row by row.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless there are four axes and the images can be cut into such squares.
    pub fn max_pool2d(&self, side: usize) -> Result<Var<T>, GanError> {
        let [batch, channels, height, width] = images_of_squares("max_pool2d", self, side)?;
        let shape = [batch, channels, height / side, width / side];
        self.at(largest_of_squares(self.value().data(), width, side), &shape)
    }
}

#[cfg(test)]
mod tests {
    use crate::gan::testing::{check_derivatives, sample};
    use crate::gan::{Differentiability, Tensor, Var, grad};

    #[test]
    fn derivatives() {
        for axis in 0..3 {
            check_derivatives(&[sample(&[2, 3, 4], 1)], |x| Ok(x[0].max_axis(axis)?.square()));
        }
        check_derivatives(&[sample(&[2, 2, 4, 6], 1)], |x| Ok(x[0].max_pool2d(2)?.square()));
    }

    #[test]
    fn the_first_of_equal_values_gets_the_derivative() {
        let x = Var::leaf(Tensor::new(&[1, 1, 2, 4], vec![1.0, 5.0, 7.0, 7.0, 5.0, 2.0, 7.0, 0.0]).unwrap());
        let largest = x.max_pool2d(2).unwrap();
        assert_eq!((largest.shape(), largest.value().data()), (&[1, 1, 1, 2][..], &[5.0, 7.0][..]));
        let slope = |y: Var<f64>| grad(&y, &[&x], Differentiability::Once).unwrap().remove(0);
        assert_eq!(slope(largest.sum()).value().data(), [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let along = x.max_axis(3).unwrap();
        assert_eq!((along.shape(), along.value().data()), (&[1, 1, 2][..], &[7.0, 7.0][..]));
        assert_eq!(slope(along.sum()).value().data(), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn what_is_no_number_does_not_get_lost() {
        let x = Var::constant(Tensor::new(&[3], vec![1.0, f32::NAN, 2.0]).unwrap());
        assert!(x.max_axis(0).unwrap().item().unwrap().is_nan());
        assert!(x.max_axis(1).is_err() && x.max_pool2d(2).is_err());
    }
}
