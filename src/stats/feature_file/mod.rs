//! Feature files: what a network said of every image of a set, so that no extraction need be repeated.
//!
//! | extension | content |
//! |---|---|
//! | `.npz` | arrays `features`, `logits`, `spatial`; JSON texts as bytes in `provenance`, `names` and `labels`; read by `numpy.load` |
//! | `.safetensors` | tensors of the same names; the texts in the metadata |
//! | `.npy` | the features alone, n×d |
//!
//! All numbers are written in f32. Arrays of f16 and f64, as other tools write them, are read and rounded to f32, and axes of length 1 behind the
//! second are dropped. In a `.npz` of another tool the features are the array that is asked for, or `reps` (dgm-eval), `pool_3` (score_sde), `feats`,
//! `act`, or the only matrix of floating-point numbers. A `.npy` file of 256 MB and more
//! is mapped instead of read: its features take no memory that other programs want, and there may be more of them than memory.

mod npz;
mod safetensors;

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ndarray::Array2;
use ndarray_npy::WriteNpyExt;

use super::archive::{ArrayArchive, HEAD, check_length, of_rank, without_ones_behind};
use super::fault::Fault;
use super::features::{Features, FeaturesError, Logits};
use super::file::Provenance;
use super::mapped::{MAPPED_FROM, MappedRows};
use crate::error::{Blame, Blamed};
use crate::numpy::{Header, MAGIC};
use crate::output::{Output, OutputError};
use crate::regular;

/// Why a feature file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureFileError {
    /// The file cannot be opened or read, though nothing is known to be wrong with it.
    #[error("{}: {source}", path.display())]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The name does not say in which format to write.
    #[error("{} does not say which format to write: name a file .npz, .npy or .safetensors", path.display())]
    Extension {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file is damaged, or is not a feature file.
    #[error("{} is not a feature file: {reason}", path.display())]
    Malformed {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A value cannot be used.
    #[error(
        "{}{}{}: {source}", path.display(), array.as_ref().map_or(String::new(), |array| format!(", array `{array}`")),
        image.as_ref().map_or(String::new(), |image| format!(", image {image}"))
    )]
    Features {
        /// Path of the file.
        path: PathBuf,
        /// The array, where the file may have several.
        array: Option<String>,
        /// Name of the image, where the file tells.
        image: Option<String>,
        /// Which value.
        source: FeaturesError,
    },
}

impl FeatureFileError {
    fn of(path: &Path, fault: Fault) -> Self {
        match fault {
            Fault::Io(source) => FeatureFileError::Io { path: path.into(), source },
            Fault::Malformed(reason) => FeatureFileError::Malformed { path: path.into(), reason },
        }
    }
}

impl Blamed for FeatureFileError {
    fn blame(&self) -> Blame {
        match self {
            FeatureFileError::Io { source, .. } => regular::blame(source),
            FeatureFileError::Output(error) => error.blame(),
            _ => Blame::Input,
        }
    }
}

/// The array that only files of a part of a set have.
pub(crate) const PART: &str = "part";

/// What a network said of every image of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureFile {
    /// The features, n×d.
    pub features: Features,
    /// The class scores, n×classes.
    pub logits: Option<Logits>,
    /// The spatial features, which sFID compares.
    pub spatial: Option<Features>,
    /// The name of each image within its set, with its folders.
    pub names: Option<Vec<String>>,
    /// The class of each image, where that is not the folder in its name.
    pub labels: Option<Vec<String>>,
    /// How the features came about; unknown for files of other tools.
    pub provenance: Option<Provenance>,
}

/// Features as found, nothing checked.
enum Found {
    Memory(Array2<f32>),
    Mapped(MappedRows),
}

/// Names of images as found.
enum Names {
    /// As this crate writes them.
    Json(String),
    /// As another tool has them.
    List(Vec<String>),
}

/// A feature file as read, nothing checked.
#[derive(Default)]
struct Raw {
    features: Option<Found>,
    /// The array that they are, where the file has several.
    array: Option<String>,
    logits: Option<Array2<f32>>,
    spatial: Option<Array2<f32>>,
    names: Option<Names>,
    labels: Option<Vec<String>>,
    provenance: Option<String>,
}

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Npz,
    Npy,
    Safetensors,
}

impl Format {
    fn of_name(path: &Path) -> Result<Self, FeatureFileError> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match extension.as_str() {
            "npz" => Ok(Format::Npz),
            "npy" => Ok(Format::Npy),
            "safetensors" => Ok(Format::Safetensors),
            _ => Err(FeatureFileError::Extension { path: path.into() }),
        }
    }

    /// By the first bytes; `None` for what is certainly no feature file.
    fn of_content(path: &Path) -> io::Result<Option<Self>> {
        let mut head = Vec::new();
        regular::open(path)?.take(HEAD).read_to_end(&mut head)?;
        Ok(if head.starts_with(b"PK\x03\x04") {
            Some(Format::Npz)
        } else if head.starts_with(MAGIC) {
            // A matrix of floating-point numbers; images have three or four axes.
            let matrix = |header: &Header| header.is_float() && header.axes(2).len() == 2;
            Header::of(&head).is_some_and(|header| matrix(&header)).then_some(Format::Npy)
        } else {
            safetensors::recognise(&head).then_some(Format::Safetensors)
        })
    }
}

impl FeatureFile {
    /// Whether the file holds features; `false` for anything else, unreadable files included.
    pub fn sniff(path: &Path) -> bool {
        Self::sniff_array(path, None)
    }

    /// [`Self::sniff`], where `array` is asked for, if the file has one of that name.
    pub fn sniff_array(path: &Path, array: Option<&str>) -> bool {
        match Format::of_content(path) {
            Ok(Some(Format::Npz)) => npz::has_features(path, array),
            Ok(found) => found.is_some(),
            Err(_) => false,
        }
    }

    /// Reads a file in any of the formats.
    ///
    /// # Errors
    /// [`FeatureFileError`] when it cannot be read, holds no features, or values that are not finite; such a value's
    /// image is named where the file tells.
    pub fn read(path: &Path) -> Result<Self, FeatureFileError> {
        Self::read_array(path, None)
    }

    /// [`Self::read`], where `array` holds the features, if the file has one of that name.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_array(path: &Path, array: Option<&str>) -> Result<Self, FeatureFileError> {
        let raw = || match Format::of_content(path)? {
            Some(Format::Npz) => npz::read(path, array),
            Some(Format::Safetensors) => safetensors::read(path),
            Some(Format::Npy) => Ok(Raw { features: Some(read_npy(path)?), ..Raw::default() }),
            None => Err(Fault::Malformed("it is not a .npz, .npy or .safetensors file of features".into())),
        };
        Self::checked(path, raw().map_err(|fault| FeatureFileError::of(path, fault))?)
    }

    /// The array of a `.npz` file that holds the features, as [`Self::read_array`] finds it.
    pub fn array_in(path: &Path, array: Option<&str>) -> Option<String> {
        npz::features_in(&ArrayArchive::listed_in(path), array).map(str::to_owned)
    }

    fn checked(path: &Path, raw: Raw) -> Result<Self, FeatureFileError> {
        let malformed = |reason: String| FeatureFileError::Malformed { path: path.into(), reason };
        let json = |what: &str, error: serde_json::Error| malformed(format!("its {what} cannot be read: {error}"));
        let names: Option<Vec<String>> = match raw.names {
            Some(Names::Json(text)) => Some(serde_json::from_str(&text).map_err(|error| json("names", error))?),
            Some(Names::List(names)) => Some(names),
            None => None,
        };
        let provenance = match raw.provenance {
            Some(text) => Some(serde_json::from_str(&text).map_err(|error| json("provenance", error))?),
            None => None,
        };
        let values = |array: Option<String>, source: FeaturesError| {
            let image = match &source {
                FeaturesError::NotFinite { row, .. } => names.as_ref().and_then(|names| names.get(*row)).cloned(),
                _ => None,
            };
            FeatureFileError::Features { path: path.into(), array, image, source }
        };
        let features = raw.features.ok_or_else(|| malformed("it has no array `features`".into()))?;
        let features = match features {
            Found::Memory(features) => Features::new(features),
            Found::Mapped(rows) => Features::mapped(rows),
        };
        let features = features.map_err(|error| values(raw.array, error))?;
        let of = |array: &str| {
            let array = array.to_owned();
            move |error| values(Some(array), error)
        };
        let logits = raw.logits.map(Logits::new).transpose().map_err(of("logits"))?;
        let spatial = raw.spatial.map(Features::new).transpose().map_err(of("spatial"))?;
        let rows = features.len();
        for (what, found) in [
            ("logits", logits.as_ref().map(Logits::len)),
            ("spatial features", spatial.as_ref().map(Features::len)),
            ("names", names.as_ref().map(Vec::len)),
            ("classes", raw.labels.as_ref().map(Vec::len)),
        ] {
            if let Some(found) = found.filter(|&found| found != rows) {
                return Err(malformed(format!("it has features of {rows} images, but {what} of {found}")));
            }
        }
        Ok(Self { features, logits, spatial, names, labels: raw.labels, provenance })
    }

    /// Reads how the features of an `.npz` file came about, and nothing else.
    ///
    /// # Errors
    /// [`FeatureFileError`] when it cannot be read or does not tell.
    pub fn read_provenance(path: &Path) -> Result<Provenance, FeatureFileError> {
        let text = npz::read_provenance(path).map_err(|fault| FeatureFileError::of(path, fault))?;
        serde_json::from_str(&text).map_err(|error| {
            let reason = format!("its provenance cannot be read: {error}");
            FeatureFileError::Malformed { path: path.into(), reason }
        })
    }

    /// Whether [`Self::write`] could write to such a path all that it is asked to; so that one can know before the work.
    ///
    /// # Errors
    /// [`FeatureFileError::Extension`].
    pub fn check_name(path: &Path) -> Result<(), FeatureFileError> {
        Format::of_name(path).map(|_| ())
    }

    /// Writes the file in the format that its extension names. A `.npy` file takes the features alone. It appears whole or
    /// not at all.
    ///
    /// # Errors
    /// [`FeatureFileError`] when the extension names no format, or the file cannot be written; a file that was there
    /// before is then untouched.
    pub fn write(&self, path: &Path) -> Result<(), FeatureFileError> {
        Self::check_name(path)?;
        self.write_to(Output::claim(path)?)
    }

    /// As [`Self::write`], to a file that was claimed before the features were computed. Its [name](Self::check_name) is best
    /// checked then, too.
    ///
    /// # Errors
    /// [`FeatureFileError`] when the extension names no format, or the file cannot be written.
    pub fn write_to(&self, output: Output) -> Result<(), FeatureFileError> {
        let format = Format::of_name(output.path())?;
        Ok(output.fill(|file| match format {
            Format::Npz => npz::write(self, file),
            Format::Npy => self.features.view().write_npy(file).map_err(io::Error::other),
            Format::Safetensors => safetensors::write(self, file),
        })?)
    }

    /// The texts that go into a file, by name.
    fn texts(&self) -> Vec<(&'static str, String)> {
        let mut texts = Vec::new();
        if let Some(provenance) = &self.provenance {
            texts.push(("provenance", serde_json::to_string(provenance).expect("strings and a number serialise")));
        }
        if let Some(names) = &self.names {
            texts.push(("names", serde_json::to_string(names).expect("strings serialise")));
        }
        if let Some(labels) = &self.labels {
            texts.push(("labels", serde_json::to_string(labels).expect("strings serialise")));
        }
        texts
    }

    /// The matrices that go into a file, by name.
    fn matrices(&self) -> Vec<(&'static str, ndarray::ArrayView2<'_, f32>)> {
        let mut matrices = vec![("features", self.features.view())];
        matrices.extend(self.logits.as_ref().map(|logits| ("logits", logits.view())));
        matrices.extend(self.spatial.as_ref().map(|spatial| ("spatial", spatial.view())));
        matrices
    }
}

/// A matrix of floating-point numbers, rounded to f32; a large one of f32 is mapped where that is possible.
fn read_npy(path: &Path) -> Result<Found, Fault> {
    let mut file = regular::open(path)?;
    let mut head = Vec::new();
    (&file).take(HEAD).read_to_end(&mut head)?;
    let header = Header::of(&head).ok_or_else(|| "it has no header of NumPy".to_owned())?;
    let length = file.metadata()?.len();
    check_length(&header, length)?;
    if length >= MAPPED_FROM
        && let Some(rows) = MappedRows::of_npy(&file)?
    {
        return Ok(Found::Mapped(rows));
    }
    let number = header.number().ok_or_else(|| format!("it holds values of type `{}`", header.dtype))?;
    file.seek(SeekFrom::Start(header.start as u64))?;
    let mut reader = BufReader::new(file);
    let values = number.read(&header, &mut reader, |value| value as f32)?;
    if reader.read(&mut [0])? > 0 {
        return Err("it has more bytes than its header announces".to_owned().into());
    }
    Ok(Found::Memory(of_rank(without_ones_behind(values, 2))?))
}

#[cfg(test)]
mod tests;
