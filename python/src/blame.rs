//! Errors of the library as exceptions: the classes of `gan_metrics.errors`, by whom is to blame.

use gan_metrics::extractor::ModelError;
use gan_metrics::{Blame, Error};
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError};
use pyo3::prelude::*;

/// The exception of an error.
pub fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error.blame() {
        Blame::Input => "InputError",
        Blame::Model => "ModelError",
        Blame::Machine => "MachineError",
        Blame::Interrupted => return PyKeyboardInterrupt::new_err(error.to_string()),
        _ => "InternalError",
    };
    raised(py, class, text(error))
}

/// An exception of the arguments that Python code handed in.
pub fn input(py: Python<'_>, message: impl Into<String>) -> PyErr {
    raised(py, "InputError", message.into())
}

/// The exception of a panic.
pub fn panicked(py: Python<'_>, panic: &(dyn std::any::Any + Send)) -> PyErr {
    let said =
        panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
    let said = said.unwrap_or_else(|| "no reason was given".into());
    raised(py, "InternalError", format!("a defect of gan-metrics, please report it: {said}"))
}

fn raised(py: Python<'_>, class: &str, message: String) -> PyErr {
    let made = py.import("gan_metrics.errors").and_then(|errors| errors.getattr(class)?.call1((&message,)));
    // Where the package itself is broken, the message is still told.
    made.map_or_else(|_| PyRuntimeError::new_err(message), PyErr::from_value)
}

/// The message, with what to type where the library says what to do.
fn text(error: &Error) -> String {
    let message = error.to_string();
    match error.downcast_ref::<ModelError>() {
        Some(ModelError::NotInstalled { .. }) => {
            format!("{message} (`gan-metrics model install inception-v3`, or extractor=\"efficientnet-lite0\")")
        }
        _ => message,
    }
}
