//! The same values under another shape.

use super::one;
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};

struct Reshape;

impl<T: Real> Op<T> for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Result<Vec<Option<Var<T>>>, GanError> {
        Ok(one(call.grad.reshape(call.inputs[0].shape())?))
    }
}

impl<T: Real> Var<T> {
    /// The same values, row-major, under another shape.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the number of values differs.
    pub fn reshape(&self, shape: &[usize]) -> Result<Var<T>, GanError> {
        if self.shape() == shape {
            return Ok(self.clone());
        }
        Ok(Var::made(self.value().reshape(shape)?, Reshape, &[self]))
    }
}

#[cfg(test)]
mod tests {
    use crate::gan::testing::{check_derivatives, sample};

    #[test]
    fn derivatives() {
        check_derivatives(&[sample(&[2, 6], 1)], |x| Ok(x[0].reshape(&[3, 4])?.square()));
    }
}
