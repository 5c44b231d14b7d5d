//! Rows of feature matrices: chosen ones, and what they are when scaled to unit length.

use ndarray::{Array2, ArrayView2, Axis};

use super::error::{MetricError, Set};
use crate::interrupt::Interrupt;
use crate::stats::Features;

/// Rows handled at a time where the whole would be a second copy of the set.
pub(super) const BLOCK: usize = 512;

/// The chosen rows of a set.
pub(super) fn choose(set: &Features, rows: &[usize]) -> Features {
    Features::new(set.view().select(Axis(0), rows)).expect("rows of valid features are valid")
}

/// Rows in f64, each divided by its norm.
///
/// # Errors
/// The index of the first row that is zero.
pub(super) fn unit_rows(rows: ArrayView2<'_, f32>) -> Result<Array2<f64>, usize> {
    let mut units = rows.mapv(f64::from);
    for (index, mut unit) in units.rows_mut().into_iter().enumerate() {
        let norm = unit.dot(&unit).sqrt();
        if norm == 0.0 {
            return Err(index);
        }
        unit /= norm;
    }
    Ok(units)
}

/// The rows of a set divided by their norms, rounded to f32.
pub(super) fn unit_features(features: &Features, set: Set, interrupt: &Interrupt) -> Result<Array2<f32>, MetricError> {
    let mut units = Array2::zeros(features.view().dim());
    let blocks = features.view();
    let blocks = blocks.axis_chunks_iter(Axis(0), BLOCK).zip(units.axis_chunks_iter_mut(Axis(0), BLOCK));
    for (number, (rows, mut units)) in blocks.enumerate() {
        interrupt.check()?;
        let exact = unit_rows(rows).map_err(|row| MetricError::ZeroRow { set, row: number * BLOCK + row })?;
        units.assign(&exact.mapv(|value| value as f32));
    }
    Ok(units)
}
