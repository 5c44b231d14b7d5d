//! What can be wrong with a set of images as a whole, and with one of them.

use std::io;
use std::path::PathBuf;

use super::survey::Others;
use crate::error::{Blame, Blamed};
use crate::image::decode::{DecodeError, Format};
use crate::regular;

/// Why a path is not a set of images.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataSetError {
    /// Nothing is there.
    #[error("`{path}` does not exist: {}", missing_component(.missing))]
    Missing {
        /// The path as given.
        path: PathBuf,
        /// The first of its ancestors, or itself, that does not exist.
        missing: PathBuf,
    },
    /// The operating system refuses.
    #[error("cannot read `{path}`: {source}")]
    Io {
        /// What was being read.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The decompressed content of an archive cannot be kept in a temporary file.
    #[error("cannot decompress `{path}` into the temporary folder `{folder}`: {source} (TMPDIR names another folder)")]
    TemporaryFile {
        /// The compressed file.
        path: PathBuf,
        /// The folder for temporary files.
        folder: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The decompressed content would fill the disk.
    #[error(
        "`{path}` inflates to more than {bound} bytes, half of what is free in the temporary folder `{folder}`: \
         decompress it yourself, or let TMPDIR name a folder with more room"
    )]
    Inflated {
        /// The compressed file.
        path: PathBuf,
        /// The folder for temporary files.
        folder: PathBuf,
        /// What it may inflate to, in bytes.
        bound: u64,
    },
    /// Stopped by an [`Interrupt`](crate::Interrupt).
    #[error("interrupted while opening `{path}`")]
    Interrupted {
        /// The path as given.
        path: PathBuf,
    },
    /// A symbolic link in a folder leads nowhere; it may stand for an image.
    #[error("`{path}` is a link to `{target}`, which does not exist: remove the link or restore its target")]
    DeadLink {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A file in a folder cannot be read; it may be an image.
    #[error("cannot read `{path}`: {source}")]
    UnreadableFile {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A file that tells the classes of images does not tell all.
    #[error("`{file}` has no class for {count} images of `{path}`, the first `{first}`: complete it, or remove it")]
    Unlabelled {
        /// The set.
        path: PathBuf,
        /// The file.
        file: String,
        /// How many images it does not have.
        count: usize,
        /// Name of the first of them.
        first: String,
    },
    /// The path is one image.
    #[error("`{path}` is a single {format} image, not a set of images: give the folder that holds it")]
    SingleImage {
        /// The path as given.
        path: PathBuf,
        /// What it was recognised as.
        format: Format,
    },
    /// What should tell the classes of images does not, and there were to be classes.
    #[error("`{path}` does not tell the classes of its images: {reason}")]
    NoClasses {
        /// The set.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file that should tell the classes of images cannot be read.
    #[error("`{file}` in `{path}`, which tells the classes of images, cannot be read: {reason}")]
    Classes {
        /// The set.
        path: PathBuf,
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No file matches a pattern.
    #[error("no file matches `{path}`")]
    NoMatch {
        /// The pattern as given.
        path: PathBuf,
    },
    /// A set has fewer images than were to be chosen.
    #[error("`{path}` has {images} images, fewer than the {asked} that were asked for")]
    TooFew {
        /// The path as given.
        path: PathBuf,
        /// How many there are.
        images: usize,
        /// How many there were to be.
        asked: usize,
    },
    /// A line of a list is not a path.
    #[error("line {line} of the list `{path}`: {reason}")]
    List {
        /// The list.
        path: PathBuf,
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A pattern whose text is not UTF-8.
    #[error(
        "`{}` has wildcards or braces, and is not UTF-8 as patterns have to be: give the folder, or write the pattern from inside it",
        path.display()
    )]
    Pattern {
        /// The pattern as given.
        path: PathBuf,
    },
    /// A list names nothing.
    #[error("the list `{path}` names no image: it has a path a line, relative to its folder")]
    EmptyList {
        /// The list.
        path: PathBuf,
    },
    /// A Parquet file without a column of images, or with several.
    #[error(
        "`{path}` has {}: a column of images is a structure with the encoded file in `bytes`; its columns are {}",
        if images.is_empty() { "no column of images".to_owned() } else { format!("several columns of images ({})", images.join(", ")) },
        columns.join(", ")
    )]
    Columns {
        /// The path as given.
        path: PathBuf,
        /// The columns of images.
        images: Vec<String>,
        /// All columns.
        columns: Vec<String>,
    },
    /// The pages of a Parquet file are compressed in a way that is not read.
    #[error(
        "the pages of `{path}` are compressed with {compression}, which is not supported: write it with snappy, gzip or none"
    )]
    UnsupportedPages {
        /// The path as given.
        path: PathBuf,
        /// The compression.
        compression: String,
    },
    /// A folder or an archive without images.
    #[error("`{path}` holds no image: found {others}")]
    NoImages {
        /// The path as given.
        path: PathBuf,
        /// What it holds instead.
        others: Others,
    },
    /// An `.npz` file with a mean and a covariance, and without images: statistics of features, computed earlier.
    #[error("`{path}` holds statistics of features, not images")]
    StatisticsFile {
        /// The path as given.
        path: PathBuf,
    },
    /// A file that is not a known container.
    #[error(
        "`{path}` is not a folder, zip, tar, npz, npy, IDX or Parquet file (a file may be compressed with gzip, bzip2, xz or Zstandard): \
         it begins with {head}"
    )]
    UnknownContainer {
        /// The path as given.
        path: PathBuf,
        /// The first bytes, in hexadecimal.
        head: String,
    },
    /// A file in a compression that is not read.
    #[error("`{path}` is compressed with {compression}, which is not supported: unpack it first")]
    UnsupportedCompression {
        /// The path as given.
        path: PathBuf,
        /// The compression that it was recognised as.
        compression: String,
    },
    /// An archive that cannot be indexed.
    #[error("the archive `{path}` is corrupt: {reason}")]
    CorruptArchive {
        /// The path as given.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An entry of a zip archive needs a password.
    #[error("`{entry}` in `{path}` is encrypted: unpack the archive first")]
    Encrypted {
        /// The archive.
        path: PathBuf,
        /// The entry.
        entry: String,
    },
    /// An entry is stored in a way that is not read.
    #[error("`{entry}` in `{path}` is stored as {feature}, which is not supported: unpack the archive first")]
    UnsupportedEntry {
        /// The archive.
        path: PathBuf,
        /// The entry.
        entry: String,
        /// How it is stored.
        feature: String,
    },
    /// A link in a tar archive leads to nothing in it.
    #[error(
        "`{entry}` in `{path}` links to `{target}`, which is not in the archive: archive it with `tar --dereference`"
    )]
    DanglingLink {
        /// The archive.
        path: PathBuf,
        /// The link.
        entry: String,
        /// Where it leads.
        target: String,
    },
    /// An `.npz` file in which no array can be taken for the images.
    #[error("`{path}` has several arrays, and none can be told to hold images or features: it holds {arrays}")]
    NoArray {
        /// The path as given.
        path: PathBuf,
        /// Its arrays, with their types and shapes.
        arrays: String,
    },
    /// A file of pickled Python objects, which are programs.
    #[error(
        "`{path}` is a pickled Python object, which is never run here, and holds no images: of such files only statistics are \
         read, plain dictionaries of NumPy's arrays `mu` and `sigma`; if you trust it, load it in Python, and save statistics by \
         `numpy.savez('x.npz', mu=…, sigma=…)`, features or images by `numpy.save('x.npy', …)`"
    )]
    Pickle {
        /// The path as given.
        path: PathBuf,
    },
    /// A file that PyTorch wrote.
    #[error(
        "`{path}` is a PyTorch file: load it in Python, and save its features by `numpy.save('x.npy', features.cpu().numpy())`"
    )]
    Torch {
        /// The path as given.
        path: PathBuf,
    },
    /// An array of another type than images have.
    #[error("{} holds values of type `{dtype}`: images are of type `|u1` (numpy.uint8, 0–255)", place(path, array))]
    ArrayType {
        /// The path as given.
        path: PathBuf,
        /// The array, where the file has several.
        array: Option<String>,
        /// The type as its header says.
        dtype: String,
    },
    /// Floating-point numbers, of which it is not known what is black and what is white.
    #[error(
        "{} holds values of type `{dtype}`, and does not say which of them are black and white: 0 and 1, −1 and 1, or 0 and 255?",
        place(path, array)
    )]
    UnknownRange {
        /// The path as given.
        path: PathBuf,
        /// The array, where the file has several.
        array: Option<String>,
        /// The type as its header says.
        dtype: String,
    },
    /// An array whose axes are not those of images.
    #[error(
        "{} has shape {shape:?}: images are N×height×width×3, N×3×height×width, or the same with one channel{hint}",
        place(path, array)
    )]
    ArrayShape {
        /// The path as given.
        path: PathBuf,
        /// The array, where the file has several.
        array: Option<String>,
        /// The shape as its header says.
        shape: Vec<u64>,
        /// What to do about it, where that can be told.
        hint: &'static str,
    },
    /// A header of an array file that cannot be understood, or data that is not what it announces.
    #[error("{} is corrupt: {reason}", place(path, array))]
    CorruptArray {
        /// The path as given.
        path: PathBuf,
        /// The array, where the file has several.
        array: Option<String>,
        /// What is wrong with it.
        reason: String,
    },
}

/// An array, for people.
fn place(path: &std::path::Path, array: &Option<String>) -> String {
    match array {
        Some(array) => format!("array `{array}` of `{}`", path.display()),
        None => format!("`{}`", path.display()),
    }
}

fn missing_component(missing: &std::path::Path) -> String {
    match (missing.parent(), missing.file_name()) {
        (Some(parent), Some(name)) => {
            let parent = if parent.as_os_str().is_empty() { ".".into() } else { parent.display().to_string() };
            format!("there is no `{}` in `{parent}`", name.display())
        }
        _ => format!("there is no `{}`", missing.display()),
    }
}

impl Blamed for DataSetError {
    fn blame(&self) -> Blame {
        match self {
            DataSetError::Io { source, .. } | DataSetError::UnreadableFile { source, .. } => regular::blame(source),
            DataSetError::TemporaryFile { .. } | DataSetError::Inflated { .. } => Blame::Machine,
            DataSetError::Interrupted { .. } => Blame::Interrupted,
            _ => Blame::Input,
        }
    }
}

/// Why one image of a set could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// Its bytes cannot be read.
    #[error("cannot read `{image}`: {source}")]
    Read {
        /// Where the image is.
        image: String,
        /// The system's words.
        source: io::Error,
    },
    /// Its file or entry is larger than any genuine image.
    #[error("`{image}` takes {bytes} bytes, more than any image that would be decoded")]
    TooLong {
        /// Where the image is.
        image: String,
        /// Its length.
        bytes: u64,
    },
    /// Its entry in an archive is not what the archive says it is.
    #[error("`{image}` is damaged: {reason}")]
    Damaged {
        /// Where the image is.
        image: String,
        /// What does not agree.
        reason: String,
    },
    /// Its bytes are not an image.
    #[error("cannot decode `{image}`: {source}")]
    Decode {
        /// Where the image is.
        image: String,
        /// What the decoder found.
        source: DecodeError,
    },
    /// There is no image of this index.
    #[error("there is no image {index} in a set of {len}")]
    OutOfRange {
        /// The index asked for.
        index: usize,
        /// Number of images.
        len: usize,
    },
}

impl Blamed for ImageError {
    fn blame(&self) -> Blame {
        match self {
            ImageError::Read { source, .. } => regular::blame(source),
            ImageError::TooLong { .. } | ImageError::Damaged { .. } | ImageError::Decode { .. } => Blame::Input,
            ImageError::OutOfRange { .. } => Blame::Bug,
        }
    }
}
