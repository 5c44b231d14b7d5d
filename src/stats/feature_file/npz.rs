//! Feature files as archives of NumPy arrays. Nothing is compressed: features hardly shrink.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use ndarray::{Array1, Array2, Ix2, OwnedRepr};
use ndarray_npy::{NpzReader, NpzWriter, ReadNpyError, ReadNpzError, ReadableElement};

use super::fault::Fault;
use super::{FeatureFile, Raw};
use crate::output::OutputWriter;
use crate::regular;

type Reader = NpzReader<BufReader<File>>;

fn open(path: &Path) -> Result<(Reader, Vec<String>), Fault> {
    let mut npz = NpzReader::new(BufReader::new(regular::open(path)?)).map_err(|error| Fault::of(&error))?;
    let names = npz.names().map_err(|error| Fault::of(&error))?;
    Ok((npz, names))
}

/// Whether the archive has an array `features`.
pub(super) fn has_features(path: &Path) -> bool {
    open(path).is_ok_and(|(_, names)| names.iter().any(|name| name == "features"))
}

pub(super) fn read(path: &Path) -> Result<Raw, Fault> {
    let (mut npz, names) = open(path)?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let mut matrix = |name: &str| has(name).then(|| read_matrix(&mut npz, name)).transpose();
    let (features, logits, spatial) = (matrix("features")?, matrix("logits")?, matrix("spatial")?);
    let mut text = |name: &str| has(name).then(|| read_text(&mut npz, name)).transpose();
    Ok(Raw { features, logits, spatial, names: text("names")?, provenance: text("provenance")? })
}

pub(super) fn read_provenance(path: &Path) -> Result<String, Fault> {
    read_text(&mut open(path)?.0, "provenance")
}

/// A matrix of f32, or of f64 rounded to f32.
fn read_matrix(npz: &mut Reader, name: &str) -> Result<Array2<f32>, Fault> {
    fn read<T: ReadableElement>(npz: &mut Reader, name: &str) -> Result<Array2<T>, ReadNpzError> {
        npz.by_name::<OwnedRepr<T>, Ix2>(name)
    }
    match read::<f32>(npz, name) {
        Err(ReadNpzError::Npy(ReadNpyError::WrongDescriptor(_))) => {
            read::<f64>(npz, name).map(|values| values.mapv(|value| value as f32))
        }
        other => other,
    }
    .map_err(|error| Fault::of(&error).within(&format!("array `{name}`")))
}

fn read_text(npz: &mut Reader, name: &str) -> Result<String, Fault> {
    let read = npz.by_name(name);
    let bytes: Array1<u8> = read.map_err(|error| Fault::of(&error).within(&format!("array `{name}`")))?;
    String::from_utf8(bytes.to_vec()).map_err(|_| Fault::Malformed(format!("array `{name}` is not text")))
}

pub(super) fn write(content: &FeatureFile, file: &mut OutputWriter<'_>) -> io::Result<()> {
    let mut npz = NpzWriter::new(file);
    for (name, matrix) in content.matrices() {
        npz.add_array(name, &matrix).map_err(io::Error::other)?;
    }
    for (name, text) in content.texts() {
        npz.add_array(name, &Array1::from_vec(text.into_bytes())).map_err(io::Error::other)?;
    }
    npz.finish().map_err(io::Error::other)?;
    Ok(())
}
