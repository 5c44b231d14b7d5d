//! Archives of NumPy arrays: what statistics files, feature files and parts of sets have in common.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use ndarray::{Array, Array1, Array2, ArrayBase, Data, Dimension, Ix2, OwnedRepr};
use ndarray_npy::{NpzReader, NpzWriter, ReadNpyError, ReadNpzError, ReadableElement, WritableElement, WriteNpzError};

use super::fault::Fault;
use crate::regular;

/// An archive that is read.
pub(crate) struct ArrayArchive<R: Read + Seek> {
    npz: NpzReader<R>,
    names: Vec<String>,
}

impl ArrayArchive<BufReader<File>> {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        Self::new(BufReader::new(regular::open(path)?))
    }

    /// The names of the arrays of a file; none for anything that is not an archive, unreadable files included.
    pub fn names_in(path: &Path) -> Vec<String> {
        // A damaged array does not change what kind of file it is.
        let file = regular::open(path).ok().filter(begins_an_archive);
        let npz = file.and_then(|file| NpzReader::new(BufReader::new(file)).ok());
        npz.and_then(|mut npz| npz.names().ok()).unwrap_or_default()
    }
}

impl<R: Read + Seek> ArrayArchive<R> {
    /// Reads the list of arrays.
    pub fn new(mut reader: R) -> Result<Self, Fault> {
        check_sizes(&mut reader)?;
        let mut npz = NpzReader::new(reader).map_err(|error| Fault::of(&error))?;
        let names = npz.names().map_err(|error| Fault::of(&error))?;
        Ok(Self { npz, names })
    }

    /// The names of the arrays.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether there is an array of this name.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|found| found == name)
    }

    /// An array of f64, or of f32 widened to f64; `None` when there is none of this name.
    pub fn doubles<D: Dimension>(&mut self, name: &str) -> Result<Option<Array<f64, D>>, Fault> {
        self.either(name, |values: Array<f32, D>| values.mapv(f64::from))
    }

    /// A matrix of f32, or of f64 rounded to f32; `None` when there is none of this name.
    pub fn matrix(&mut self, name: &str) -> Result<Option<Array2<f32>>, Fault> {
        self.either::<f32, f64, Ix2>(name, |values| values.mapv(|value| value as f32))
    }

    /// A text, kept as bytes; `None` when there is none of this name.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        if !self.has(name) {
            return Ok(None);
        }
        let bytes: Array1<u8> = self.npz.by_name(name).map_err(|error| of_array(name, &error))?;
        let text = String::from_utf8(bytes.to_vec());
        text.map(Some).map_err(|_| Fault::Malformed(format!("array `{name}` is not text")))
    }

    /// An array of `A`, or what `convert` makes of one of `B`.
    fn either<A: ReadableElement, B: ReadableElement, D: Dimension>(
        &mut self,
        name: &str,
        convert: impl Fn(Array<B, D>) -> Array<A, D>,
    ) -> Result<Option<Array<A, D>>, Fault> {
        if !self.has(name) {
            return Ok(None);
        }
        let found = match self.npz.by_name::<OwnedRepr<A>, D>(name) {
            Err(ReadNpzError::Npy(ReadNpyError::WrongDescriptor(_))) => {
                self.npz.by_name::<OwnedRepr<B>, D>(name).map(convert)
            }
            found => found,
        };
        found.map(Some).map_err(|error| of_array(name, &error))
    }
}

/// Refuses an archive of which an array is said to be longer than its entry, before anybody takes memory for it.
fn check_sizes<R: Read + Seek>(reader: &mut R) -> Result<(), Fault> {
    reader.rewind()?;
    let mut archive = zip::ZipArchive::new(&mut *reader).map_err(|error| Fault::of(&error))?;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| Fault::of(&error))?;
        let (name, length) = (entry.name().trim_end_matches(".npy").to_owned(), entry.size());
        let mut head = Vec::new();
        entry.take(HEAD).read_to_end(&mut head).map_err(|error| of_array(&name, &error))?;
        check_npy(&head, length).map_err(|fault| fault.within(&format!("array `{name}`")))?;
    }
    reader.rewind()?;
    Ok(())
}

/// So much of a `.npy` file has its header: NumPy writes some hundred bytes.
pub(crate) const HEAD: u64 = 4096;

/// Refuses a `.npy` file that is shorter than its header says; `head` is how it begins. What is wrong with the header says whoever
/// reads it.
pub(crate) fn check_npy(head: &[u8], length: u64) -> Result<(), Fault> {
    let Some(announced) = announced_bytes(head) else { return Ok(()) };
    match announced > u128::from(length) {
        true => Err(format!("its header announces {announced} bytes of numbers, but there are {length} bytes").into()),
        false => Ok(()),
    }
}

/// How many bytes the numbers of a `.npy` file take by its header, if that can be read.
fn announced_bytes(head: &[u8]) -> Option<u128> {
    let dictionary = String::from_utf8_lossy(head.strip_prefix(b"\x93NUMPY")?);
    let value = |key: &str| Some(dictionary.split_once(key)?.1.trim_start_matches([' ', ':']));
    let descriptor = value("'descr'")?.strip_prefix('\'')?.split_once('\'')?.0;
    let bytes: u128 = descriptor.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok()?;
    let shape = value("'shape'")?.strip_prefix('(')?.split_once(')')?.0;
    let extents = shape.split(',').map(str::trim).filter(|extent| !extent.is_empty());
    extents
        .map(|extent| extent.trim_end_matches('L').parse::<u64>().ok())
        .try_fold(bytes, |product, extent| product.checked_mul(u128::from(extent?)).or(Some(u128::MAX)))
}

fn of_array(name: &str, error: &(dyn std::error::Error + 'static)) -> Fault {
    Fault::of(error).within(&format!("array `{name}`"))
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
    use super::*;

    #[test]
    fn a_header_that_announces_more_than_there_is_is_refused() {
        let header = |descriptor: &str, shape: &str| {
            let text = format!("\x01\0v\0{{'descr': '{descriptor}', 'fortran_order': False, 'shape': {shape}, }}");
            [&b"\x93NUMPY"[..], text.as_bytes()].concat()
        };
        assert_eq!(announced_bytes(&header("<f4", "(67, 1000000000000)")), Some(268_000_000_000_000));
        assert_eq!(announced_bytes(&header("|u1", "(5,)")), Some(5));
        assert_eq!(announced_bytes(&header("<f8", "()")), Some(8));
        assert_eq!(
            announced_bytes(&header("<f4", "(18446744073709551615, 18446744073709551615, 9, 9)")),
            Some(u128::MAX)
        );
        assert_eq!(announced_bytes(b"PK\x03\x04"), None);
        assert!(check_npy(&header("<f4", "(2, 2)"), 16).is_ok());
        let Err(Fault::Malformed(reason)) = check_npy(&header("<f4", "(2, 3)"), 16) else { panic!("it is too short") };
        assert_eq!(reason, "its header announces 24 bytes of numbers, but there are 16 bytes");
    }
}
