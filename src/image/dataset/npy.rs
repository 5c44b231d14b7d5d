//! NumPy's array file.

use std::path::Path;

use super::array::{Levels, PixelArray, Segment};
use super::error::DataSetError;
use super::positioned::read_head_at;
use crate::numpy::{Header, LONGEST_HEADER};

/// Opens the array file in a part of a file; `name` is what it is called there. Floating-point numbers become levels by the values
/// of black and white.
pub(super) fn open(
    path: &Path,
    name: Option<&str>,
    segment: Segment,
    range: Option<[f32; 2]>,
) -> Result<PixelArray, DataSetError> {
    let (path_of, array) = (|| path.to_owned(), || name.map(str::to_owned));
    let limit = LONGEST_HEADER.min(segment.length.try_into().unwrap_or(LONGEST_HEADER));
    let head = read_head_at(&segment.file, limit, segment.offset)
        .map_err(|source| DataSetError::Io { path: path.to_owned(), source })?;
    let header = Header::of(&head).ok_or_else(|| {
        let reason = "it ends inside its header, or has none that NumPy writes".to_owned();
        DataSetError::CorruptArray { path: path_of(), array: array(), reason }
    })?;
    if header.is_pickled() {
        return Err(DataSetError::Pickle { path: path_of() });
    }
    let levels = match (header.number(), range) {
        (Some(number), _) if number.is_byte() && !header.dtype.contains('b') => Levels::Bytes,
        (Some(number), Some(range)) if number.is_float() => Levels::Floats(number, range),
        (Some(number), None) if number.is_float() && header.shape.len() > 2 => {
            return Err(DataSetError::UnknownRange { path: path_of(), array: array(), dtype: header.dtype });
        }
        _ => return Err(DataSetError::ArrayType { path: path_of(), array: array(), dtype: header.dtype }),
    };
    // One axis or none is stored alike in either order.
    if header.fortran {
        let hint = " in C order (save `numpy.ascontiguousarray(a)`)";
        return Err(DataSetError::ArrayShape { path: path_of(), array: array(), shape: header.shape, hint });
    }
    let Segment { file, offset, length } = segment;
    let start = header.start as u64;
    let data = Segment { file, offset: offset + start, length: length - start };
    PixelArray::new(path, name, header.shape, levels, data)
}
