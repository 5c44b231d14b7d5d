//! The index of a zip archive.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::archive::{Entry, Storage};
use super::error::DataSetError;
use super::watched::{Watched, was_stopped};
use crate::interrupt::Interrupt;

/// Every file in the archive: images or not.
pub(super) fn index(path: &Path, file: &File, interrupt: &Interrupt) -> Result<Vec<Entry>, DataSetError> {
    let failure = |error: ZipError| match error {
        ZipError::Io(source) if was_stopped(&source) => DataSetError::Interrupted { path: path.to_owned() },
        ZipError::Io(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
            DataSetError::Io { path: path.to_owned(), source }
        }
        other => DataSetError::CorruptArchive { path: path.to_owned(), reason: other.to_string() },
    };
    let mut archive = ZipArchive::new(BufReader::new(Watched::new(file, interrupt))).map_err(failure)?;
    let mut entries = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(failure)?;
        if entry.is_dir() {
            continue;
        }
        let name = entry.name().to_owned();
        if entry.encrypted() {
            return Err(DataSetError::Encrypted { path: path.to_owned(), entry: name });
        }
        let (packed, bytes, crc) = (entry.compressed_size(), entry.size(), entry.crc32());
        let storage = match entry.compression() {
            CompressionMethod::Stored => Storage::Plain { bytes: packed, crc: Some(crc) },
            CompressionMethod::Deflated => Storage::Deflated { packed, bytes, crc },
            other => {
                let feature = name_of(other);
                return Err(DataSetError::UnsupportedEntry { path: path.to_owned(), entry: name, feature });
            }
        };
        entries.push(Entry { name, offset: entry.data_start(), storage });
    }
    // Some tools of Windows write its separators, against the standard. On Unix a name may have one.
    if !entries.iter().any(|entry| entry.name.contains('/')) {
        entries.iter_mut().for_each(|entry| entry.name = entry.name.replace('\\', "/"));
    }
    Ok(entries)
}

/// What a method of compression is called.
fn name_of(method: CompressionMethod) -> String {
    match method {
        CompressionMethod::BZIP2 => "bzip2".into(),
        CompressionMethod::DEFLATE64 => "Deflate64".into(),
        CompressionMethod::LZMA => "LZMA".into(),
        CompressionMethod::PPMD => "PPMd".into(),
        CompressionMethod::XZ => "xz".into(),
        CompressionMethod::ZSTD => "Zstandard".into(),
        other => format!("{other}"),
    }
}
