//! Parts of sets.

use gan_metrics::evaluate;
use gan_metrics::ndarray::ArrayView2;
use gan_metrics::stats::StatsFile;
use numpy::{PyArray2, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::statistics::Statistics;
use crate::work;

/// What is known of some images of a set.
#[pyclass(frozen, module = "gan_metrics._native")]
pub struct Partial(pub evaluate::Partial);

fn copied<'py>(py: Python<'py>, rows: Option<ArrayView2<'_, f32>>) -> Option<Bound<'py, PyArray2<f32>>> {
    Some(rows?.to_pyarray(py))
}

#[pymethods]
impl Partial {
    /// Reads what `to_bytes` wrote.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        work::run(py, |_| Ok(Self(evaluate::Partial::from_bytes(data)?)))
    }

    /// Reads a file that `features --shard` or `stats --shard` wrote.
    #[staticmethod]
    fn read(py: Python<'_>, path: std::path::PathBuf) -> PyResult<Self> {
        work::run(py, move |_| Ok(Self(evaluate::Partial::read(&path)?)))
    }

    /// Merges parts in the order of their first images.
    #[staticmethod]
    fn join(py: Python<'_>, parts: Vec<PyRef<'_, Self>>) -> PyResult<Self> {
        let parts: Vec<&evaluate::Partial> = parts.iter().map(|part| &part.0).collect();
        work::run(py, move |_| Ok(Self(evaluate::Partial::join(parts.into_iter().cloned())?)))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = work::run(py, |_| Ok(self.0.to_bytes()))?;
        Ok(PyBytes::new(py, &bytes))
    }

    #[getter]
    fn images(&self) -> usize {
        self.0.images()
    }

    /// Index, name and reason of each image that was left out.
    #[getter]
    fn skipped(&self) -> Vec<(usize, String, String)> {
        self.0.skipped().iter().map(|image| (image.index, image.name.clone(), image.reason.clone())).collect()
    }

    #[getter]
    fn indices(&self) -> Vec<usize> {
        self.0.gathered().indices().iter().collect()
    }

    #[getter]
    fn names(&self) -> Option<Vec<String>> {
        self.0.names()
    }

    /// Number of images of the set that it knows nothing of, where the size of the set is known.
    #[getter]
    fn missing(&self) -> usize {
        self.0.missing().len()
    }

    #[getter]
    fn features<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray2<f32>>> {
        copied(py, self.0.gathered().features())
    }

    #[getter]
    fn logits<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray2<f32>>> {
        copied(py, self.0.gathered().logits())
    }

    #[getter]
    fn spatial<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray2<f32>>> {
        copied(py, self.0.gathered().spatial())
    }

    /// How its features came about, as JSON.
    #[getter]
    fn provenance(&self) -> Option<String> {
        Some(serde_json::to_string(&self.0.provenance()?).expect("plain values always serialise"))
    }

    /// Mean and covariance of the features.
    fn statistics(&self, py: Python<'_>) -> PyResult<Statistics> {
        work::run(py, |interrupt| {
            let gaussian = self.0.gathered().gaussian_until(interrupt)?;
            let spatial = self.0.gathered().spatial_gaussian().ok();
            Ok(Statistics(StatsFile { gaussian, provenance: self.0.provenance(), spatial }))
        })
    }
}
