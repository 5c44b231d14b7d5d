//! Running mean and covariance, mergeable and in bytes: what engines that fold accumulators need.

use std::sync::Mutex;

use gan_metrics::ndarray::{Array1, Array2};
use gan_metrics::stats::{FeatureStatistics, Features, Moments as Sums, Provenance, Seen, StatsFile};
use gan_metrics::{Blame, Error, Result, error::Blamed};
use numpy::{PyArray1, PyArray2, PyReadonlyArray2, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::network::locked;
use crate::statistics::{self, Statistics};
use crate::work;

/// What the bytes begin with; the digit is the version of the format.
const MAGIC: &[u8; 8] = b"GMMOMNT1";

/// What the words and numbers after it are: the number of images, the dimension, the length of the text on how the features came
/// about; then that text, the mean, and the lower triangle of the scatter matrix row by row, in little-endian f64.
const HEAD: usize = 8 + 3 * 8;

/// Why moments cannot be read or merged.
#[derive(Debug)]
enum MomentsFault {
    Malformed(&'static str),
    Incomparable(Vec<String>),
}

impl std::fmt::Display for MomentsFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MomentsFault::Malformed(what) => write!(f, "these are not the bytes of moments: {what}"),
            MomentsFault::Incomparable(differences) => {
                write!(f, "the moments were computed differently: {}", differences.join("; "))
            }
        }
    }
}

impl std::error::Error for MomentsFault {}

impl Blamed for MomentsFault {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

#[derive(Clone)]
struct State {
    statistics: FeatureStatistics,
    provenance: Option<Provenance>,
}

impl State {
    /// As sums, also where there are few rows.
    fn sums(&self) -> Result<Sums> {
        Ok(match self.statistics.seen() {
            Seen::Moments(sums) => sums.clone(),
            Seen::Rows(rows) => {
                let mut sums = Sums::new(self.statistics.dim());
                if !rows.is_empty() {
                    sums.push(&Features::new(rows.to_owned())?)?;
                }
                sums
            }
        })
    }

    fn merge(&mut self, other: &Self) -> Result<()> {
        if let (Some(ours), Some(theirs)) = (&self.provenance, &other.provenance) {
            let differences = ours.differences(theirs);
            if !differences.is_empty() {
                return Err(MomentsFault::Incomparable(differences).into());
            }
        }
        self.statistics.merge(&other.statistics)?;
        self.provenance = self.provenance.take().or_else(|| other.provenance.clone());
        Ok(())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let (n, mean, scatter) = self.sums()?.parts();
        let known =
            self.provenance.as_ref().map(|known| serde_json::to_vec(known).expect("plain values always serialise"));
        let (known, dim) = (known.unwrap_or_default(), mean.len());
        let mut bytes = Vec::with_capacity(HEAD + known.len() + 8 * (dim + dim * (dim + 1) / 2));
        bytes.extend_from_slice(MAGIC);
        for number in [n, dim as u64, known.len() as u64] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&known);
        let triangle =
            scatter.rows().into_iter().enumerate().flat_map(|(row, values)| values.into_iter().take(row + 1));
        bytes.extend(mean.iter().chain(triangle).flat_map(|value| value.to_le_bytes()));
        Ok(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let malformed = |what| Error::from(MomentsFault::Malformed(what));
        let Some(head) = bytes.strip_prefix(MAGIC).filter(|_| bytes.len() >= HEAD) else {
            return Err(malformed("they begin otherwise"));
        };
        let number = |at: usize| head[8 * at..8 * at + 8].try_into().map_or(0, u64::from_le_bytes);
        let (n, dim, known) = (number(0), number(1) as usize, number(2) as usize);
        let doubles =
            dim.checked_add(1).and_then(|next| dim.checked_mul(next)).and_then(|twice| (twice / 2).checked_add(dim));
        let length = doubles.and_then(|doubles| doubles.checked_mul(8)?.checked_add(known)?.checked_add(HEAD));
        if length != Some(bytes.len()) {
            return Err(malformed("they are cut off, or have something behind them"));
        }
        let (known, doubles) = bytes[HEAD..].split_at(known);
        let provenance = match known {
            [] => None,
            text => {
                Some(serde_json::from_slice(text).map_err(|_| malformed("how their features came about is damaged"))?)
            }
        };
        let mut values = doubles.chunks_exact(8).map(|bytes| bytes.try_into().map_or(f64::NAN, f64::from_le_bytes));
        let mean: Array1<f64> = values.by_ref().take(dim).collect();
        let mut scatter = Array2::zeros((dim, dim));
        for row in 0..dim {
            for column in 0..=row {
                scatter[(row, column)] = values.next().unwrap_or(f64::NAN);
            }
        }
        Ok(Self { statistics: Sums::from_parts(n, mean, scatter)?.into(), provenance })
    }
}

/// Moments of features.
#[pyclass(frozen, module = "gan_metrics._native")]
pub struct Moments(Mutex<State>);

#[pymethods]
impl Moments {
    #[new]
    fn new(py: Python<'_>, dim: usize, known: Option<&str>) -> PyResult<Self> {
        let provenance = statistics::provenance(py, known)?;
        work::run(py, move |_| Ok(Self(Mutex::new(State { statistics: FeatureStatistics::new(dim), provenance }))))
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        work::run(py, |_| Ok(Self(Mutex::new(State::from_bytes(data)?))))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = work::run(py, |_| locked(&self.0).to_bytes())?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Adds features, one row an image.
    fn push(&self, py: Python<'_>, rows: PyReadonlyArray2<'_, f32>) -> PyResult<()> {
        let rows = rows.as_array();
        work::run(py, move |_| Ok(locked(&self.0).statistics.push(&statistics::features(rows)?)?))
    }

    /// Joins the images of others.
    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
        work::run(py, |_| {
            // One lock at a time: two that are merged into each other must not wait for each other.
            let other = locked(&other.0).clone();
            locked(&self.0).merge(&other)
        })
    }

    #[getter]
    fn n(&self, py: Python<'_>) -> PyResult<u64> {
        work::run(py, |_| Ok(locked(&self.0).statistics.len()))
    }

    #[getter]
    fn dim(&self, py: Python<'_>) -> PyResult<usize> {
        work::run(py, |_| Ok(locked(&self.0).statistics.dim()))
    }

    #[getter]
    fn mean<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        Ok(work::run(py, |_| Ok(locked(&self.0).sums()?.mean()?))?.to_pyarray(py))
    }

    #[getter]
    fn covariance<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        Ok(work::run(py, |_| Ok(locked(&self.0).sums()?.covariance()?))?.to_pyarray(py))
    }

    fn statistics(&self, py: Python<'_>) -> PyResult<Statistics> {
        work::run(py, |_| {
            let State { statistics, provenance } = &*locked(&self.0);
            let gaussian = statistics.finish()?;
            let provenance = provenance.clone().map(|known| Provenance { n: statistics.len(), ..known });
            Ok(Statistics(StatsFile { gaussian, provenance, spatial: None }))
        })
    }
}
