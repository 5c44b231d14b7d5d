//! Archives of NumPy arrays: what statistics files, feature files and parts of sets have in common.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use ndarray::{Array, Array1, Array2, ArrayBase, ArrayD, Data, Dimension, Ix2, IxDyn};
use ndarray_npy::{NpzWriter, WritableElement, WriteNpzError};
use zip::ZipArchive;

use super::fault::Fault;
use crate::numpy::{self, Header};
use crate::regular;

/// An array of an archive, as far as its header tells.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// Its name.
    pub name: String,
    /// Whether it is a `.npy` file.
    is_array: bool,
    /// What its header says; `None` where it has none.
    pub header: Option<Header>,
    /// Its place in the archive.
    index: usize,
}

impl Listed {
    /// Whether its values are floating-point numbers, one row of them an image: two axes, and any of length 1 behind them.
    pub fn is_float_matrix(&self) -> bool {
        self.header.as_ref().is_some_and(|header| header.is_float() && header.axes(2).len() == 2)
    }
}

/// An archive that is read. Whatever is read of it is held against its CRC-32.
pub(crate) struct ArrayArchive<R: Read + Seek> {
    zip: ZipArchive<R>,
    arrays: Vec<Listed>,
}

impl ArrayArchive<BufReader<File>> {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        Self::new(BufReader::new(regular::open(path)?))
    }

    /// The arrays of a file; none for anything that is not an archive, unreadable files included.
    pub fn listed_in(path: &Path) -> Vec<Listed> {
        let file = regular::open(path).ok().filter(begins_an_archive);
        let arrays = file.and_then(|file| {
            let mut zip = ZipArchive::new(BufReader::new(file)).ok()?;
            list(&mut zip).map(|entries| entries.into_iter().map(|(listed, _)| listed).collect::<Vec<_>>()).ok()
        });
        // An array among other files, such as images, is not what the archive is of.
        arrays.filter(|arrays| arrays.iter().all(|listed| listed.is_array)).unwrap_or_default()
    }

    /// The names of the arrays of a file, as [`Self::listed_in`], of which no array is looked at.
    pub fn names_in(path: &Path) -> Vec<String> {
        let file = regular::open(path).ok().filter(begins_an_archive);
        let zip = file.and_then(|file| ZipArchive::new(BufReader::new(file)).ok());
        zip.map_or(Vec::new(), |zip| zip.file_names().map(array_name).collect())
    }
}

/// What an array is called whose entry has this name.
fn array_name(entry: &str) -> String {
    entry.trim_end_matches(".npy").to_owned()
}

/// The arrays of an archive, each with the length of its file.
fn list<R: Read + Seek>(zip: &mut ZipArchive<R>) -> Result<Vec<(Listed, u64)>, Fault> {
    let mut arrays = Vec::with_capacity(zip.len());
    for index in 0..zip.len() {
        // An archive of a million images is no reason to look into each.
        if let Some(name) = zip.name_for_index(index).filter(|name| !name.ends_with(".npy")) {
            arrays.push((Listed { name: name.to_owned(), is_array: false, header: None, index }, 0));
            continue;
        }
        let entry = zip.by_index(index).map_err(|error| Fault::of(&error))?;
        let (name, length) = (array_name(entry.name()), entry.size());
        let mut head = Vec::new();
        // What is damaged is said when it is read; an array that nobody reads does not matter.
        let _ = entry.take(HEAD).read_to_end(&mut head);
        arrays.push((Listed { name, is_array: true, header: Header::of(&head), index }, length));
    }
    Ok(arrays)
}

impl<R: Read + Seek> ArrayArchive<R> {
    /// Reads the list of arrays. An archive of which an array is said to be longer than its entry is refused, before anybody
    /// takes memory for it.
    pub fn new(reader: R) -> Result<Self, Fault> {
        let mut zip = ZipArchive::new(reader).map_err(|error| Fault::of(&error))?;
        let mut arrays = Vec::new();
        for (array, length) in list(&mut zip)? {
            let checked = array.header.as_ref().map_or(Ok(()), |header| check_length(header, length));
            checked.map_err(within(&array.name))?;
            arrays.push(array);
        }
        Ok(Self { zip, arrays })
    }

    /// The arrays.
    pub fn arrays(&self) -> &[Listed] {
        &self.arrays
    }

    /// The names of the arrays.
    pub fn names(&self) -> Vec<String> {
        self.arrays.iter().map(|array| array.name.clone()).collect()
    }

    /// Whether there is an array of this name.
    pub fn has(&self, name: &str) -> bool {
        self.arrays.iter().any(|array| array.name == name)
    }

    /// An array of numbers, as f64; `None` when there is none of this name.
    pub fn doubles<D: Dimension>(&mut self, name: &str) -> Result<Option<Array<f64, D>>, Fault> {
        let Some(values) = self.numbers(name, |value| value)? else { return Ok(None) };
        of_rank(values).map(Some).map_err(within(name))
    }

    /// A matrix of numbers, rounded to f32, without axes of length 1 behind its two; `None` when there is none of this name.
    pub fn matrix(&mut self, name: &str) -> Result<Option<Array2<f32>>, Fault> {
        let Some(values) = self.numbers(name, |value| value as f32)? else { return Ok(None) };
        of_rank::<_, Ix2>(without_ones_behind(values, 2)).map(Some).map_err(within(name))
    }

    /// A mean, as f64: one axis, or a row or a column of a matrix; `None` when there is none of this name.
    pub fn vector(&mut self, name: &str) -> Result<Option<Array1<f64>>, Fault> {
        let Some(values) = self.numbers(name, |value| value)? else { return Ok(None) };
        vector_of(values).map(Some).map_err(within(name))
    }

    /// A text, kept as bytes; `None` when there is none of this name.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        let Some(bytes) = self.numbers(name, |value| value as u8)? else { return Ok(None) };
        let text = String::from_utf8(bytes.iter().copied().collect());
        text.map(Some).map_err(|_| Fault::Malformed(format!("array `{name}` is not text")))
    }

    /// Whether there is an array of bytes of this name, as texts of this crate are.
    pub fn is_bytes(&self, name: &str) -> bool {
        let header = self.arrays.iter().find(|array| array.name == name).and_then(|array| array.header.as_ref());
        header.is_some_and(|header| header.shape.len() == 1 && header.number().is_some_and(numpy::Number::is_byte))
    }

    /// Strings as NumPy has them; `None` when there is no array of this name, or it holds something else.
    pub fn strings(&mut self, name: &str) -> Result<Option<Vec<String>>, Fault> {
        let Some(array) = self.arrays.iter().find(|array| array.name == name) else { return Ok(None) };
        if !array.header.as_ref().is_some_and(Header::is_text) {
            return Ok(None);
        }
        Ok(self.read(name, |header, reader| numpy::texts(header, reader))?.flatten())
    }

    /// The numbers of an array, each as `convert` has it.
    fn numbers<T>(&mut self, name: &str, convert: impl Fn(f64) -> T) -> Result<Option<ArrayD<T>>, Fault> {
        self.read(name, |header, reader| match header.number() {
            Some(number) => number.read(header, reader, convert),
            None if header.is_pickled() => {
                Err(io::Error::other("it holds pickled Python objects, which are never run"))
            }
            None => Err(io::Error::other(format!("it holds values of type `{}`, not real numbers", header.dtype))),
        })
    }

    /// What `read` makes of an array that is there, read to its end and held against its CRC-32.
    fn read<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Header, &mut dyn Read) -> io::Result<T>,
    ) -> Result<Option<T>, Fault> {
        let Some(Listed { header, index, .. }) = self.arrays.iter().find(|array| array.name == name) else {
            return Ok(None);
        };
        let fault = |reason: &str| within(name)(reason.to_owned().into());
        let header = header.as_ref().ok_or_else(|| fault("it has no header of NumPy"))?;
        let mut entry = self.zip.by_index(*index).map_err(|error| of_array(name, &error))?;
        io::copy(&mut entry.by_ref().take(header.start as u64), &mut io::sink())
            .map_err(|error| of_array(name, &error))?;
        let found = read(header, &mut entry).map_err(|error| of_array(name, &error))?;
        // The sum is compared at the end of the entry.
        match entry.read(&mut [0]).map_err(|error| of_array(name, &error))? {
            0 => Ok(Some(found)),
            _ => Err(fault("it has more bytes than its header announces")),
        }
    }
}

/// Says of a fault which array it is in.
fn within(name: &str) -> impl Fn(Fault) -> Fault + '_ {
    move |fault| fault.within(&format!("array `{name}`"))
}

/// A mean: one axis, or a row or a column of a matrix.
pub(super) fn vector_of(values: ArrayD<f64>) -> Result<Array1<f64>, Fault> {
    match values.shape().iter().filter(|&&axis| axis != 1).count() {
        0 | 1 => Ok(values.iter().copied().collect()),
        _ => of_rank(values),
    }
}

/// An array with so many axes.
pub(super) fn of_rank<T, D: Dimension>(values: ArrayD<T>) -> Result<Array<T, D>, Fault> {
    let shape = values.shape().to_vec();
    let expected = D::NDIM.unwrap_or_default();
    let fault = |_| Fault::from(format!("it has shape {shape:?}: expected {expected} axes"));
    // The algorithms want rows that lie one behind the other.
    values.into_dimensionality().map_err(fault).map(|values: Array<T, D>| match values.is_standard_layout() {
        true => values,
        false => {
            let shape = values.raw_dim();
            let rows = values.into_iter().collect();
            Array::from_shape_vec(shape, rows).expect("as many values as before")
        }
    })
}

/// An array without the axes of length 1 behind the first so many.
pub(super) fn without_ones_behind<T>(values: ArrayD<T>, least: usize) -> ArrayD<T> {
    let mut shape = values.shape().to_vec();
    while shape.len() > least && shape.last() == Some(&1) {
        shape.pop();
    }
    match shape.len() == values.ndim() {
        true => values,
        // In its logical order, whatever the one in memory.
        false => ArrayD::from_shape_vec(IxDyn(&shape), values.into_iter().collect()).expect("axes of length 1"),
    }
}

/// So much of a `.npy` file has its header: NumPy writes some hundred bytes.
pub(crate) const HEAD: u64 = 4096;

/// Refuses a `.npy` file that is shorter than its header says.
pub(crate) fn check_length(header: &Header, length: u64) -> Result<(), Fault> {
    match header.bytes() {
        Some(announced) if announced > u128::from(length) && !header.is_pickled() => {
            Err(format!("its header announces {announced} bytes of numbers, but there are {length} bytes").into())
        }
        _ => Ok(()),
    }
}

fn of_array(name: &str, error: &(dyn std::error::Error + 'static)) -> Fault {
    within(name)(Fault::of(error))
}

/// Whether a file begins as an archive does, and leaves it at its beginning. What does not would be searched for the end of
/// one from its last byte to its first.
fn begins_an_archive(mut file: &File) -> bool {
    let mut head = [0; 4];
    file.read_exact(&mut head).is_ok() && &head == b"PK\x03\x04" && file.rewind().is_ok()
}

/// An archive that is written.
pub(crate) struct ArrayArchiveWriter<W: Write + Seek>(NpzWriter<W>);

impl<W: Write + Seek> ArrayArchiveWriter<W> {
    /// Nothing is compressed: features hardly shrink.
    pub fn new(writer: W) -> Self {
        Self(NpzWriter::new(writer))
    }

    /// What shrinks, as a covariance does, is compressed.
    pub fn compressed(writer: W) -> Self {
        Self(NpzWriter::new_compressed(writer))
    }

    /// Adds an array.
    pub fn array<A: WritableElement, S: Data<Elem = A>, D: Dimension>(
        &mut self,
        name: &str,
        array: &ArrayBase<S, D>,
    ) -> io::Result<()> {
        self.0.add_array(name, array).map_err(io_error)
    }

    /// Adds a text, as bytes.
    pub fn text(&mut self, name: &str, text: String) -> io::Result<()> {
        self.array(name, &Array1::from_vec(text.into_bytes()))
    }

    /// Completes the archive.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish().map_err(io_error)
    }
}

fn io_error(error: WriteNpzError) -> io::Error {
    io::Error::other(error)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use ndarray::array;

    use super::*;

    #[test]
    fn a_header_that_announces_more_than_there_is_is_refused() {
        let header = |shape: &[u64]| Header { dtype: "<f4".into(), fortran: false, shape: shape.to_vec(), start: 0 };
        assert!(check_length(&header(&[2, 2]), 16).is_ok());
        let Err(Fault::Malformed(reason)) = check_length(&header(&[2, 3]), 16) else { panic!("it is too short") };
        assert_eq!(reason, "its header announces 24 bytes of numbers, but there are 16 bytes");
    }

    /// An archive with a matrix of f64, and where its last number lies.
    fn archive(compressed: bool) -> Vec<u8> {
        let target = Cursor::new(Vec::new());
        let mut writer = match compressed {
            true => ArrayArchiveWriter::compressed(target),
            false => ArrayArchiveWriter::new(target),
        };
        writer.array("x", &array![[1.0, 2.0], [3.0, 4.5]].reversed_axes()).unwrap();
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_flipped_bit_is_noticed_whether_stored_or_deflated() {
        for compressed in [false, true] {
            let mut bytes = archive(compressed);
            let read = |bytes: &[u8]| ArrayArchive::new(Cursor::new(bytes))?.matrix("x");
            assert_eq!(read(&bytes).unwrap().unwrap(), array![[1.0, 3.0], [2.0, 4.5]]);
            let name = bytes.windows(5).position(|window| window == b"x.npy").unwrap();
            // The last bytes of the entry, which is followed by the central directory.
            let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
            let descriptor = bytes[..directory].windows(4).rposition(|window| window == b"PK\x07\x08");
            let end = descriptor.unwrap_or(directory);
            assert!(end > name + 20);
            bytes[end - 6] ^= 4;
            let Err(Fault::Malformed(reason)) = read(&bytes) else { panic!("it is damaged ({compressed})") };
            assert!(reason.starts_with("array `x`: "), "{reason}");
        }
    }
}
