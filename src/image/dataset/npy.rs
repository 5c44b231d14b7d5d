//! NumPy's array file.

use std::path::Path;

use super::array::{PixelArray, Segment};
use super::error::DataSetError;
use super::positioned::read_head_at;

/// What an array file begins with.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// Longest header that is read; NumPy itself refuses 10,000 bytes and more.
const LONGEST_HEADER: usize = 1 << 16;

/// Opens the array file in a part of a file.
pub(super) fn open(path: &Path, segment: Segment) -> Result<PixelArray, DataSetError> {
    let corrupt = |reason: &str| DataSetError::CorruptArray { path: path.to_owned(), reason: reason.to_owned() };
    let limit = LONGEST_HEADER.min(segment.length.try_into().unwrap_or(LONGEST_HEADER));
    let head = read_head_at(&segment.file, limit, segment.offset)
        .map_err(|source| DataSetError::Io { path: path.to_owned(), source })?;
    let (dictionary, start) = header(&head).ok_or_else(|| corrupt("it ends inside its header, or has none"))?;
    let Header { dtype, fortran, shape } =
        Header::parse(&dictionary).ok_or_else(|| corrupt("its header is no array's"))?;
    if dtype != "|u1" && dtype != "u1" && dtype != "<u1" && dtype != ">u1" {
        return Err(DataSetError::ArrayType { path: path.to_owned(), dtype });
    }
    // One axis or none is stored alike in either order.
    if fortran {
        let hint = " in C order (save `numpy.ascontiguousarray(a)`)";
        return Err(DataSetError::ArrayShape { path: path.to_owned(), shape, hint });
    }
    let Segment { file, offset, length } = segment;
    let data = Segment { file, offset: offset + start as u64, length: length - start as u64 };
    PixelArray::new(path, shape, data)
}

/// The dictionary of the header, and where the data starts.
fn header(head: &[u8]) -> Option<(String, usize)> {
    let rest = head.strip_prefix(MAGIC)?;
    let (start, length) = match *rest {
        [1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([a, b]))),
        [2 | 3, _, a, b, c, d, ..] => (12, u32::from_le_bytes([a, b, c, d]) as usize),
        _ => return None,
    };
    let end = start + length;
    Some((String::from_utf8_lossy(head.get(start..end)?).into_owned(), end))
}

#[derive(Debug, PartialEq)]
struct Header {
    dtype: String,
    fortran: bool,
    shape: Vec<u64>,
}

impl Header {
    /// Reads the literal of a Python dictionary such as
    /// `{'descr': '|u1', 'fortran_order': False, 'shape': (10, 32, 32, 3), }`.
    fn parse(dictionary: &str) -> Option<Self> {
        let value = |key: &str| {
            let quoted =
                dictionary.split_once(&format!("'{key}'")).or_else(|| dictionary.split_once(&format!("\"{key}\"")));
            Some(quoted?.1.trim_start().strip_prefix(':')?.trim_start())
        };
        let descr = value("descr")?;
        let dtype = match descr.chars().next()? {
            quote @ ('\'' | '"') => descr[1..].split_once(quote)?.0,
            // A structured type: a list of fields.
            '[' => descr.split_once("],").map_or(descr, |(fields, _)| fields),
            _ => return None,
        };
        let order = value("fortran_order")?;
        let fortran = order.starts_with("True");
        if !fortran && !order.starts_with("False") {
            return None;
        }
        let (axes, _) = value("shape")?.strip_prefix('(')?.split_once(')')?;
        let axes = axes.split(',').map(str::trim).filter(|axis| !axis.is_empty());
        let shape = axes.map(|axis| axis.parse().ok()).collect::<Option<_>>()?;
        Some(Self { dtype: dtype.to_owned(), fortran, shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_numpy() {
        let parsed = Header::parse("{'descr': '|u1', 'fortran_order': False, 'shape': (10, 32, 32, 3), }   \n");
        assert_eq!(parsed, Some(Header { dtype: "|u1".into(), fortran: false, shape: vec![10, 32, 32, 3] }));
        let parsed = Header::parse("{'descr': '<f8', 'fortran_order': True, 'shape': (7,), }").unwrap();
        assert_eq!((parsed.dtype.as_str(), parsed.fortran, parsed.shape), ("<f8", true, vec![7]));
        let parsed = Header::parse("{'descr': [('r', '|u1')], 'fortran_order': False, 'shape': (), }").unwrap();
        assert_eq!((parsed.dtype.as_str(), parsed.shape.len()), ("[('r', '|u1')", 0));
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for text in ["", "{}", "{'descr': '|u1'}", "{'descr': '|u1', 'fortran_order': 0, 'shape': (1,)}"] {
            assert_eq!(Header::parse(text), None, "{text}");
        }
        assert_eq!(header(b"\x93NUMPY\x01\0\xff\xff{'descr'"), None);
        assert_eq!(header(b"\x93NUMPY\x09\0\x01\0 "), None);
    }
}
