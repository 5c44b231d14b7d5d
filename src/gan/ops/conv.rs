//! Convolutions: three operations, each the derivative of the others.

use crate::gan::buffer::Buffer;
use crate::gan::error::GanError;
use crate::gan::kernels::convolution::{Geometry, convolve, convolve_transposed, correlate_weights};
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

type Derivatives<T> = Result<Vec<Option<Var<T>>>, GanError>;

/// How a kernel moves over an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvOptions {
    /// Distance of neighbouring positions, in both directions; at least 1.
    pub stride: usize,
    /// Zeros around the image, on every side.
    pub padding: usize,
}

/// conv(x, w).
struct Conv(Geometry);
/// conv_transpose(y, w).
struct ConvTransposed(Geometry);
/// The weights that ⟨y, conv(x, ·)⟩ is the product with.
struct Weights(Geometry);

impl Conv {
    fn of<T: Real>(geometry: Geometry, x: &Var<T>, w: &Var<T>) -> Var<T> {
        let value = convolve(&geometry, x.value().data(), w.value().data());
        Var::made(batch_of(&geometry, geometry.map, value), Conv(geometry), &[x, w])
    }
}

impl ConvTransposed {
    fn of<T: Real>(geometry: Geometry, y: &Var<T>, w: &Var<T>) -> Var<T> {
        let value = convolve_transposed(&geometry, y.value().data(), w.value().data());
        Var::made(batch_of(&geometry, geometry.image, value), ConvTransposed(geometry), &[y, w])
    }
}

impl Weights {
    fn of<T: Real>(geometry: Geometry, x: &Var<T>, y: &Var<T>) -> Var<T> {
        let value = correlate_weights(&geometry, x.value().data(), y.value().data());
        let shape = [geometry.map[0], geometry.image[0], geometry.kernel[0], geometry.kernel[1]];
        Var::made(Tensor::from_buffer(&shape, value), Weights(geometry), &[x, y])
    }
}

fn batch_of<T: Real>(geometry: &Geometry, [channels, height, width]: [usize; 3], values: Buffer<T>) -> Tensor<T> {
    Tensor::from_buffer(&[geometry.batch, channels, height, width], values)
}

impl<T: Real> Op<T> for Conv {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        let ([x, w], g) = (call.inputs, call.grad) else { unreachable!("conv2d has two inputs") };
        Ok(vec![
            call.by(0, || Ok::<_, GanError>(ConvTransposed::of(self.0, g, w)))?,
            call.by(1, || Ok::<_, GanError>(Weights::of(self.0, x, g)))?,
        ])
    }
}

impl<T: Real> Op<T> for ConvTransposed {
    fn name(&self) -> &'static str {
        "conv_transpose2d"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        let ([y, w], g) = (call.inputs, call.grad) else { unreachable!("conv_transpose2d has two inputs") };
        Ok(vec![
            call.by(0, || Ok::<_, GanError>(Conv::of(self.0, g, w)))?,
            call.by(1, || Ok::<_, GanError>(Weights::of(self.0, g, y)))?,
        ])
    }
}

impl<T: Real> Op<T> for Weights {
    fn name(&self) -> &'static str {
        "conv2d weights"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        let ([x, y], g) = (call.inputs, call.grad) else { unreachable!("the weights have two inputs") };
        Ok(vec![
            call.by(0, || Ok::<_, GanError>(ConvTransposed::of(self.0, y, g)))?,
            call.by(1, || Ok::<_, GanError>(Conv::of(self.0, x, g)))?,
        ])
    }
}

pub(super) fn four<T: Real>(op: &'static str, what: &str, x: &Var<T>) -> Result<[usize; 4], GanError> {
    let shape = x.shape();
    let problem = || GanError::shape(op, format!("the {what} must have four axes, got shape {shape:?}"));
    shape.try_into().map_err(|_| problem())
}

fn positive_stride(op: &'static str, options: ConvOptions) -> Result<(), GanError> {
    if options.stride == 0 { Err(GanError::shape(op, "the stride must be at least 1")) } else { Ok(()) }
}

impl<T: Real> Var<T> {
    /// Cross-correlation of N×C×H×W images with M×C×h×w kernels, as PyTorch's `conv2d`: N×M×H′×W′ with
    /// H′ = ⌊(H + 2·padding − h)/stride⌋ + 1.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless both have four axes, the channels agree, and the kernel fits into the padded image.
    pub fn conv2d(&self, weight: &Var<T>, options: ConvOptions) -> Result<Var<T>, GanError> {
        const OP: &str = "conv2d";
        positive_stride(OP, options)?;
        let [batch, channels, height, width] = four(OP, "images", self)?;
        let [maps, kernel_channels, kernel_height, kernel_width] = four(OP, "kernels", weight)?;
        if channels != kernel_channels {
            let problem = format!("the images have {channels} channels and the kernels {kernel_channels}");
            return Err(GanError::shape(OP, problem));
        }
        let side = |side: usize, kernel: usize| {
            let room = (side + 2 * options.padding).checked_sub(kernel).filter(|_| kernel > 0);
            room.map(|room| room / options.stride + 1).ok_or_else(|| {
                let problem =
                    format!("a kernel of {kernel} does not fit a side of {side} padded by {}", options.padding);
                GanError::shape(OP, problem)
            })
        };
        let geometry = Geometry {
            batch,
            image: [channels, height, width],
            map: [maps, side(height, kernel_height)?, side(width, kernel_width)?],
            kernel: [kernel_height, kernel_width],
            stride: options.stride,
            padding: options.padding,
        };
        Ok(Conv::of(geometry, self, weight))
    }

    /// The transpose of [`Var::conv2d`] as a linear map, as PyTorch's `conv_transpose2d`: N×M×H×W maps and M×C×h×w
    /// kernels give N×C×H′×W′ with H′ = (H − 1)·stride − 2·padding + h + `output_padding`.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless both have four axes, the channels agree, the result has pixels, and the output padding
    /// is below the stride.
    pub fn conv_transpose2d(
        &self,
        weight: &Var<T>,
        options: ConvOptions,
        output_padding: usize,
    ) -> Result<Var<T>, GanError> {
        const OP: &str = "conv_transpose2d";
        positive_stride(OP, options)?;
        let [batch, maps, height, width] = four(OP, "maps", self)?;
        let [kernel_maps, channels, kernel_height, kernel_width] = four(OP, "kernels", weight)?;
        if maps != kernel_maps {
            return Err(GanError::shape(OP, format!("the input has {maps} channels and the kernels {kernel_maps}")));
        }
        if output_padding >= options.stride {
            let problem = format!("an output padding of {output_padding} is not below the stride, {}", options.stride);
            return Err(GanError::shape(OP, problem));
        }
        let side = |side: usize, kernel: usize| {
            let full = side.checked_sub(1).map(|steps| steps * options.stride + kernel + output_padding);
            let cut = full.and_then(|full| full.checked_sub(2 * options.padding)).filter(|&side| side > 0);
            cut.ok_or_else(|| {
                let problem = format!(
                    "a side of {side}, a kernel of {kernel} and a padding of {} leave nothing",
                    options.padding
                );
                GanError::shape(OP, problem)
            })
        };
        let geometry = Geometry {
            batch,
            image: [channels, side(height, kernel_height)?, side(width, kernel_width)?],
            map: [maps, height, width],
            kernel: [kernel_height, kernel_width],
            stride: options.stride,
            padding: options.padding,
        };
        Ok(ConvTransposed::of(geometry, self, weight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::testing::{check_derivatives, sample};

    #[test]
    fn derivatives_of_all_three_operations() {
        for (stride, padding) in [(1, 0), (1, 1), (2, 1), (3, 2)] {
            let options = ConvOptions { stride, padding };
            check_derivatives(&[sample(&[2, 2, 5, 4], 1), sample(&[3, 2, 3, 2], 2)], |x| {
                x[0].conv2d(&x[1], options)?.square().conv2d(&Var::constant(sample(&[1, 3, 1, 1], 5)), options)
            });
            check_derivatives(&[sample(&[2, 3, 3, 2], 3), sample(&[3, 2, 3, 4], 4)], |x| {
                Ok(x[0].conv_transpose2d(&x[1], options, stride - 1)?.square())
            });
        }
    }

    #[test]
    fn a_kernel_over_the_whole_image() {
        let options = ConvOptions { stride: 1, padding: 0 };
        check_derivatives(&[sample(&[3, 2, 4, 4], 1), sample(&[2, 2, 4, 4], 2)], |x| {
            Ok(x[0].conv2d(&x[1], options)?.square())
        });
        check_derivatives(&[sample(&[3, 2, 1, 1], 1), sample(&[2, 2, 4, 4], 2)], |x| {
            Ok(x[0].conv_transpose2d(&x[1], options, 0)?.square())
        });
    }

    #[test]
    fn shapes_that_do_not_fit_are_named() {
        let zeros = |shape: &[usize]| Var::constant(Tensor::<f32>::zeros(shape));
        let options = ConvOptions { stride: 2, padding: 0 };
        let message = |result: Result<Var, GanError>| result.unwrap_err().to_string();
        assert_eq!(
            message(zeros(&[1, 3, 8, 8]).conv2d(&zeros(&[4, 1, 3, 3]), options)),
            "conv2d: the images have 3 channels and the kernels 1"
        );
        assert_eq!(
            message(zeros(&[1, 1, 2, 8]).conv2d(&zeros(&[4, 1, 3, 3]), options)),
            "conv2d: a kernel of 3 does not fit a side of 2 padded by 0"
        );
        assert_eq!(
            message(zeros(&[1, 3, 8]).conv2d(&zeros(&[4, 1, 3, 3]), options)),
            "conv2d: the images must have four axes, got shape [1, 3, 8]"
        );
        assert_eq!(
            message(zeros(&[1, 4, 2, 2]).conv_transpose2d(&zeros(&[4, 1, 3, 3]), options, 2)),
            "conv_transpose2d: an output padding of 2 is not below the stride, 2"
        );
    }
}
