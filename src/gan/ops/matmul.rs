//! Matrix products.

use rayon::prelude::*;

use crate::gan::buffer::Buffer;
use crate::gan::error::GanError;
use crate::gan::kernels::gemm::{Matrix, Store, Threads, Transposed, gemm};
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

/// Multiplications that are worth a thread.
const WORTHWHILE: usize = 1 << 15;

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

/// The products of two matrices, or of every two of two batches.
fn product<T: Real>(a: &Var<T>, a_is: Transposed, b: &Var<T>, b_is: Transposed) -> Result<Var<T>, GanError> {
    let (batch, [a_rows, a_columns], [b_rows, b_columns]) = match (a.shape(), b.shape()) {
        (&[a_rows, a_columns], &[b_rows, b_columns]) => (None, [a_rows, a_columns], [b_rows, b_columns]),
        (&[batch, a_rows, a_columns], &[same, b_rows, b_columns]) if batch == same => {
            (Some(batch), [a_rows, a_columns], [b_rows, b_columns])
        }
        (a, b) => {
            let problem = format!("expected two matrices or two batches of as many, got shapes {a:?} and {b:?}");
            return Err(GanError::shape("matmul", problem));
        }
    };
    let oriented = |rows, columns, is| if is == Transposed::Yes { (columns, rows) } else { (rows, columns) };
    let ((m, inner), (k, n)) = (oriented(a_rows, a_columns, a_is), oriented(b_rows, b_columns, b_is));
    if inner != k {
        let problem =
            format!("matrices of {m}×{inner} and {k}×{n} cannot be multiplied: {inner} and {k} must be equal");
        return Err(GanError::shape("matmul", problem));
    }
    let count = batch.unwrap_or(1);
    let (of_a, of_b) = (a.value().data(), b.value().data());
    let mut c = Buffer::stale(count * m * n);
    let multiply = |i: usize, c: &mut [T], threads| {
        let (a_len, b_len) = (a_rows * a_columns, b_rows * b_columns);
        let a_matrix = Matrix::new(&of_a[i * a_len..][..a_len], a_rows, a_columns).transposed(a_is);
        let b_matrix = Matrix::new(&of_b[i * b_len..][..b_len], b_rows, b_columns).transposed(b_is);
        gemm(c, Store::Replace, a_matrix, b_matrix, threads);
    };
    if count == 1 {
        multiply(0, &mut c, Threads::All);
    } else {
        let matrices = c.par_chunks_mut((m * n).max(1)).with_min_len(WORTHWHILE.div_ceil((m * k * n).max(1)));
        matrices.enumerate().for_each(|(i, c)| multiply(i, c, Threads::One));
    }
    let shape: Vec<usize> = batch.into_iter().chain([m, n]).collect();
    Ok(Var::made(Tensor::from_buffer(&shape, c), MatMul { a: a_is, b: b_is }, &[a, b]))
}

/// Fails unless there are so many axes.
fn expect_axes<T: Real>(op: &'static str, factors: [&Var<T>; 2], axes: usize) -> Result<(), GanError> {
    match factors.iter().find(|factor| factor.shape().len() != axes) {
        Some(factor) => Err(GanError::shape(op, format!("expected {axes} axes, got shape {:?}", factor.shape()))),
        None => Ok(()),
    }
}

impl<T: Real> Var<T> {
    /// The product of an m×k and a k×n matrix.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless both are matrices whose inner lengths agree.
    pub fn matmul(&self, other: &Var<T>) -> Result<Var<T>, GanError> {
        expect_axes("matmul", [self, other], 2)?;
        product(self, Transposed::No, other, Transposed::No)
    }

    /// The product of every m×k with the k×n matrix at the same place, of B×m×k and B×k×n values: B×m×n.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless both are batches of as many matrices, and their inner lengths agree.
    pub fn batched_matmul(&self, other: &Var<T>) -> Result<Var<T>, GanError> {
        self.batched(Transposed::No, other, Transposed::No)
    }

    /// aᵀ·b of every two matrices, of B×k×m and B×k×n values.
    ///
    /// # Errors
    /// As [`Var::batched_matmul`].
    pub fn batched_matmul_tn(&self, other: &Var<T>) -> Result<Var<T>, GanError> {
        self.batched(Transposed::Yes, other, Transposed::No)
    }

    /// a·bᵀ of every two matrices, of B×m×k and B×n×k values.
    ///
    /// # Errors
    /// As [`Var::batched_matmul`].
    pub fn batched_matmul_nt(&self, other: &Var<T>) -> Result<Var<T>, GanError> {
        self.batched(Transposed::No, other, Transposed::Yes)
    }

    fn batched(&self, self_is: Transposed, other: &Var<T>, other_is: Transposed) -> Result<Var<T>, GanError> {
        expect_axes("batched_matmul", [self, other], 3)?;
        product(self, self_is, other, other_is)
    }

    /// x·Wᵀ + b for x of n×in, W of out×in and b of out: a fully connected layer.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the lengths do not agree.
    pub fn linear(&self, weight: &Var<T>, bias: Option<&Var<T>>) -> Result<Var<T>, GanError> {
        expect_axes("linear", [self, weight], 2)?;
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
    fn batches_are_multiplied_matrix_by_matrix() {
        // The second one is shared among threads.
        for (batch, m, k, n) in [(3, 2, 4, 3), (5, 40, 50, 30), (2, 1, 0, 2), (0, 2, 2, 2)] {
            let (a, b) = (Var::constant(sample(&[batch, m, k], 1)), Var::constant(sample(&[batch, k, n], 2)));
            let products = a.batched_matmul(&b).unwrap();
            assert_eq!(products.shape(), [batch, m, n]);
            for i in 0..batch {
                let of = |x: &Var<f64>, r, c| x.slice(0, i..i + 1).unwrap().reshape(&[r, c]).unwrap();
                let expected = of(&a, m, k).matmul(&of(&b, k, n)).unwrap();
                let difference = of(&products, m, n).sub(&expected).unwrap();
                assert!(difference.value().norm() <= 1e-12, "{batch} {m} {k} {n}");
            }
            let (a_t, b_t) = (a.permute(&[0, 2, 1]).unwrap(), b.permute(&[0, 2, 1]).unwrap());
            for transposed in [a_t.batched_matmul_tn(&b).unwrap(), a.batched_matmul_nt(&b_t).unwrap()] {
                assert!(transposed.sub(&products).unwrap().value().norm() <= 1e-12);
            }
        }
    }

    #[test]
    fn derivatives_of_batched_products() {
        let [a, a_t] = [[2, 3, 4], [2, 4, 3]].map(|shape| sample(&shape, 1));
        let [b, b_t] = [[2, 4, 2], [2, 2, 4]].map(|shape| sample(&shape, 2));
        check_derivatives(&[a.clone(), b.clone()], |x| x[0].batched_matmul(&x[1]));
        check_derivatives(&[a_t, b], |x| x[0].batched_matmul_tn(&x[1]));
        check_derivatives(&[a, b_t], |x| x[0].batched_matmul_nt(&x[1]));
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
        let message = constant(&[2, 3, 1]).matmul(&constant(&[3, 1])).unwrap_err().to_string();
        assert_eq!(message, "matmul: expected 2 axes, got shape [2, 3, 1]");
        assert!(constant(&[2, 3, 1]).matmul(&constant(&[2, 1, 3])).is_err());
        assert!(constant(&[2, 3]).batched_matmul(&constant(&[3, 2])).is_err());
        let message = constant(&[2, 3, 1]).batched_matmul(&constant(&[3, 1, 3])).unwrap_err().to_string();
        assert_eq!(
            message,
            "matmul: expected two matrices or two batches of as many, got shapes [2, 3, 1] and [3, 1, 3]"
        );
    }
}
