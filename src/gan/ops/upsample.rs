//! Enlarging by repetition of pixels.

use rayon::prelude::*;

use super::{Derivatives, images, one};
use crate::gan::buffer::Buffer;
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

/// Pixels that are worth a thread.
const WORTHWHILE: usize = 1 << 14;

/// Every pixel becomes a square of this side.
struct Upsample(usize);
/// Every square of this side becomes the sum of its pixels.
struct SumSquares(usize);

impl<T: Real> Op<T> for Upsample {
    fn name(&self) -> &'static str {
        "upsample"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(one(sum_squares(call.grad, self.0)))
    }
}

impl<T: Real> Op<T> for SumSquares {
    fn name(&self) -> &'static str {
        "derivative of upsample"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(one(call.grad.upsample(self.0)?))
    }
}

pub(super) fn sum_squares<T: Real>(x: &Var<T>, factor: usize) -> Var<T> {
    let &[batch, channels, height, width] = x.shape() else { unreachable!("images that can be cut into squares") };
    let mut sums = Buffer::zeroed(x.value().len() / (factor * factor));
    let (small_width, band) = (width / factor, factor * width);
    if !sums.is_empty() {
        let bands = sums.par_chunks_mut(small_width).zip(x.value().data().par_chunks(band));
        bands.with_min_len(WORTHWHILE.div_ceil(band)).for_each(|(sums, band)| {
            for row in band.chunks_exact(width) {
                match factor {
                    2 => add_to(sums, row.as_chunks::<2>().0),
                    _ => add_to(sums, row.chunks_exact(factor)),
                }
            }
        });
    }
    let shape = [batch, channels, height / factor, small_width];
    Var::made(Tensor::from_buffer(&shape, sums), SumSquares(factor), &[x])
}

/// Adds the sum of every part. The compiler makes far more of parts whose length it knows.
fn add_to<T: Real>(sums: &mut [T], parts: impl IntoIterator<Item = impl AsRef<[T]>>) {
    for (sum, part) in sums.iter_mut().zip(parts) {
        for &value in part.as_ref() {
            *sum += value;
        }
    }
}

impl<T: Real> Var<T> {
    /// Repeats every pixel of N×C×H×W images `factor` times in both directions (nearest neighbour).
    ///
    /// # Errors
    /// [`GanError::Shape`] unless there are four axes and the factor is at least 1.
    pub fn upsample(&self, factor: usize) -> Result<Var<T>, GanError> {
        let [batch, channels, height, width] = images("upsample", self)?;
        if factor == 0 {
            return Err(GanError::shape("upsample", "the factor must be at least 1"));
        }
        let large_width = width * factor;
        let mut large = Buffer::stale(self.value().len() * factor * factor);
        if !large.is_empty() {
            let band = factor * large_width;
            let bands = large.par_chunks_mut(band).zip(self.value().data().par_chunks(width));
            bands.with_min_len(WORTHWHILE.div_ceil(band)).for_each(|(band, source)| {
                for row in band.chunks_exact_mut(large_width) {
                    row.chunks_exact_mut(factor).zip(source).for_each(|(target, &value)| target.fill(value));
                }
            });
        }
        let shape = [batch, channels, height * factor, large_width];
        Ok(Var::made(Tensor::from_buffer(&shape, large), Upsample(factor), &[self]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::testing::{check_derivatives, sample};

    #[test]
    fn pixels_become_squares() {
        let x = Var::constant(Tensor::new(&[1, 1, 1, 2], vec![1.0_f32, 2.0]).unwrap());
        assert_eq!(x.upsample(2).unwrap().value().data(), [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
        assert!(x.upsample(0).is_err() && Var::constant(Tensor::<f32>::zeros(&[2])).upsample(2).is_err());
    }

    #[test]
    fn derivatives() {
        check_derivatives(&[sample(&[2, 2, 2, 3], 1)], |x| Ok(x[0].upsample(3)?.square()));
    }
}
