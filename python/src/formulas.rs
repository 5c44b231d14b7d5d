//! Single formulas, of what is at hand.

use gan_metrics::metrics::{
    DegreesOfFreedom, Estimator, InceptionScoreOptions, Kernel, Length, MmdOptions, SplitOrder, Splits, fid_until, mmd,
};
use gan_metrics::ndarray::Axis;
use gan_metrics::stats::{Features, Logits};
use numpy::PyReadonlyArray2;
use pyo3::prelude::*;

use crate::statistics::Statistics;
use crate::work;

/// The Fréchet distance between two sets, and its terms of the means and of the covariances.
#[pyfunction]
pub fn frechet_distance(py: Python<'_>, first: &Statistics, second: &Statistics) -> PyResult<(f64, f64, f64)> {
    work::run(py, |interrupt| {
        let found = fid_until(&first.0.gaussian, &second.0.gaussian, interrupt)?;
        Ok((found.value, found.mean_term, found.trace_term))
    })
}

/// Mean and standard deviation (ddof 1 where `sample`) of the Inception Score over splits of so many rows, as they come.
#[pyfunction]
pub fn inception_score(
    py: Python<'_>,
    rows: PyReadonlyArray2<'_, f32>,
    size: usize,
    sample: bool,
) -> PyResult<(f64, f64)> {
    let rows = rows.as_array();
    work::run(py, move |_| {
        let logits = Logits::new(rows.to_owned())?;
        let ddof = if sample { DegreesOfFreedom::Sample } else { DegreesOfFreedom::Population };
        let options = InceptionScoreOptions::default()
            .with_splits(Splits::OfSize(size))
            .with_order(SplitOrder::AsGiven)
            .with_ddof(ddof);
        let found = gan_metrics::metrics::inception_score(&logits, options)?;
        Ok((found.mean, found.std))
    })
}

/// The unbiased polynomial kernel distance of each pair of subsets, given by their rows.
#[pyfunction]
pub fn kernel_distances(
    py: Python<'_>,
    real: PyReadonlyArray2<'_, f32>,
    fake: PyReadonlyArray2<'_, f32>,
    subsets: Vec<(Vec<usize>, Vec<usize>)>,
    kernel: (u32, Option<f64>, f64),
) -> PyResult<Vec<f64>> {
    let (real, fake) = (real.as_array(), fake.as_array());
    work::run(py, move |interrupt| {
        let (degree, gamma, coef0) = kernel;
        let kernel = Kernel::Polynomial { degree, gamma, coef0 };
        let options = MmdOptions::default()
            .with_kernel(kernel)
            .with_estimator(Estimator::Unbiased)
            .with_length(Length::AsGiven)
            .with_scale(1.0);
        let distance = |(first, second): (Vec<usize>, Vec<usize>)| -> gan_metrics::Result<f64> {
            interrupt.check()?;
            let (first, second) = (real.select(Axis(0), &first), fake.select(Axis(0), &second));
            Ok(mmd(&Features::new(first)?, &Features::new(second)?, options)?.value)
        };
        subsets.into_iter().map(distance).collect()
    })
}
