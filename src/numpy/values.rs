//! The values behind a header.

use std::io::{self, Read};

use half::f16;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use super::Header;

/// Values that are turned from bytes at a time.
const CHUNK: usize = 1 << 14;

/// A type of numbers: how their bytes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    kind: Kind,
    big_endian: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `u1` and booleans.
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    F32,
    F64,
}

impl Number {
    /// By NumPy's name of the type, such as `<f4`.
    pub(super) fn of(dtype: &str) -> Option<Self> {
        let (order, name) = match dtype.strip_prefix(['<', '>', '|', '=']) {
            Some(name) => (&dtype[..1], name),
            None => ("<", dtype),
        };
        let kind = match name {
            "u1" | "b1" => Kind::U8,
            "u2" => Kind::U16,
            "u4" => Kind::U32,
            "u8" => Kind::U64,
            "i1" => Kind::I8,
            "i2" => Kind::I16,
            "i4" => Kind::I32,
            "i8" => Kind::I64,
            "f2" => Kind::F16,
            "f4" => Kind::F32,
            "f8" => Kind::F64,
            _ => return None,
        };
        Some(Self { kind, big_endian: order == ">" })
    }

    /// Whether these are floating-point numbers.
    pub fn is_float(self) -> bool {
        matches!(self.kind, Kind::F16 | Kind::F32 | Kind::F64)
    }

    /// Whether these are bytes.
    pub fn is_byte(self) -> bool {
        self.kind == Kind::U8
    }

    /// Bytes of a number.
    pub fn size(self) -> usize {
        match self.kind {
            Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 | Kind::F16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::U64 | Kind::I64 | Kind::F64 => 8,
        }
    }

    /// The numbers in some bytes, whole ones.
    pub fn decode(self, bytes: &[u8]) -> impl Iterator<Item = f64> + '_ {
        bytes.chunks_exact(self.size()).map(move |bytes| self.value(bytes))
    }

    fn value(self, bytes: &[u8]) -> f64 {
        fn array<const N: usize>(bytes: &[u8], big_endian: bool) -> [u8; N] {
            let mut array: [u8; N] = bytes.try_into().expect("as many bytes as the type has");
            if big_endian {
                array.reverse();
            }
            array
        }
        let big = self.big_endian;
        match self.kind {
            Kind::U8 => f64::from(bytes[0]),
            Kind::I8 => f64::from(bytes[0] as i8),
            Kind::U16 => f64::from(u16::from_le_bytes(array(bytes, big))),
            Kind::I16 => f64::from(i16::from_le_bytes(array(bytes, big))),
            Kind::F16 => f16::from_le_bytes(array(bytes, big)).to_f64(),
            Kind::U32 => f64::from(u32::from_le_bytes(array(bytes, big))),
            Kind::I32 => f64::from(i32::from_le_bytes(array(bytes, big))),
            Kind::F32 => f64::from(f32::from_le_bytes(array(bytes, big))),
            Kind::U64 => u64::from_le_bytes(array(bytes, big)) as f64,
            Kind::I64 => i64::from_le_bytes(array(bytes, big)) as f64,
            Kind::F64 => f64::from_le_bytes(array(bytes, big)),
        }
    }

    /// Reads the values of an array, each as `convert` has it; `reader` is behind the header. Only what is there is kept in
    /// memory: a header that announces more fails at the end of the file.
    pub fn read<T>(self, header: &Header, mut reader: impl Read, convert: impl Fn(f64) -> T) -> io::Result<ArrayD<T>> {
        let shape: Vec<usize> = header.shape.iter().map(|&axis| axis as usize).collect();
        let count = shape.iter().try_fold(1_usize, |count, &axis| count.checked_mul(axis));
        let count = count.ok_or_else(|| io::Error::other("it has more values than memory"))?;
        let mut values = Vec::new();
        values.try_reserve_exact(count).map_err(io::Error::other)?;
        let mut chunk = vec![0; CHUNK * self.size()];
        while values.len() < count {
            let part = (count - values.len()).min(CHUNK) * self.size();
            reader.read_exact(&mut chunk[..part])?;
            values.extend(self.decode(&chunk[..part]).map(&convert));
        }
        let shape = IxDyn(&shape).set_f(header.fortran);
        // Axes whose product no memory has, beside one of length 0.
        ArrayD::from_shape_vec(shape, values).map_err(io::Error::other)
    }
}

/// Reads an array of strings, `<U6` or `|S6`, in the order of the file; `None` where these are not strings.
pub(crate) fn texts(header: &Header, mut reader: impl Read) -> io::Result<Option<Vec<String>>> {
    let (order, width) = match header.dtype.split_once(['U', 'S']) {
        Some((order, width)) => (order, width.parse::<usize>().ok()),
        None => return Ok(None),
    };
    let (Some(width), &[count]) = (width, &header.shape[..]) else { return Ok(None) };
    let wide = header.dtype.contains('U');
    let size = if wide { 4 * width } else { width };
    let mut bytes = vec![0; size];
    let mut texts = Vec::new();
    for _ in 0..count {
        reader.read_exact(&mut bytes)?;
        let text: String = if wide {
            let (codes, _) = bytes.as_chunks::<4>();
            let code = |&code| if order == ">" { u32::from_be_bytes(code) } else { u32::from_le_bytes(code) };
            codes.iter().map(code).map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        } else {
            String::from_utf8_lossy(&bytes).into_owned()
        };
        // NumPy fills strings up with zeros.
        texts.push(text.trim_end_matches('\0').to_owned());
    }
    Ok(Some(texts))
}
