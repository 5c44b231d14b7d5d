//! Functions of one element.

use super::one;
use crate::gan::error::GanError;
use crate::gan::kernels::pointwise::{map, zip};
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

type Derivatives<T> = Result<Vec<Option<Var<T>>>, GanError>;

/// An operation on every element by itself: its name, the function, and the derivative in terms of the call.
macro_rules! elementwise {
    ($(#[$doc:meta])* $method:ident, $op:ident, $function:expr, $derivative:expr) => {
        struct $op;

        impl<T: Real> Op<T> for $op {
            fn name(&self) -> &'static str {
                stringify!($method)
            }

            fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
                let derivative: fn(&Backward<'_, T>) -> Result<Var<T>, GanError> = $derivative;
                Ok(one(derivative(call)?))
            }
        }

        impl<T: Real> Var<T> {
            $(#[$doc])*
            pub fn $method(&self) -> Var<T> {
                let value = Tensor::from_buffer(self.shape(), map(self.value().data(), $function));
                Var::made(value, $op, &[self])
            }
        }
    };
}

elementwise! {
    /// eˣ.
    exp, Exp, T::exp, |call| call.grad.mul(call.output)
}
elementwise! {
    /// Natural logarithm.
    ln, Ln, T::ln, |call| call.grad.div(&call.inputs[0])
}
elementwise! {
    /// Square root.
    sqrt, Sqrt, T::sqrt, |call| Ok(call.grad.div(call.output)?.scale(T::of(0.5)))
}
elementwise! {
    /// Hyperbolic tangent.
    tanh, Tanh, T::tanh, |call| SlopeOfTanh::times(call.grad, call.output)
}
elementwise! {
    /// 1/(1+e⁻ˣ).
    sigmoid, Sigmoid, sigmoid, |call| SlopeOfSigmoid::times(call.grad, call.output)
}
elementwise! {
    /// ln(1+eˣ), without overflow.
    softplus, Softplus, |x: T| T::max(x, T::ZERO) + (-x.abs()).exp().ln_1p(),
    |call| call.grad.mul(&call.inputs[0].sigmoid())
}
elementwise! {
    /// x/(1+e⁻ˣ), also called swish.
    silu, Silu, |x| x * sigmoid(x), |call| SlopeOfSilu::times(call.grad, &call.inputs[0])
}

fn sigmoid<T: Real>(x: T) -> T {
    // The exponent is never positive: nothing overflows.
    let e = (-x.abs()).exp();
    (if x < T::ZERO { e } else { T::ONE }) / (T::ONE + e)
}

/// g·s(y), where s is the slope of an activation in terms of its output, or of its input.
macro_rules! slope {
    ($op:ident, $slope:expr, $curvature:expr) => {
        struct $op;

        impl $op {
            fn times<T: Real>(g: &Var<T>, y: &Var<T>) -> Result<Var<T>, GanError> {
                let slope: fn(T) -> T = $slope;
                let product = zip(g.value().data(), y.value().data(), |g, y| g * slope(y));
                Ok(Var::made(Tensor::from_buffer(g.shape(), product), $op, &[g, y]))
            }
        }

        impl<T: Real> Op<T> for $op {
            fn name(&self) -> &'static str {
                stringify!($op)
            }

            fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
                let [g, y] = call.inputs else { unreachable!("a slope is multiplied by one factor") };
                let curvature: fn(&Var<T>) -> Result<Var<T>, GanError> = $curvature;
                let by_y = call.by(1, || call.grad.mul(g)?.mul(&curvature(y)?))?;
                Ok(vec![call.by(0, || Self::times(call.grad, y))?, by_y])
            }
        }
    };
}

slope!(SlopeOfTanh, |y| T::ONE - y * y, |y| Ok(y.scale(T::of(-2.0))));
slope!(SlopeOfSigmoid, |y| y * (T::ONE - y), |y| Ok(y.scale(T::of(-2.0)).shift(T::ONE)));
slope!(
    SlopeOfSilu,
    |x| {
        let s = sigmoid(x);
        s * (T::ONE + x * (T::ONE - s))
    },
    |x| {
        // s′·(2 + x·(1 − 2s)).
        let s = x.sigmoid();
        let bend = x.mul(&s.scale(T::of(-2.0)).shift(T::ONE))?.shift(T::of(2.0));
        SlopeOfSigmoid::times(&bend, &s)
    }
);

#[cfg(test)]
mod tests {
    use crate::gan::testing::{check_derivatives, sample};
    use crate::gan::{Tensor, Var};

    #[test]
    fn derivatives() {
        let x = sample(&[2, 5], 1);
        let positive = Tensor::from_fn(&[6], |i| 0.3 + i as f64);
        check_derivatives(std::slice::from_ref(&x), |x| Ok(x[0].exp()));
        check_derivatives(std::slice::from_ref(&positive), |x| Ok(x[0].ln()));
        check_derivatives(&[positive], |x| Ok(x[0].sqrt()));
        check_derivatives(std::slice::from_ref(&x), |x| Ok(x[0].tanh()));
        check_derivatives(std::slice::from_ref(&x), |x| Ok(x[0].sigmoid()));
        check_derivatives(std::slice::from_ref(&x), |x| Ok(x[0].softplus()));
        check_derivatives(&[x], |x| Ok(x[0].silu()));
    }

    #[test]
    fn extreme_arguments_stay_finite() {
        let x = Var::constant(Tensor::new(&[4], vec![-1000.0_f32, -100.0, 100.0, 1000.0]).unwrap());
        let softplus = x.softplus();
        // e⁻¹⁰⁰ is a subnormal number.
        assert!(softplus.value().data()[1] < 1e-40);
        assert_eq!([0, 2, 3].map(|index| softplus.value().data()[index]), [0.0, 100.0, 1000.0]);
        assert_eq!(x.sigmoid().value().data()[2..], [1.0, 1.0]);
        assert!(x.sigmoid().value().data()[0] == 0.0 && x.sigmoid().value().data()[1] < 1e-40);
    }
}
