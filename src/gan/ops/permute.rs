//! Axes in another order, and what is made of that.

use super::{Derivatives, images, images_of_squares, one};
use crate::gan::error::GanError;
use crate::gan::kernels::permute::permute;
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

/// Which axis of the source every axis of the result is.
struct Permute(Vec<usize>);

impl<T: Real> Op<T> for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        let mut inverse = vec![0; self.0.len()];
        self.0.iter().enumerate().for_each(|(to, &from)| inverse[from] = to);
        Ok(one(call.grad.permute(&inverse)?))
    }
}

impl<T: Real> Var<T> {
    /// The axes in another order: axis i of the result is axis `order[i]` of the values.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless `order` names every axis once.
    pub fn permute(&self, order: &[usize]) -> Result<Var<T>, GanError> {
        let shape = self.shape();
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..shape.len()) {
            let problem = format!("{order:?} does not name every axis of shape {shape:?} once");
            return Err(GanError::shape("permute", problem));
        }
        if order.is_sorted() {
            return Ok(self.clone());
        }
        let permuted: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
        let value = Tensor::from_buffer(&permuted, permute(self.value().data(), shape, order));
        Ok(Var::made(value, Permute(order.to_vec()), &[self]))
    }

    /// Squares of `side`×`side` pixels become channels: N×C×H×W to N×(C·side²)×(H/side)×(W/side), in the order of
    /// PyTorch's `pixel_unshuffle`.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless there are four axes and the images can be cut into such squares.
    pub fn space_to_depth(&self, side: usize) -> Result<Var<T>, GanError> {
        let [n, c, height, width] = images_of_squares("space_to_depth", self, side)?;
        let (height, width) = (height / side, width / side);
        let cut = self.reshape(&[n, c, height, side, width, side])?.permute(&[0, 1, 3, 5, 2, 4])?;
        cut.reshape(&[n, c * side * side, height, width])
    }

    /// The reverse of [`Var::space_to_depth`], as PyTorch's `pixel_shuffle`.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless there are four axes and the channels make up whole squares.
    pub fn depth_to_space(&self, side: usize) -> Result<Var<T>, GanError> {
        const OP: &str = "depth_to_space";
        let [n, channels, height, width] = images(OP, self)?;
        let square = side * side;
        if square == 0 || channels % square != 0 {
            let problem = format!("{channels} channels do not make up squares of {side}×{side} pixels");
            return Err(GanError::shape(OP, problem));
        }
        let c = channels / square;
        let joined = self.reshape(&[n, c, side, side, height, width])?.permute(&[0, 1, 4, 2, 5, 3])?;
        joined.reshape(&[n, c, height * side, width * side])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::testing::{check_derivatives, sample};

    #[test]
    fn derivatives() {
        let x = &[sample(&[2, 3, 4, 2], 1)];
        check_derivatives(x, |x| Ok(x[0].permute(&[0, 2, 3, 1])?.square()));
        check_derivatives(x, |x| Ok(x[0].permute(&[3, 1, 0, 2])?.square()));
        check_derivatives(x, |x| Ok(x[0].space_to_depth(2)?.square()));
    }

    #[test]
    fn images_become_smaller_and_large_again() {
        let x = Var::constant(Tensor::from_fn(&[1, 1, 2, 4], |i| i as f32));
        let deep = x.space_to_depth(2).unwrap();
        assert_eq!(deep.shape(), [1, 4, 1, 2]);
        assert_eq!(deep.value().data(), [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
        assert_eq!(deep.depth_to_space(2).unwrap().value(), x.value());
    }

    #[test]
    fn what_cannot_be_done_is_named() {
        let x = Var::constant(Tensor::<f32>::zeros(&[1, 2, 3, 4]));
        let problem = |result: Result<Var<f32>, GanError>| result.unwrap_err().to_string();
        assert_eq!(
            problem(x.permute(&[0, 1, 1, 3])),
            "permute: [0, 1, 1, 3] does not name every axis of shape [1, 2, 3, 4] once"
        );
        assert!(x.permute(&[1, 0]).is_err());
        assert_eq!(problem(x.space_to_depth(2)), "space_to_depth: images of 3×4 cannot be cut into squares of 2×2");
        assert!(x.space_to_depth(0).is_err() && x.depth_to_space(0).is_err());
        assert_eq!(problem(x.depth_to_space(2)), "depth_to_space: 2 channels do not make up squares of 2×2 pixels");
    }
}
