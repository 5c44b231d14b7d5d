//! Several sets as one: shards of a data set, or what a list names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::{DataSetError, ImageError};
use super::files::{Files, NamedFile};
use super::list::Line;
use super::source::{Kept, Source};
use super::survey::names_image;
use super::{DataSet, DataSetKind, Reading, extensions};
use crate::interrupt::Interrupt;

/// Sets one behind the other.
#[derive(Debug)]
pub(super) struct Several {
    sets: Vec<DataSet>,
    /// Index of the first image of each, and the number of all.
    starts: Vec<usize>,
    labels: Option<Vec<String>>,
    untold: Option<String>,
}

impl Several {
    /// What the paths that a pattern stands for name, in this order: images by their extension, sets of any kind otherwise. Which images
    /// are chosen is for the whole to say.
    ///
    /// # Errors
    /// The first error of opening a set. An image that is not there fails to load.
    pub(super) fn open(
        set: (&Path, DataSetKind),
        named: Vec<PathBuf>,
        reading: &Reading,
        interrupt: &Interrupt,
    ) -> Result<Self, DataSetError> {
        let file = |path: &PathBuf| NamedFile { name: lossy(path), path: path.clone(), by: None };
        Self::of_named(set, &named, |path| path, file, |path| DataSet::open_whole(path, reading, interrupt))
    }

    /// [`Self::open`] of the lines of a list, of which images are called by their paths relative to its folder.
    ///
    /// # Errors
    /// As there; a set that is not there is an error of its line.
    pub(super) fn of_list(
        set: (&Path, DataSetKind),
        list: &Path,
        lines: Vec<Line>,
        reading: &Reading,
        interrupt: &Interrupt,
    ) -> Result<Self, DataSetError> {
        let folder = list.parent().unwrap_or(Path::new(""));
        let file = |Line { number, path }: &Line| NamedFile {
            name: lossy(path.strip_prefix(folder).unwrap_or(path)),
            path: path.clone(),
            by: Some(format!("line {number} of the list {}", list.display())),
        };
        let open = |line: &Line| match DataSet::open_whole(&line.path, reading, interrupt) {
            Err(error @ (DataSetError::Missing { .. } | DataSetError::NoMatch { .. })) => {
                Err(DataSetError::List { path: list.to_owned(), line: line.number, reason: error.to_string() })
            }
            other => other,
        };
        Self::of_named(set, &lines, |line| &line.path, file, open)
    }

    fn of_named<T>(
        (path, kind): (&Path, DataSetKind),
        named: &[T],
        path_of: impl Fn(&T) -> &PathBuf,
        file: impl Fn(&T) -> NamedFile,
        open: impl Fn(&T) -> Result<DataSet, DataSetError>,
    ) -> Result<Self, DataSetError> {
        let is_image = |named: &T| names_image(path_of(named));
        let mut sets = Vec::new();
        for run in named.chunk_by(|a, b| is_image(a) && is_image(b)) {
            if is_image(&run[0]) {
                let source = Box::new(Files(run.iter().map(&file).collect()));
                sets.push(DataSet { path: path.to_owned(), kind, source });
            } else {
                sets.push(open(&run[0])?);
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
        let untold = if labels.is_none() { untold(&sets) } else { None };
        Self { sets, starts, labels, untold }
    }

    /// The set that an image is in, and its index there.
    fn place(&self, index: usize) -> (&DataSet, usize) {
        assert!(index < self.len(), "image {index} of a set of {}", self.len());
        let set = self.starts.partition_point(|&start| start <= index) - 1;
        (&self.sets[set], index - self.starts[set])
    }
}

/// Why sets do not tell all classes, where one has a reason, or some do.
fn untold(sets: &[DataSet]) -> Option<String> {
    let reason = |set: &DataSet| Some(format!("`{}`: {}", set.path.display(), set.untold_classes()?));
    let unlike = || {
        let tells_none = sets.iter().find(|set| set.labels().is_none())?;
        let others_do = sets.iter().any(|set| set.labels().is_some());
        others_do.then(|| format!("`{}` has none, and others do", tells_none.path.display()))
    };
    sets.iter().find_map(reason).or_else(unlike)
}

fn lossy(path: &Path) -> String {
    path.to_string_lossy().into_owned()
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

    fn untold_classes(&self) -> Option<&str> {
        self.untold.as_deref()
    }

    fn passed_over(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for (format, images) in self.sets.iter().flat_map(DataSet::passed_over) {
            *all.entry(format).or_default() += images;
        }
        all
    }

    fn unused_statistics(&self) -> usize {
        self.sets.iter().map(|set| set.source.unused_statistics() + usize::from(set.has_statistics_beside())).sum()
    }

    fn is_float(&self) -> bool {
        self.sets.iter().any(DataSet::is_float)
    }

    fn verify(&self, _: &Path, interrupt: &Interrupt) -> Result<(), DataSetError> {
        self.sets.iter().try_for_each(|set| set.verify(interrupt))
    }
}

/// The shards in a folder, sorted by name; `None` where there are none. Only a folder without images of its own is looked at for them.
///
/// # Errors
/// Of the system.
pub(super) fn shards(folder: &Path) -> std::io::Result<Option<Vec<PathBuf>>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with('.') && extensions::named(&name).is_container && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok((!found.is_empty()).then_some(found))
}
