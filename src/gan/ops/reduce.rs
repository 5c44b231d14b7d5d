//! Sums, means and repetition.

use super::{one, split_at_axis};
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

    /// Sum over some axes, which stay with length 1.
    ///
    /// # Errors
    /// [`GanError::Shape`] when one of them is not there.
    pub fn sum_axes_kept(&self, axes: &[usize]) -> Result<Var<T>, GanError> {
        let mut kept = self.shape().to_vec();
        for &axis in axes {
            split_at_axis("sum_axes", self.shape(), axis)?;
            kept[axis] = 1;
        }
        self.sum_to(&kept)
    }

    /// Sum over some axes, which disappear: over 2 and 3 of N×C×H×W images it gives N×C.
    ///
    /// # Errors
    /// [`GanError::Shape`] when one of them is not there.
    pub fn sum_axes(&self, axes: &[usize]) -> Result<Var<T>, GanError> {
        let sums = self.sum_axes_kept(axes)?;
        let others = (0..self.shape().len()).filter(|axis| !axes.contains(axis));
        sums.reshape(&others.map(|axis| self.shape()[axis]).collect::<Vec<_>>())
    }

    /// Mean over some axes, which stay with length 1.
    ///
    /// # Errors
    /// [`GanError::Shape`] when one of them is not there.
    pub fn mean_axes_kept(&self, axes: &[usize]) -> Result<Var<T>, GanError> {
        Ok(self.share_of(self.sum_axes_kept(axes)?))
    }

    /// Mean over some axes, which disappear.
    ///
    /// # Errors
    /// [`GanError::Shape`] when one of them is not there.
    pub fn mean_axes(&self, axes: &[usize]) -> Result<Var<T>, GanError> {
        Ok(self.share_of(self.sum_axes(axes)?))
    }

    /// Sums over the values that each is made of.
    fn share_of(&self, sums: Var<T>) -> Var<T> {
        sums.scale(T::of(sums.value().len() as f64 / self.value().len() as f64))
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
        check_derivatives(&[sample(&[2, 3, 4], 6)], |x| Ok(x[0].sum_axes(&[0, 2])?.square()));
        check_derivatives(&[sample(&[2, 3, 4], 7)], |x| x[0].mul(&x[0].mean_axes_kept(&[1])?));
        check_derivatives(&[sample(&[3, 1], 5)], |x| Ok(x[0].broadcast_to(&[2, 3, 4])?.square()));
    }

    #[test]
    fn sums_and_means_over_axes() {
        let x = Var::constant(Tensor::from_fn(&[2, 3, 4], |i| i as f64));
        let sums = x.sum_axes(&[2, 1]).unwrap();
        assert_eq!((sums.shape(), sums.value().data()), (&[2][..], &[66.0, 210.0][..]));
        let means = x.mean_axes(&[0]).unwrap();
        assert_eq!((means.shape(), means.value().data()[11]), (&[3, 4][..], 17.0));
        assert_eq!(x.sum_axes_kept(&[0, 2]).unwrap().shape(), [1, 3, 1]);
        assert_eq!(x.mean_axes_kept(&[0, 2]).unwrap().value().data(), [7.5, 11.5, 15.5]);
        assert_eq!(x.sum_axes(&[0, 1, 2]).unwrap().item().unwrap(), 276.0);
        assert_eq!(x.sum_axes(&[3]).unwrap_err().to_string(), "sum_axes: there is no axis 3 in shape [2, 3, 4]");
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
