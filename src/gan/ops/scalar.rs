//! Functions of one element that are known by their value and their slope only.

use std::sync::Arc;

use super::one;
use crate::gan::error::GanError;
use crate::gan::kernels::pointwise::map;
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

type Function = Arc<dyn Fn(f64) -> f64 + Send + Sync>;

/// A differentiable function of one number, computed in f64.
#[derive(Clone)]
pub struct ScalarFunction {
    name: &'static str,
    value: Function,
    slope: Function,
}

impl ScalarFunction {
    /// A function and its derivative.
    pub fn new(
        name: &'static str,
        value: impl Fn(f64) -> f64 + Send + Sync + 'static,
        slope: impl Fn(f64) -> f64 + Send + Sync + 'static,
    ) -> Self {
        ScalarFunction { name, value: Arc::new(value), slope: Arc::new(slope) }
    }
}

impl<T: Real> Op<T> for ScalarFunction {
    fn name(&self) -> &'static str {
        self.name
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Result<Vec<Option<Var<T>>>, GanError> {
        let x = &call.inputs[0];
        let value = map(x.value().data(), |x| T::of((self.slope)(x.to_f64())));
        let slope = Var::made(Tensor::from_buffer(x.shape(), value), Slope(self.name), &[x]);
        Ok(one(call.grad.mul(&slope)?))
    }
}

/// The slope as a function of the argument. Nothing is known of its derivative.
struct Slope(&'static str);

impl<T: Real> Op<T> for Slope {
    fn name(&self) -> &'static str {
        self.0
    }

    fn vjp(&self, _: &Backward<'_, T>) -> Result<Vec<Option<Var<T>>>, GanError> {
        Err(GanError::NotDifferentiable { op: self.0 })
    }
}

impl<T: Real> Var<T> {
    /// The function of every element.
    pub fn apply(&self, function: &ScalarFunction) -> Var<T> {
        let value = map(self.value().data(), |x| T::of((function.value)(x.to_f64())));
        Var::made(Tensor::from_buffer(self.shape(), value), function.clone(), &[self])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::testing::{check_first_derivatives, sample};
    use crate::gan::{Differentiability, grad};

    #[test]
    fn first_derivatives_are_right_and_second_ones_are_refused() {
        let cube = ScalarFunction::new("cube", |x| x.powi(3), |x| 3.0 * x * x);
        check_first_derivatives(&[sample(&[5], 1)], |x| Ok(x[0].apply(&cube)));
        let x = Var::leaf(Tensor::scalar(2.0_f64));
        let slope = grad(&x.apply(&cube), &[&x], Differentiability::Again).unwrap().remove(0);
        assert_eq!(slope.item().unwrap(), 12.0);
        let error = grad(&slope, &[&x], Differentiability::Once).unwrap_err();
        assert!(matches!(error, GanError::NotDifferentiable { op: "cube" }), "{error}");
    }
}
