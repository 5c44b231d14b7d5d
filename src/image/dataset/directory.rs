//! Folders, with everything below them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::classes::{self, Classes};
use super::error::{DataSetError, ImageError};
use super::source::{Kept, Source};
use super::survey::{Others, hidden, may_be_image};
use super::{Unreadable, within_bounds};
use crate::image::decode::SNIFF_LEN;
use crate::interrupt::Interrupt;
use crate::regular;

/// An image file below a folder.
#[derive(Debug)]
struct Entry {
    /// Path relative to the folder, parts separated by `/`; for messages, so not necessarily exact.
    name: String,
    path: PathBuf,
}

/// The images below a folder, sorted by relative path.
#[derive(Debug)]
pub(super) struct Directory {
    entries: Vec<Entry>,
    others: Others,
    classes: Classes,
}

impl Directory {
    pub(super) fn open(root: &Path, unreadable: Unreadable, interrupt: &Interrupt) -> Result<Self, DataSetError> {
        let mut walk = Walk {
            interrupt,
            unreadable,
            root,
            visited: HashSet::new(),
            linked: vec![],
            others: Others::default(),
            entries: vec![],
            classes: vec![],
        };
        walk.folder(root, String::new())?;
        // Linked folders come after all real ones, so that a folder reached both ways goes by its real name.
        while !walk.linked.is_empty() {
            let mut linked = std::mem::take(&mut walk.linked);
            linked.sort();
            for (name, path) in linked {
                walk.folder(&path, name)?;
            }
        }
        let Walk { mut entries, others, classes, .. } = walk;
        if entries.is_empty() {
            return Err(DataSetError::NoImages { path: root.to_owned(), others });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.path.cmp(&b.path)));
        let names: Vec<&str> = entries.iter().map(|entry| &*entry.name).collect();
        let classes = Classes::of_files(root, classes, &names, |_, path: PathBuf| {
            fs::read(&path).map_err(|source| DataSetError::Io { path, source })
        })?;
        Ok(Self { entries, others, classes })
    }
}

impl Source for Directory {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn name(&self, _: &Path, index: usize) -> Cow<'_, str> {
        self.entries[index].name.as_str().into()
    }

    fn read(&self, index: usize, image: &str) -> Result<Kept, ImageError> {
        read_file(&self.entries[index].path, image)
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

/// An image file.
pub(super) fn read_file(path: &Path, image: &str) -> Result<Kept, ImageError> {
    let failure = |source| ImageError::Read { image: image.to_owned(), source };
    let mut file = regular::open(path).map_err(failure)?;
    let length = within_bounds(file.metadata().map_err(failure)?.len(), image)?;
    let mut bytes = Vec::with_capacity(length);
    file.read_to_end(&mut bytes).map_err(failure)?;
    Ok(Kept::Encoded(bytes))
}

/// A walk in progress.
struct Walk<'a> {
    interrupt: &'a Interrupt,
    unreadable: Unreadable,
    root: &'a Path,
    /// Real paths of the folders entered: none is entered twice, which also ends every cycle of links.
    visited: HashSet<PathBuf>,
    /// Folders behind a symbolic link, by name: put off.
    linked: Vec<(String, PathBuf)>,
    others: Others,
    entries: Vec<Entry>,
    /// Files that may tell the classes of images: names and paths.
    classes: Vec<(String, PathBuf)>,
}

impl Walk<'_> {
    /// Enters a folder called `name` relative to the root.
    fn folder(&mut self, path: &Path, name: String) -> Result<(), DataSetError> {
        let failure = |path: &Path| {
            let path = path.to_owned();
            move |source: io::Error| DataSetError::Io { path, source }
        };
        let mut pending = vec![(name, path.to_owned())];
        while let Some((name, folder)) = pending.pop() {
            if !self.visited.insert(fs::canonicalize(&folder).map_err(failure(&folder))?) {
                continue;
            }
            for entry in fs::read_dir(&folder).map_err(failure(&folder))? {
                if self.interrupt.is_requested() {
                    return Err(DataSetError::Interrupted { path: self.root.to_owned() });
                }
                let entry = entry.map_err(failure(&folder))?;
                let base = entry.file_name().to_string_lossy().into_owned();
                if hidden(&base) {
                    continue;
                }
                let path = entry.path();
                let name = if name.is_empty() { base } else { format!("{name}/{base}") };
                let link = entry.file_type().map_err(failure(&path))?.is_symlink();
                // Follows the link; one that leads nowhere may stand for an image.
                let target = match fs::metadata(&path) {
                    Err(error) if link && error.kind() == ErrorKind::NotFound => {
                        let target = fs::read_link(&path).map_err(failure(&path))?;
                        self.unreadable_file(name, path, |path| DataSetError::DeadLink { path, target })?;
                        continue;
                    }
                    other => other.map_err(failure(&path))?,
                };
                match (target.is_dir(), link) {
                    (true, true) => self.linked.push((name, path)),
                    (true, false) => pending.push((name, path)),
                    // Neither a pipe nor a device can be an image, and opening one may block.
                    (false, _) if target.is_file() => self.file(name, path)?,
                    (false, _) => {}
                }
            }
        }
        Ok(())
    }

    /// A file of which nothing can be read. An image is an error, or is listed, and fails to load.
    fn unreadable_file(
        &mut self,
        name: String,
        path: PathBuf,
        error: impl FnOnce(PathBuf) -> DataSetError,
    ) -> Result<(), DataSetError> {
        match (may_be_image(&name), self.unreadable) {
            (true, Unreadable::Refused) => return Err(error(path)),
            (true, Unreadable::Listed) => self.entries.push(Entry { name, path }),
            (false, _) => {
                self.others.admits(&name, b"");
            }
        }
        Ok(())
    }

    fn file(&mut self, name: String, path: PathBuf) -> Result<(), DataSetError> {
        let mut head = Vec::with_capacity(SNIFF_LEN);
        let read = File::open(&path).and_then(|file| file.take(SNIFF_LEN as u64).read_to_end(&mut head));
        if let Err(source) = read {
            return self.unreadable_file(name, path, |path| DataSetError::UnreadableFile { path, source });
        }
        if classes::is_file(&name) {
            self.classes.push((name.clone(), path.clone()));
        }
        if self.others.admits(&name, &head) {
            self.entries.push(Entry { name, path });
        }
        Ok(())
    }
}
