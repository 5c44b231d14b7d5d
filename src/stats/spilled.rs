//! Rows that grow in a temporary file instead of memory.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;

use ndarray::ArrayView2;

use super::mapped::MappedRows;

/// A matrix of f32 that grows in a file without a name, which vanishes with its last user. Clones share what was there when they were
/// made; one that grows while others look on goes on in a file of its own.
#[derive(Debug, Clone)]
pub(crate) struct SpilledRows {
    file: Arc<File>,
    rows: MappedRows,
}

impl SpilledRows {
    /// The rows of a matrix, in the folder of temporary files.
    ///
    /// # Errors
    /// Those of the system.
    pub fn new(rows: ArrayView2<'_, f32>) -> io::Result<Self> {
        let file = tempfile::tempfile()?;
        write(&file, 0, rows)?;
        let rows = MappedRows::of_values(&file, rows.nrows(), rows.ncols())?;
        Ok(Self { file: Arc::new(file), rows })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// Those of the system; then nothing has changed.
    ///
    /// # Panics
    /// When they have another number of columns.
    pub fn push(&mut self, rows: ArrayView2<'_, f32>) -> io::Result<()> {
        let (before, columns) = self.view().dim();
        assert_eq!(rows.ncols(), columns, "rows of one matrix");
        if Arc::get_mut(&mut self.file).is_none() {
            *self = Self::new(self.view())?;
        }
        write(&self.file, before * columns, rows)?;
        self.rows = MappedRows::of_values(&self.file, before + rows.nrows(), columns)?;
        Ok(())
    }

    /// Forgets all but the first rows.
    pub fn truncate(&mut self, rows: usize) {
        self.rows = self.rows.first(rows);
    }

    /// The matrix.
    pub fn view(&self) -> ArrayView2<'_, f32> {
        self.rows.view()
    }

    /// The matrix as it is, to be looked at only.
    pub fn into_mapped(self) -> MappedRows {
        self.rows
    }
}

/// Writes behind so many values.
fn write(mut file: &File, behind: usize, rows: ArrayView2<'_, f32>) -> io::Result<()> {
    file.seek(SeekFrom::Start(4 * behind as u64))?;
    match rows.as_slice() {
        Some(values) => file.write_all(bytemuck::cast_slice(values)),
        None => rows.outer_iter().try_for_each(|row| file.write_all(bytemuck::cast_slice(&row.to_vec()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array, concatenate};

    #[test]
    fn what_is_pushed_is_there_and_clones_keep_what_they_saw() {
        let parts: Vec<Array2<f32>> = (0..5)
            .map(|part| Array2::from_shape_fn((part + 1, 3), |(row, column)| (100 * part + 3 * row + column) as f32))
            .collect();
        let mut rows = SpilledRows::new(parts[0].view()).unwrap();
        let mut seen = Vec::new();
        for part in &parts[1..] {
            seen.push((rows.clone(), rows.view().to_owned()));
            rows.push(part.view()).unwrap();
        }
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        assert_eq!(rows.view(), concatenate(ndarray::Axis(0), &views).unwrap());
        for (clone, expected) in &seen {
            assert_eq!(clone.view(), expected);
        }
        // Both go on.
        let (mut clone, before) = seen.swap_remove(1);
        clone.push(array![[7.0, 8.0, 9.0]].view()).unwrap();
        assert_eq!((clone.view().nrows(), rows.view().nrows()), (before.nrows() + 1, 15));
        assert_eq!(rows.view().row(1), parts[1].row(0));
        // What is forgotten is written over.
        rows.truncate(1);
        rows.push(parts[1].view()).unwrap();
        assert_eq!(rows.view(), before.slice(ndarray::s![..3, ..]));
    }

    #[test]
    fn a_view_that_is_not_contiguous_is_written_by_rows() {
        let columns = array![[1.0_f32, 2.0], [3.0, 4.0]].reversed_axes();
        assert_eq!(SpilledRows::new(columns.view()).unwrap().view(), array![[1.0, 3.0], [2.0, 4.0]]);
    }
}
