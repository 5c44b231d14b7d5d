//! Statistics files: `.npz` with `mu` and `sigma`, as `pytorch-fid --save-stats` writes and reads them.
//!
//! Files written here carry one more array, `provenance`, with the bytes of a JSON text that says how the statistics
//! came about, so that a comparison of unlike statistics can be warned about. Other tools ignore it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

use ndarray::{Array1, Ix1, Ix2, OwnedRepr};
use ndarray_npy::{NpzReader, NpzWriter, ReadNpyError, ReadNpzError, ReadableElement, WriteNpzError};
use serde::{Deserialize, Serialize};

use super::gaussian::{Gaussian, GaussianError};
use crate::error::{Blame, Blamed};
use crate::output::{Output, OutputError};
use crate::regular;

/// Why a statistics file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatsFileError {
    /// The file cannot be opened or read.
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
    /// The file is no npz archive, or a damaged one.
    #[error("{} is not a statistics file: {reason}", path.display())]
    NotNpz {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// An array that a statistics file must have is missing.
    #[error(
        "{} has no array `{missing}`: a statistics file holds `mu` and `sigma`, this one holds {}",
        path.display(), list(found)
    )]
    MissingArray {
        /// Path of the file.
        path: PathBuf,
        /// Name of the missing array.
        missing: &'static str,
        /// Names that the file has.
        found: Vec<String>,
    },
    /// Mean and covariance are there but cannot be used.
    #[error("{}: {source}", path.display())]
    Gaussian {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong with them.
        source: GaussianError,
    },
}

impl Blamed for StatsFileError {
    fn blame(&self) -> Blame {
        match self {
            StatsFileError::Io { source, .. } => regular::blame(source),
            StatsFileError::Output(error) => error.blame(),
            _ => Blame::Input,
        }
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => "no array".into(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

/// How statistics came about: what two sets must share to be comparable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of this crate that computed the statistics.
    pub version: String,
    /// Name of the extractor, such as `inception-v3`.
    pub extractor: String,
    /// SHA-256 of the network's weights, in hexadecimal.
    pub model_sha256: String,
    /// Output of the network that served as features, such as `pool3`.
    pub layer: String,
    /// Resize mode, such as `tf1`.
    pub resize: String,
    /// Number of images.
    pub n: u64,
}

impl Provenance {
    /// The ways in which two sets of statistics are not comparable, each as a phrase; empty when they are.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let fields = [
            ("extractor", &self.extractor, &other.extractor),
            ("model", &self.model_sha256, &other.model_sha256),
            ("layer", &self.layer, &other.layer),
            ("resize mode", &self.resize, &other.resize),
        ];
        let differing = fields.into_iter().filter(|(_, ours, theirs)| ours != theirs);
        differing.map(|(name, ours, theirs)| format!("{name} {ours} against {theirs}")).collect()
    }
}

/// The content of a statistics file.
#[derive(Debug, Clone)]
pub struct StatsFile {
    /// Mean and covariance.
    pub gaussian: Gaussian,
    /// How they came about; unknown for files of other tools.
    pub provenance: Option<Provenance>,
}

impl StatsFile {
    /// Reads `mu` (d, f64 or f32) and `sigma` (d×d), and `provenance` where there is one.
    ///
    /// # Errors
    /// [`StatsFileError`] when the file cannot be read, lacks an array, or holds no mean and covariance.
    pub fn read(path: &Path) -> Result<Self, StatsFileError> {
        let not_npz = |reason: String| StatsFileError::NotNpz { path: path.into(), reason };
        let file = regular::open(path).map_err(|source| StatsFileError::Io { path: path.into(), source })?;
        let mut npz = NpzReader::new(BufReader::new(file)).map_err(|error| not_npz(error.to_string()))?;
        let found = npz.names().map_err(|error| not_npz(error.to_string()))?;
        if let Some(missing) = ["mu", "sigma"].into_iter().find(|name| !found.iter().any(|have| have == name)) {
            return Err(StatsFileError::MissingArray { path: path.into(), missing, found });
        }
        let mean = read_floats::<Ix1>(&mut npz, "mu").map_err(not_npz)?;
        let covariance = read_floats::<Ix2>(&mut npz, "sigma").map_err(not_npz)?;
        let provenance = match found.iter().any(|name| name == "provenance") {
            false => None,
            true => {
                let bytes: Array1<u8> = npz.by_name("provenance").map_err(|error| not_npz(error.to_string()))?;
                let parsed: Provenance = serde_json::from_slice(&bytes.to_vec())
                    .map_err(|error| not_npz(format!("its provenance cannot be read: {error}")))?;
                Some(parsed)
            }
        };
        let gaussian = Gaussian::new(provenance.as_ref().map(|known| known.n), mean, covariance)
            .map_err(|source| StatsFileError::Gaussian { path: path.into(), source })?;
        Ok(Self { gaussian, provenance })
    }

    /// Whether the file is an npz archive that holds `mu` and `sigma`; `false` for anything else, unreadable files
    /// included.
    pub fn sniff(path: &Path) -> bool {
        let names = regular::open(path)
            .ok()
            .filter(begins_an_archive)
            .and_then(|file| NpzReader::new(BufReader::new(file)).ok())
            .and_then(|mut npz| npz.names().ok());
        names.is_some_and(|names| ["mu", "sigma"].iter().all(|wanted| names.iter().any(|name| name == wanted)))
    }

    /// Writes the file: `mu` and `sigma` in f64, compressed. It appears whole or not at all.
    ///
    /// # Errors
    /// [`StatsFileError::Output`] when the file cannot be written; a file that was there before is then untouched.
    pub fn write(&self, path: &Path) -> Result<(), StatsFileError> {
        self.write_to(Output::claim(path)?)
    }

    /// As [`Self::write`], to a file that was claimed before the statistics were computed.
    ///
    /// # Errors
    /// [`StatsFileError::Output`] when the file cannot be written.
    pub fn write_to(&self, output: Output) -> Result<(), StatsFileError> {
        Ok(output.fill(|file| {
            // In memory: a zip writer whose file fails says so on stderr when it is dropped.
            let mut npz = NpzWriter::new_compressed(io::Cursor::new(Vec::new()));
            npz.add_array("mu", self.gaussian.mean()).map_err(io_error)?;
            npz.add_array("sigma", &self.gaussian.covariance()).map_err(io_error)?;
            if let Some(known) = &self.provenance {
                let text = serde_json::to_vec(known).expect("strings and a number always serialise");
                npz.add_array("provenance", &Array1::from_vec(text)).map_err(io_error)?;
            }
            file.write_all(npz.finish().map_err(io_error)?.get_ref())
        })?)
    }
}

/// Whether a file begins as an archive does, and leaves it at its beginning. What does not would be searched for the end of
/// one from its last byte to its first.
fn begins_an_archive(mut file: &File) -> bool {
    let mut head = [0; 4];
    file.read_exact(&mut head).is_ok() && &head == b"PK\x03\x04" && file.rewind().is_ok()
}

fn io_error(error: WriteNpzError) -> io::Error {
    io::Error::other(error)
}

/// Reads an array of f64, or of f32 widened to f64.
fn read_floats<D: ndarray::Dimension>(
    npz: &mut NpzReader<BufReader<File>>,
    name: &str,
) -> Result<ndarray::Array<f64, D>, String> {
    fn read<T: ReadableElement, D: ndarray::Dimension>(
        npz: &mut NpzReader<BufReader<File>>,
        name: &str,
    ) -> Result<ndarray::Array<T, D>, ReadNpzError> {
        npz.by_name::<OwnedRepr<T>, D>(name)
    }
    match read::<f64, D>(npz, name) {
        Err(ReadNpzError::Npy(ReadNpyError::WrongDescriptor(_))) => {
            read::<f32, D>(npz, name).map(|values| values.mapv(f64::from))
        }
        other => other,
    }
    .map_err(|error| format!("array `{name}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn example() -> StatsFile {
        let provenance = Provenance {
            version: "0.1.0".into(),
            extractor: "inception-v3".into(),
            model_sha256: "6726825d".into(),
            layer: "pool3".into(),
            resize: "tf1".into(),
            n: 50_000,
        };
        let gaussian = Gaussian::new(Some(50_000), array![0.1, -2.5], array![[1.0, 0.3], [0.3, 2.0]]).unwrap();
        StatsFile { gaussian, provenance: Some(provenance) }
    }

    #[test]
    fn survives_a_round_trip() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npz");
        let written = example();
        written.write(&path).unwrap();
        let read = StatsFile::read(&path).unwrap();
        assert_eq!(read.gaussian.mean(), written.gaussian.mean());
        assert_eq!(read.gaussian.covariance(), written.gaussian.covariance());
        assert_eq!(read.gaussian.n(), Some(50_000));
        assert_eq!(read.provenance, written.provenance);
        assert!(StatsFile::sniff(&path));
    }

    #[test]
    fn names_every_difference_that_matters() {
        let ours = example().provenance.unwrap();
        let theirs = Provenance { resize: "clean".into(), n: 7, version: "9".into(), ..ours.clone() };
        assert_eq!(ours.differences(&theirs), ["resize mode tf1 against clean"]);
        assert!(ours.differences(&ours).is_empty());
    }

    #[test]
    fn says_what_a_file_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npz");
        let mut npz = NpzWriter::new(File::create(&path).unwrap());
        npz.add_array("mu", &array![0.0]).unwrap();
        npz.add_array("arr_0", &array![0_u8]).unwrap();
        npz.finish().unwrap();
        let error = StatsFile::read(&path).unwrap_err().to_string();
        assert!(error.ends_with("a statistics file holds `mu` and `sigma`, this one holds `mu`, `arr_0`"), "{error}");
        assert!(!StatsFile::sniff(&path));

        std::fs::write(&path, b"PK\x03\x04 but no archive").unwrap();
        assert!(matches!(StatsFile::read(&path).unwrap_err(), StatsFileError::NotNpz { .. }));
        let missing = StatsFile::read(&folder.path().join("y.npz")).unwrap_err();
        assert!(matches!(missing, StatsFileError::Io { .. }));
        assert_eq!(missing.blame(), Blame::Input);
    }

    #[test]
    fn a_write_that_cannot_succeed_names_the_path() {
        let error = example().write(Path::new("/nonexistent/x.npz")).unwrap_err();
        assert!(error.to_string().starts_with("cannot write to /nonexistent/x.npz: "), "{error}");
        assert_eq!(error.blame(), Blame::Input);
    }
}
