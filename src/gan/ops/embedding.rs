//! Rows of a table, picked by index.

use std::sync::Arc;

use super::one;
use crate::gan::buffer::Buffer;
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

type Derivatives<T> = Result<Vec<Option<Var<T>>>, GanError>;

/// Rows of a table.
struct Gather(Arc<[usize]>);

/// Rows added into a table of this many rows.
struct ScatterAdd(Arc<[usize]>);

impl<T: Real> Op<T> for Gather {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(one(scatter_add(call.grad, &self.0, call.inputs[0].shape()[0])))
    }
}

impl<T: Real> Op<T> for ScatterAdd {
    fn name(&self) -> &'static str {
        "derivative of embedding"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        Ok(one(gather(call.grad, &self.0)))
    }
}

pub(super) fn gather<T: Real>(table: &Var<T>, indices: &Arc<[usize]>) -> Var<T> {
    let width = table.shape()[1];
    let mut rows = Buffer::stale(indices.len() * width);
    for (row, &index) in rows.chunks_exact_mut(width.max(1)).zip(indices.iter()) {
        row.copy_from_slice(&table.value().data()[index * width..][..width]);
    }
    Var::made(Tensor::from_buffer(&[indices.len(), width], rows), Gather(Arc::clone(indices)), &[table])
}

fn scatter_add<T: Real>(rows: &Var<T>, indices: &Arc<[usize]>, height: usize) -> Var<T> {
    let width = rows.shape()[1];
    let mut table = Buffer::zeroed(height * width);
    for (row, &index) in rows.value().data().chunks_exact(width.max(1)).zip(indices.iter()) {
        table[index * width..][..width].iter_mut().zip(row).for_each(|(sum, &value)| *sum += value);
    }
    Var::made(Tensor::from_buffer(&[height, width], table), ScatterAdd(Arc::clone(indices)), &[rows])
}

impl<T: Real> Var<T> {
    /// Row `indices[i]` of this table, for every i: len×width.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless the table has two axes and every index is one of its rows.
    pub fn embedding(&self, indices: &[usize]) -> Result<Var<T>, GanError> {
        let &[height, _] = self.shape() else {
            let problem = format!("the table must have two axes, got shape {:?}", self.shape());
            return Err(GanError::shape("embedding", problem));
        };
        match indices.iter().find(|&&index| index >= height) {
            Some(index) => Err(GanError::shape("embedding", format!("there is no row {index} in a table of {height}"))),
            None => Ok(gather(self, &indices.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::testing::{check_derivatives, sample};

    #[test]
    fn derivatives_add_up_where_a_row_is_picked_twice() {
        check_derivatives(&[sample(&[4, 3], 1)], |x| Ok(x[0].embedding(&[2, 0, 2])?.square()));
    }

    #[test]
    fn rows_that_do_not_exist_are_named() {
        let table = Var::constant(Tensor::<f32>::zeros(&[4, 3]));
        let message = table.embedding(&[1, 4]).unwrap_err().to_string();
        assert_eq!(message, "embedding: there is no row 4 in a table of 4");
    }
}
