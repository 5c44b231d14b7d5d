//! What files that hold sets are called. Their content says what they are; names decide which files of a folder are looked at.

use super::compression::COMPRESSIONS;

/// Extensions of files that hold sets, and whether such a file beside images may be a part of the set that was not unpacked. Arrays beside
/// images are labels or latents more often than not.
const CONTAINERS: [(&str, bool); 7] =
    [("7z", true), ("npy", false), ("npz", false), ("parquet", true), ("rar", true), ("tar", true), ("zip", true)];

/// Extensions of what lies beside sets, and may be compressed as they are: labels and notes.
const NOTES: [&str; 8] = ["csv", "json", "jsonl", "md", "tsv", "txt", "xml", "yaml"];

/// What a name says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    /// Whether it may hold a set, or a part of one.
    pub(super) is_container: bool,
    /// Whether it may be a part of the set that it lies in.
    pub(super) is_archive: bool,
}

/// By the extensions of a name.
pub(super) fn named(name: &str) -> Named {
    let (stem, last) = split(name);
    let container = |extension: &str| CONTAINERS.iter().find(|(known, _)| *known == extension);
    match COMPRESSIONS.iter().find(|compression| compression.extensions.contains(&&*last)) {
        Some(compression) => {
            let (is_short, inner) = (compression.extensions[1] == last, extension(stem));
            let is_archive = is_short || container(&inner).is_some_and(|(_, archive)| *archive);
            // IDX files go by any name.
            Named { is_container: is_short || !NOTES.contains(&&*inner), is_archive }
        }
        None => {
            let found = container(&last);
            Named { is_container: found.is_some(), is_archive: found.is_some_and(|(_, archive)| *archive) }
        }
    }
}

/// A name without its last extension, and that extension, in small letters.
fn split(name: &str) -> (&str, String) {
    let base = name.rsplit('/').next().unwrap_or(name);
    base.rsplit_once('.').map_or((base, String::new()), |(stem, last)| (stem, last.to_ascii_lowercase()))
}

/// The extension of a name, in small letters.
pub(super) fn extension(name: &str) -> String {
    split(name).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_containers() {
        let is = |name: &str| (named(name).is_container, named(name).is_archive);
        for name in ["a.tar", "b/A.TAR.GZ", "a.tgz", "a.tar.bz2", "a.tbz2", "a.tar.xz", "a.txz", "a.tar.zst", "a.tzst"]
        {
            assert_eq!(is(name), (true, true), "{name}");
        }
        for name in ["a.zip", "a.parquet", "a.7z", "a.rar"] {
            assert_eq!(is(name), (true, true), "{name}");
        }
        for name in ["a.npz", "a.npy", "a.npy.xz", "train-images-idx3-ubyte.gz", "x.bz2"] {
            assert_eq!(is(name), (true, false), "{name}");
        }
        for name in ["tar", "labels.csv.zst", "dataset.json.gz", "a.b/c", "a.txt", "x.png", ""] {
            assert_eq!(is(name), (false, false), "{name}");
        }
    }
}
