//! Parquet files of images, as Hugging Face writes data sets: a column of structures with the encoded file in `bytes`, and where there are
//! any, a column `label` of whole numbers or strings.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use parquet::basic::Type;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{ByteArrayType, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::types::SchemaDescriptor;

use super::archive::{Archive, Entry, Storage};
use super::classes::Classes;
use super::error::DataSetError;
use super::parquet_labels::{LabelColumn, Labels};
use crate::foreign;
use crate::interrupt::Interrupt;
use crate::output::spare_bytes;

/// What a file begins and ends with.
pub(super) const MAGIC: &[u8] = b"PAR1";

/// Rows that are read at once.
const ROWS: usize = 64;

/// How many times the length of a file its images may take: more than any compression of encoded images gains. A dictionary lets a
/// few bytes stand for any number of copies of an image.
const MOST_INFLATION: u64 = 1000;

/// What a row takes at least: the memory that an image is known by.
const LEAST_ROW: u64 = 64;

/// Columns of a file: places among the leaves of its schema.
struct Columns {
    /// Encoded images.
    bytes: usize,
    /// What they were called.
    path: Option<usize>,
    /// Their classes.
    label: Result<LabelColumn, String>,
}

/// The images of a file in the order of its rows, unpacked into a temporary file: pages are compressed and cannot be read by offset.
///
/// # Errors
/// [`DataSetError`] when the file is damaged, compressed in a way that is not read, has no column of images or several, or there is no room.
pub(super) fn open(path: &Path, file: File, interrupt: &Interrupt) -> Result<Archive, DataSetError> {
    // The crate finds some damage by assertions.
    foreign::shielded(|| unpack(path, file, interrupt)).unwrap_or_else(|reason| {
        Err(DataSetError::CorruptArchive { path: path.to_owned(), reason: format!("its pages are damaged ({reason})") })
    })
}

fn unpack(path: &Path, file: File, interrupt: &Interrupt) -> Result<Archive, DataSetError> {
    let corrupt = |reason: String| DataSetError::CorruptArchive { path: path.to_owned(), reason };
    let damaged = |error: ParquetError| match error {
        // The feature that the crate would need to be built with is nothing that its users could choose.
        ParquetError::General(reason) if reason.contains("Disabled feature at compile time") => {
            let compression = reason.rsplit(' ').next().unwrap_or_default().to_owned();
            DataSetError::UnsupportedPages { path: path.to_owned(), compression }
        }
        error => corrupt(error.to_string()),
    };
    let length = file.metadata().map_err(|source| DataSetError::Io { path: path.to_owned(), source })?.len();
    let reader = SerializedFileReader::new(file).map_err(damaged)?;
    let metadata = reader.metadata().file_metadata();
    let columns = columns(path, metadata.schema_descr(), &class_names(metadata.key_value_metadata()))?;
    let mut unpacked = Unpacked::new(path, length)?;
    let mut classes = match &columns.label {
        Ok(_) => Ok(Vec::new()),
        Err(reason) => Err(reason.clone()),
    };
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(damaged)?;
        let rows = usize::try_from(group.metadata().num_rows())
            .map_err(|_| corrupt("it has a negative number of rows".into()))?;
        let mut bytes = Column::<ByteArrayType>::open(&*group, columns.bytes).map_err(damaged)?;
        let mut paths =
            columns.path.map(|column| Column::<ByteArrayType>::open(&*group, column)).transpose().map_err(damaged)?;
        let labels = columns.label.as_ref().ok().filter(|_| classes.is_ok());
        let mut labels = labels.map(|column| Labels::open(&*group, column)).transpose().map_err(damaged)?;
        let mut done = 0;
        while done < rows {
            if interrupt.is_requested() {
                return Err(DataSetError::Interrupted { path: path.to_owned() });
            }
            let count = ROWS.min(rows - done);
            let images = bytes.next(count).map_err(damaged)?;
            let names = paths.as_mut().map(|paths| paths.next(count)).transpose().map_err(damaged)?;
            let told = labels.as_mut().map(|labels| labels.next(count)).transpose().map_err(damaged)?;
            if images.len() != count {
                return Err(corrupt(format!("its column of images has fewer than {rows} rows")));
            }
            let before = unpacked.entries.len();
            for (at, image) in images.into_iter().enumerate() {
                let row = unpacked.entries.len();
                let called =
                    names.as_ref().and_then(|names| names.get(at)?.as_ref()?.as_utf8().ok().map(str::to_owned));
                let name = called.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("row {row}"));
                // A row without an image is one that cannot be decoded.
                unpacked.add(name, image.as_ref().map_or(&[], |image| image.data()))?;
            }
            if let (Ok(all), Some(told)) = (&mut classes, told) {
                let known = told.iter().take_while(|class| class.is_some()).count();
                all.extend(told.into_iter().flatten());
                if known < count {
                    // Those of the other rows are of no use.
                    labels = None;
                    classes = Err(format!("its column `label` has no value in row {}", before + known));
                }
            }
            done += count;
        }
    }
    if unpacked.entries.is_empty() {
        return Err(corrupt("it has no rows".into()));
    }
    let classes = match classes {
        Ok(labels) => Classes { labels: Some(labels), untold: None },
        Err(reason) => Classes { labels: None, untold: Some(reason) },
    };
    Ok(Archive::in_order(unpacked.file, unpacked.entries, classes))
}

/// The values of a column in a group of rows.
pub(super) struct Column<T: DataType> {
    reader: ColumnReaderImpl<T>,
    /// Level at which a value is there.
    level: i16,
}

impl<T: DataType> Column<T> {
    pub(super) fn open(group: &dyn RowGroupReader, column: usize) -> Result<Self, ParquetError> {
        let level = group.metadata().column(column).column_descr().max_def_level();
        match T::get_column_reader(group.get_column_reader(column)?) {
            Some(reader) => Ok(Self { reader, level }),
            None => Err(ParquetError::General("a column has values of another type than the schema says".into())),
        }
    }

    /// The next rows: fewer at the end, `None` where a row has no value.
    pub(super) fn next(&mut self, count: usize) -> Result<Vec<Option<T::T>>, ParquetError> {
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let mut rows = 0;
        while rows < count {
            let (read, ..) = self.reader.read_records(count - rows, Some(&mut levels), None, &mut values)?;
            if read == 0 {
                break;
            }
            rows += read;
        }
        if self.level == 0 {
            return Ok(values.into_iter().map(Some).collect());
        }
        let mut values = values.into_iter();
        Ok(levels.into_iter().map(|level| if level == self.level { values.next() } else { None }).collect())
    }
}

/// Finds the images among the columns.
fn columns(path: &Path, schema: &SchemaDescriptor, classes: &[(String, Vec<String>)]) -> Result<Columns, DataSetError> {
    let parts = |column: usize| schema.column(column).path().parts().to_vec();
    let all: Vec<usize> = (0..schema.num_columns()).collect();
    let is_repeated = |column: usize| schema.column(column).max_rep_level() > 0;
    let of_type = |column: usize, of: Type| schema.column(column).physical_type() == of && !is_repeated(column);
    let images: Vec<usize> = all
        .iter()
        .copied()
        .filter(|&column| {
            let parts = parts(column);
            parts.len() == 2 && parts[1] == "bytes" && of_type(column, Type::BYTE_ARRAY)
        })
        .collect();
    let called = |column: usize| parts(column)[0].clone();
    let names = || images.iter().map(|&column| called(column)).collect::<Vec<_>>();
    let bytes = match images.as_slice() {
        [one] => *one,
        // What data sets with several, such as pairs of images, call the one that they are about.
        several => *several.iter().find(|&&column| called(column) == "image").ok_or_else(|| DataSetError::Columns {
            path: path.to_owned(),
            images: names(),
            columns: all.iter().map(|&column| parts(column).join(".")).collect(),
        })?,
    };
    let beside = [called(bytes), "path".to_owned()];
    let path = all.iter().copied().find(|&column| parts(column) == beside && of_type(column, Type::BYTE_ARRAY));
    let names = classes.iter().find(|(name, _)| name == "label").map(|(_, names)| names.clone());
    Ok(Columns { bytes, path, label: LabelColumn::find(schema, names.unwrap_or_default()) })
}

/// The names of classes, by the column that they are of, as Hugging Face keeps them beside the schema.
fn class_names(metadata: Option<&Vec<parquet::file::metadata::KeyValue>>) -> Vec<(String, Vec<String>)> {
    let kept = metadata.into_iter().flatten().find(|entry| entry.key == "huggingface");
    let json = kept.and_then(|entry| serde_json::from_str::<serde_json::Value>(entry.value.as_deref()?).ok());
    let features = json.as_ref().and_then(|json| json.get("info")?.get("features")?.as_object());
    let names = |feature: &serde_json::Value| -> Option<Vec<String>> {
        feature.get("names")?.as_array()?.iter().map(|name| Some(name.as_str()?.to_owned())).collect()
    };
    features.into_iter().flatten().filter_map(|(column, feature)| Some((column.clone(), names(feature)?))).collect()
}

/// Images in a temporary file.
struct Unpacked<'a> {
    path: &'a Path,
    file: File,
    entries: Vec<Entry>,
    written: u64,
    /// Bytes that may be written for want of room.
    bound: u64,
    /// Bytes that rows take, and may take.
    taken: u64,
    most: u64,
}

impl<'a> Unpacked<'a> {
    /// Of a file of some length.
    fn new(path: &'a Path, length: u64) -> Result<Self, DataSetError> {
        let folder = std::env::temp_dir();
        let failure = |source| DataSetError::TemporaryFile { path: path.to_owned(), folder: folder.clone(), source };
        let bound = spare_bytes(&folder).map_err(failure)?;
        let file = tempfile::tempfile().map_err(failure)?;
        let most = length.saturating_mul(MOST_INFLATION);
        Ok(Self { path, file, entries: Vec::new(), written: 0, bound, taken: 0, most })
    }

    fn add(&mut self, name: String, image: &[u8]) -> Result<(), DataSetError> {
        let folder = std::env::temp_dir;
        let (path, bytes) = (self.path.to_owned(), image.len() as u64);
        self.taken += LEAST_ROW.max(bytes + name.len() as u64);
        if self.taken > self.most {
            let reason = format!(
                "its rows stand for more than {} bytes, {MOST_INFLATION} times its length: they repeat an image again and again",
                self.most
            );
            return Err(DataSetError::CorruptArchive { path, reason });
        }
        if self.written + bytes > self.bound {
            return Err(DataSetError::Inflated { path, folder: folder(), bound: self.bound });
        }
        let failure = |source: io::Error| DataSetError::TemporaryFile { path, folder: folder(), source };
        self.file.write_all(image).map_err(failure)?;
        self.entries.push(Entry { name, offset: self.written, storage: Storage::Plain { bytes, crc: None } });
        self.written += bytes;
        Ok(())
    }
}
