//! Functions of one element that are made of pieces.

use super::{Derivatives, one};
use crate::gan::error::GanError;
use crate::gan::kernels::pointwise::{map, zip};
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

/// A slope that is constant on every piece.
#[derive(Clone, Copy)]
enum Steps<T> {
    /// 1 above 0, this value elsewhere.
    Leaky(T),
    /// −1, 0 or 1, as the argument is below, at or above 0.
    Sign,
    /// 1 from one number to the other, 0 outside.
    Between(T, T),
}

impl<T: Real> Steps<T> {
    /// g times the slope at x.
    fn times(self, g: &Var<T>, x: &Var<T>) -> Var<T> {
        let (of_g, of_x) = (g.value().data(), x.value().data());
        let value = match self {
            Steps::Leaky(slope) => zip(of_g, of_x, |g, x| if x > T::ZERO { g } else { slope * g }),
            Steps::Sign => zip(of_g, of_x, |g, x| match x {
                x if x > T::ZERO => g,
                x if x < T::ZERO => -g,
                _ => T::ZERO,
            }),
            Steps::Between(low, high) => zip(of_g, of_x, |g, x| if x >= low && x <= high { g } else { T::ZERO }),
        };
        Var::made(Tensor::from_buffer(g.shape(), value), Gate(self), &[g, x])
    }
}

/// A function whose slope is made of steps.
struct Linear<T> {
    name: &'static str,
    slope: Steps<T>,
}

impl<T: Real> Op<T> for Linear<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(one(self.slope.times(call.grad, &call.inputs[0])))
    }
}

/// g times the slope: linear in g, and constant in x wherever it has a derivative.
struct Gate<T>(Steps<T>);

impl<T: Real> Op<T> for Gate<T> {
    fn name(&self) -> &'static str {
        "slope of a piecewise linear function"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(vec![call.by(0, || Ok::<_, GanError>(self.0.times(call.grad, &call.inputs[1])))?, None])
    }
}

/// x above 0, α·(eˣ − 1) elsewhere.
struct Elu<T>(T);
/// g times the slope of that: 1 above 0, α·eˣ elsewhere.
struct SlopeOfElu<T>(T);
/// And the slope of the slope: 0 above 0, α·eˣ elsewhere.
struct CurvatureOfElu;

impl<T: Real> SlopeOfElu<T> {
    fn times(alpha: T, g: &Var<T>, x: &Var<T>) -> Var<T> {
        let slope = |x: T| if x > T::ZERO { T::ONE } else { alpha * x.exp() };
        let value = zip(g.value().data(), x.value().data(), |g, x| g * slope(x));
        Var::made(Tensor::from_buffer(g.shape(), value), SlopeOfElu(alpha), &[g, x])
    }
}

impl<T: Real> Op<T> for Elu<T> {
    fn name(&self) -> &'static str {
        "elu"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(one(SlopeOfElu::times(self.0, call.grad, &call.inputs[0])))
    }
}

impl<T: Real> Op<T> for SlopeOfElu<T> {
    fn name(&self) -> &'static str {
        "slope of elu"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        let ([g, x], alpha) = (call.inputs, self.0) else { unreachable!("a slope is multiplied by one factor") };
        let curvature = || {
            let value = map(x.value().data(), |x| if x > T::ZERO { T::ZERO } else { alpha * x.exp() });
            Var::made(Tensor::from_buffer(x.shape(), value), CurvatureOfElu, &[x])
        };
        let by_x = call.by(1, || call.grad.mul(g)?.mul(&curvature()))?;
        Ok(vec![call.by(0, || Ok::<_, GanError>(Self::times(alpha, call.grad, x)))?, by_x])
    }
}

impl<T: Real> Op<T> for CurvatureOfElu {
    fn name(&self) -> &'static str {
        "curvature of elu"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(one(call.grad.mul(call.output)?))
    }
}

impl<T: Real> Var<T> {
    fn piecewise_linear(&self, name: &'static str, f: impl Fn(T) -> T + Sync, slope: Steps<T>) -> Var<T> {
        let value = Tensor::from_buffer(self.shape(), map(self.value().data(), f));
        Var::made(value, Linear { name, slope }, &[self])
    }

    /// max(x, 0). The derivative at 0 is taken as 0, as PyTorch does.
    pub fn relu(&self) -> Var<T> {
        self.leaky_relu(T::ZERO)
    }

    /// x where positive, `slope`·x elsewhere. The derivative at 0 is taken as `slope`, as PyTorch does.
    pub fn leaky_relu(&self, slope: T) -> Var<T> {
        let value = |x| if x > T::ZERO { x } else { slope * x };
        self.piecewise_linear("leaky_relu", value, Steps::Leaky(slope))
    }

    /// |x|. The derivative at 0 is taken as 0, as PyTorch does.
    pub fn abs(&self) -> Var<T> {
        self.piecewise_linear("abs", |x| x.abs(), Steps::Sign)
    }

    /// The nearest number from `low` to `high`; an infinity leaves a side open. The derivative at the ends is taken as 1,
    /// as PyTorch does.
    ///
    /// # Errors
    /// [`GanError::Setting`] unless `low` ≤ `high`.
    pub fn clamp(&self, low: T, high: T) -> Result<Var<T>, GanError> {
        if low.partial_cmp(&high).is_none_or(|order| order.is_gt()) {
            return Err(GanError::setting("low", low, format!("a number up to high = {high}")));
        }
        let value = |x| match x {
            x if x < low => low,
            x if x > high => high,
            x => x,
        };
        Ok(self.piecewise_linear("clamp", value, Steps::Between(low, high)))
    }

    /// x where positive, `alpha`·(eˣ − 1) elsewhere (Clevert, Unterthiner and Hochreiter 2015).
    pub fn elu(&self, alpha: T) -> Var<T> {
        let value = map(self.value().data(), |x| if x > T::ZERO { x } else { alpha * x.exp_m1() });
        Var::made(Tensor::from_buffer(self.shape(), value), Elu(alpha), &[self])
    }
}

#[cfg(test)]
mod tests {
    use crate::gan::testing::{check_derivatives, sample};
    use crate::gan::{Differentiability, Tensor, Var, grad};

    #[test]
    fn derivatives() {
        let x = &[sample(&[2, 5], 1)];
        check_derivatives(x, |x| Ok(x[0].relu().square()));
        check_derivatives(x, |x| Ok(x[0].leaky_relu(0.2).square()));
        check_derivatives(x, |x| Ok(x[0].abs().mul(&x[0].square())?.square()));
        check_derivatives(x, |x| x[0].clamp(-0.5, 0.7)?.square().mul(&x[0]));
        check_derivatives(x, |x| Ok(x[0].elu(0.7)));
        // The slope of the slope of elu differentiates too.
        check_derivatives(x, |x| {
            let slope = grad(&x[0].elu(0.7).sum(), &[&x[0]], Differentiability::Again)?.remove(0);
            slope.mul(&x[0])
        });
    }

    #[test]
    fn values() {
        let x = Var::constant(Tensor::new(&[4], vec![-2.0, -0.0, 0.5, 3.0]).unwrap());
        assert_eq!(x.abs().value().data(), [2.0, 0.0, 0.5, 3.0]);
        assert_eq!(x.clamp(-1.0, 1.0).unwrap().value().data(), [-1.0, 0.0, 0.5, 1.0]);
        assert_eq!(x.clamp(-1.0, f64::INFINITY).unwrap().value().data(), [-1.0, 0.0, 0.5, 3.0]);
        assert_eq!(x.elu(2.0).value().data(), [2.0 * (-2.0_f64).exp_m1(), 0.0, 0.5, 3.0]);
        let message = x.clamp(1.0, -1.0).unwrap_err().to_string();
        assert_eq!(message, "low = 1 is out of range: it must be a number up to high = -1");
        assert!(x.clamp(f64::NAN, 1.0).is_err());
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let x = Var::constant(Tensor::scalar(f64::NAN));
        for y in [x.relu(), x.abs(), x.clamp(-1.0, 1.0).unwrap(), x.elu(1.0)] {
            assert!(y.item().unwrap().is_nan(), "{y:?}");
        }
    }

    #[test]
    fn the_kinks_have_pytorchs_derivatives() {
        let x = Var::leaf(Tensor::<f32>::zeros(&[]));
        let slope = |y: Var<f32>| grad(&y, &[&x], Differentiability::Once).unwrap()[0].item().unwrap();
        assert_eq!((slope(x.relu()), slope(x.leaky_relu(0.2)), slope(x.abs())), (0.0, 0.2, 0.0));
        assert_eq!(slope(x.clamp(0.0, 1.0).unwrap()), 1.0);
        assert_eq!(slope(x.clamp(-1.0, 0.0).unwrap()), 1.0);
    }
}
