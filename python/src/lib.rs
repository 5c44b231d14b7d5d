//! The module `gan_metrics._native`: the library as Python sees it. What it takes are plain values, which `python/gan_metrics` makes of
//! what people have; what it gives are arrays, and reports as JSON.

mod blame;
mod divergence;
mod evaluator;
mod formulas;
mod images;
mod moments;
mod network;
mod partial;
mod request;
mod scoring;
mod statistics;
mod work;

use std::ffi::OsString;
use std::process::ExitCode;

use pyo3::prelude::*;

/// The command line: takes the arguments, of which the first is the name of the program, and returns the exit code.
#[pyfunction]
fn cli(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    let code = py.detach(|| gan_metrics::cli::run(arguments));
    // An `ExitCode` tells its number by comparison alone.
    (0..=u8::MAX).find(|&number| ExitCode::from(number) == code).unwrap_or(u8::MAX)
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<network::Network>()?;
    module.add_class::<evaluator::Evaluator>()?;
    module.add_class::<partial::Partial>()?;
    module.add_class::<statistics::Statistics>()?;
    module.add_class::<moments::Moments>()?;
    module.add_function(wrap_pyfunction!(cli, module)?)?;
    module.add_function(wrap_pyfunction!(network::converted, module)?)?;
    module.add_function(wrap_pyfunction!(network::home_folder, module)?)?;
    module.add_function(wrap_pyfunction!(network::installed_path, module)?)?;
    module.add_function(wrap_pyfunction!(request::registry, module)?)?;
    module.add_function(wrap_pyfunction!(scoring::score_paths, module)?)?;
    module.add_function(wrap_pyfunction!(scoring::score_features, module)?)?;
    module.add_function(wrap_pyfunction!(formulas::frechet_distance, module)?)?;
    module.add_function(wrap_pyfunction!(formulas::inception_score, module)?)?;
    module.add_function(wrap_pyfunction!(formulas::kernel_distances, module)?)?;
    module.add_function(wrap_pyfunction!(divergence::divergence, module)?)
}
