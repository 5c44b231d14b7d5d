//! Sums, means and repetition.

use super::one;
use crate::gan::error::GanError;
use crate::gan::kernels::reduce;
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

type Derivatives<T> = Result<Vec<Option<Var<T>>>, GanError>;

struct SumTo;
struct BroadcastTo;

impl<T: Real> Op<T> for SumTo {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(one(call.grad.broadcast_to(call.inputs[0].shape())?))
    }
}

impl<T: Real> Op<T> for BroadcastTo {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(one(call.grad.sum_to(call.inputs[0].shape())?))
    }
}

impl<T: Real> Var<T> {
    /// Repeats the values along new axes in front and along axes of length 1.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the shape does not broadcast.
    pub fn broadcast_to(&self, shape: &[usize]) -> Result<Var<T>, GanError> {
        if self.shape() == shape {
            return Ok(self.clone());
        }
        if !reduce::broadcasts_to(self.shape(), shape) {
            let problem = format!("{:?} cannot be repeated to {shape:?}", self.shape());
            return Err(GanError::shape("broadcast_to", problem));
        }
        let value = reduce::broadcast(self.value().data(), self.shape(), shape);
        Ok(Var::made(Tensor::from_buffer(shape, value), BroadcastTo, &[self]))
    }

    /// Adds up all axes that `shape` lacks or has with length 1: the transpose of [`Var::broadcast_to`].
    ///
    /// # Errors
    /// [`GanError::Shape`] when `shape` does not broadcast to the shape of the values.
    pub fn sum_to(&self, shape: &[usize]) -> Result<Var<T>, GanError> {
        if self.shape() == shape {
            return Ok(self.clone());
        }
        if !reduce::broadcasts_to(shape, self.shape()) {
            return Err(GanError::shape("sum_to", format!("{:?} cannot be summed to {shape:?}", self.shape())));
        }
        let value = reduce::sum_to(self.value().data(), self.shape(), shape);
        Ok(Var::made(Tensor::from_buffer(shape, value), SumTo, &[self]))
    }

    /// Sum of all values.
    pub fn sum(&self) -> Var<T> {
        let value = Tensor::scalar(reduce::total(self.value().data()));
        Var::made(value, SumTo, &[self])
    }

    /// Mean of all values.
    pub fn mean(&self) -> Var<T> {
        self.sum().scale(T::of(1.0 / self.value().len() as f64))
    }

    /// Sum over every axis but the first: one value for each row.
    pub fn sum_rows(&self) -> Result<Var<T>, GanError> {
        let rows = self.shape().first().copied().unwrap_or(1);
        let columns = self.value().len() / rows.max(1);
        self.reshape(&[rows, columns])?.sum_to(&[rows, 1])?.reshape(&[rows])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::testing::{check_derivatives, sample};

    #[test]
    fn derivatives() {
        check_derivatives(&[sample(&[3, 4], 1)], |x| Ok(x[0].square().sum()));
        check_derivatives(&[sample(&[3, 4], 2)], |x| Ok(x[0].square().mean()));
        check_derivatives(&[sample(&[3, 2, 2], 3)], |x| Ok(x[0].square().sum_rows()?.square()));
        check_derivatives(&[sample(&[2, 3, 4], 4)], |x| Ok(x[0].sum_to(&[3, 1])?.square()));
        check_derivatives(&[sample(&[3, 1], 5)], |x| Ok(x[0].broadcast_to(&[2, 3, 4])?.square()));
    }

    #[test]
    fn shapes_that_do_not_broadcast_are_named() {
        let x = Var::constant(Tensor::<f64>::zeros(&[2, 3]));
        assert_eq!(
            x.broadcast_to(&[3, 3]).unwrap_err().to_string(),
            "broadcast_to: [2, 3] cannot be repeated to [3, 3]"
        );
        assert_eq!(x.sum_to(&[3, 3]).unwrap_err().to_string(), "sum_to: [2, 3] cannot be summed to [3, 3]");
    }
}
