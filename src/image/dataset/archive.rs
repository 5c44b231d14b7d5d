//! Archives of encoded files: an index made once, and reads by offset.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::classes::{self, Classes};
use super::error::{DataSetError, ImageError};
use super::positioned::{read_exact_at, read_head_at};
use super::source::{Kept, Source};
use super::survey::{Others, hidden};
use super::within_bounds;
use crate::image::decode::SNIFF_LEN;
use crate::interrupt::Interrupt;

/// Where an entry lies in its archive, and how.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) offset: u64,
    pub(super) storage: Storage,
}

/// How the bytes of an entry are kept.
#[derive(Debug, Clone, Copy)]
pub(super) enum Storage {
    /// As they are.
    Plain {
        /// Number of bytes.
        bytes: u64,
        /// CRC-32, where the archive has one.
        crc: Option<u32>,
    },
    /// Deflated.
    Deflated {
        /// Number of bytes in the archive.
        packed: u64,
        /// Number of bytes of the entry.
        bytes: u64,
        /// CRC-32 of the entry.
        crc: u32,
    },
}

impl Entry {
    /// Where the entry ends in the archive.
    fn end(&self) -> Option<u64> {
        let (Storage::Plain { bytes: length, .. } | Storage::Deflated { packed: length, .. }) = self.storage;
        self.offset.checked_add(length)
    }

    /// Up to `limit` of the first bytes; fewer where the compressed data is damaged, which reading the whole entry will report.
    pub(super) fn head(&self, file: &File, limit: usize) -> std::io::Result<Vec<u8>> {
        match self.storage {
            Storage::Plain { bytes, .. } => read_head_at(file, limit.min(bytes as usize), self.offset),
            Storage::Deflated { packed, .. } => {
                // Huffman tables precede the first symbol and take less than this.
                const TABLES: u64 = 1024;
                let packed = read_head_at(file, packed.min(TABLES + limit as u64) as usize, self.offset)?;
                let mut head = vec![];
                let mut inflated = DeflateDecoder::new(packed.as_slice()).take(limit as u64);
                // An error keeps what was inflated before it.
                inflated.read_to_end(&mut head).ok();
                Ok(head)
            }
        }
    }

    /// All of it, held against its sum; `image` is what it is called in messages.
    pub(super) fn content(&self, file: &File, image: &str) -> Result<Vec<u8>, ImageError> {
        let failure = |source| ImageError::Read { image: image.to_owned(), source };
        let damaged = |reason: String| ImageError::Damaged { image: image.to_owned(), reason };
        let (bytes, crc) = match self.storage {
            Storage::Plain { bytes, crc } => {
                let mut content = vec![0; within_bounds(bytes, image)?];
                read_exact_at(file, &mut content, self.offset).map_err(failure)?;
                (content, crc)
            }
            Storage::Deflated { packed, bytes, crc } => {
                let mut deflated = vec![0; within_bounds(packed, image)?];
                read_exact_at(file, &mut deflated, self.offset).map_err(failure)?;
                within_bounds(bytes, image)?;
                let mut content = vec![];
                // One byte more than announced is enough to notice a lie.
                let mut inflated = DeflateDecoder::new(deflated.as_slice()).take(bytes + 1);
                inflated.read_to_end(&mut content).map_err(|error| damaged(error.to_string()))?;
                if content.len() as u64 != bytes {
                    return Err(damaged(format!(
                        "it does not inflate to the {bytes} bytes that the archive announces"
                    )));
                }
                (content, Some(crc))
            }
        };
        if let Some(expected) = crc {
            let mut computed = Crc::new();
            computed.update(&bytes);
            if computed.sum() != expected {
                return Err(damaged(format!("its CRC-32 is {:08x}, the archive says {expected:08x}", computed.sum())));
            }
        }
        Ok(bytes)
    }
}

/// The images in an archive, sorted by name.
#[derive(Debug)]
pub(super) struct Archive {
    file: File,
    entries: Vec<Entry>,
    others: Others,
    classes: Classes,
}

impl Archive {
    /// Keeps the entries that are images.
    pub(super) fn new(path: &Path, file: File, all: Vec<Entry>, interrupt: &Interrupt) -> Result<Self, DataSetError> {
        let failure = |source| DataSetError::Io { path: path.to_owned(), source };
        let length = file.metadata().map_err(failure)?.len();
        let mut others = Others::default();
        let (mut entries, mut of_classes) = (vec![], vec![]);
        for entry in all.into_iter().filter(|entry| !hidden(&entry.name)) {
            if interrupt.is_requested() {
                return Err(DataSetError::Interrupted { path: path.to_owned() });
            }
            if entry.end().is_none_or(|end| end > length) {
                let reason = format!("it ends before its entry `{}` does", entry.name);
                return Err(DataSetError::CorruptArchive { path: path.to_owned(), reason });
            }
            if others.admits(&entry.name, &entry.head(&file, SNIFF_LEN).map_err(failure)?) {
                entries.push(entry);
            } else if classes::is_file(&entry.name) {
                of_classes.push((entry.name.clone(), entry));
            }
        }
        if entries.is_empty() {
            return Err(DataSetError::NoImages { path: path.to_owned(), others });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let names: Vec<&str> = entries.iter().map(|entry| &*entry.name).collect();
        let classes = Classes::of_files(path, of_classes, &names, |name, entry| {
            let damaged =
                |error: ImageError| DataSetError::CorruptArchive { path: path.to_owned(), reason: error.to_string() };
            entry.content(&file, name).map_err(damaged)
        })?;
        Ok(Self { file, entries, others, classes })
    }

    /// Images in the order that they are kept in, with what is told of their classes.
    pub(super) fn in_order(file: File, entries: Vec<Entry>, classes: Classes) -> Self {
        Self { file, entries, others: Others::default(), classes }
    }
}

impl Source for Archive {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn name(&self, _: &Path, index: usize) -> Cow<'_, str> {
        self.entries[index].name.as_str().into()
    }

    fn read(&self, index: usize, image: &str) -> Result<Kept, ImageError> {
        Ok(Kept::Encoded(self.entries[index].content(&self.file, image)?))
    }

    fn labels(&self) -> Option<&[String]> {
        self.classes.labels.as_deref()
    }

    fn untold_classes(&self) -> Option<&str> {
        self.classes.untold.as_deref()
    }

    fn passed_over(&self) -> BTreeMap<String, u64> {
        self.others.images().clone()
    }
}
