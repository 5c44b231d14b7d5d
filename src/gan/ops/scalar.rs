//! Functions of one element that are known by their value, their slope and perhaps their curvature only.

use std::sync::Arc;

use super::{Derivatives, one};
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
    curvature: Option<Function>,
}

impl ScalarFunction {
    /// A function and its derivative, which is not differentiated itself.
    pub fn new(
        name: &'static str,
        value: impl Fn(f64) -> f64 + Send + Sync + 'static,
        slope: impl Fn(f64) -> f64 + Send + Sync + 'static,
    ) -> Self {
        ScalarFunction { name, value: Arc::new(value), slope: Arc::new(slope), curvature: None }
    }

    /// The same with its second derivative, so that its gradient can be differentiated once.
    pub fn with_curvature(self, curvature: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Self {
        ScalarFunction { curvature: Some(Arc::new(curvature)), ..self }
    }
}

impl<T: Real> Op<T> for ScalarFunction {
    fn name(&self) -> &'static str {
        self.name
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        let x = &call.inputs[0];
        let slope = Derivative { name: self.name, next: self.curvature.clone() };
        Ok(one(call.grad.mul(&Var::made(of_elements(x, &self.slope), slope, &[x]))?))
    }
}

/// A derivative as a function of the argument, and the derivative of that if it is known.
struct Derivative {
    name: &'static str,
    next: Option<Function>,
}

impl<T: Real> Op<T> for Derivative {
    fn name(&self) -> &'static str {
        self.name
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        let (x, name) = (&call.inputs[0], self.name);
        let next = self.next.as_ref().ok_or(GanError::NotDifferentiable { op: name })?;
        let next = Var::made(of_elements(x, next), Derivative { name, next: None }, &[x]);
        Ok(one(call.grad.mul(&next)?))
    }
}

fn of_elements<T: Real>(x: &Var<T>, f: &Function) -> Tensor<T> {
    Tensor::from_buffer(x.shape(), map(x.value().data(), |x| T::of(f(x.to_f64()))))
}

impl<T: Real> Var<T> {
    /// The function of every element.
    pub fn apply(&self, function: &ScalarFunction) -> Var<T> {
        Var::made(of_elements(self, &function.value), function.clone(), &[self])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::testing::{check_derivatives, check_first_derivatives, sample};
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

    #[test]
    fn with_a_curvature_second_derivatives_are_right_and_third_ones_are_refused() {
        let cube = ScalarFunction::new("cube", |x| x.powi(3), |x| 3.0 * x * x).with_curvature(|x| 6.0 * x);
        check_derivatives(&[sample(&[5], 1)], |x| Ok(x[0].apply(&cube)));
        let x = Var::leaf(Tensor::scalar(2.0_f64));
        let next = |y: &Var<f64>| Ok::<_, GanError>(grad(y, &[&x], Differentiability::Again)?.remove(0));
        let curvature = next(&next(&x.apply(&cube)).unwrap()).unwrap();
        assert_eq!(curvature.item().unwrap(), 12.0);
        let error = next(&curvature).unwrap_err();
        assert!(matches!(error, GanError::NotDifferentiable { op: "cube" }), "{error}");
    }
}
