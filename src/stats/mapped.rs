//! Rows in a file that is mapped into memory: the system brings in what is looked at and drops what is not, so that a set may be
//! larger than the memory.

use std::fs::File;
use std::io;
use std::sync::Arc;

use memmap2::Mmap;
use ndarray::ArrayView2;
use ndarray_npy::ViewNpyExt;

/// From this size on, files of features are mapped instead of read: below, a file that is at hand in memory is worth more than
/// the memory that it takes.
pub(super) const MAPPED_FROM: u64 = 256 << 20;

/// A matrix of f32 in a file, row-major. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct MappedRows {
    map: Arc<Mmap>,
    /// Where the numbers begin.
    start: usize,
    rows: usize,
    columns: usize,
}

impl MappedRows {
    /// The matrix of a whole `.npy` file; `None` where it is not one that can be looked at as it lies: of other numbers, of
    /// another order of bytes or axes.
    ///
    /// # Errors
    /// Those of the system.
    pub fn of_npy(file: &File) -> io::Result<Option<Self>> {
        let map = map(file)?;
        let found = match ArrayView2::<f32>::view_npy(&map) {
            Ok(view) if view.is_standard_layout() => {
                let start = view.as_ptr() as usize - map.as_ptr() as usize;
                Some((start, view.nrows(), view.ncols()))
            }
            _ => None,
        };
        Ok(found.map(|(start, rows, columns)| Self { map: Arc::new(map), start, rows, columns }))
    }

    /// The matrix of a file that holds nothing but its numbers.
    ///
    /// # Errors
    /// Those of the system.
    #[cfg(feature = "inference")]
    pub fn of_values(file: &File, rows: usize, columns: usize) -> io::Result<Self> {
        Ok(Self { map: Arc::new(map(file)?), start: 0, rows, columns })
    }

    /// Its first rows.
    #[cfg(feature = "inference")]
    pub fn first(&self, rows: usize) -> Self {
        assert!(rows <= self.rows, "there are {} rows", self.rows);
        Self { rows, ..self.clone() }
    }

    /// The matrix.
    pub fn view(&self) -> ArrayView2<'_, f32> {
        let bytes = &self.map[self.start..self.start + 4 * self.rows * self.columns];
        let values = bytemuck::cast_slice(bytes);
        ArrayView2::from_shape((self.rows, self.columns), values).expect("the header was read")
    }
}

/// Maps a file for reading.
#[allow(unsafe_code)]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: a mapped file must not change while it is looked at. Nothing in this crate writes into a file that exists: outputs
    // are new files that are renamed into place, which leaves a mapped one as it is, and temporary files of rows are
    // written behind the rows that are looked at. Of another program that writes into a file
    // of features while it is scored we can only ask, as NumPy's `mmap_mode` does, that it does not. Every bit pattern is a
    // number, so what is seen then is wrong, not invalid; a file that is cut short ends the process by SIGBUS.
    unsafe { Mmap::map(file) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, ShapeBuilder, array};

    fn mapped<A: ndarray_npy::WritableElement>(values: &Array2<A>) -> Option<MappedRows> {
        let mut file = tempfile::tempfile().unwrap();
        ndarray_npy::WriteNpyExt::write_npy(values, &mut file).unwrap();
        MappedRows::of_npy(&file).unwrap()
    }

    #[test]
    fn a_mapped_matrix_is_the_matrix() {
        let values = Array2::from_shape_fn((700, 3), |(row, column)| (3 * row + column) as f32);
        assert_eq!(mapped(&values).unwrap().view(), values);
        assert_eq!(mapped(&Array2::<f32>::zeros((0, 4))).unwrap().view().dim(), (0, 4));
    }

    #[test]
    fn what_cannot_be_looked_at_as_it_lies_is_not_mapped() {
        assert!(mapped(&array![[1.0_f64, 2.0]]).is_none());
        assert!(mapped(&Array2::<f32>::zeros((2, 3).f())).is_none());
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, b"\x93NUMPY and no more").unwrap();
        assert!(MappedRows::of_npy(&file).unwrap().is_none());
    }
}
