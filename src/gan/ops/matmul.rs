//! Matrix products.

use crate::gan::buffer::Buffer;
use crate::gan::error::GanError;
use crate::gan::kernels::gemm::{Matrix, Store, Threads, Transposed, gemm};
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

struct MatMul {
    a: Transposed,
    b: Transposed,
}

impl<T: Real> Op<T> for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Result<Vec<Option<Var<T>>>, GanError> {
        let ([a, b], g) = (call.inputs, call.grad) else { unreachable!("matmul has two inputs") };
        // C = A'·B' gives dA' = G·B'ᵀ and dB' = A'ᵀ·G; transposed factors get the transposed derivative.
        let by_a = || match self.a {
            Transposed::No => product(g, Transposed::No, b, self.b.flip()),
            Transposed::Yes => product(b, self.b, g, Transposed::Yes),
        };
        let by_b = || match self.b {
            Transposed::No => product(a, self.a.flip(), g, Transposed::No),
            Transposed::Yes => product(g, Transposed::Yes, a, self.a),
        };
        Ok(vec![call.by(0, by_a)?, call.by(1, by_b)?])
    }
}

fn product<T: Real>(a: &Var<T>, a_is: Transposed, b: &Var<T>, b_is: Transposed) -> Result<Var<T>, GanError> {
    let (&[a_rows, a_columns], &[b_rows, b_columns]) = (a.shape(), b.shape()) else {
        let problem = format!("expected two matrices, got shapes {:?} and {:?}", a.shape(), b.shape());
        return Err(GanError::shape("matmul", problem));
    };
    let oriented = |rows, columns, is| if is == Transposed::Yes { (columns, rows) } else { (rows, columns) };
    let ((m, inner), (k, n)) = (oriented(a_rows, a_columns, a_is), oriented(b_rows, b_columns, b_is));
    if inner != k {
        let problem =
            format!("matrices of {m}×{inner} and {k}×{n} cannot be multiplied: {inner} and {k} must be equal");
        return Err(GanError::shape("matmul", problem));
    }
    let mut c = Buffer::stale(m * n);
    let a_matrix = Matrix::new(a.value().data(), a_rows, a_columns).transposed(a_is);
    let b_matrix = Matrix::new(b.value().data(), b_rows, b_columns).transposed(b_is);
    gemm(&mut c, Store::Replace, a_matrix, b_matrix, Threads::All);
    Ok(Var::made(Tensor::from_buffer(&[m, n], c), MatMul { a: a_is, b: b_is }, &[a, b]))
}

impl<T: Real> Var<T> {
    /// The product of an m×k and a k×n matrix.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless both are matrices whose inner lengths agree.
    pub fn matmul(&self, other: &Var<T>) -> Result<Var<T>, GanError> {
        product(self, Transposed::No, other, Transposed::No)
    }

    /// x·Wᵀ + b for x of n×in, W of out×in and b of out: a fully connected layer.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the lengths do not agree.
    pub fn linear(&self, weight: &Var<T>, bias: Option<&Var<T>>) -> Result<Var<T>, GanError> {
        let y = product(self, Transposed::No, weight, Transposed::Yes)?;
        bias.map_or(Ok(y.clone()), |bias| y.add(bias))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::testing::{check_derivatives, sample};

    #[test]
    fn products_and_their_derivatives_in_every_orientation() {
        use Transposed::{No, Yes};
        for (a_is, b_is) in [(No, No), (No, Yes), (Yes, No), (Yes, Yes)] {
            let shape = |rows, columns, is| if is == Yes { [columns, rows] } else { [rows, columns] };
            let (a, b) = (sample(&shape(2, 3, a_is), 1), sample(&shape(3, 4, b_is), 2));
            let c = product(&Var::constant(a.clone()), a_is, &Var::constant(b.clone()), b_is).unwrap();
            let at = |x: &Tensor<f64>, i: usize, j: usize, is| {
                let columns = x.shape()[1];
                if is == Yes { x.data()[j * columns + i] } else { x.data()[i * columns + j] }
            };
            for i in 0..2 {
                for j in 0..4 {
                    let slow: f64 = (0..3).map(|k| at(&a, i, k, a_is) * at(&b, k, j, b_is)).sum();
                    assert!((c.value().data()[i * 4 + j] - slow).abs() < 1e-14);
                }
            }
            check_derivatives(&[a, b], |x| product(&x[0], a_is, &x[1], b_is));
        }
    }

    #[test]
    fn a_linear_layer_differentiates_by_everything() {
        check_derivatives(&[sample(&[3, 4], 1), sample(&[2, 4], 2), sample(&[2], 3)], |x| {
            x[0].linear(&x[1], Some(&x[2]))
        });
    }

    #[test]
    fn mismatched_matrices_are_named() {
        let constant = |shape: &[usize]| Var::constant(Tensor::<f32>::zeros(shape));
        let message = constant(&[2, 3]).matmul(&constant(&[4, 5])).unwrap_err().to_string();
        assert_eq!(message, "matmul: matrices of 2×3 and 4×5 cannot be multiplied: 3 and 4 must be equal");
        assert!(constant(&[2, 3, 1]).matmul(&constant(&[3, 1])).is_err());
    }
}
