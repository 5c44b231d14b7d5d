//! NumPy's archive of arrays: a zip archive in which every entry is an npy file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use flate2::CrcReader;
use flate2::read::DeflateDecoder;
use ndarray::{ArrayD, Axis};

use super::archive::{Entry, Storage};
use super::array::{PixelArray, Segment, Sum, check_sum};
use super::classes::{self, Classes};
use super::error::DataSetError;
use super::source::Source;
use super::spill::spill;
use super::watched::Watched;
use super::{Reading, npy};
use crate::interrupt::Interrupt;
use crate::numpy::{Header, STATISTICS};

/// What the array of the images is called: in the sample files of guided diffusion (what `numpy.savez` calls the first), in those of
/// score_sde, and by many a script.
const IMAGES: [&str; 3] = ["arr_0", "samples", "images"];

/// What the array of their classes is called: in those of guided diffusion, and by name.
const LABELS: [&str; 2] = ["arr_1", "labels"];

/// Bytes of an entry that have its header: NumPy writes some hundred.
const HEAD: usize = 4096;

/// Whether the entries of a zip archive are arrays.
pub(super) fn recognise(entries: &[Entry]) -> bool {
    !entries.is_empty() && entries.iter().all(|entry| entry.name.ends_with(".npy"))
}

/// An array of the archive.
struct Array<'a> {
    name: &'a str,
    entry: &'a Entry,
    header: Option<Header>,
}

impl Array<'_> {
    /// Whether it may hold images: three axes or four of bytes or floating-point numbers.
    fn may_be_images(&self) -> bool {
        let of = |header: &Header| {
            let number = header.number();
            number.is_some_and(|number| number.is_byte() || number.is_float()) && matches!(header.shape.len(), 3 | 4)
        };
        self.header.as_ref().is_some_and(of)
    }

    /// Whether it is a part of statistics by its name, which no array of bytes is.
    fn is_of_statistics(&self) -> bool {
        let is_byte = self.header.as_ref().and_then(Header::number).is_some_and(|number| number.is_byte());
        !is_byte && STATISTICS.iter().flatten().any(|name| *name == self.name)
    }

    /// For messages: its name, and of what type and shape it is.
    fn described(&self) -> String {
        match &self.header {
            Some(Header { dtype, shape, .. }) => format!("`{}` ({dtype}, {shape:?})", self.name),
            None => format!("`{}`", self.name),
        }
    }
}

/// Opens the array of the images: the one that is asked for, one of a [name](IMAGES) that is known, or else the only one that may
/// hold any. Bytes that are stored as they are, are not held against their sum yet.
pub(super) fn open(
    path: &Path,
    file: File,
    entries: Vec<Entry>,
    reading: &Reading,
    interrupt: &Interrupt,
) -> Result<PixelArray, DataSetError> {
    let failure = |source| DataSetError::Io { path: path.to_owned(), source };
    let mut arrays = Vec::with_capacity(entries.len());
    for entry in &entries {
        let header = Header::of(&entry.head(&file, HEAD).map_err(failure)?);
        arrays.push(Array { name: entry.name.trim_end_matches(".npy"), entry, header });
    }
    let has = |name: &&str| arrays.iter().any(|array| array.name == *name);
    let has_statistics = STATISTICS.iter().any(|pair| pair.iter().all(has));
    let images = images_in(&arrays, reading.array.as_deref()).ok_or_else(|| {
        if has_statistics || arrays.iter().any(Array::is_of_statistics) {
            return DataSetError::StatisticsFile { path: path.to_owned() };
        }
        let arrays = arrays.iter().map(Array::described).collect::<Vec<_>>().join(", ");
        DataSetError::NoArray { path: path.to_owned(), arrays }
    })?;
    let classes = classes_in(&arrays, images, &file);
    let (name, range) = (Some(images.name), reading.pixel_range);
    let opened = match images.entry.storage {
        Storage::Plain { bytes, crc } => {
            let (end, offset) = (file.metadata().map_err(failure)?.len(), images.entry.offset);
            let length = bytes.min(end.saturating_sub(offset));
            let array = npy::open(path, name, Segment { file, offset, length }, range)?;
            match crc {
                Some(crc) => array.with_sum(Sum { offset, length: bytes, crc }),
                None => array,
            }
        }
        Storage::Deflated { packed, bytes, crc } => {
            let mut reader = &file;
            reader.seek(SeekFrom::Start(images.entry.offset)).map_err(failure)?;
            let packed = Watched::new(reader.take(packed), interrupt);
            let mut content = CrcReader::new(DeflateDecoder::new(packed).take(bytes));
            let inflated = spill(path, "Deflate", &mut content)?;
            check_sum(path, name, content.crc(), crc)?;
            let length = inflated.metadata().map_err(failure)?.len();
            npy::open(path, name, Segment { file: inflated, offset: 0, length }, range)?
        }
    };
    let classes = classes.of_as_many(opened.len());
    // Whoever names the array of the images has looked at the others.
    let is_asked_for = reading.array.as_deref() == Some(images.name);
    Ok(opened.with_classes(classes).beside_statistics(has_statistics && !is_asked_for))
}

/// The array that holds the images.
fn images_in<'a, 'b>(arrays: &'a [Array<'b>], asked: Option<&str>) -> Option<&'a Array<'b>> {
    let named = |name: &str| arrays.iter().find(|array| array.name == name);
    if let Some(asked) = asked.and_then(named) {
        return Some(asked);
    }
    if let Some(known) = IMAGES.into_iter().filter_map(named).find(|array| array.may_be_images()) {
        return Some(known);
    }
    let mut candidates = arrays.iter().filter(|array| array.may_be_images() && !array.is_of_statistics());
    match (candidates.next(), candidates.next(), arrays) {
        (Some(only), None, _) => Some(only),
        // What is wrong with it is said when it is opened.
        (None, _, [only]) if !only.is_of_statistics() => Some(only),
        (None, ..) => named(IMAGES[0]).filter(|_| STATISTICS.iter().flatten().all(|name| named(name).is_none())),
        _ => None,
    }
}

/// The class of each image, where an array of a name for classes tells them.
fn classes_in(arrays: &[Array<'_>], images: &Array<'_>, file: &File) -> Classes {
    let mut others = arrays.iter().filter(|array| array.name != images.name);
    let Some(array) = others.find(|array| LABELS.contains(&array.name)) else { return Classes::default() };
    match labels_of(array, file) {
        Some(labels) => Classes { labels: Some(labels), untold: None },
        None => {
            let untold = format!("its array {} is not of whole numbers or rows, one for each image", array.described());
            Classes { labels: None, untold: Some(untold) }
        }
    }
}

/// Whole numbers, or a row for each image whose largest value is the class.
fn labels_of(labels: &Array<'_>, file: &File) -> Option<Vec<String>> {
    let header = labels.header.as_ref()?;
    let number = header.number().filter(|_| matches!(header.axes(1).len(), 1 | 2))?;
    let content = labels.entry.content(file, labels.name).ok()?;
    let values: ArrayD<f64> = number.read(header, &content[header.start..], |value| value).ok()?;
    let rows = values.axis_iter(Axis(0));
    let class = |row: ndarray::ArrayViewD<'_, f64>| match row.len() {
        1 => row.iter().next().filter(|value| value.fract() == 0.0).map(|value| format!("{value}")),
        _ => Some(classes::largest(row.iter().copied())?.to_string()),
    };
    rows.map(class).collect()
}
