//! Moving images.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::{Derivatives, images, one};
use crate::gan::buffer::Buffer;
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

/// How far down and how far to the right every image moves.
struct Translate(Arc<[[isize; 2]]>);

impl<T: Real> Op<T> for Translate {
    fn name(&self) -> &'static str {
        "translate"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        let back: Vec<[isize; 2]> = self.0.iter().map(|offset| offset.map(isize::wrapping_neg)).collect();
        Ok(one(call.grad.translate(&back, T::ZERO)?))
    }
}

/// Which places of an axis get something when all moves by `offset`, and where the first of it comes from.
fn overlap(length: usize, offset: isize) -> (Range<usize>, usize) {
    let distance = offset.unsigned_abs().min(length);
    if offset < 0 { (0..length - distance, distance) } else { (distance..length, 0) }
}

impl<T: Real> Var<T> {
    /// Moves every image of N×C×H×W by its own offset, \[down, right\] in pixels; what comes in is `fill`, and what goes
    /// out is lost.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless there are four axes and an offset for each image.
    pub fn translate(&self, offsets: &[[isize; 2]], fill: T) -> Result<Var<T>, GanError> {
        let [batch, channels, height, width] = images("translate", self)?;
        if offsets.len() != batch {
            let problem = format!("{} offsets for {batch} images", offsets.len());
            return Err(GanError::shape("translate", problem));
        }
        let (plane, image) = (height * width, channels * height * width);
        let mut moved = Buffer::full(self.value().len(), fill);
        if image > 0 {
            let images = moved.par_chunks_mut(image).zip(self.value().data().par_chunks(image)).zip(offsets);
            images.for_each(|((moved, image), &[down, right])| {
                let ((rows, from_row), (columns, from_column)) = (overlap(height, down), overlap(width, right));
                for (moved, plane) in moved.chunks_exact_mut(plane).zip(image.chunks_exact(plane)) {
                    for (i, row) in rows.clone().enumerate() {
                        let source = &plane[(from_row + i) * width + from_column..][..columns.len()];
                        moved[row * width..][columns.clone()].copy_from_slice(source);
                    }
                }
            });
        }
        Ok(Var::made(Tensor::from_buffer(self.shape(), moved), Translate(offsets.into()), &[self]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::testing::{check_derivatives, sample};

    const OFFSETS: [[isize; 2]; 4] = [[1, -2], [0, 0], [-1, 1], [5, 0]];

    #[test]
    fn derivatives() {
        check_derivatives(&[sample(&[4, 2, 3, 4], 1)], |x| Ok(x[0].translate(&OFFSETS, 0.5)?.square()));
    }

    #[test]
    fn images_move_each_by_itself() {
        let x = Var::constant(Tensor::new(&[2, 1, 2, 2], vec![1.0_f32, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0]).unwrap());
        let moved = x.translate(&[[1, 0], [-1, 1]], -1.0).unwrap();
        assert_eq!(moved.value().data(), [-1.0, -1.0, 1.0, 2.0, -1.0, 3.0, -1.0, -1.0]);
        let gone = x.translate(&[[isize::MIN, 0], [0, isize::MAX]], 7.0).unwrap();
        assert_eq!(gone.value().data(), [7.0; 8]);
        let message = x.translate(&[[0, 0]], 0.0).unwrap_err().to_string();
        assert_eq!(message, "translate: 1 offsets for 2 images");
    }

    #[test]
    fn the_derivative_is_the_transpose() {
        let (x, y) = (Var::constant(sample(&[4, 2, 3, 4], 1)), Var::constant(sample(&[4, 2, 3, 4], 2)));
        let back = OFFSETS.map(|offset| offset.map(|o| -o));
        let one_way = x.translate(&OFFSETS, 0.0).unwrap().mul(&y).unwrap().sum().item().unwrap();
        let other_way = x.mul(&y.translate(&back, 0.0).unwrap()).unwrap().sum().item().unwrap();
        assert!((one_way - other_way).abs() < 1e-13 && one_way.abs() > 0.01);
    }
}
