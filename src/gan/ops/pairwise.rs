//! Distances of all samples of a batch from each other.

use super::{Derivatives, one};
use crate::gan::buffer::Buffer;
use crate::gan::error::GanError;
use crate::gan::kernels::pairwise::Rows;
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

/// The distances of m.
struct Distances(Rows);
/// What they grow by along h: linear in h, and constant in m wherever it has a derivative.
struct Growth(Rows);
/// The transpose of the growth.
struct Pull(Rows);

fn of_pairs<T: Real>(rows: Rows, values: Buffer<T>) -> Tensor<T> {
    Tensor::from_buffer(&[rows.count, rows.count, rows.groups], values)
}

impl Growth {
    fn of<T: Real>(rows: Rows, h: &Var<T>, m: &Var<T>) -> Var<T> {
        let value = rows.growth(h.value().data(), m.value().data());
        Var::made(of_pairs(rows, value), Growth(rows), &[h, m])
    }
}

impl Pull {
    fn of<T: Real>(rows: Rows, g: &Var<T>, m: &Var<T>) -> Var<T> {
        let value = rows.pull(g.value().data(), m.value().data());
        Var::made(Tensor::from_buffer(m.shape(), value), Pull(rows), &[g, m])
    }
}

impl<T: Real> Op<T> for Distances {
    fn name(&self) -> &'static str {
        "pairwise_l1"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(one(Pull::of(self.0, call.grad, &call.inputs[0])))
    }
}

impl<T: Real> Op<T> for Pull {
    fn name(&self) -> &'static str {
        "derivative of pairwise_l1"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(vec![call.by(0, || Ok::<_, GanError>(Growth::of(self.0, call.grad, &call.inputs[1])))?, None])
    }
}

impl<T: Real> Op<T> for Growth {
    fn name(&self) -> &'static str {
        "growth of pairwise_l1"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(vec![call.by(0, || Ok::<_, GanError>(Pull::of(self.0, call.grad, &call.inputs[1])))?, None])
    }
}

impl<T: Real> Var<T> {
    /// Σ_c |m_ibc − m_jbc| for all pairs of rows i and j and every group b of N×B×C values: N×N×B (the distances of
    /// minibatch discrimination, Salimans et al. 2016). Equal values have the derivative 0.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless there are three axes.
    pub fn pairwise_l1(&self) -> Result<Var<T>, GanError> {
        let &[count, groups, values] = self.shape() else {
            let problem = format!("expected N×B×C values, got shape {:?}", self.shape());
            return Err(GanError::shape("pairwise_l1", problem));
        };
        let rows = Rows { count, groups, values };
        let value = of_pairs(rows, rows.distances(self.value().data()));
        Ok(Var::made(value, Distances(rows), &[self]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::testing::{check_derivatives, sample};
    use crate::gan::{Differentiability, grad};

    #[test]
    fn derivatives() {
        let m = &[sample(&[4, 2, 3], 1)];
        check_derivatives(m, |x| Ok(x[0].pairwise_l1()?.neg().exp()));
        // Three times: the growth is differentiated too.
        check_derivatives(m, |x| {
            let similarity = x[0].pairwise_l1()?.neg().exp().sum();
            grad(&similarity, &[&x[0]], Differentiability::Again)?.remove(0).mul(&x[0])
        });
    }

    #[test]
    fn distances_of_three_rows() {
        let m = Var::constant(Tensor::new(&[3, 1, 2], vec![0.0, 1.0, 2.0, -1.0, 0.0, 1.0]).unwrap());
        let distances = m.pairwise_l1().unwrap();
        assert_eq!(distances.shape(), [3, 3, 1]);
        assert_eq!(distances.value().data(), [0.0, 4.0, 0.0, 4.0, 0.0, 4.0, 0.0, 4.0, 0.0]);
        assert!(Var::constant(Tensor::<f32>::zeros(&[2, 3])).pairwise_l1().is_err());
        assert!(Var::constant(Tensor::<f32>::zeros(&[0, 2, 3])).pairwise_l1().unwrap().value().is_empty());
    }

    #[test]
    fn equal_rows_do_not_pull() {
        let m = Var::leaf(Tensor::full(&[3, 1, 2], 0.5));
        let gradient = grad(&m.pairwise_l1().unwrap().sum(), &[&m], Differentiability::Once).unwrap().remove(0);
        assert_eq!(gradient.value().data(), [0.0; 6]);
    }
}
