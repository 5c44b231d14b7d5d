//! What P and Q are: probabilities, densities, Gaussians or samples.

use std::fs::File;
use std::io;
use std::path::Path;

use super::{archive, table};
use crate::divergence::{Density, DensityError, Distribution, DistributionError, GaussianMixture, MultivariateNormal};
use crate::error::{Blame, Blamed};
use crate::regular;
use crate::stats::StatsFile;
use ndarray::{Array2, ArrayD, Axis, Ix1, Ix2};
use ndarray_npy::{ReadNpyError, ReadNpyExt};

/// How probabilities are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reading<'a> {
    /// Weights are divided by their sum.
    pub normalized: bool,
    /// The column of a file, by its heading or its number.
    pub column: Option<&'a str>,
    /// The array of an archive that holds samples.
    pub array: Option<&'a str>,
}

/// What P and Q are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Probabilities,
    Densities,
    Gaussians,
    Mixtures,
    Samples,
    /// P is samples and Q a density.
    Fit,
}

/// P and Q: of the same kind, but for samples against a density.
#[derive(Debug)]
pub(super) enum Pair {
    Distributions(Distribution, Distribution),
    Densities(Density, Density),
    Gaussians(MultivariateNormal, MultivariateNormal),
    Mixtures(GaussianMixture, GaussianMixture),
    Samples(Array2<f64>, Array2<f64>),
    Fit(Array2<f64>, Density),
}

/// Why P or Q cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// Neither numbers, nor a density, nor a known file.
    #[error(
        "cannot tell what `{text}` is: expected probabilities (0.2,0.8), a density (normal(0,1)), or a file that ends \
         in .csv or .tsv (probabilities), .npy (samples) or .npz (mu and sigma of a Gaussian; weights, means and covariances of \
         a mixture)"
    )]
    Unrecognized {
        /// What was given.
        text: String,
    },
    /// A field is not a number.
    #[error("field {field} of `{text}` is `{found}`, not a number")]
    NotANumber {
        /// Which field, counted from 1.
        field: usize,
        /// What was given.
        text: String,
        /// The field.
        found: String,
    },
    /// The file system said no.
    #[error("cannot read {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what its name says.
    #[error("{path} is not a usable {expected}: {reason}")]
    Format {
        /// The file.
        path: String,
        /// What was expected.
        expected: &'static str,
        /// What was wrong.
        reason: String,
    },
    /// The numbers of one of the two are not a distribution.
    #[error("{which}: {source}")]
    Distribution {
        /// `P` or `Q`.
        which: char,
        /// What is wrong with them.
        source: DistributionError,
    },
    /// The expression of one of the two is not a density.
    #[error("{which}: {source}")]
    Density {
        /// `P` or `Q`.
        which: char,
        /// What is wrong with it.
        source: DensityError,
    },
    /// A discriminator's output is not a probability.
    #[error("entry {entry} of the discriminator is {value}: it must be a probability, from 0 to 1")]
    Discriminator {
        /// Index of the entry, from 0.
        entry: usize,
        /// Its value.
        value: f64,
    },
    /// P and Q are of different kinds.
    #[error("P is {p} and Q is {q}: give both in the same form, or samples as P and a density as Q")]
    Mixed {
        /// What P is.
        p: &'static str,
        /// What Q is.
        q: &'static str,
    },
}

impl Blamed for InputError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

impl Kind {
    /// What both are, by the form of their texts; of archives, by the names of their arrays or the one that is named.
    pub fn of_both(p: &str, q: &str, array: Option<&str>) -> Result<Self, InputError> {
        match (Self::of(p, array)?, Self::of(q, array)?) {
            (p, q) if p == q => Ok(p),
            (Kind::Samples, Kind::Densities) => Ok(Kind::Fit),
            (p, q) => Err(InputError::Mixed { p: p.one(), q: q.one() }),
        }
    }

    fn of(text: &str, array: Option<&str>) -> Result<Self, InputError> {
        match extension(text) {
            // A density such as `normal(0,1.csv` does not exist; anything with a parenthesis is an expression.
            _ if text.contains('(') => Ok(Kind::Densities),
            _ if is_table(text) => Ok(Kind::Probabilities),
            Some("npy") => Ok(Kind::Samples),
            Some("npz") if array.is_some() => Ok(Kind::Samples),
            Some("npz") if archive::holds_mixture(Path::new(text)) => Ok(Kind::Mixtures),
            Some("npz") => Ok(Kind::Gaussians),
            _ if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+')) => {
                Ok(Kind::Probabilities)
            }
            _ => Err(InputError::Unrecognized { text: text.to_owned() }),
        }
    }

    /// Both, for people.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Probabilities => "probabilities",
            Kind::Densities => "densities",
            Kind::Gaussians => "Gaussians",
            Kind::Mixtures => "mixtures of Gaussians",
            Kind::Samples => "samples",
            Kind::Fit => "samples against a density",
        }
    }

    /// One of the two, for people.
    fn one(self) -> &'static str {
        match self {
            Kind::Probabilities => "probabilities",
            Kind::Densities => "a density",
            Kind::Gaussians => "a Gaussian",
            Kind::Mixtures => "a mixture of Gaussians",
            Kind::Samples | Kind::Fit => "samples",
        }
    }
}

impl Pair {
    /// Reads both, which are of this kind.
    pub fn read(kind: Kind, p: &str, q: &str, reading: Reading<'_>) -> crate::Result<Self> {
        let probabilities = |which, text| distribution(which, probabilities(text, reading.column)?, reading);
        let density = |which, text: &str| text.parse().map_err(|source| InputError::Density { which, source });
        let samples = |text: &str| samples(Path::new(text), reading.array);
        Ok(match kind {
            Kind::Probabilities => Pair::Distributions(probabilities('P', p)?, probabilities('Q', q)?),
            Kind::Densities => Pair::Densities(density('P', p)?, density('Q', q)?),
            Kind::Gaussians => Pair::Gaussians(gaussian(Path::new(p))?, gaussian(Path::new(q))?),
            Kind::Mixtures => Pair::Mixtures(archive::mixture(Path::new(p))?, archive::mixture(Path::new(q))?),
            Kind::Samples => Pair::Samples(samples(p)?, samples(q)?),
            Kind::Fit => Pair::Fit(samples(p)?, density('Q', q)?),
        })
    }

    /// What P and Q are.
    pub fn kind(&self) -> Kind {
        match self {
            Pair::Distributions(..) => Kind::Probabilities,
            Pair::Densities(..) => Kind::Densities,
            Pair::Gaussians(..) => Kind::Gaussians,
            Pair::Mixtures(..) => Kind::Mixtures,
            Pair::Samples(..) => Kind::Samples,
            Pair::Fit(..) => Kind::Fit,
        }
    }
}

fn extension(text: &str) -> Option<&str> {
    Path::new(text).extension().and_then(|extension| extension.to_str())
}

/// Whether a text names a file of numbers.
pub(super) fn is_table(text: &str) -> bool {
    !text.contains('(') && matches!(extension(text), Some("csv" | "txt" | "tsv"))
}

/// Whether a text names an archive of arrays.
pub(super) fn is_archive(text: &str) -> bool {
    !text.contains('(') && extension(text) == Some("npz")
}

/// The numbers of a file, or of the text itself.
fn probabilities(text: &str, column: Option<&str>) -> Result<Vec<f64>, InputError> {
    match is_table(text) {
        true => {
            let content = open(Path::new(text)).and_then(|mut file| {
                let read = io::read_to_string(&mut file);
                read.map_err(|source| InputError::File { path: text.to_owned(), source })
            });
            match column {
                Some(column) => table::column(text, &content?, column),
                None => table::probabilities(text, &content?),
            }
        }
        false => numbers(text),
    }
}

/// A discriminator's probabilities, one for each entry of P and Q.
pub(super) fn discriminator(text: &str) -> Result<Vec<f64>, InputError> {
    let values = probabilities(text, None)?;
    match values.iter().position(|value| !(0.0..=1.0).contains(value)) {
        Some(entry) => Err(InputError::Discriminator { entry, value: values[entry] }),
        None => Ok(values),
    }
}

/// Numbers separated by commas, semicolons or white space.
pub(super) fn numbers(text: &str) -> Result<Vec<f64>, InputError> {
    text.split(|c: char| c == ',' || c == ';' || c.is_whitespace())
        .filter(|field| !field.is_empty())
        .enumerate()
        .map(|(index, field)| {
            field.parse().map_err(|_| InputError::NotANumber {
                field: index + 1,
                text: abridged(text),
                found: field.to_owned(),
            })
        })
        .collect()
}

fn abridged(text: &str) -> String {
    const LONGEST: usize = 60;
    let text = text.trim();
    if text.chars().count() <= LONGEST { text.to_owned() } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

fn distribution(which: char, values: Vec<f64>, reading: Reading<'_>) -> Result<Distribution, InputError> {
    match reading.normalized {
        false => Distribution::new(values),
        true => Distribution::normalized(values),
    }
    .map_err(|source| InputError::Distribution { which, source })
}

pub(super) fn unusable(path: &Path, expected: &'static str, reason: impl std::fmt::Display) -> InputError {
    InputError::Format { path: path.display().to_string(), expected, reason: reason.to_string() }
}

fn open(path: &Path) -> Result<File, InputError> {
    regular::open(path).map_err(|source| InputError::File { path: path.display().to_string(), source })
}

/// An array of any type that f64 holds, and of 64-bit integers, of which it holds those up to 2⁵³.
fn doubles(path: &Path) -> Result<Result<ArrayD<f64>, ReadNpyError>, InputError> {
    let first = match ArrayD::<f64>::read_npy(open(path)?) {
        Err(error @ ReadNpyError::WrongDescriptor(_)) => error,
        read => return Ok(read),
    };
    macro_rules! or_of {
        ($($numbers:ty),*) => {$(
            if let Ok(array) = ArrayD::<$numbers>::read_npy(open(path)?) {
                return Ok(Ok(array.mapv(|value| value as f64)));
            }
        )*};
    }
    or_of!(f32, i64, u64, i32, u32, i16, u16, i8, u8);
    Ok(Err(first))
}

/// Samples, one a row; one dimension is one column.
pub fn samples(path: &Path, array: Option<&str>) -> Result<Array2<f64>, InputError> {
    const EXPECTED: &str = "array of samples";
    let array = match array.filter(|_| is_archive(&path.to_string_lossy())) {
        Some(name) => archive::array(path, EXPECTED, name)?,
        None => doubles(path)?.map_err(|error| unusable(path, EXPECTED, error))?,
    };
    match array.ndim() {
        1 => array.into_dimensionality::<Ix1>().map(|column| column.insert_axis(Axis(1))),
        2 => array.into_dimensionality::<Ix2>(),
        dimensions => {
            return Err(unusable(path, EXPECTED, format!("it has {dimensions} dimensions instead of 1 or 2")));
        }
    }
    .map_err(|error| unusable(path, EXPECTED, error))
}

/// The mean and covariance that FID tools write, as the scores read them.
fn gaussian(path: &Path) -> crate::Result<MultivariateNormal> {
    let StatsFile { gaussian, .. } = StatsFile::read(path)?;
    Ok(MultivariateNormal::new(gaussian.mean().clone(), gaussian.covariance())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(p: &str, q: &str) -> Result<Pair, String> {
        let kind = Kind::of_both(p, q, None).map_err(|error| error.to_string())?;
        Pair::read(kind, p, q, Reading::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn forms_are_told_apart() {
        assert!(matches!(read("0.2,0.8", ".5 .5"), Ok(Pair::Distributions(..))));
        assert!(matches!(read("normal(0,1)", "0.5*laplace(0,1)+0.5*normal(1,1)"), Ok(Pair::Densities(..))));
        assert!(read("0.2,0.8", "normal(0,1)").unwrap_err().contains("P is probabilities and Q is a density"));
        assert!(read("weights", "0.5,0.5").unwrap_err().contains("cannot tell what `weights` is"));
    }

    #[test]
    fn mistakes_name_the_distribution_and_the_entry() {
        assert!(read("0.2,0.8", "0.5,-0.5,1").unwrap_err().contains("Q: entry 1 is -0.5"));
        assert!(read("0.2,x", "0.5,0.5").unwrap_err().contains("field 2"));
        assert!(read("0.25,0.5", "0.5,0.5").unwrap_err().contains("P: the 2 entries sum to 0.75"));
        assert!(read("normal(0,1)", "normal(0)").unwrap_err().contains("Q: cannot read"));
        assert!(read("missing.npy", "missing.npy").unwrap_err().contains("cannot read missing.npy"));
    }

    #[test]
    fn arrays_come_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let column = folder.path().join("column.npy");
        ndarray_npy::write_npy(&column, &ndarray::array![1.0_f32, 2.5]).unwrap();
        assert_eq!(samples(&column, None).unwrap(), ndarray::array![[1.0], [2.5]]);
        ndarray_npy::write_npy(&column, &ndarray::array![-3_i64, 4]).unwrap();
        assert_eq!(samples(&column, None).unwrap(), ndarray::array![[-3.0], [4.0]]);
        ndarray_npy::write_npy(&column, &ndarray::array![[7_u8, 255]]).unwrap();
        assert_eq!(samples(&column, None).unwrap(), ndarray::array![[7.0, 255.0]]);
        ndarray_npy::write_npy(&column, &ndarray::array![true]).unwrap();
        assert!(samples(&column, None).unwrap_err().to_string().contains("array of samples"));
        let cube = folder.path().join("cube.npy");
        ndarray_npy::write_npy(&cube, &ndarray::Array3::<f64>::zeros((1, 1, 1))).unwrap();
        assert!(samples(&cube, None).unwrap_err().to_string().contains("3 dimensions"));
    }
}
