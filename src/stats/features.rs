//! Feature matrices: one row an image. [`Features`] and [`Logits`] are distinct types, so that a metric of the one
//! cannot be handed the other.

use ndarray::{Array2, ArrayView2};

use super::mapped::MappedRows;
use crate::error::{Blame, Blamed};

/// Why a matrix is not a valid set of features.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FeaturesError {
    /// A value is NaN or infinite.
    #[error(
        "row {row}, column {column} holds {value}: features must be finite (check the image of that row and the model)"
    )]
    NotFinite {
        /// Row of the offending value: the index of the image in its set.
        row: usize,
        /// Column of the offending value.
        column: usize,
        /// The value itself.
        value: f32,
    },
    /// The matrix has no columns.
    #[error("a feature matrix of shape {rows}×0 has no columns: expected one column per feature")]
    NoColumns {
        /// Number of rows of the rejected matrix.
        rows: usize,
    },
}

impl Blamed for FeaturesError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Where the rows are.
#[derive(Debug, Clone)]
enum Rows {
    Memory(Array2<f32>),
    /// In a file; clones share it.
    Mapped(MappedRows),
}

impl Rows {
    fn view(&self) -> ArrayView2<'_, f32> {
        match self {
            Rows::Memory(values) => values.view(),
            Rows::Mapped(rows) => rows.view(),
        }
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        self.view() == other.view()
    }
}

fn check(values: ArrayView2<'_, f32>) -> Result<(), FeaturesError> {
    if values.ncols() == 0 {
        return Err(FeaturesError::NoColumns { rows: values.nrows() });
    }
    // Where is asked only when there is one: looking goes through the memory as it lies, in a tenth of the time.
    if values.fold(true, |finite, value| finite & value.is_finite()) {
        return Ok(());
    }
    match values.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), &value)) => Err(FeaturesError::NotFinite { row, column, value }),
        None => Ok(()),
    }
}

fn validated(values: Array2<f32>) -> Result<Rows, FeaturesError> {
    check(values.view())?;
    // Row-major storage lets every consumer walk rows as slices.
    Ok(Rows::Memory(match values.is_standard_layout() {
        true => values,
        false => values.as_standard_layout().into_owned(),
    }))
}

macro_rules! matrix_of_rows {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name(Rows);

        impl $name {
            /// Takes a matrix with one row per image; stored row-major.
            ///
            /// # Errors
            /// [`FeaturesError`] when a value is not finite or there are no columns. Zero rows are valid.
            pub fn new(values: Array2<f32>) -> Result<Self, FeaturesError> {
                validated(values).map(Self)
            }

            #[cfg_attr(not(feature = "inference"), allow(dead_code, reason = "of class scores, only a pass spills rows"))]
            /// Rows in a file, which are looked at once to make sure that they are finite.
            pub(crate) fn mapped(rows: MappedRows) -> Result<Self, FeaturesError> {
                check(rows.view())?;
                Ok(Self(Rows::Mapped(rows)))
            }

            /// Number of rows: images.
            pub fn len(&self) -> usize {
                self.0.view().nrows()
            }

            /// Whether there is no row.
            pub fn is_empty(&self) -> bool {
                self.0.view().nrows() == 0
            }

            /// Number of columns.
            pub fn dim(&self) -> usize {
                self.0.view().ncols()
            }

            /// The matrix, row-major and contiguous.
            pub fn view(&self) -> ArrayView2<'_, f32> {
                self.0.view()
            }

            /// Gives the matrix back; one that lies in a file is read into memory.
            pub fn into_inner(self) -> Array2<f32> {
                match self.0 {
                    Rows::Memory(values) => values,
                    Rows::Mapped(rows) => rows.view().to_owned(),
                }
            }
        }
    };
}

matrix_of_rows! {
    /// Features of a set of images, n×d, f32, finite: what Fréchet distance, KID and precision/recall see.
    Features
}

matrix_of_rows! {
    /// Class scores of a set of images before the softmax, n×classes, f32, finite: what the Inception Score sees.
    Logits
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn names_the_value_that_is_not_finite() {
        let error = Features::new(array![[1.0, 2.0], [3.0, f32::NEG_INFINITY]]).unwrap_err();
        assert_eq!(error, FeaturesError::NotFinite { row: 1, column: 1, value: f32::NEG_INFINITY });
        assert!(Logits::new(array![[f32::NAN]]).is_err());
    }

    #[test]
    fn column_major_input_is_stored_by_rows() {
        let columns = array![[1.0, 2.0], [3.0, 4.0]].reversed_axes();
        let features = Features::new(columns).unwrap();
        assert_eq!(features.view().as_slice().unwrap(), [1.0, 3.0, 2.0, 4.0]);
        assert_eq!((features.len(), features.dim(), features.is_empty()), (2, 2, false));
    }

    #[test]
    fn a_matrix_without_columns_is_rejected() {
        assert_eq!(Features::new(Array2::zeros((3, 0))).unwrap_err(), FeaturesError::NoColumns { rows: 3 });
    }
}
