//! Sets of images: a folder, an archive, or an array file, all behind one type.
//!
//! A set is indexed once, when it is opened; an image is read when it is asked for, by its offset, so the memory taken
//! does not grow with the images but for their names, and any number of threads may load at once.
//!
//! | given | recognised by | its images |
//! |---|---|---|
//! | folder | | every image file below it, symbolic links followed, each real folder entered once |
//! | `.zip` | content | every image in it, stored or deflated |
//! | `.tar`, `.tar.gz` | content | every image in it |
//! | `.npz` | content | the array that is asked for, `arr_0`, `samples` or `images`, or else the only one: bytes, or floating-point numbers of a [stated range](Reading::pixel_range), N×height×width×3, N×3×height×width, or the same with one channel |
//! | `.npy`, `.npy.gz` | content | that array |
//! | IDX (MNIST), IDX `.gz` | content | N×height×width bytes |
//!
//! Images come sorted by name, bytewise; those of an array in its order. Hidden files and folders are passed over, and
//! so is what is no image by its first bytes, except where its extension claims one: a damaged or half-written image
//! is listed and fails to load, and never drops out of a score in silence.
//!
//! What is compressed as a whole (`.gz`, and the array of a compressed `.npz`) is decompressed once into an anonymous
//! temporary file, in the folder that `TMPDIR` names, of whose free space it may take half.

mod archive;
mod array;
mod classes;
mod directory;
mod error;
mod idx;
mod npy;
mod npz;
mod positioned;
mod spill;
mod survey;
mod tar;
mod watched;
mod zip;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use self::archive::Archive;
use self::array::{PixelArray, Segment};
use self::directory::Directory;
pub use self::error::{DataSetError, ImageError};
pub use self::survey::Others;
use self::watched::Watched;
use super::decode::{DecodeError, Encoding, Format, MAX_PIXELS, decode, hexadecimal};
use super::source::digest_of_levels;
use super::{ImageSource, Origin, RgbImage};
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
    /// A tar archive, gzipped or not.
    Tar,
    /// An archive of NumPy arrays.
    Npz,
    /// A NumPy array.
    Npy,
    /// An IDX file, as MNIST's.
    Idx,
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
        })
    }
}

/// A set of images, at least one, in an order that depends on nothing but their names.
#[derive(Debug)]
pub struct DataSet {
    path: PathBuf,
    kind: DataSetKind,
    source: Source,
}

/// What a path alone does not tell of a set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// The array of an `.npz` file that is taken, where the file has one of that name.
    pub array: Option<String>,
    /// The values of black and of white in arrays of floating-point numbers.
    pub pixel_range: Option<[f32; 2]>,
    /// What is done about files in a folder that cannot be read.
    pub unreadable: Unreadable,
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

#[derive(Debug)]
enum Source {
    Directory(Directory),
    Archive(Archive),
    Array(PixelArray),
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
        let failure = |source| DataSetError::Io { path: path.to_owned(), source };
        let metadata = match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(DataSetError::Missing { path: path.to_owned(), missing: first_missing(path) });
            }
            other => other.map_err(failure)?,
        };
        let (kind, source) = if metadata.is_dir() {
            (DataSetKind::Directory, Source::Directory(Directory::open(path, reading.unreadable, interrupt)?))
        } else {
            open_file(path, regular::open(path).map_err(failure)?, reading, interrupt)?
        };
        Ok(Self { path: path.to_owned(), kind, source })
    }

    /// Holds the bytes of an array against the sum that its archive has of them.
    pub(crate) fn verify(&self, interrupt: &Interrupt) -> Result<(), DataSetError> {
        match &self.source {
            Source::Array(array) => array.verify(&self.path, interrupt),
            Source::Directory(_) | Source::Archive(_) => Ok(()),
        }
    }

    /// The array of an `.npz` file that holds the images.
    pub fn array(&self) -> Option<&str> {
        match &self.source {
            Source::Array(array) => array.name(),
            Source::Directory(_) | Source::Archive(_) => None,
        }
    }

    /// The class of each image, where the set tells; otherwise it may be in their [names](Self::name).
    pub fn labels(&self) -> Option<&[String]> {
        match &self.source {
            Source::Array(array) => array.labels(),
            Source::Directory(directory) => directory.labels(),
            Source::Archive(archive) => archive.labels(),
        }
    }

    /// Images beside those of the set that are of formats that are not decoded here, counted by format.
    pub fn passed_over(&self) -> BTreeMap<String, u64> {
        match &self.source {
            Source::Directory(directory) => directory.others().images().clone(),
            Source::Archive(archive) => archive.others().images().clone(),
            Source::Array(_) => BTreeMap::new(),
        }
    }

    /// Whether its images are floating-point numbers, which became levels by [`Reading::pixel_range`].
    pub fn is_float(&self) -> bool {
        matches!(&self.source, Source::Array(array) if array.is_float())
    }

    /// Number of images, at least 1.
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Directory(directory) => directory.len(),
            Source::Archive(archive) => archive.len(),
            Source::Array(array) => array.len(),
        }
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
        match &self.source {
            Source::Directory(directory) => directory.name(index).into(),
            Source::Archive(archive) => archive.name(index).into(),
            Source::Array(array) => {
                assert!(index < array.len(), "image {index} of a set of {}", array.len());
                let file = self.path.file_name().unwrap_or_default().to_string_lossy();
                format!("{file}[{index}]").into()
            }
        }
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
        self.read(index, &image)?.decoded(image)
    }

    /// An image as it is kept.
    fn read(&self, index: usize, image: &str) -> Result<Kept, ImageError> {
        Ok(match &self.source {
            Source::Directory(directory) => Kept::Encoded(directory.read(index, image)?),
            Source::Archive(archive) => Kept::Encoded(archive.read(index, image)?),
            Source::Array(array) => Kept::Levels(array.shape_of_image(), array.read(index, image)?),
        })
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
        Ok(self.read(index, &self.described(index))?.digest())
    }

    /// Where an image is, for messages.
    fn described(&self, index: usize) -> String {
        match &self.source {
            Source::Array(_) => format!("{}[{index}]", self.path.display()),
            _ => format!("{}/{}", self.path.display(), self.name(index)),
        }
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
        let kept = self.read(index, &image)?;
        let origin = Origin { encoding: kept.encoding(), digest: kept.digest() };
        Ok((kept.decoded(image)?, origin))
    }

    fn digest(&self, index: usize) -> Result<[u8; 32], ImageError> {
        self.digest(index)
    }
}

/// An image as it is kept.
enum Kept {
    /// A file or entry.
    Encoded(Vec<u8>),
    /// Height, width and channels, and the levels in that order.
    Levels([usize; 3], Vec<u8>),
}

impl Kept {
    fn decoded(self, image: String) -> Result<RgbImage, ImageError> {
        let decoded = match self {
            Kept::Encoded(bytes) => decode(&bytes),
            Kept::Levels([height, width, 1], gray) => {
                RgbImage::from_gray(width as u32, height as u32, &gray).map_err(DecodeError::Image)
            }
            Kept::Levels([height, width, _], levels) => {
                RgbImage::new(width as u32, height as u32, levels).map_err(DecodeError::Image)
            }
        };
        decoded.map_err(|source| ImageError::Decode { image, source })
    }

    fn digest(&self) -> [u8; 32] {
        match self {
            Kept::Encoded(bytes) => Sha256::digest(bytes).into(),
            Kept::Levels(shape, levels) => digest_of_levels(*shape, levels),
        }
    }

    fn encoding(&self) -> Encoding {
        match self {
            Kept::Encoded(bytes) => Encoding::of(bytes),
            Kept::Levels(..) => Encoding::Levels,
        }
    }
}

/// Opens a file by what it begins with.
fn open_file(
    path: &Path,
    file: File,
    reading: &Reading,
    interrupt: &Interrupt,
) -> Result<(DataSetKind, Source), DataSetError> {
    let head = positioned::read_head_at(&file, Container::HEAD, 0)
        .map_err(|source| DataSetError::Io { path: path.to_owned(), source })?;
    // What reads on from here, reads from the start: some systems move the cursor with every read.
    (&file).rewind().map_err(|source| DataSetError::Io { path: path.to_owned(), source })?;
    if head.starts_with(GZIP) {
        return open_gzip(path, &file, reading, interrupt);
    }
    Container::recognise(path, &head)?.open(path, file, reading, interrupt)
}

/// What a gzip file begins with.
const GZIP: &[u8] = b"\x1f\x8b";

/// Opens what is in a gzip file, which may not be gzipped again.
fn open_gzip(
    path: &Path,
    file: &File,
    reading: &Reading,
    interrupt: &Interrupt,
) -> Result<(DataSetKind, Source), DataSetError> {
    let mut content = MultiGzDecoder::new(Watched::new(file, interrupt));
    let mut head = vec![];
    let read = content.by_ref().take(Container::HEAD as u64).read_to_end(&mut head);
    read.map_err(|error| spill::failure(path, &error))?;
    // Before anything is written: what is not a set of images may inflate to any length.
    let container = Container::recognise(path, &head)?;
    let content = spill::spill(path, head.chain(content))?;
    container.open(path, content, reading, interrupt)
}

/// The kinds of files that hold sets of images.
#[derive(Clone, Copy)]
enum Container {
    Zip,
    Tar,
    Npy,
    Idx,
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
        if idx::recognise(head) {
            return Ok(Container::Idx);
        }
        let path = path.to_owned();
        Err(match (Format::sniff(head), compression(head)) {
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
    ) -> Result<(DataSetKind, Source), DataSetError> {
        let archive = |file, entries| Ok(Source::Archive(Archive::new(path, file, entries, interrupt)?));
        let segment = |file: File| -> Result<Segment, DataSetError> {
            let metadata = file.metadata().map_err(|source| DataSetError::Io { path: path.to_owned(), source })?;
            Ok(Segment { file, offset: 0, length: metadata.len() })
        };
        Ok(match self {
            Container::Zip => {
                let entries = zip::index(path, &file, interrupt)?;
                if npz::recognise(&entries) {
                    (DataSetKind::Npz, Source::Array(npz::open(path, file, entries, reading, interrupt)?))
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
                (DataSetKind::Npy, Source::Array(array))
            }
            Container::Idx => (DataSetKind::Idx, Source::Array(idx::open(path, segment(file)?)?)),
        })
    }
}

/// The compressions that archives often come in and that are not read here, by their signatures.
fn compression(head: &[u8]) -> Option<&'static str> {
    let signatures: [(&[u8], _); 6] = [
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"\x28\xb5\x2f\xfd", "Zstandard"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (b"Rar!", "RAR"),
        (GZIP, "gzip, twice"),
    ];
    signatures.into_iter().find_map(|(signature, name)| head.starts_with(signature).then_some(name))
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
