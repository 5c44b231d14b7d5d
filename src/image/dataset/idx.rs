//! IDX, the format of MNIST: a magic number, the lengths of the axes, the data.

use std::path::Path;

use super::array::{Levels, PixelArray, Segment};
use super::error::DataSetError;
use super::positioned::read_head_at;

/// The type code of unsigned bytes.
const UNSIGNED_BYTE: u8 = 0x08;

/// Whether a file begins like an IDX file: two zero bytes, a known type code, a number of axes.
pub(super) fn recognise(head: &[u8]) -> bool {
    matches!(head, [0, 0, UNSIGNED_BYTE | 0x09 | 0x0b..=0x0e, 1..=8, ..])
}

/// Opens the file; the segment is all of it.
pub(super) fn open(path: &Path, segment: Segment) -> Result<PixelArray, DataSetError> {
    const LONGEST_HEADER: usize = 4 + 4 * 8;
    let head = read_head_at(&segment.file, LONGEST_HEADER, segment.offset)
        .map_err(|source| DataSetError::Io { path: path.to_owned(), source })?;
    let dtype = head.get(2).copied().unwrap_or_default();
    if dtype != UNSIGNED_BYTE {
        let dtype = format!("IDX type 0x{dtype:02x}");
        return Err(DataSetError::ArrayType { path: path.to_owned(), array: None, dtype });
    }
    let axes = usize::from(head[3]);
    let start = 4 + 4 * axes;
    let Some(lengths) = head.get(4..start) else {
        let reason = "it ends inside its header".to_owned();
        return Err(DataSetError::CorruptArray { path: path.to_owned(), array: None, reason });
    };
    let lengths = lengths.chunks_exact(4).map(|b| u64::from(u32::from_be_bytes([b[0], b[1], b[2], b[3]])));
    let shape = lengths.collect();
    let Segment { file, offset, length } = segment;
    let data = Segment { file, offset: offset + start as u64, length: length.saturating_sub(start as u64) };
    PixelArray::new(path, None, shape, Levels::Bytes, data)
}
