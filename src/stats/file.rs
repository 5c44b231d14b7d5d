//! Statistics files: `.npz` with `mu` and `sigma`, as `pytorch-fid --save-stats` writes and reads them; pickles of such arrays are read.
//!
//! Files written here carry one more array, `provenance`, with the bytes of a JSON text that says how the statistics
//! came about, so that a comparison of unlike statistics can be warned about; or `n`, where only the number of images is known.
//! Other tools ignore both.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ndarray::arr0;
use serde::{Deserialize, Serialize};

use super::archive::{ArrayArchive, ArrayArchiveWriter};
use super::census::Census;
use super::fault::Fault;
use super::gaussian::{Gaussian, GaussianError};
use super::pickled::{self, Refused};
use crate::error::{Blame, Blamed};
use crate::numpy::STATISTICS;
use crate::output::{Output, OutputError};
use crate::regular;

/// What a statistics file has to hold.
const CONTENT: &str = "a statistics file holds `mu`, the mean of d features, and `sigma`, their covariance of d×d";

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
    /// The file is neither an npz archive nor a pickle of arrays, or a damaged one.
    #[error("{} is not a statistics file: {reason}", path.display())]
    NotNpz {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// An array that a statistics file must have is missing.
    #[error(
        "{} has no array `{missing}`: {CONTENT}; this one holds {}",
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
    /// A pickle holds several sets of statistics, and it cannot be told which is meant.
    #[error("{} holds several sets of statistics, and one must be chosen: {}", path.display(), list(found))]
    Several {
        /// Path of the file.
        path: PathBuf,
        /// Their names.
        found: Vec<String>,
    },
    /// Mean and covariance are there but cannot be used.
    #[error("{}, arrays {arrays}: {source}", path.display())]
    Gaussian {
        /// Path of the file.
        path: PathBuf,
        /// The arrays.
        arrays: String,
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

impl StatsFileError {
    fn of(path: &Path, fault: Fault) -> Self {
        match fault {
            Fault::Io(source) => StatsFileError::Io { path: path.into(), source },
            Fault::Malformed(reason) => StatsFileError::NotNpz { path: path.into(), reason },
        }
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => "no array".into(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

/// How features came about: what two sets must share to be comparable, and what else may tell why their scores differ. What an
/// older file does not tell is `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of this crate that computed the features.
    pub version: String,
    /// Name of the extractor, such as `inception-v3`.
    pub extractor: String,
    /// SHA-256 of the network's weights, in hexadecimal.
    pub model_sha256: String,
    /// Output of the network that served as features, such as `pool3`.
    pub layer: String,
    /// How features of many positions or tokens became one row an image, such as `spatial-mean`; `None` where the network did so
    /// itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooling: Option<String>,
    /// Resize mode, such as `tf1`.
    pub resize: String,
    /// Number of images.
    pub n: u64,
    /// What the network was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<NetworkInput>,
    /// Type of the numbers that the network computed with, such as `float32`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    /// What ran the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineProvenance>,
    /// What the images were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub census: Option<Census>,
}

/// The images as a network sees them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NetworkInput {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Subtracted per channel on the 0–255 scale.
    pub mean: [f32; 3],
    /// Divided by per channel on the 0–255 scale.
    pub std: [f32; 3],
}

/// The engine that ran a network, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineProvenance {
    /// `onnxruntime` or `tract`.
    pub name: String,
    /// Version of the engine.
    pub version: String,
    /// Execution provider that ran it, such as `cpu` or `cuda:0`.
    pub provider: String,
}

impl Provenance {
    /// The ways in which two sets of features are not comparable, each as a phrase; empty when they are, as far as both tell.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let fields = [
            ("extractor", &self.extractor, &other.extractor),
            ("model", &self.model_sha256, &other.model_sha256),
            ("layer", &self.layer, &other.layer),
            ("resize mode", &self.resize, &other.resize),
        ];
        let differing = fields.into_iter().filter(|(_, ours, theirs)| ours != theirs);
        let mut differences: Vec<String> =
            differing.map(|(name, ours, theirs)| format!("{name} {ours} against {theirs}")).collect();
        if self.pooling != other.pooling {
            let [ours, theirs] = [self, other].map(|known| known.pooling.as_deref().unwrap_or("none"));
            differences.push(format!("pooling {ours} against {theirs}"));
        }
        if let (Some(ours), Some(theirs)) = (&self.input, &other.input) {
            let size = |input: &NetworkInput| format!("{}×{}", input.width, input.height);
            if size(ours) != size(theirs) {
                differences.push(format!("input size {} against {}", size(ours), size(theirs)));
            }
            for (name, ours, theirs) in [("mean", ours.mean, theirs.mean), ("std", ours.std, theirs.std)] {
                if ours != theirs {
                    differences.push(format!("{name} {ours:?} against {theirs:?}"));
                }
            }
        }
        if let (Some(ours), Some(theirs)) = (&self.precision, &other.precision)
            && ours != theirs
        {
            differences.push(format!("precision {ours} against {theirs}"));
        }
        differences
    }
}

/// The content of a statistics file.
#[derive(Debug, Clone)]
pub struct StatsFile {
    /// Mean and covariance.
    pub gaussian: Gaussian,
    /// How they came about; unknown for files of other tools.
    pub provenance: Option<Provenance>,
    /// Mean and covariance of the spatial features, where the file has them: `mu_s` and `sigma_s` of ADM's reference batches.
    pub spatial: Option<Gaussian>,
}

/// What those of the spatial features are called.
const SPATIAL: [&str; 2] = ["mu_s", "sigma_s"];

impl StatsFile {
    /// Reads `mu` (d, or one row of d) and `sigma` (d×d), in any type of real numbers, and `provenance` where there is one. Tools that
    /// call them `mean` and `cov`, or `m` and `s`, are understood too. With `mu_s` and `sigma_s` come the statistics of the spatial
    /// features.
    ///
    /// Pickles of plain dicts of such arrays are read, and nothing in them is run: `{'mu': …, 'sigma': …}`, EDM2's sets of these (of
    /// several, that of Inception, `fid`), and the sums `raw_mean`, `raw_cov` and `num_items` of StyleGAN2-ADA and StyleGAN3.
    ///
    /// # Errors
    /// [`StatsFileError`] when the file cannot be read, lacks an array, or holds no mean and covariance.
    pub fn read(path: &Path) -> Result<Self, StatsFileError> {
        Self::read_set(path, None)
    }

    /// [`Self::read`], of the set of statistics that is asked for, where a pickle has one of that name.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_set(path: &Path, set: Option<&str>) -> Result<Self, StatsFileError> {
        match pickled::pickle_in(path).map_err(|fault| StatsFileError::of(path, fault))? {
            Some(bytes) => Self::of_pickle(path, &bytes, set),
            None => Self::of_archive(path),
        }
    }

    fn of_pickle(path: &Path, bytes: &[u8], set: Option<&str>) -> Result<Self, StatsFileError> {
        let found = pickled::read(bytes, set).map_err(|refused| match refused {
            Refused::Fault(fault) => StatsFileError::of(path, fault),
            Refused::Missing(found) => {
                StatsFileError::MissingArray { path: path.into(), missing: STATISTICS[0][0], found }
            }
            Refused::Several(found) => StatsFileError::Several { path: path.into(), found },
        })?;
        let unusable = |source| StatsFileError::Gaussian { path: path.into(), arrays: found.arrays.join(", "), source };
        let gaussian = Gaussian::new(found.n, found.mean, found.covariance).map_err(unusable)?;
        Ok(Self { gaussian, provenance: None, spatial: None })
    }

    fn of_archive(path: &Path) -> Result<Self, StatsFileError> {
        let fault = |fault| StatsFileError::of(path, fault);
        let mut archive = ArrayArchive::open(path).map_err(fault)?;
        let [mu, sigma] = pair_in(&archive.names()).unwrap_or(STATISTICS[0]);
        let found = archive.names();
        let missing = |missing| StatsFileError::MissingArray { path: path.into(), missing, found: found.clone() };
        let shape = |found| match found {
            Fault::Malformed(reason) => fault(Fault::Malformed(format!("{reason}; {CONTENT}"))),
            found => fault(found),
        };
        let mean = archive.vector(mu).map_err(shape)?.ok_or_else(|| missing(mu))?;
        let covariance = archive.doubles(sigma).map_err(shape)?.ok_or_else(|| missing(sigma))?;
        let parsed = |text: String| {
            serde_json::from_str(&text)
                .map_err(|error| fault(Fault::Malformed(format!("its provenance cannot be read: {error}"))))
        };
        let provenance: Option<Provenance> = archive.text("provenance").map_err(fault)?.map(parsed).transpose()?;
        let n = archive.vector("n").map_err(fault)?.filter(|n| n.len() == 1).map(|n| n[0] as u64);
        let unusable = |[mu, sigma]: [&str; 2]| {
            let arrays = format!("{mu}, {sigma}");
            move |source| StatsFileError::Gaussian { path: path.into(), arrays, source }
        };
        let gaussian = Gaussian::new(provenance.as_ref().map(|known| known.n).or(n), mean, covariance)
            .map_err(unusable([mu, sigma]))?;
        let [mu, sigma] = SPATIAL;
        let spatial = (archive.vector(mu).map_err(fault)?, archive.doubles(sigma).map_err(fault)?);
        let spatial = match spatial {
            (Some(mean), Some(covariance)) => {
                Some(Gaussian::new(gaussian.n(), mean, covariance).map_err(unusable(SPATIAL))?)
            }
            _ => None,
        };
        Ok(Self { gaussian, provenance, spatial })
    }

    /// The names of the arrays of mean and covariance, of the features and of the spatial features, as far as the file has them; of the
    /// set that [`Self::read_set`] takes.
    pub fn arrays_in(path: &Path, set: Option<&str>) -> [Option<[String; 2]>; 2] {
        if let Ok(Some(bytes)) = pickled::pickle_in(path) {
            return [pickled::arrays_in(&bytes, set), None];
        }
        let names = ArrayArchive::names_in(path);
        [pair_in(&names), has(&names, SPATIAL).then_some(SPATIAL)].map(|pair| pair.map(|pair| pair.map(str::to_owned)))
    }

    /// The names of the sets of statistics of which [`Self::read_set`] takes one; none unless the file is a pickle that has several
    /// dicts.
    pub fn sets_in(path: &Path) -> Vec<String> {
        match pickled::pickle_in(path) {
            Ok(Some(bytes)) => pickled::sets_in(&bytes),
            _ => Vec::new(),
        }
    }

    /// Whether the file is an npz archive or a pickle that has a mean and a covariance, by their names; `false` for anything else,
    /// unreadable files included. An archive may hold images besides. A pickle that has more than dicts of arrays, or that ends early, is
    /// refused by [`Self::read`], which says why.
    pub fn sniff(path: &Path) -> bool {
        match pickled::pickle_in(path) {
            Ok(Some(bytes)) => pickled::claims(&bytes),
            _ => pair_in(&ArrayArchive::names_in(path)).is_some(),
        }
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
            let mut archive = ArrayArchiveWriter::compressed(io::Cursor::new(Vec::new()));
            archive.array("mu", self.gaussian.mean())?;
            archive.array("sigma", &self.gaussian.covariance())?;
            if let Some(spatial) = &self.spatial {
                archive.array(SPATIAL[0], spatial.mean())?;
                archive.array(SPATIAL[1], &spatial.covariance())?;
            }
            match (&self.provenance, self.gaussian.n()) {
                (Some(known), _) => {
                    archive.text("provenance", serde_json::to_string(known).expect("plain values always serialise"))?;
                }
                (None, Some(n)) => archive.array("n", &arr0(n as f64))?,
                (None, None) => {}
            }
            file.write_all(archive.finish()?.get_ref())
        })?)
    }
}

/// Whether there are arrays of both names.
fn has(names: &[String], pair: [&str; 2]) -> bool {
    pair.iter().all(|wanted| names.iter().any(|name| name == wanted))
}

/// What mean and covariance are called.
fn pair_in(names: &[String]) -> Option<[&'static str; 2]> {
    STATISTICS.into_iter().find(|&pair| has(names, pair))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use ndarray::array;
    use ndarray_npy::NpzWriter;

    fn example() -> StatsFile {
        let provenance = Provenance {
            version: "0.1.0".into(),
            extractor: "inception-v3".into(),
            model_sha256: "6726825d".into(),
            layer: "pool3".into(),
            resize: "tf1".into(),
            n: 50_000,
            ..Provenance::default()
        };
        let gaussian = Gaussian::new(Some(50_000), array![0.1, -2.5], array![[1.0, 0.3], [0.3, 2.0]]).unwrap();
        StatsFile { gaussian, provenance: Some(provenance), spatial: None }
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
        let seen = NetworkInput { width: 299, height: 299, mean: [128.0; 3], std: [128.0; 3] };
        let with = |input| Provenance { input: Some(input), precision: Some("float32".into()), ..ours.clone() };
        let other = with(NetworkInput { width: 224, height: 224, std: [1.0; 3], ..seen });
        let expected = ["input size 299×299 against 224×224", "std [128.0, 128.0, 128.0] against [1.0, 1.0, 1.0]"];
        assert_eq!(with(seen).differences(&other), expected);
        assert!(with(seen).differences(&ours).is_empty(), "what an older file does not tell is no difference");
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
        assert!(error.contains("has no array `sigma`"), "{error}");
        assert!(error.ends_with("their covariance of d×d; this one holds `mu`, `arr_0`"), "{error}");
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
