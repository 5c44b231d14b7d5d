//! Sums, products and quotients, with numpy's rules of broadcasting.

use super::one;
use crate::gan::error::GanError;
use crate::gan::kernels::pointwise::{map, zip};
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

type Derivatives<T> = Result<Vec<Option<Var<T>>>, GanError>;

fn mapped<T: Real>(x: &Var<T>, f: impl Fn(T) -> T + Sync) -> Tensor<T> {
    Tensor::from_buffer(x.shape(), map(x.value().data(), f))
}

fn zipped<T: Real>(a: &Var<T>, b: &Var<T>, f: impl Fn(T, T) -> T + Sync) -> Tensor<T> {
    Tensor::from_buffer(a.shape(), zip(a.value().data(), b.value().data(), f))
}

/// The shape that both broadcast to.
fn common_shape(op: &'static str, a: &[usize], b: &[usize]) -> Result<Vec<usize>, GanError> {
    let axes = a.len().max(b.len());
    let axis = |shape: &[usize], i: usize| (i + shape.len()).checked_sub(axes).map_or(1, |i| shape[i]);
    let combined = (0..axes).map(|i| match (axis(a, i), axis(b, i)) {
        (m, n) if m == n || n == 1 => Ok(m),
        (1, n) => Ok(n),
        _ => Err(GanError::shape(
            op,
            format!("{a:?} and {b:?} do not broadcast: every pair of lengths must agree or be 1"),
        )),
    });
    combined.collect()
}

struct Add;
struct Sub;
struct Mul;
struct Div;

impl<T: Real> Op<T> for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(vec![Some(call.grad.clone()); 2])
    }
}

impl<T: Real> Op<T> for Sub {
    fn name(&self) -> &'static str {
        "sub"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(vec![Some(call.grad.clone()), call.by(1, || Ok::<_, GanError>(call.grad.scale(-T::ONE)))?])
    }
}

impl<T: Real> Op<T> for Mul {
    fn name(&self) -> &'static str {
        "mul"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        let [a, b] = call.inputs else { unreachable!("mul has two inputs") };
        Ok(vec![call.by(0, || call.grad.mul(b))?, call.by(1, || call.grad.mul(a))?])
    }
}

impl<T: Real> Op<T> for Div {
    fn name(&self) -> &'static str {
        "div"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        let [_, b] = call.inputs else { unreachable!("div has two inputs") };
        let by_a = call.grad.div(b)?;
        let by_b = call.by(1, || by_a.mul(call.output).map(|product| product.scale(-T::ONE)))?;
        Ok(vec![Some(by_a), by_b])
    }
}

/// c·x.
struct Scale<T>(T);

impl<T: Real> Op<T> for Scale<T> {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(one(call.grad.scale(self.0)))
    }
}

/// x + c.
struct Shift;

impl<T: Real> Op<T> for Shift {
    fn name(&self) -> &'static str {
        "shift"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(one(call.grad.clone()))
    }
}

impl<T: Real> Var<T> {
    fn binary(
        &self,
        other: &Var<T>,
        op: impl Op<T> + 'static,
        f: impl Fn(T, T) -> T + Sync,
    ) -> Result<Var<T>, GanError> {
        if self.shape() == other.shape() {
            return Ok(Var::made(zipped(self, other, f), op, &[self, other]));
        }
        let shape = common_shape(op.name(), self.shape(), other.shape())?;
        let (a, b) = (self.broadcast_to(&shape)?, other.broadcast_to(&shape)?);
        Ok(Var::made(zipped(&a, &b, f), op, &[&a, &b]))
    }

    /// a + b.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the shapes do not broadcast.
    pub fn add(&self, other: &Var<T>) -> Result<Var<T>, GanError> {
        self.binary(other, Add, |a, b| a + b)
    }

    /// a − b.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the shapes do not broadcast.
    pub fn sub(&self, other: &Var<T>) -> Result<Var<T>, GanError> {
        self.binary(other, Sub, |a, b| a - b)
    }

    /// a·b, element by element.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the shapes do not broadcast.
    pub fn mul(&self, other: &Var<T>) -> Result<Var<T>, GanError> {
        self.binary(other, Mul, |a, b| a * b)
    }

    /// a/b, element by element.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the shapes do not broadcast.
    pub fn div(&self, other: &Var<T>) -> Result<Var<T>, GanError> {
        self.binary(other, Div, |a, b| a / b)
    }

    /// c·x.
    pub fn scale(&self, c: T) -> Var<T> {
        Var::made(mapped(self, |x| c * x), Scale(c), &[self])
    }

    /// x + c.
    pub fn shift(&self, c: T) -> Var<T> {
        Var::made(mapped(self, |x| x + c), Shift, &[self])
    }

    /// −x.
    pub fn neg(&self) -> Var<T> {
        self.scale(-T::ONE)
    }

    /// x².
    pub fn square(&self) -> Var<T> {
        self.mul(self).expect("a shape agrees with itself")
    }
}

#[cfg(test)]
mod tests {
    use crate::gan::testing::{check_derivatives, sample};
    use crate::gan::{Tensor, Var};

    #[test]
    fn derivatives() {
        let (a, b) = (sample(&[3, 4], 1), sample(&[3, 4], 2));
        let apart_from_zero = Tensor::from_fn(&[3, 4], |i| if i % 2 == 0 { 1.5 + i as f64 / 7.0 } else { -2.0 });
        check_derivatives(&[a.clone(), b.clone()], |x| x[0].add(&x[1])?.mul(&x[0]));
        check_derivatives(&[a.clone(), b], |x| x[0].sub(&x[1])?.mul(&x[1]));
        check_derivatives(&[a.clone(), apart_from_zero], |x| x[0].div(&x[1]));
        check_derivatives(&[a], |x| Ok(x[0].scale(3.0).shift(-0.5).square().neg()));
    }

    #[test]
    fn derivatives_with_broadcasting() {
        let (a, b) = (sample(&[2, 3, 4], 3), sample(&[3, 1], 4));
        check_derivatives(&[a.clone(), b.clone()], |x| x[0].mul(&x[1]));
        check_derivatives(&[a, b], |x| x[1].sub(&x[0])?.mul(&x[1]));
        check_derivatives(&[sample(&[4, 1], 5), sample(&[1, 3], 6)], |x| x[0].mul(&x[1]));
    }

    #[test]
    fn shapes_that_do_not_broadcast_are_named() {
        let a = Var::constant(Tensor::<f64>::zeros(&[2, 3]));
        let b = Var::constant(Tensor::zeros(&[2]));
        let message = a.add(&b).unwrap_err().to_string();
        assert_eq!(message, "add: [2, 3] and [2] do not broadcast: every pair of lengths must agree or be 1");
    }
}
