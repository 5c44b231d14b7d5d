//! Mean and covariance of the features of a set.

use std::path::PathBuf;

use gan_metrics::Result;
use gan_metrics::output::Output;
use gan_metrics::stats::{Features, Gaussian, Provenance, StatsFile};
use numpy::{PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2, ToPyArray};
use pyo3::prelude::*;

use crate::{blame, work};

/// What a statistics file holds.
#[pyclass(frozen, module = "gan_metrics._native")]
pub struct Statistics(pub StatsFile);

/// Reads what is known of how features came about.
pub fn provenance(py: Python<'_>, json: Option<&str>) -> PyResult<Option<Provenance>> {
    let read = json.map(serde_json::from_str).transpose();
    read.map_err(|error| blame::input(py, format!("provenance cannot be read: {error}")))
}

/// Features in an array.
pub fn features(array: gan_metrics::ndarray::ArrayView2<'_, f32>) -> Result<Features> {
    Ok(Features::new(array.to_owned())?)
}

#[pymethods]
impl Statistics {
    #[new]
    fn new(
        py: Python<'_>,
        mean: PyReadonlyArray1<'_, f64>,
        covariance: PyReadonlyArray2<'_, f64>,
        n: Option<u64>,
        known: Option<&str>,
        spatial: Option<PyRef<'_, Self>>,
    ) -> PyResult<Self> {
        let provenance = provenance(py, known)?;
        let spatial = spatial.map(|spatial| spatial.0.gaussian.clone());
        let (mean, covariance) = (mean.as_array(), covariance.as_array());
        work::run(py, move |_| {
            let gaussian = Gaussian::new(n, mean.to_owned(), covariance.as_standard_layout().into_owned())?;
            Ok(Self(StatsFile { gaussian, provenance, spatial }))
        })
    }

    /// Those of features, one row an image.
    #[staticmethod]
    fn of_features(py: Python<'_>, rows: PyReadonlyArray2<'_, f32>, known: Option<&str>) -> PyResult<Self> {
        let provenance = provenance(py, known)?;
        let rows = rows.as_array();
        work::run(py, move |interrupt| {
            let gaussian = Gaussian::of_until(&features(rows)?, interrupt)?;
            Ok(Self(StatsFile { gaussian, provenance, spatial: None }))
        })
    }

    /// Reads a file of any tool.
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf, name: Option<String>) -> PyResult<Self> {
        work::run(py, move |_| Ok(Self(StatsFile::read_set(&path, name.as_deref())?)))
    }

    fn write(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        work::run(py, move |_| Ok(self.0.write_to(Output::claim(&path)?)?))
    }

    #[getter]
    fn mean<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.gaussian.mean().to_pyarray(py)
    }

    #[getter]
    fn covariance<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        Ok(work::run(py, |_| Ok(self.0.gaussian.covariance()))?.to_pyarray(py))
    }

    #[getter]
    fn n(&self) -> Option<u64> {
        self.0.gaussian.n()
    }

    #[getter]
    fn dim(&self) -> usize {
        self.0.gaussian.dim()
    }

    /// Those of the spatial features, where they are known.
    #[getter]
    fn spatial(&self) -> Option<Self> {
        let gaussian = self.0.spatial.clone()?;
        Some(Self(StatsFile { gaussian, provenance: self.0.provenance.clone(), spatial: None }))
    }

    /// How the features came about, as JSON.
    #[getter]
    fn provenance(&self) -> Option<String> {
        let known = self.0.provenance.as_ref()?;
        Some(serde_json::to_string(known).expect("plain values always serialise"))
    }
}
