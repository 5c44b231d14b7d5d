//! The header of an array file.

use super::values::Number;

/// What an array file begins with.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// Longest header that is read; NumPy itself refuses 10,000 bytes and more.
#[cfg(feature = "images")]
pub(crate) const LONGEST_HEADER: usize = 1 << 16;

/// What an array file says of its values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Header {
    /// The type as NumPy writes it, such as `<f4`.
    pub dtype: String,
    /// Whether the first axis runs fastest.
    pub fortran: bool,
    /// The axes.
    pub shape: Vec<u64>,
    /// Where the values start in the file.
    pub start: usize,
}

impl Header {
    /// Reads how a file begins; `None` where that is not a header, or not all of one.
    pub fn of(head: &[u8]) -> Option<Self> {
        let rest = head.strip_prefix(MAGIC)?;
        let (begin, length) = match *rest {
            [1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([a, b]))),
            [2 | 3, _, a, b, c, d, ..] => (12, u32::from_le_bytes([a, b, c, d]) as usize),
            _ => return None,
        };
        let start = begin + length;
        Self::parse(&String::from_utf8_lossy(head.get(begin..start)?), start)
    }

    /// Reads the literal of a Python dictionary such as
    /// `{'descr': '|u1', 'fortran_order': False, 'shape': (10, 32, 32, 3), }`.
    pub(super) fn parse(dictionary: &str, start: usize) -> Option<Self> {
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
        // Python 2 wrote `10L`.
        let shape = axes.map(|axis| axis.trim_end_matches('L').parse().ok()).collect::<Option<_>>()?;
        Some(Self { dtype: dtype.to_owned(), fortran, shape, start })
    }

    /// The type of its values, where these are numbers.
    pub fn number(&self) -> Option<Number> {
        Number::of(&self.dtype)
    }

    /// Whether its values are floating-point numbers.
    pub fn is_float(&self) -> bool {
        self.number().is_some_and(Number::is_float)
    }

    /// Whether its values are strings, one axis of them.
    pub fn is_text(&self) -> bool {
        self.dtype.trim_start_matches(['<', '>', '|', '=']).starts_with(['U', 'S']) && self.shape.len() == 1
    }

    /// Whether its values are Python objects, which are pickled.
    pub fn is_pickled(&self) -> bool {
        self.dtype.contains('O')
    }

    /// Its axes without those of length 1 at the end, of which at least `least` are kept.
    pub fn axes(&self, least: usize) -> &[u64] {
        let mut axes = &self.shape[..];
        while let (true, [rest @ .., 1]) = (axes.len() > least, axes) {
            axes = rest;
        }
        axes
    }

    /// Bytes that its values take, saturating; `None` where the type does not tell.
    pub fn bytes(&self) -> Option<u128> {
        let digits = self.dtype.trim_start_matches(|c: char| !c.is_ascii_digit());
        let size: u128 = digits.parse().ok()?;
        // A character of `U` takes four bytes.
        let size = if self.dtype.contains('U') { 4 * size } else { size };
        Some(self.shape.iter().fold(size, |bytes, &axis| bytes.saturating_mul(u128::from(axis))))
    }
}
