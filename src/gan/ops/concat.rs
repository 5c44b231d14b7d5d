//! Joining along an axis, and parts of an axis.

use std::ops::Range;

use super::{Derivatives, one, split_at_axis};
use crate::gan::buffer::Buffer;
use crate::gan::error::GanError;
use crate::gan::kernels::blocks::{Part, copy_parts};
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

/// One behind the other along this axis.
struct Concat(usize);

/// A part of an axis.
#[derive(Clone, Copy)]
struct Slice {
    axis: usize,
    start: usize,
}

/// Zeros everywhere but on a part of an axis.
struct Widen(Slice);

impl<T: Real> Op<T> for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        let mut end = 0;
        let derivatives = call.inputs.iter().enumerate().map(|(i, input)| {
            let start = end;
            end += input.shape()[self.0];
            call.by(i, || call.grad.slice(self.0, start..end))
        });
        derivatives.collect()
    }
}

impl<T: Real> Op<T> for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(one(self.widen(call.grad, call.inputs[0].shape())?))
    }
}

impl<T: Real> Op<T> for Widen {
    fn name(&self) -> &'static str {
        "derivative of slice"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        let Slice { axis, start } = self.0;
        Ok(one(call.grad.slice(axis, start..start + call.inputs[0].shape()[axis])?))
    }
}

impl Slice {
    fn widen<T: Real>(self, x: &Var<T>, shape: &[usize]) -> Result<Var<T>, GanError> {
        let [_, length, behind] = split_at_axis("slice", shape, self.axis)?;
        let len = x.shape()[self.axis] * behind;
        let mut wide = Buffer::zeroed(shape.iter().product());
        let to = Part { row: length * behind, start: self.start * behind };
        copy_parts(&mut wide, to, x.value().data(), Part { row: len, start: 0 }, len);
        Ok(Var::made(Tensor::from_buffer(shape, wide), Widen(self), &[x]))
    }
}

impl<T: Real> Var<T> {
    /// Puts values one behind the other along an axis.
    ///
    /// ```
    /// use gan_metrics::gan::{Tensor, Var};
    ///
    /// let a = Var::constant(Tensor::new(&[2, 1], vec![1.0, 2.0])?);
    /// let b = Var::constant(Tensor::new(&[2, 2], vec![3.0, 4.0, 5.0, 6.0])?);
    /// let joined = Var::concat(&[&a, &b], 1)?;
    /// assert_eq!(joined.value().data(), [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
    /// assert_eq!(joined.slice(1, 0..1)?.value(), a.value());
    /// # Ok::<(), gan_metrics::gan::GanError>(())
    /// ```
    ///
    /// # Errors
    /// [`GanError::Shape`] unless there is at least one part and their shapes agree in all other axes.
    pub fn concat(parts: &[&Var<T>], axis: usize) -> Result<Var<T>, GanError> {
        const OP: &str = "concat";
        let Some(first) = parts.first() else {
            return Err(GanError::shape(OP, "at least one part is needed"));
        };
        let mut shape = first.shape().to_vec();
        let [_, _, behind] = split_at_axis(OP, &shape, axis)?;
        shape[axis] = 0;
        for part in parts {
            let mut others = part.shape().to_vec();
            if others.len() == shape.len() {
                shape[axis] += others[axis];
                others[axis] = shape[axis];
            }
            if others != shape {
                let problem = format!("{:?} and {:?} differ in more than axis {axis}", first.shape(), part.shape());
                return Err(GanError::shape(OP, problem));
            }
        }
        let mut joined = Buffer::stale(shape.iter().product());
        let mut to = Part { row: shape[axis] * behind, start: 0 };
        for part in parts {
            let len = part.shape()[axis] * behind;
            copy_parts(&mut joined, to, part.value().data(), Part { row: len, start: 0 }, len);
            to.start += len;
        }
        Ok(Var::made(Tensor::from_buffer(&shape, joined), Concat(axis), parts))
    }

    /// A part of an axis.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the part is not within the axis.
    pub fn slice(&self, axis: usize, part: Range<usize>) -> Result<Var<T>, GanError> {
        const OP: &str = "slice";
        let [_, length, behind] = split_at_axis(OP, self.shape(), axis)?;
        if part.start > part.end || part.end > length {
            let problem = format!("{part:?} is not a part of axis {axis} of shape {:?}", self.shape());
            return Err(GanError::shape(OP, problem));
        }
        if part == (0..length) {
            return Ok(self.clone());
        }
        let mut shape = self.shape().to_vec();
        shape[axis] = part.len();
        let len = part.len() * behind;
        let mut values = Buffer::stale(shape.iter().product());
        let from = Part { row: length * behind, start: part.start * behind };
        copy_parts(&mut values, Part { row: len, start: 0 }, self.value().data(), from, len);
        Ok(Var::made(Tensor::from_buffer(&shape, values), Slice { axis, start: part.start }, &[self]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::testing::{check_derivatives, sample};

    #[test]
    fn derivatives_along_every_axis() {
        for axis in 0..3 {
            let mut shapes = [[2, 3, 2]; 2];
            shapes[1][axis] = 4;
            let at = [sample(&shapes[0], 1), sample(&shapes[1], 2)];
            check_derivatives(&at, |x| Ok(Var::concat(&[&x[0], &x[1], &x[0]], axis)?.square()));
            check_derivatives(&at, |x| Ok(x[1].slice(axis, 1..3)?.square()));
        }
    }

    #[test]
    fn parts_of_what_was_joined_are_the_parts() {
        let [a, b, c] = [(1, 1), (3, 2), (0, 3)].map(|(n, seed)| Var::constant(sample(&[2, n, 5], seed)));
        let joined = Var::concat(&[&a, &c, &b], 1).unwrap();
        assert_eq!(joined.shape(), [2, 4, 5]);
        assert_eq!(joined.slice(1, 0..1).unwrap().value(), a.value());
        assert_eq!(joined.slice(1, 1..4).unwrap().value(), b.value());
        assert_eq!(joined.slice(1, 2..2).unwrap().value(), c.value());
        assert_eq!(joined.value().data()[20 + 4..20 + 6], [a.value().data()[9], b.value().data()[15]]);
    }

    #[test]
    fn shapes_that_do_not_fit_are_named() {
        let of = |shape: &[usize]| Var::constant(Tensor::<f32>::zeros(shape));
        let problem = |result: Result<Var<f32>, GanError>| result.unwrap_err().to_string();
        let joined = Var::concat(&[&of(&[2, 3]), &of(&[3, 3])], 1);
        assert_eq!(problem(joined), "concat: [2, 3] and [3, 3] differ in more than axis 1");
        assert!(Var::concat(&[&of(&[2, 3]), &of(&[2])], 1).is_err());
        assert_eq!(problem(Var::concat(&[], 0)), "concat: at least one part is needed");
        assert_eq!(problem(of(&[2]).slice(1, 0..1)), "slice: there is no axis 1 in shape [2]");
        assert_eq!(problem(of(&[2]).slice(0, 1..3)), "slice: 1..3 is not a part of axis 0 of shape [2]");
    }
}
