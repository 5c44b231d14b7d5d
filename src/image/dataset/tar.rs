//! The index of a tar archive.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, ErrorKind};
use std::path::Path;

use tar::Archive;

use super::archive::{Entry, Storage};
use super::error::DataSetError;
use super::survey::hidden;
use super::watched::{Watched, was_stopped};
use crate::interrupt::Interrupt;

/// What headers and contents are filled up to.
const BLOCK: u64 = 512;

/// Whether a file begins with a tar header: its checksum, which sums the header with the checksum itself blanked.
pub(super) fn recognise(head: &[u8]) -> bool {
    let Some(header) = head.get(..512) else { return false };
    let stored = std::str::from_utf8(&header[148..156]).unwrap_or_default();
    let stored = u32::from_str_radix(stored.trim_matches(['\0', ' ']), 8);
    let blank = 8 * u32::from(b' ');
    let sum: u32 = header[..148].iter().chain(&header[156..]).map(|&byte| u32::from(byte)).sum();
    stored == Ok(sum + blank)
}

/// Every regular file in the archive, images or not, and every link to one. Links to folders are passed over: what they
/// show is in the archive under its real name. A file that occurs twice counts as tar would unpack it: as its last
/// occurrence.
pub(super) fn index(path: &Path, file: &File, interrupt: &Interrupt) -> Result<Vec<Entry>, DataSetError> {
    let failure = |source: io::Error| match source.kind() {
        _ if was_stopped(&source) => DataSetError::Interrupted { path: path.to_owned() },
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other => {
            DataSetError::CorruptArchive { path: path.to_owned(), reason: source.to_string() }
        }
        _ => DataSetError::Io { path: path.to_owned(), source },
    };
    let mut files: BTreeMap<String, (u64, Storage)> = BTreeMap::new();
    let mut end = 0;
    let mut folders = BTreeSet::new();
    let mut links = vec![];
    let mut archive = Archive::new(BufReader::new(Watched::new(file, interrupt)));
    for entry in archive.entries_with_seek().map_err(failure)? {
        let entry = entry.map_err(failure)?;
        let name = normal(&String::from_utf8_lossy(&entry.path_bytes()));
        let kind = entry.header().entry_type();
        end = entry.raw_file_position() + entry.size().next_multiple_of(BLOCK);
        if kind.is_file() || kind.is_contiguous() {
            folders.extend(name.rmatch_indices('/').map(|(end, _)| name[..end].to_owned()));
            let storage = Storage::Plain { bytes: entry.size(), crc: None };
            files.insert(name, (entry.raw_file_position(), storage));
        } else if kind.is_dir() {
            folders.insert(name);
        } else if kind.is_hard_link() || kind.is_symlink() {
            let target = String::from_utf8_lossy(&entry.link_name_bytes().unwrap_or_default()).into_owned();
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            // A hard link names its target from the root of the archive, a symbolic one from its own folder.
            let inside = if kind.is_hard_link() { normal(&target) } else { normal(&format!("{folder}/{target}")) };
            links.push((name, inside, target));
        } else if kind.is_gnu_sparse() {
            let feature = "a sparse file".to_owned();
            return Err(DataSetError::UnsupportedEntry { path: path.to_owned(), entry: name, feature });
        }
    }
    // Every writer ends an archive with blocks of zeros.
    let length = file.metadata().map_err(failure)?.len();
    if !files.is_empty() && length <= end {
        let reason =
            "it ends behind an entry, without the mark of its end: it was cut, or its writer was (unpack it to go on)";
        return Err(DataSetError::CorruptArchive { path: path.to_owned(), reason: reason.into() });
    }
    // A link may lead to a link: as long as some are resolved, others may follow.
    let mut unresolved = usize::MAX;
    while links.len() < unresolved {
        unresolved = links.len();
        links.retain(|(name, inside, _)| match files.get(inside) {
            Some(&place) => {
                files.insert(name.clone(), place);
                false
            }
            None => !folders.contains(inside),
        });
    }
    match links.into_iter().find(|(name, ..)| !hidden(name)) {
        Some((entry, _, target)) => Err(DataSetError::DanglingLink { path: path.to_owned(), entry, target }),
        None => Ok(files.into_iter().map(|(name, (offset, storage))| Entry { name, offset, storage }).collect()),
    }
}

/// A path without `.`, without `..` and without a slash at either end.
fn normal(path: &str) -> String {
    let mut parts = vec![];
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normal() {
        assert_eq!(normal("./a//b/../c.png"), "a/c.png");
        assert_eq!(normal("/../x"), "x");
    }

    #[test]
    fn a_header_is_known_by_its_checksum() {
        let mut header = tar::Header::new_old();
        header.set_path("x.png").unwrap();
        header.set_size(3);
        header.set_cksum();
        assert!(recognise(header.as_bytes()));
        let mut damaged = *header.as_bytes();
        damaged[0] ^= 1;
        assert!(!recognise(&damaged));
        assert!(!recognise(&[0; 512]));
        assert!(!recognise(&header.as_bytes()[..511]));
    }
}
