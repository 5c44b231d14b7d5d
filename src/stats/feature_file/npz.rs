//! Feature files as archives of NumPy arrays. Nothing is compressed: features hardly shrink.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::Path;

use ndarray::{Array1, Array2, Ix2, OwnedRepr};
use ndarray_npy::{NpzReader, NpzWriter, ReadNpyError, ReadNpzError, ReadableElement};

use super::{FeatureFile, Raw};
use crate::regular;

type Reader = NpzReader<BufReader<File>>;

fn open(path: &Path) -> Result<(Reader, Vec<String>), String> {
    let file = regular::open(path).map_err(|error| error.to_string())?;
    let mut npz = NpzReader::new(BufReader::new(file)).map_err(|error| error.to_string())?;
    let names = npz.names().map_err(|error| error.to_string())?;
    Ok((npz, names))
}

/// Whether the archive has an array `features`.
pub(super) fn has_features(path: &Path) -> bool {
    open(path).is_ok_and(|(_, names)| names.iter().any(|name| name == "features"))
}

pub(super) fn read(path: &Path) -> Result<Raw, String> {
    let (mut npz, names) = open(path)?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let mut matrix = |name: &str| has(name).then(|| read_matrix(&mut npz, name)).transpose();
    let (features, logits, spatial) = (matrix("features")?, matrix("logits")?, matrix("spatial")?);
    let mut text = |name: &str| has(name).then(|| read_text(&mut npz, name)).transpose();
    Ok(Raw { features, logits, spatial, names: text("names")?, provenance: text("provenance")? })
}

pub(super) fn read_provenance(path: &Path) -> Result<String, String> {
    read_text(&mut open(path)?.0, "provenance")
}

/// A matrix of f32, or of f64 rounded to f32.
fn read_matrix(npz: &mut Reader, name: &str) -> Result<Array2<f32>, String> {
    fn read<T: ReadableElement>(npz: &mut Reader, name: &str) -> Result<Array2<T>, ReadNpzError> {
        npz.by_name::<OwnedRepr<T>, Ix2>(name)
    }
    match read::<f32>(npz, name) {
        Err(ReadNpzError::Npy(ReadNpyError::WrongDescriptor(_))) => {
            read::<f64>(npz, name).map(|values| values.mapv(|value| value as f32))
        }
        other => other,
    }
    .map_err(|error| format!("array `{name}`: {error}"))
}

fn read_text(npz: &mut Reader, name: &str) -> Result<String, String> {
    let bytes: Array1<u8> = npz.by_name(name).map_err(|error| format!("array `{name}`: {error}"))?;
    String::from_utf8(bytes.to_vec()).map_err(|_| format!("array `{name}` is no text"))
}

pub(super) fn write(content: &FeatureFile, file: &mut BufWriter<&File>) -> io::Result<()> {
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
