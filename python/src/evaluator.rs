//! Scores batch by batch.

use std::sync::Mutex;
use std::time::Instant;

use gan_metrics::Result;
use gan_metrics::evaluate;
use gan_metrics::metrics::Set;
use gan_metrics::report::Report;
use gan_metrics::stats::{FeatureFile, StatsFile};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::images::Images;
use crate::network::{Spec, locked};
use crate::partial::Partial;
use crate::request::Asked;
use crate::statistics::Statistics;
use crate::{blame, work};

/// An evaluator; `None` only while a call moves it.
#[pyclass(frozen, module = "gan_metrics._native")]
pub struct Evaluator(Mutex<Option<evaluate::Evaluator>>);

fn set(real: bool) -> Set {
    if real { Set::Real } else { Set::Fake }
}

impl Evaluator {
    /// Does something with the evaluator, which heeds the interrupt of this call.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut evaluate::Evaluator, &gan_metrics::Interrupt) -> Result<T> + Send,
    ) -> PyResult<T> {
        work::run(py, |interrupt| {
            let mut guard = locked(&self.0);
            let mut run = guard.take().expect("it is put back").with_interrupt(interrupt.clone());
            let done = work(&mut run, interrupt);
            *guard = Some(run);
            done
        })
    }

    /// Gives it a real set that is known whole.
    fn refer(&self, py: Python<'_>, reference: impl Into<evaluate::Reference> + Send) -> PyResult<()> {
        work::run(py, |_| {
            let mut guard = locked(&self.0);
            // An evaluator that refuses its reference is gone, and Python has not seen it yet.
            *guard = Some(guard.take().expect("it is put back").with_reference(reference)?);
            Ok(())
        })
    }
}

#[pymethods]
impl Evaluator {
    #[new]
    fn new(py: Python<'_>, spec: &Bound<'_, PyDict>, asked: Asked, shard: Option<String>) -> PyResult<Self> {
        let failed = |error| blame::exception(py, &error);
        let preset = asked.preset().map_err(failed)?;
        let request = asked.request().map_err(failed)?;
        let choice = Spec(spec).choice(preset)?;
        work::run(py, move |_| {
            let run = evaluate::Evaluator::new(&choice, request)?;
            let shard = shard.map(|shard| shard.parse()).transpose()?;
            Ok(Self(Mutex::new(Some(match shard {
                Some(shard) => run.with_shard(shard),
                None => run,
            }))))
        })
    }

    fn refer_to_statistics(&self, py: Python<'_>, statistics: &Statistics) -> PyResult<()> {
        let StatsFile { gaussian, provenance, spatial } = &statistics.0;
        let (gaussian, provenance, spatial) = (gaussian.clone(), provenance.clone(), spatial.clone());
        self.refer(py, StatsFile { gaussian, provenance, spatial })
    }

    fn refer_to_part(&self, py: Python<'_>, part: &Partial) -> PyResult<()> {
        self.refer(py, part.0.clone())
    }

    /// A file of features, or a part.
    fn refer_to_features(&self, py: Python<'_>, path: std::path::PathBuf) -> PyResult<()> {
        let file = work::run(py, move |_| {
            Ok(match evaluate::Partial::sniff(&path) {
                true => evaluate::Reference::from(evaluate::Partial::read(&path)?),
                false => FeatureFile::read(&path)?.into(),
            })
        })?;
        self.refer(py, file)
    }

    fn shard(&self, py: Python<'_>, shard: String) -> PyResult<()> {
        work::run(py, move |_| {
            let shard = shard.parse()?;
            let mut guard = locked(&self.0);
            *guard = guard.take().map(|run| run.with_shard(shard));
            Ok(())
        })
    }

    fn update(&self, py: Python<'_>, real: bool, images: Images<'_>) -> PyResult<()> {
        let lent = images.lend();
        self.with(py, move |run, interrupt| run.update(set(real), &*lent.open(interrupt)?))
    }

    /// The report, as JSON.
    fn compute(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |run, _| {
            let started = Instant::now();
            let scores = run.compute()?;
            Ok(Report::of_evaluator("score", run, scores, started.elapsed().as_secs_f64()).to_json())
        })
    }

    fn reset(&self, py: Python<'_>, real: bool) -> PyResult<()> {
        self.with(py, |run, _| {
            run.reset(set(real));
            Ok(())
        })
    }

    fn merge(&self, py: Python<'_>, real: bool, part: &Partial) -> PyResult<()> {
        self.with(py, |run, _| run.merge(set(real), part.0.clone()))
    }

    /// What was added to a set; `None` for a reference.
    fn partial(&self, py: Python<'_>, real: bool) -> PyResult<Option<Partial>> {
        self.with(py, |run, _| Ok(run.partial(set(real)).cloned().map(Partial)))
    }
}
