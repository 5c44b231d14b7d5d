//! What counts as an image in a folder or an archive.

use std::collections::BTreeMap;
use std::fmt;

use super::extensions::{extension, named};
use crate::image::decode::{Format, foreign};

/// Extensions that claim an image. The reference implementations go by these names alone; here they matter only where
/// the content is none that is known: such a file is listed and fails to load, where leaving it out would be silent.
const EXTENSIONS: [&str; 13] =
    ["bmp", "gif", "jpeg", "jpg", "pbm", "pfm", "pgm", "png", "pnm", "ppm", "tif", "tiff", "webp"];

/// The files that were passed over, counted by extension.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    by_extension: BTreeMap<String, u64>,
    images: BTreeMap<String, u64>,
}

/// Whether a file of which nothing can be read may be an image: by its extension, or since it has none.
pub(super) fn may_be_image(name: &str) -> bool {
    let extension = extension(name);
    extension.is_empty() || EXTENSIONS.contains(&extension.as_str())
}

/// Whether a path claims an image by its extension, one that is not decoded here included.
pub(super) fn names_image(path: &std::path::Path) -> bool {
    let extension = extension(&path.to_string_lossy());
    EXTENSIONS.contains(&extension.as_str()) || (extension != "npy" && foreign::image(&[], &extension).is_some())
}

impl Others {
    /// Whether a file is an image by its first bytes or by its name; counts it where it is none.
    pub(super) fn admits(&mut self, name: &str, head: &[u8]) -> bool {
        let extension = extension(name);
        let image = Format::sniff(head).is_some() || EXTENSIONS.contains(&extension.as_str());
        if !image {
            // Beside images, an archive may be a part of the set that was not unpacked.
            let archive = named(name).is_archive.then_some("archive");
            if let Some(format) = foreign::image(head, &extension).or(archive) {
                *self.images.entry(format.to_owned()).or_default() += 1;
            }
            *self.by_extension.entry(extension).or_default() += 1;
        }
        image
    }

    /// Images among them, counted by formats that are not decoded here.
    pub fn images(&self) -> &BTreeMap<String, u64> {
        &self.images
    }
}

impl fmt::Display for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: u64 = self.by_extension.values().sum();
        match total {
            0 => return f.write_str("nothing but hidden files, if any"),
            1 => f.write_str("1 other file")?,
            _ => write!(f, "{total} other files")?,
        }
        let kinds: Vec<String> = self
            .by_extension
            .iter()
            .map(|(extension, count)| match extension.as_str() {
                "" => format!("{count} without extension"),
                _ => format!("{count} .{extension}"),
            })
            .collect();
        write!(f, " ({})", kinds.join(", "))?;
        let formats: Vec<&str> = self.images.keys().map(String::as_str).collect();
        match formats.is_empty() {
            true => Ok(()),
            false => write!(f, "; {} is not decoded here: convert these images to PNG", formats.join(", ")),
        }
    }
}

/// Whether a name is hidden, by itself or by a folder that it is in: `.git/x.png`, `._x.png`, `__MACOSX/x.png`.
pub(super) fn hidden(name: &str) -> bool {
    name.split('/').any(|part| (part.starts_with('.') && part != "." && part != "..") || part == "__MACOSX")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides_and_names_are_only_ever_added() {
        let mut others = Others::default();
        assert!(others.admits("a/photo", b"\xff\xd8\xff\xe0"));
        assert!(others.admits("a/photo.PNG", b""), "an empty file that claims to be an image must not vanish");
        assert_eq!(others.to_string(), "nothing but hidden files, if any");
        assert!(!others.admits("a/labels.txt", b"cat"));
        assert!(!others.admits("b.c/README", b"read"));
        assert!(!others.admits("more.TXT", b"dog"));
        assert_eq!(others.to_string(), "3 other files (1 without extension, 2 .txt)");
        assert!(others.images().is_empty());
        assert!(!others.admits("x.bin", b"\0\0\0\x20ftypavif") && !others.admits("y.tga", b"\0\0\x02"));
        let array = |dtype: &[u8]| [&b"\x93NUMPY\x01\0v\0{'descr': '"[..], dtype, b"', "].concat();
        assert!(!others.admits("labels.npy", &array(b"<i8")));
        assert_eq!(others.images(), &BTreeMap::from([("AVIF".into(), 1), ("TGA".into(), 1)]));
        assert!(!others.admits("4.npy", &array(b"|u1")));
        assert_eq!(others.images()["NumPy"], 1);
        assert!(others.to_string().ends_with("; AVIF, NumPy, TGA is not decoded here: convert these images to PNG"));
    }

    #[test]
    fn hidden_names() {
        assert!(hidden(".x.png") && hidden("a/.ipynb_checkpoints/x.png") && hidden("__MACOSX/x.png"));
        assert!(!hidden("./a/x.png") && !hidden("a/x.png") && !hidden("a/x..png"));
    }
}
