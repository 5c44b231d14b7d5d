//! Quality and subsampling of a JPEG, from its header.

use std::fmt;

/// Quantisation tables of the standard (annex K), in the order of rows: for luminance.
const LUMINANCE: [u16; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
];

/// And for chrominance, of which most entries are the same.
const CHROMINANCE: [u16; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99,
];

/// Where the entries of a table stand in a file: the index in the order of rows, in the order of the zigzag.
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// How a JPEG was encoded. It is shown as `JPEG quality 75 4:2:0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JpegEncoding {
    /// Quality, 1 to 100, of which libjpeg, and with it Pillow and OpenCV, makes exactly these quantisation tables; `None` for tables of
    /// others, such as those of cameras and of Photoshop.
    pub quality: Option<u8>,
    /// How much coarser colour was kept than brightness.
    pub subsampling: Subsampling,
}

/// How much coarser the colours of a JPEG are kept than its brightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subsampling {
    /// There is no colour.
    Gray,
    /// One sample of colour for so many columns and rows: 2 and 2 are written `4:2:0`.
    Factors {
        /// Columns.
        columns: u8,
        /// Rows.
        rows: u8,
    },
    /// The sampling factors of brightness are not multiples of those of colour, or the two colours have others.
    Uneven,
}

impl fmt::Display for JpegEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.quality {
            Some(quality) => write!(f, "JPEG quality {quality} {}", self.subsampling),
            None => write!(f, "JPEG custom tables {}", self.subsampling),
        }
    }
}

impl fmt::Display for Subsampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Subsampling::Gray => "gray",
            Subsampling::Factors { columns: 1, rows: 1 } => "4:4:4",
            Subsampling::Factors { columns: 1, rows: 2 } => "4:4:0",
            Subsampling::Factors { columns: 2, rows: 1 } => "4:2:2",
            Subsampling::Factors { columns: 2, rows: 2 } => "4:2:0",
            Subsampling::Factors { columns: 4, rows: 1 } => "4:1:1",
            Subsampling::Factors { columns: 4, rows: 2 } => "4:1:0",
            Subsampling::Factors { columns, rows } => return write!(f, "colour {columns}×{rows}"),
            Subsampling::Uneven => "uneven",
        })
    }
}

/// A quantisation table, in the order of rows.
#[derive(Clone, Copy)]
struct Table {
    entries: [u16; 64],
    /// The largest entry that its kind has room for.
    most: u16,
}

/// A component of the frame.
struct Component {
    columns: u8,
    rows: u8,
    table: Table,
}

impl JpegEncoding {
    /// What the header of a file says; `None` when it ends too early or contradicts itself, which decoding will report.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let components = components(bytes)?;
        let (brightness, others) = components.split_first()?;
        let quality = (1..=100).find(|&quality| {
            // Components that are not colour differences, as of RGB and CMYK, share the table of brightness.
            let fits = |other: &Component| other.table.is(&CHROMINANCE, quality) || other.table.is(&LUMINANCE, quality);
            brightness.table.is(&LUMINANCE, quality) && others.iter().all(fits)
        });
        Some(Self { quality, subsampling: subsampling(&components) })
    }
}

impl Table {
    /// Whether it is a standard table scaled to a quality.
    fn is(&self, standard: &[u16; 64], quality: u8) -> bool {
        self.entries.iter().zip(standard).all(|(&entry, &standard)| entry == scaled(standard, quality, self.most))
    }
}

/// An entry of a standard table as libjpeg scales it to a quality (`jpeg_quality_scaling`, `jpeg_add_quant_table`).
fn scaled(standard: u16, quality: u8, most: u16) -> u16 {
    let quality = u32::from(quality);
    let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    ((u32::from(standard) * percent + 50) / 100).clamp(1, u32::from(most)) as u16
}

fn subsampling(components: &[Component]) -> Subsampling {
    let [brightness, colour, others @ ..] = components else { return Subsampling::Gray };
    // The fourth component of CMYK is as fine as the first.
    let other = others.first().unwrap_or(colour);
    let divides = brightness.columns.is_multiple_of(colour.columns) && brightness.rows.is_multiple_of(colour.rows);
    if !divides || (colour.columns, colour.rows) != (other.columns, other.rows) {
        return Subsampling::Uneven;
    }
    Subsampling::Factors { columns: brightness.columns / colour.columns, rows: brightness.rows / colour.rows }
}

/// The components of the frame with their tables, from the segments before the scan.
fn components(bytes: &[u8]) -> Option<Vec<Component>> {
    let (mut tables, mut frame) = ([None; 4], None);
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    loop {
        let tail = rest.strip_prefix(b"\xff")?;
        // Any number of bytes 0xff may fill the space before a marker.
        let at = tail.iter().position(|&byte| byte != 0xff)?;
        rest = &tail[at + 1..];
        match tail[at] {
            // Markers without a segment.
            0x01 | 0xd0..=0xd7 => {}
            // The scan, or the end.
            0xd9 | 0xda => break,
            _ => {
                let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
                let segment = rest.get(2..length)?;
                rest = &rest[length..];
                match tail[at] {
                    0xdb => read_tables(segment, &mut tables)?,
                    // A frame of any kind; the three numbers left out are of other segments.
                    0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => frame = Some(segment),
                    _ => {}
                }
            }
        }
        if rest.is_empty() {
            break;
        }
    }
    let frame: &[u8] = frame?;
    // Precision, height, width and the number of components come first.
    let count = usize::from(*frame.get(5)?);
    let (described, left) = frame.get(6..)?.as_chunks::<3>();
    if count == 0 || described.len() != count || !left.is_empty() {
        return None;
    }
    let component = |&[_, factors, table]: &[u8; 3]| {
        let (columns, rows) = (factors >> 4, factors & 0xf);
        let table = (*tables.get(usize::from(table))?)?;
        (columns > 0 && rows > 0).then_some(Component { columns, rows, table })
    };
    described.iter().map(component).collect()
}

/// The tables of a segment, which holds any number of them.
fn read_tables(mut segment: &[u8], tables: &mut [Option<Table>; 4]) -> Option<()> {
    while let [kind, tail @ ..] = segment {
        let (wide, slot) = (kind >> 4 != 0, usize::from(kind & 0xf));
        let size = if wide { 128 } else { 64 };
        let (stored, tail) = tail.split_at_checked(size)?;
        let mut entries = [0; 64];
        for (place, row_major) in ZIGZAG.into_iter().enumerate() {
            entries[row_major] = match wide {
                true => u16::from_be_bytes([stored[2 * place], stored[2 * place + 1]]),
                false => u16::from(stored[place]),
            };
        }
        // libjpeg keeps entries below 2¹⁵ even where there is room for more.
        *tables.get_mut(slot)? = Some(Table { entries, most: if wide { 32_767 } else { 255 } });
        segment = tail;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;

    use super::*;

    #[test]
    fn what_pillow_wrote_is_found() {
        let headers = fs::read_to_string("tests/fixtures/image/jpeg_headers.json").unwrap();
        let headers: BTreeMap<String, String> = serde_json::from_str(&headers).unwrap();
        assert!(headers.len() > 40);
        for (name, header) in headers {
            let byte = |at: usize| u8::from_str_radix(&header[2 * at..2 * at + 2], 16).unwrap();
            let bytes: Vec<u8> = (0..header.len() / 2).map(byte).collect();
            assert_eq!(JpegEncoding::of(&bytes).map(|found| found.to_string()), Some(name));
            // A header that is cut off anywhere says nothing, until the last segment is whole.
            let frame = bytes.windows(2).position(|pair| pair == b"\xff\xc0").unwrap();
            for end in 0..frame {
                assert_eq!(JpegEncoding::of(&bytes[..end]), None, "{end} of {} bytes", bytes.len());
            }
        }
    }

    #[test]
    fn whole_files_are_known_by_their_headers() {
        for (file, encoding) in [
            ("quality10.jpg", "JPEG quality 10 4:2:0"),
            ("quality100.jpg", "JPEG quality 100 4:2:0"),
            ("420_progressive.jpg", "JPEG quality 80 4:2:0"),
            ("422.jpg", "JPEG quality 80 4:2:2"),
            ("444_16x16.jpg", "JPEG quality 75 4:4:4"),
            ("440.jpg", "JPEG quality 80 4:4:0"),
            ("411.jpg", "JPEG quality 80 4:1:1"),
            ("1x4.jpg", "JPEG quality 80 colour 1×4"),
            ("gray.jpg", "JPEG quality 75 gray"),
            ("rgb.jpg", "JPEG quality 75 4:4:4"),
            ("cmyk.jpg", "JPEG quality 90 4:4:4"),
            ("restart.jpg", "JPEG quality 75 4:2:0"),
            ("exif_rotated.jpg", "JPEG quality 75 4:2:0"),
        ] {
            let bytes = fs::read(format!("tests/fixtures/image/decode/{file}")).unwrap();
            assert_eq!(JpegEncoding::of(&bytes).unwrap().to_string(), encoding, "{file}");
        }
    }

    #[test]
    fn no_two_qualities_have_the_same_table() {
        let tables: BTreeSet<[u16; 64]> =
            (1..=100).map(|quality| LUMINANCE.map(|entry| scaled(entry, quality, 255))).collect();
        assert_eq!(tables.len(), 100);
        let places: BTreeSet<usize> = ZIGZAG.into_iter().collect();
        assert_eq!(places.len(), 64);
    }

    /// A header of one gray component.
    fn header(tables: &[u8], frame: &[u8]) -> Vec<u8> {
        let segment = |marker: u8, content: &[u8]| {
            let length = (content.len() + 2) as u16;
            [&[0xff, marker][..], &length.to_be_bytes(), content].concat()
        };
        [&b"\xff\xd8\xff"[..], &segment(0xdb, tables), &segment(0xc1, frame), b"\xff\xda"].concat()
    }

    #[test]
    fn wide_tables_have_entries_beyond_a_byte() {
        // As libjpeg writes quality 5 when it need not be baseline: 121 times ten is 1210.
        let table = LUMINANCE.map(|entry| scaled(entry, 5, 32_767));
        assert!(table.contains(&1210));
        let stored = ZIGZAG.into_iter().flat_map(|place| table[place].to_be_bytes());
        let tables: Vec<u8> = [0x10].into_iter().chain(stored).collect();
        let frame = [8, 0, 16, 0, 16, 1, 1, 0x11, 0];
        let found = JpegEncoding::of(&header(&tables, &frame)).unwrap();
        assert_eq!(found, JpegEncoding { quality: Some(5), subsampling: Subsampling::Gray });
    }

    #[test]
    fn headers_that_contradict_themselves_say_nothing() {
        let tables: Vec<u8> = [0].into_iter().chain([16; 64]).collect();
        let good = [8, 0, 16, 0, 16, 1, 1, 0x11, 0];
        assert_eq!(JpegEncoding::of(&header(&tables, &good)).unwrap().quality, None);
        for (at, wrong) in [(5, 0), (5, 2), (7, 0x10), (7, 0x01), (8, 1), (8, 200)] {
            let mut frame = good;
            frame[at] = wrong;
            assert_eq!(JpegEncoding::of(&header(&tables, &frame)), None, "{wrong} at {at}");
        }
        assert_eq!(JpegEncoding::of(&header(&[5; 65], &good)), None, "there is no sixth table");
        assert_eq!(JpegEncoding::of(&header(&tables[..40], &good)), None);
        assert_eq!(JpegEncoding::of(b"\xff\xd8\xff"), None);
        assert_eq!(JpegEncoding::of(b"\xff\xd8\xff\xdb\0\0"), None);
    }
}
