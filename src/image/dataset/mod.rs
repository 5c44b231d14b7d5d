//! Sets of images: a folder, an archive, or an array file, all behind one type.
//!
//! A set is indexed once, when it is opened; an image is read when it is asked for, by its offset, so the memory taken
//! does not grow with the images but for their names, and any number of threads may load at once.
//!
//! | given | recognised by | its images |
//! |---|---|---|
//! | folder | | every image file below it, symbolic links followed, each real folder entered once |
//! | `.zip` | content | every image in it, stored or deflated |
//! | `.tar` | content | every image in it |
//! | `.npz` | content | the array that is asked for, `arr_0`, `samples` or `images`, or else the only one: bytes, or floating-point numbers of a [stated range](Reading::pixel_range), N×height×width×3, N×3×height×width, or the same with one channel |
//! | `.npy` | content | that array |
//! | IDX (MNIST) | content | N×height×width bytes |
//! | Parquet (Hugging Face) | content | the column of encoded images, in the order of the rows |
//! | folder of such files and no images | | those of each, one behind the other |
//! | `train-{000..099}.tar`, `train-*.tar` | no file of that name | likewise |
//! | `@list.txt` | no file of that name | the images and sets that the list names, a path a line |
//!
//! Images come sorted by name, bytewise; those of an array in its order. Hidden files and folders are passed over, and
//! so is what is not an image by its first bytes, except where its extension claims one: a damaged or half-written image
//! is listed and fails to load, and never drops out of a score in silence.
//!
//! Any file may be compressed as a whole, with gzip, bzip2, xz or Zstandard. It is decompressed once, as is the array of a
//! compressed `.npz`, into an anonymous temporary file, in the folder that `TMPDIR` names, of whose free space it may take half.

mod archive;
mod array;
mod chosen;
mod classes;
mod compression;
mod csv;
mod directory;
mod error;
mod extensions;
mod files;
mod idx;
mod idx_labels;
mod list;
mod npy;
mod npz;
mod parquet;
mod parquet_labels;
mod pattern;
mod positioned;
mod several;
mod source;
mod spill;
mod survey;
mod tar;
mod watched;
mod wildcards;
mod xz;
mod zip;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use self::archive::Archive;
use self::array::Segment;
pub use self::chosen::Choice;
use self::chosen::Chosen;
use self::classes::Classes;
use self::compression::Compression;
use self::directory::Directory;
pub use self::error::{DataSetError, ImageError};
use self::several::Several;
use self::source::Source;
pub use self::survey::Others;
use self::watched::Watched;
use super::decode::{Format, MAX_PIXELS, hexadecimal};
use super::{ImageSource, Origin, RgbImage};
use crate::foreign;
use crate::interrupt::Interrupt;
use crate::numpy::MAGIC;
use crate::regular;

/// What kind of container a set of images is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataSetKind {
    /// A folder with everything below it.
    Directory,
    /// A zip archive.
    Zip,
    /// A tar archive, compressed or not.
    Tar,
    /// An archive of NumPy arrays.
    Npz,
    /// A NumPy array.
    Npy,
    /// An IDX file, as MNIST's.
    Idx,
    /// A Parquet file, as Hugging Face writes data sets.
    Parquet,
    /// What a pattern or a folder of files names: parts of a set, or images.
    Shards,
    /// What a list names.
    List,
}

impl fmt::Display for DataSetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            DataSetKind::Directory => "folder",
            DataSetKind::Zip => "zip",
            DataSetKind::Tar => "tar",
            DataSetKind::Npz => "npz",
            DataSetKind::Npy => "npy",
            DataSetKind::Idx => "idx",
            DataSetKind::Parquet => "parquet",
            DataSetKind::Shards => "shards",
            DataSetKind::List => "list",
        })
    }
}

/// A set of images, at least one, in an order that depends on nothing but their names.
#[derive(Debug)]
pub struct DataSet {
    path: PathBuf,
    kind: DataSetKind,
    source: Box<dyn Source>,
}

/// What a path alone does not tell of a set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// The array of an `.npz` file that is taken, where the file has one of that name; of a pickle, the set of statistics.
    pub array: Option<String>,
    /// The values of black and of white in arrays of floating-point numbers.
    pub pixel_range: Option<[f32; 2]>,
    /// What is done about files in a folder that cannot be read.
    pub unreadable: Unreadable,
    /// Which of the images are taken, if not all.
    pub choice: Option<Choice>,
}

/// What is done about files in a folder of which nothing can be read, links that lead nowhere included, and which may be images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unreadable {
    /// The set cannot be opened.
    #[default]
    Refused,
    /// They are images of the set that fail to load.
    Listed,
}

/// Whether a set, a pattern of sets or a list of them would hold a file that need not exist yet, by its absolute path.
pub(crate) fn would_hold(set: &Path, file: &Path) -> bool {
    if let Ok(found) = set.canonicalize() {
        return file.starts_with(found);
    }
    if let Some(list) = list::file(set) {
        let lines = list::read(&list, &Interrupt::default()).unwrap_or_default();
        return lines.iter().any(|line| would_hold(&line.path, file));
    }
    std::path::absolute(set).is_ok_and(|pattern| pattern::would_name(&pattern, file))
}

impl DataSet {
    /// Indexes the images at `path`; see the [module](self) for what may be there.
    ///
    /// # Errors
    /// [`DataSetError`] when the path does not exist or cannot be read, holds no image, or is a container that is
    /// damaged or not supported. [`DataSetError::StatisticsFile`] tells that it holds statistics of features instead of
    /// images.
    pub fn open(path: &Path) -> Result<Self, DataSetError> {
        Self::open_with(path, &Interrupt::new())
    }

    /// [`DataSet::open`] that can be stopped: listing a million files takes a while, and so does decompressing an archive.
    ///
    /// # Errors
    /// As for [`DataSet::open`], and [`DataSetError::Interrupted`] soon after `interrupt` is requested.
    pub fn open_with(path: &Path, interrupt: &Interrupt) -> Result<Self, DataSetError> {
        Self::open_as(path, &Reading::default(), interrupt)
    }

    /// [`DataSet::open_with`], read as it is said to be.
    ///
    /// # Errors
    /// As for [`DataSet::open_with`].
    pub fn open_as(path: &Path, reading: &Reading, interrupt: &Interrupt) -> Result<Self, DataSetError> {
        let images = Self::open_unverified(path, reading, interrupt)?;
        images.verify(interrupt)?;
        Ok(images)
    }

    /// [`DataSet::open_as`], for a set of which nobody may look at the images: [`Self::verify`] must come before that.
    pub(crate) fn open_unverified(path: &Path, reading: &Reading, interrupt: &Interrupt) -> Result<Self, DataSetError> {
        let all = Self::open_whole(path, reading, interrupt)?;
        match reading.choice {
            Some(choice) => all.chosen(choice),
            None => Ok(all),
        }
    }

    fn open_whole(path: &Path, reading: &Reading, interrupt: &Interrupt) -> Result<Self, DataSetError> {
        let failure = |source| DataSetError::Io { path: path.to_owned(), source };
        let several = |kind, source| Ok(Self { path: path.to_owned(), kind, source: Box::new(source) });
        let shards = |named| {
            let kind = DataSetKind::Shards;
            several(kind, Several::open((path, kind), named, reading, interrupt)?)
        };
        let metadata = match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if let Some(list) = list::file(path) {
                    let (kind, lines) = (DataSetKind::List, list::read(&list, interrupt)?);
                    return several(kind, Several::of_list((path, kind), &list, lines, reading, interrupt)?);
                }
                if let Some(named) = pattern::expand(path)? {
                    if named.is_empty() {
                        return Err(DataSetError::NoMatch { path: path.to_owned() });
                    }
                    return shards(named);
                }
                return Err(DataSetError::Missing { path: path.to_owned(), missing: first_missing(path) });
            }
            other => other.map_err(failure)?,
        };
        let (kind, source): (_, Box<dyn Source>) = if metadata.is_dir() {
            match Directory::open(path, reading.unreadable, interrupt) {
                Ok(directory) => (DataSetKind::Directory, Box::new(directory)),
                Err(error @ DataSetError::NoImages { .. }) => match several::shards(path).map_err(failure)? {
                    Some(found) => return shards(found),
                    None => return Err(error),
                },
                Err(error) => return Err(error),
            }
        } else {
            open_file(path, regular::open(path).map_err(failure)?, reading, interrupt)?
        };
        Ok(Self { path: path.to_owned(), kind, source })
    }

    /// Holds the bytes of an array against the sum that its archive has of them.
    pub(crate) fn verify(&self, interrupt: &Interrupt) -> Result<(), DataSetError> {
        self.source.verify(&self.path, interrupt)
    }

    /// The array of an `.npz` file that holds the images.
    pub fn array(&self) -> Option<&str> {
        self.source.array()
    }

    /// The class of each image, where the set tells; otherwise it may be in their [names](Self::name).
    pub fn labels(&self) -> Option<&[String]> {
        self.source.labels()
    }

    /// Why the set does not [tell the classes](Self::labels) of its images, where it has a file or a column that should.
    pub fn untold_classes(&self) -> Option<&str> {
        self.source.untold_classes()
    }

    /// Images beside those of the set that are of formats that are not decoded here, counted by format.
    pub fn passed_over(&self) -> BTreeMap<String, u64> {
        self.source.passed_over()
    }

    /// How many of its files hold statistics beside their images, which nothing looks at where a set is of several files.
    pub fn unused_statistics(&self) -> usize {
        self.source.unused_statistics()
    }

    /// Whether its file holds statistics beside the images.
    fn has_statistics_beside(&self) -> bool {
        self.source.has_statistics_beside()
    }

    /// Whether its images are floating-point numbers, which became levels by [`Reading::pixel_range`].
    pub fn is_float(&self) -> bool {
        self.source.is_float()
    }

    /// Some of the images, chosen at random as StyleGAN and EDM choose them, in their order.
    ///
    /// # Errors
    /// [`DataSetError::TooFew`] when there are not as many.
    pub fn chosen(self, choice: Choice) -> Result<Self, DataSetError> {
        let (path, kind) = (self.path.clone(), self.kind);
        if choice.images > self.len() || choice.images == 0 {
            return Err(DataSetError::TooFew { path, images: self.len(), asked: choice.images });
        }
        Ok(Self { path, kind, source: Box::new(Chosen::new(self, choice)) })
    }

    /// Which of how many images were [chosen](Self::chosen), if not all.
    pub fn choice(&self) -> Option<(Choice, usize)> {
        self.source.choice()
    }

    /// Whether a path may name more than one file or folder: a list, or a pattern.
    pub fn is_collective(path: &Path) -> bool {
        list::file(path).is_some() || pattern::is_one(path)
    }

    /// Number of images, at least 1.
    pub fn len(&self) -> usize {
        self.source.len()
    }

    /// Always false: a set without images cannot be opened.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What kind of container it is.
    pub fn kind(&self) -> DataSetKind {
        self.kind
    }

    /// The name of an image: its path relative to the folder, its entry's name, or `file.npz[17]` in an array.
    ///
    /// # Panics
    /// When `index` is not below [`DataSet::len`].
    pub fn name(&self, index: usize) -> Cow<'_, str> {
        self.source.name(&self.path, index)
    }

    /// Reads and decodes an image. Any number of threads may load at once.
    ///
    /// # Errors
    /// [`ImageError`], which names the image, when it cannot be read or decoded.
    pub fn load(&self, index: usize) -> Result<RgbImage, ImageError> {
        if index >= self.len() {
            return Err(ImageError::OutOfRange { index, len: self.len() });
        }
        let image = self.described(index);
        self.source.read(index, &image)?.decoded(image)
    }

    /// SHA-256 of an image as it is kept: of its encoded bytes, or of its shape and levels in an array. Images of one digest
    /// are the same image; nothing is decoded.
    ///
    /// # Errors
    /// [`ImageError`], which names the image, when it cannot be read.
    pub fn digest(&self, index: usize) -> Result<[u8; 32], ImageError> {
        if index >= self.len() {
            return Err(ImageError::OutOfRange { index, len: self.len() });
        }
        Ok(self.source.read(index, &self.described(index))?.digest())
    }

    /// Where an image is, for messages.
    fn described(&self, index: usize) -> String {
        self.source.described(&self.path, index)
    }
}

impl ImageSource for DataSet {
    fn len(&self) -> usize {
        self.len()
    }

    fn title(&self) -> Cow<'_, str> {
        self.path.to_string_lossy()
    }

    fn name(&self, index: usize) -> Cow<'_, str> {
        self.name(index)
    }

    fn label(&self, index: usize) -> Option<Cow<'_, str>> {
        Some(self.labels()?[index].as_str().into())
    }

    fn load(&self, index: usize) -> Result<RgbImage, ImageError> {
        self.load(index)
    }

    fn load_with_origin(&self, index: usize) -> Result<(RgbImage, Origin), ImageError> {
        let image = self.described(index);
        let kept = self.source.read(index, &image)?;
        let origin = Origin { encoding: kept.encoding(), digest: kept.digest() };
        Ok((kept.decoded(image)?, origin))
    }

    fn digest(&self, index: usize) -> Result<[u8; 32], ImageError> {
        self.digest(index)
    }
}

/// Opens a file by what it begins with.
fn open_file(
    path: &Path,
    file: File,
    reading: &Reading,
    interrupt: &Interrupt,
) -> Result<(DataSetKind, Box<dyn Source>), DataSetError> {
    let head = positioned::read_head_at(&file, Container::HEAD, 0)
        .map_err(|source| DataSetError::Io { path: path.to_owned(), source })?;
    // What reads on from here, reads from the start: some systems move the cursor with every read.
    (&file).rewind().map_err(|source| DataSetError::Io { path: path.to_owned(), source })?;
    if let Some(compression) = Compression::recognise(&head) {
        return open_compressed(path, (compression, &file), reading, interrupt);
    }
    Container::recognise(path, &head)?.open(path, file, reading, interrupt)
}

/// Opens what is in a compressed file, which may not be compressed again.
fn open_compressed(
    path: &Path,
    (compression, file): (&Compression, &File),
    reading: &Reading,
    interrupt: &Interrupt,
) -> Result<(DataSetKind, Box<dyn Source>), DataSetError> {
    let decompressed = foreign::shielded(|| {
        let failure = |error: std::io::Error| spill::failure(path, compression.name, &error);
        let mut content = compression.decoder(Watched::new(file, interrupt)).map_err(failure)?;
        let mut head = vec![];
        content.by_ref().take(Container::HEAD as u64).read_to_end(&mut head).map_err(failure)?;
        // Before anything is written: what is not a set of images may inflate to any length.
        let container = Container::recognise(path, &head)?;
        Ok((container, spill::spill(path, compression.name, head.chain(content))?))
    });
    let (container, content) = decompressed.unwrap_or_else(|reason| {
        let reason = format!("its {} data is damaged ({reason})", compression.name);
        Err(DataSetError::CorruptArchive { path: path.to_owned(), reason })
    })?;
    container.open(path, content, reading, interrupt)
}

/// The kinds of files that hold sets of images.
#[derive(Clone, Copy)]
enum Container {
    Zip,
    Tar,
    Npy,
    Idx,
    Parquet,
}

impl Container {
    /// A tar header, the longest of the signatures.
    const HEAD: usize = 512;

    fn recognise(path: &Path, head: &[u8]) -> Result<Self, DataSetError> {
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            return Ok(Container::Zip);
        }
        if tar::recognise(head) {
            return Ok(Container::Tar);
        }
        if head.starts_with(MAGIC) {
            return Ok(Container::Npy);
        }
        if head.starts_with(parquet::MAGIC) {
            return Ok(Container::Parquet);
        }
        if idx::recognise(head) {
            return Ok(Container::Idx);
        }
        let path = path.to_owned();
        Err(match (Format::sniff(head), unread_compression(head)) {
            // The protocols of Python 3.
            _ if matches!(head, [0x80, 2..=5, ..]) => DataSetError::Pickle { path },
            (Some(format), _) => DataSetError::SingleImage { path, format },
            (None, Some(compression)) => DataSetError::UnsupportedCompression { path, compression },
            (None, None) => DataSetError::UnknownContainer { path, head: hexadecimal(head) },
        })
    }

    fn open(
        self,
        path: &Path,
        file: File,
        reading: &Reading,
        interrupt: &Interrupt,
    ) -> Result<(DataSetKind, Box<dyn Source>), DataSetError> {
        let archive = |file, entries| Ok(Box::new(Archive::new(path, file, entries, interrupt)?));
        let segment = |file: File| -> Result<Segment, DataSetError> {
            let metadata = file.metadata().map_err(|source| DataSetError::Io { path: path.to_owned(), source })?;
            Ok(Segment { file, offset: 0, length: metadata.len() })
        };
        Ok(match self {
            Container::Zip => {
                let entries = zip::index(path, &file, interrupt)?;
                if npz::recognise(&entries) {
                    (DataSetKind::Npz, Box::new(npz::open(path, file, entries, reading, interrupt)?))
                } else if entries.iter().any(|entry| entry.name.ends_with("/data.pkl")) {
                    return Err(DataSetError::Torch { path: path.to_owned() });
                } else {
                    (DataSetKind::Zip, archive(file, entries)?)
                }
            }
            Container::Tar => {
                let entries = tar::index(path, &file, interrupt)?;
                (DataSetKind::Tar, archive(file, entries)?)
            }
            Container::Npy => {
                let array = npy::open(path, None, segment(file)?, reading.pixel_range)?;
                (DataSetKind::Npy, Box::new(array))
            }
            Container::Idx => {
                let images = idx::open(path, segment(file)?)?;
                let labels = idx_labels::beside(path, images.len())?;
                (DataSetKind::Idx, Box::new(images.with_classes(Classes { labels, untold: None })))
            }
            Container::Parquet => (DataSetKind::Parquet, Box::new(parquet::open(path, file, interrupt)?)),
        })
    }
}

/// The compressions that archives often come in and that are not read here, by their signatures; any in another is one of them.
fn unread_compression(head: &[u8]) -> Option<String> {
    let signatures: [(&[u8], _); 2] = [(b"7z\xbc\xaf\x27\x1c", "7-Zip"), (b"Rar!", "RAR")];
    let archive = signatures.into_iter().find(|(signature, _)| head.starts_with(signature));
    let again = || Compression::recognise(head).map(|inner| format!("{} inside another compression", inner.name));
    archive.map(|(_, name)| name.to_owned()).or_else(again)
}

/// The first part of a path that does not exist.
fn first_missing(path: &Path) -> PathBuf {
    let existing = |ancestor: &&Path| ancestor.as_os_str().is_empty() || ancestor.exists();
    let mut missing = path;
    for ancestor in path.ancestors().skip(1) {
        if existing(&ancestor) {
            break;
        }
        missing = ancestor;
    }
    missing.to_owned()
}

/// The length of an encoded image as an allocation, unless no genuine image is that long.
fn within_bounds(bytes: u64, image: &str) -> Result<usize, ImageError> {
    /// The largest image that is decoded, uncompressed, with four channels of 16 bits.
    const LONGEST: u64 = 8 * MAX_PIXELS;
    let length = usize::try_from(bytes).ok().filter(|_| bytes <= LONGEST);
    length.ok_or_else(|| ImageError::TooLong { image: image.to_owned(), bytes })
}
