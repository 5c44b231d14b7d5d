//! Logits: their log-sum-exp, their probabilities, and the cross entropy to labels.

use super::{Derivatives, one, split_at_filled_axis, without_axis};
use crate::gan::error::GanError;
use crate::gan::kernels::softmax::{log_sum_exp, softmax, softmax_derivative};
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

/// Of every row of a matrix.
struct LogSumExp;
/// Within every row of a matrix.
struct Softmax;

impl LogSumExp {
    fn of<T: Real>(x: &Var<T>) -> Var<T> {
        let &[rows, columns] = x.shape() else { unreachable!("brought into this form") };
        let value = log_sum_exp(x.value().data(), columns);
        Var::made(Tensor::from_buffer(&[rows, 1], value), LogSumExp, &[x])
    }
}

impl Softmax {
    fn of<T: Real>(x: &Var<T>) -> Var<T> {
        let value = softmax(x.value().data(), x.shape()[1]);
        Var::made(Tensor::from_buffer(x.shape(), value), Softmax, &[x])
    }
}

impl<T: Real> Op<T> for LogSumExp {
    fn name(&self) -> &'static str {
        "log_sum_exp"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(one(Softmax::of(&call.inputs[0]).mul(call.grad)?))
    }
}

impl<T: Real> Op<T> for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        let (g, y) = (call.grad, call.output);
        if call.is_final() {
            let value = softmax_derivative(g.value().data(), y.value().data(), y.shape()[1]);
            return Ok(one(Var::constant(Tensor::from_buffer(y.shape(), value))));
        }
        let mean = g.mul(y)?.sum_axes_kept(&[1])?;
        Ok(one(g.sub(&mean)?.mul(y)?))
    }
}

impl<T: Real> Var<T> {
    /// Applies what works on the rows of a matrix to an axis. What it makes of a row has the row's length or 1.
    fn along(
        &self,
        op: &'static str,
        axis: usize,
        of_rows: impl FnOnce(&Var<T>) -> Var<T>,
    ) -> Result<Var<T>, GanError> {
        let [before, length, behind] = split_at_filled_axis(op, self.shape(), axis)?;
        let rows = self.reshape(&[before, length, behind])?.permute(&[0, 2, 1])?.reshape(&[before * behind, length])?;
        let result = of_rows(&rows);
        let mut shape = self.shape().to_vec();
        shape[axis] = result.shape()[1];
        result.reshape(&[before, behind, shape[axis]])?.permute(&[0, 2, 1])?.reshape(&shape)
    }

    /// ln Σ eˣ along an axis, which disappears. Does not overflow.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the axis is not there or empty.
    pub fn log_sum_exp(&self, axis: usize) -> Result<Var<T>, GanError> {
        self.along("log_sum_exp", axis, LogSumExp::of)?.reshape(&without_axis(self.shape(), axis))
    }

    /// eˣ/Σ eˣ along an axis: the probabilities that belong to logits.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the axis is not there or empty.
    pub fn softmax(&self, axis: usize) -> Result<Var<T>, GanError> {
        self.along("softmax", axis, Softmax::of)
    }

    /// x − ln Σ eˣ along an axis: the logarithms of those probabilities, which stay finite where they vanish.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the axis is not there or empty.
    pub fn log_softmax(&self, axis: usize) -> Result<Var<T>, GanError> {
        self.sub(&self.along("log_softmax", axis, LogSumExp::of)?)
    }

    /// −Σ t·ln p for every sample of N×K logits, where p are their probabilities and t, N×K as well, is 1 at the right
    /// class and 0 elsewhere, or any other distribution; in nats.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless both are matrices of the same shape, with at least one class.
    pub fn cross_entropy(&self, targets: &Var<T>) -> Result<Var<T>, GanError> {
        let (logits, of_targets) = (self.shape(), targets.shape());
        if logits.len() != 2 || of_targets != logits {
            let problem = format!("expected N×K logits and as many targets, got shapes {logits:?} and {of_targets:?}");
            return Err(GanError::shape("cross_entropy", problem));
        }
        Ok(self.log_softmax(1)?.mul(targets)?.sum_axes(&[1])?.neg())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::testing::{check_derivatives, sample};
    use crate::gan::{Differentiability, grad};

    #[test]
    fn derivatives_along_every_axis() {
        for axis in 0..3 {
            let x = &[sample(&[2, 3, 4], 1)];
            check_derivatives(x, |x| x[0].log_sum_exp(axis));
            check_derivatives(x, |x| x[0].softmax(axis));
            check_derivatives(x, |x| x[0].log_softmax(axis));
        }
        check_derivatives(&[sample(&[3, 4], 1), sample(&[3, 4], 2)], |x| x[0].cross_entropy(&x[1]));
    }

    #[test]
    fn the_fused_derivative_is_that_of_the_definition() {
        let x = Var::leaf(sample(&[3, 50], 1));
        let y = x.softmax(1).unwrap().mul(&Var::constant(sample(&[3, 50], 2))).unwrap().sum();
        let [fused, slow] = [Differentiability::Once, Differentiability::Again].map(|again| {
            let gradient = grad(&y, &[&x], again).unwrap().remove(0);
            gradient.detach()
        });
        assert!(fused.sub(&slow).unwrap().value().norm() < 1e-15);
        assert!(slow.value().norm() > 0.01);
    }

    #[test]
    fn extreme_logits_neither_overflow_nor_lose_everything() {
        let x = Var::constant(
            Tensor::new(&[3, 2], vec![1000.0_f32, 0.0, -1000.0, -1000.0, f32::NEG_INFINITY, 1.0]).unwrap(),
        );
        let ln_2 = std::f32::consts::LN_2;
        assert_eq!(x.log_sum_exp(1).unwrap().value().data(), [1000.0, -1000.0 + ln_2, 1.0]);
        assert_eq!(x.softmax(1).unwrap().value().data(), [1.0, 0.0, 0.5, 0.5, 0.0, 1.0]);
        assert_eq!(x.log_softmax(1).unwrap().value().data()[..2], [0.0, -1000.0]);
        let nothing = Var::constant(Tensor::full(&[1, 2], f64::NEG_INFINITY));
        assert_eq!(nothing.log_sum_exp(1).unwrap().value().data(), [f64::NEG_INFINITY]);
        let not_a_number = Var::constant(Tensor::new(&[1, 2], vec![f64::NAN, 0.0]).unwrap());
        assert!(not_a_number.log_sum_exp(1).unwrap().item().unwrap().is_nan());
    }

    #[test]
    fn equal_logits_cost_the_logarithm_of_the_number_of_classes() {
        let targets = Var::constant(Tensor::new(&[2, 4], vec![0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]).unwrap());
        let costs = Var::constant(Tensor::full(&[2, 4], 3.0)).cross_entropy(&targets).unwrap();
        assert_eq!(costs.shape(), [2]);
        assert!(costs.value().data().iter().all(|cost: &f64| (cost - 4.0_f64.ln()).abs() < 1e-15));
    }

    #[test]
    fn shapes_that_do_not_fit_are_named() {
        let x = Var::constant(Tensor::<f32>::zeros(&[2, 0]));
        assert_eq!(x.softmax(1).unwrap_err().to_string(), "softmax: axis 1 of shape [2, 0] is empty");
        assert!(x.log_sum_exp(2).is_err());
        let error = x.cross_entropy(&Var::constant(Tensor::zeros(&[2]))).unwrap_err().to_string();
        assert_eq!(error, "cross_entropy: expected N×K logits and as many targets, got shapes [2, 0] and [2]");
    }
}
