//! NumPy's archive of arrays: a zip archive in which every entry is an npy file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::DeflateDecoder;

use super::archive::{Entry, Storage};
use super::array::{PixelArray, Segment};
use super::error::DataSetError;
use super::npy;
use super::spill::spill;
use super::watched::Watched;
use crate::interrupt::Interrupt;

/// Whether the entries of a zip archive are arrays.
pub(super) fn recognise(entries: &[Entry]) -> bool {
    !entries.is_empty() && entries.iter().all(|entry| entry.name.ends_with(".npy"))
}

/// Opens the array of the images: `arr_0`, as the sample files of guided diffusion have it, or else the only one.
pub(super) fn open(
    path: &Path,
    file: File,
    entries: Vec<Entry>,
    interrupt: &Interrupt,
) -> Result<PixelArray, DataSetError> {
    let find = |name: &str| entries.iter().find(|entry| entry.name == name);
    if find("mu.npy").is_some() && find("sigma.npy").is_some() {
        return Err(DataSetError::StatisticsFile { path: path.to_owned() });
    }
    let images = match (find("arr_0.npy"), &entries[..]) {
        (Some(entry), _) | (None, [entry]) => entry,
        _ => {
            let names: Vec<&str> = entries.iter().map(|entry| entry.name.trim_end_matches(".npy")).collect();
            return Err(DataSetError::NoArray { path: path.to_owned(), arrays: names.join(", ") });
        }
    };
    let failure = |source| DataSetError::Io { path: path.to_owned(), source };
    let segment = match images.storage {
        Storage::Plain { bytes, .. } => {
            let end = file.metadata().map_err(failure)?.len();
            Segment { file, offset: images.offset, length: bytes.min(end.saturating_sub(images.offset)) }
        }
        Storage::Deflated { packed, bytes, .. } => {
            let mut reader = &file;
            reader.seek(SeekFrom::Start(images.offset)).map_err(failure)?;
            let packed = Watched::new(reader.take(packed), interrupt);
            let file = spill(path, DeflateDecoder::new(packed).take(bytes))?;
            let length = file.metadata().map_err(failure)?.len();
            Segment { file, offset: 0, length }
        }
    };
    npy::open(path, segment)
}
