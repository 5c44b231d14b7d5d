//! Several sets as one: shards of a data set, or what a list names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::{DataSetError, ImageError};
use super::files::Files;
use super::source::{Kept, Source};
use super::survey::names_image;
use super::{DataSet, DataSetKind, Reading};
use crate::interrupt::Interrupt;

/// Sets one behind the other.
#[derive(Debug)]
pub(super) struct Several {
    sets: Vec<DataSet>,
    /// Index of the first image of each, and the number of all.
    starts: Vec<usize>,
    labels: Option<Vec<String>>,
}

impl Several {
    /// What the paths that a list or a pattern stands for name, in this order: images by their extension, sets of any kind otherwise.
    /// Images are called by their paths relative to the folder. Which images are chosen is for the whole to say.
    ///
    /// # Errors
    /// The first error of opening a set. An image that is not there fails to load.
    pub(super) fn open(
        (path, kind): (&Path, DataSetKind),
        folder: &Path,
        named: Vec<PathBuf>,
        reading: &Reading,
        interrupt: &Interrupt,
    ) -> Result<Self, DataSetError> {
        let mut sets = Vec::new();
        for run in named.chunk_by(|a, b| names_image(a) && names_image(b)) {
            if names_image(&run[0]) {
                let source = Box::new(Files::new(folder, run.to_vec()));
                sets.push(DataSet { path: path.to_owned(), kind, source });
            } else {
                sets.push(DataSet::open_whole(&run[0], reading, interrupt)?);
            }
        }
        Ok(Self::new(sets))
    }

    /// Sets that are open.
    fn new(sets: Vec<DataSet>) -> Self {
        let mut starts = vec![0];
        for set in &sets {
            starts.push(starts.last().expect("there is a first") + set.len());
        }
        // Where some sets tell and others do not, the names are left to tell of all.
        let labels: Option<Vec<&[String]>> = sets.iter().map(DataSet::labels).collect();
        let labels = labels.map(|labels| labels.concat());
        Self { sets, starts, labels }
    }

    /// The set that an image is in, and its index there.
    fn place(&self, index: usize) -> (&DataSet, usize) {
        assert!(index < self.len(), "image {index} of a set of {}", self.len());
        let set = self.starts.partition_point(|&start| start <= index) - 1;
        (&self.sets[set], index - self.starts[set])
    }
}

impl Source for Several {
    fn len(&self) -> usize {
        *self.starts.last().expect("there is a first")
    }

    /// The name in its part, in which folders may be classes; parts may have names in common.
    fn name(&self, _: &Path, index: usize) -> Cow<'_, str> {
        let (set, index) = self.place(index);
        set.name(index)
    }

    fn described(&self, _: &Path, index: usize) -> String {
        let (set, index) = self.place(index);
        set.described(index)
    }

    fn read(&self, index: usize, image: &str) -> Result<Kept, ImageError> {
        let (set, index) = self.place(index);
        set.source.read(index, image)
    }

    fn labels(&self) -> Option<&[String]> {
        self.labels.as_deref()
    }

    fn passed_over(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for (format, images) in self.sets.iter().flat_map(DataSet::passed_over) {
            *all.entry(format).or_default() += images;
        }
        all
    }

    fn is_float(&self) -> bool {
        self.sets.iter().any(DataSet::is_float)
    }

    fn verify(&self, _: &Path, interrupt: &Interrupt) -> Result<(), DataSetError> {
        self.sets.iter().try_for_each(|set| set.verify(interrupt))
    }
}

/// Extensions of files that hold parts of a data set.
const SHARDS: [&str; 7] = ["tar", "tgz", "gz", "zip", "npz", "npy", "parquet"];

/// The shards in a folder, sorted by name; `None` where there are none. Only a folder without images of its own is looked at for them.
///
/// # Errors
/// Of the system.
pub(super) fn shards(folder: &Path) -> std::io::Result<Option<Vec<PathBuf>>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if !name.starts_with('.') && SHARDS.contains(&&*extension) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok((!found.is_empty()).then_some(found))
}
