//! The rows of all images of a set: in memory while there are few, else in a temporary file.

use std::io;
use std::path::PathBuf;

use ndarray::{Array2, ArrayView2, Axis};

use crate::error::{Blame, Blamed};
use crate::output::spare_bytes;
use crate::stats::{Features, Logits, MappedRows, MomentsError, SpilledRows};

/// From this many bytes on, rows go to a temporary file: more than those of 130,000 images of inception-v3, which any machine that trains
/// generators has room for. The system keeps in memory what it can of the file, so that it costs no time where there is enough.
const IN_MEMORY: u64 = 1 << 30;

/// Rows that are copied at once when they are put in order.
const BLOCK: usize = 1024;

/// Why what a network says of images cannot be gathered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatherError {
    /// It does not fit what was gathered before.
    #[error(transparent)]
    Moments(#[from] MomentsError),
    /// The rows do not fit where temporary files are.
    #[error(
        "the features of {images} images take {needed} bytes, too much for memory, and temporary files in `{}` may take {spare}, half of \
         what is free: set TMPDIR to a folder with more room, or choose scores that look at statistics alone",
        folder.display()
    )]
    NoRoom {
        /// Number of images, as far as it is known.
        images: usize,
        /// Bytes that their rows take.
        needed: u64,
        /// Bytes that a temporary file may take.
        spare: u64,
        /// Where temporary files are.
        folder: PathBuf,
    },
    /// A temporary file cannot be written.
    #[error("cannot keep features in a temporary file in `{}`: {source}; set TMPDIR to a folder with room", folder.display())]
    TemporaryFile {
        /// Where temporary files are.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Blamed for GatherError {
    fn blame(&self) -> Blame {
        match self {
            GatherError::Moments(error) => error.blame(),
            GatherError::NoRoom { .. } | GatherError::TemporaryFile { .. } => Blame::Machine,
        }
    }
}

/// A matrix that grows.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    /// Columns; not known before the first row.
    dim: Option<usize>,
    store: Store,
    /// Number of rows that it will have, as far as it is known.
    expected: usize,
    /// Bytes that are kept in memory at most.
    limit: u64,
}

#[derive(Debug, Clone)]
enum Store {
    Memory(Vec<f32>),
    File(SpilledRows),
}

impl Default for Rows {
    fn default() -> Self {
        Self { dim: None, store: Store::Memory(Vec::new()), expected: 0, limit: IN_MEMORY }
    }
}

impl From<Array2<f32>> for Rows {
    fn from(rows: Array2<f32>) -> Self {
        let store = Store::Memory(rows.as_standard_layout().into_owned().into_raw_vec_and_offset().0);
        Self { dim: Some(rows.ncols()), store, ..Self::default() }
    }
}

impl Rows {
    /// Of so many rows, so that a lack of room is found at the first.
    pub fn expecting(self, expected: usize) -> Self {
        Self { expected, ..self }
    }

    pub fn check(&self, dim: usize) -> Result<(), MomentsError> {
        match self.dim {
            Some(expected) if expected != dim => Err(MomentsError::Dimension { expected, got: dim }),
            _ => Ok(()),
        }
    }

    /// Adds rows that were [checked](Self::check).
    ///
    /// # Errors
    /// [`GatherError`] when there is no room for them; then nothing has changed.
    pub fn push(&mut self, rows: ArrayView2<'_, f32>) -> Result<(), GatherError> {
        let temporary = |source| GatherError::TemporaryFile { folder: std::env::temp_dir(), source };
        let columns = rows.ncols();
        match &mut self.store {
            Store::File(file) => file.push(rows).map_err(temporary),
            Store::Memory(values) => {
                let images = (values.len() / columns + rows.nrows()).max(self.expected);
                let needed = 4 * (images * columns) as u64;
                if needed <= self.limit {
                    values.extend(rows.iter());
                    self.dim = Some(columns);
                    return Ok(());
                }
                let folder = std::env::temp_dir();
                let spare = spare_bytes(&folder).map_err(temporary)?;
                if needed > spare {
                    return Err(GatherError::NoRoom { images, needed, spare, folder });
                }
                let mut file = SpilledRows::new(in_memory(values, columns)).map_err(temporary)?;
                file.push(rows).map_err(temporary)?;
                (self.store, self.dim) = (Store::File(file), Some(columns));
                Ok(())
            }
        }
    }

    pub fn view(&self) -> Option<ArrayView2<'_, f32>> {
        let columns = self.dim?;
        Some(match &self.store {
            Store::Memory(values) => in_memory(values, columns),
            Store::File(file) => file.view(),
        })
    }

    /// Forgets all but the first rows.
    pub fn truncate(&mut self, rows: usize) {
        match &mut self.store {
            Store::Memory(values) => values.truncate(rows * self.dim.unwrap_or_default()),
            Store::File(file) => file.truncate(rows),
        }
    }

    /// Bytes that are in a file in the end; zero for rows that stay in memory.
    pub fn bytes_in_file(&self) -> u64 {
        match &self.store {
            Store::Memory(_) => 0,
            Store::File(file) => {
                let (rows, columns) = file.view().dim();
                4 * (rows.max(self.expected) * columns) as u64
            }
        }
    }

    /// Puts the rows into this order.
    pub fn put_in_order(&mut self, order: &[usize]) -> Result<(), GatherError> {
        let Some(view) = self.view() else { return Ok(()) };
        let mut sorted = Self { dim: self.dim, expected: order.len(), limit: self.limit, ..Self::default() };
        for block in order.chunks(BLOCK) {
            sorted.push(view.select(Axis(0), block).view())?;
        }
        *self = sorted;
        Ok(())
    }

    /// The rows as features, without a copy.
    pub fn into_features(self) -> Option<Features> {
        self.into_valid(Features::new, Features::mapped)
    }

    /// The rows as class scores, without a copy.
    pub fn into_logits(self) -> Option<Logits> {
        self.into_valid(Logits::new, Logits::mapped)
    }

    fn into_valid<M, E: std::fmt::Debug>(
        self,
        in_memory: impl FnOnce(Array2<f32>) -> Result<M, E>,
        mapped: impl FnOnce(MappedRows) -> Result<M, E>,
    ) -> Option<M> {
        let columns = self.dim?;
        let valid = match self.store {
            Store::Memory(values) => in_memory(
                Array2::from_shape_vec((values.len() / columns, columns), values).expect("whole rows were pushed"),
            ),
            Store::File(file) => mapped(file.into_mapped()),
        };
        Some(valid.expect("each batch was valid"))
    }
}

fn in_memory(values: &[f32], columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / columns, columns), values).expect("whole rows were pushed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: usize) -> Array2<f32> {
        Array2::from_shape_fn((rows, 5), |(row, column)| (5 * row + column) as f32)
    }

    /// Rows that go to a file beyond ten of five numbers.
    fn small() -> Rows {
        Rows { limit: 200, ..Rows::default() }
    }

    #[test]
    fn rows_in_a_file_are_those_in_memory() {
        let all = matrix(3000);
        let mut rows = small();
        for block in all.axis_chunks_iter(Axis(0), 7) {
            rows.push(block).unwrap();
            assert_eq!(matches!(rows.store, Store::File(_)), rows.view().unwrap().nrows() > 10);
        }
        assert_eq!(rows.view().unwrap(), all);
        let order: Vec<usize> = (0..3000).rev().collect();
        rows.put_in_order(&order).unwrap();
        assert!(matches!(rows.store, Store::File(_)));
        let features = rows.into_features().unwrap();
        assert_eq!(features.view().row(0), all.row(2999));
        assert_eq!(features.len(), 3000);
    }

    #[test]
    fn what_will_not_fit_goes_to_the_file_at_once() {
        let mut rows = small().expecting(11);
        rows.push(matrix(1).view()).unwrap();
        assert_eq!(rows.bytes_in_file(), 11 * 20);
        let mut rows = small().expecting(10);
        rows.push(matrix(1).view()).unwrap();
        assert_eq!(rows.bytes_in_file(), 0);
    }

    #[test]
    fn no_room_is_found_at_the_first_row() {
        let images = usize::MAX >> 8;
        let mut rows = small().expecting(images);
        let error = rows.push(matrix(1).view()).unwrap_err();
        assert!(matches!(error, GatherError::NoRoom { images: found, .. } if found == images));
        let said = error.to_string();
        assert!(said.contains("TMPDIR") && said.contains(&format!("take {} bytes", 20 * images)), "{said}");
        assert!(error.blame() == Blame::Machine);
    }
}
