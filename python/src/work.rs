//! Long work, without the lock of the interpreter and with an ear for Ctrl-C.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use gan_metrics::{Interrupt, Result};
use pyo3::prelude::*;

use crate::blame;

/// Between two looks at the signals that Python has received.
const POLL: Duration = Duration::from_millis(50);

/// As the main thread usually has: optimising the graph of a network is recursive.
const STACK: usize = 8 << 20;

/// Does work on a thread of its own, while this one lets other Python threads run and asks for signals. A handler that raises, as
/// that of Ctrl-C does, stops the work, and its exception is raised.
pub fn run<T: Send>(py: Python<'_>, work: impl FnOnce(&Interrupt) -> Result<T> + Send) -> PyResult<T> {
    let interrupt = Interrupt::new();
    let (raised, done) = py.detach(|| {
        thread::scope(|scope| {
            let (alive, ended) = channel::<()>();
            let seen_by_the_work = &interrupt;
            let worker =
                thread::Builder::new().name("gan-metrics".into()).stack_size(STACK).spawn_scoped(scope, move || {
                    // Dropped when the work ends, however it does.
                    let _alive = alive;
                    work(seen_by_the_work)
                });
            let worker = worker.map_err(gan_metrics::Error::from);
            let mut raised = None;
            while worker.is_ok() && ended.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
                if raised.is_none()
                    && let Err(error) = Python::attach(|py| py.check_signals())
                {
                    interrupt.request();
                    raised = Some(error);
                }
            }
            (raised, worker.map(|worker| worker.join()))
        })
    });
    match (raised, done) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(blame::exception(py, &error)),
        (None, Ok(Err(panic))) => Err(blame::panicked(py, &*panic)),
        (None, Ok(Ok(result))) => result.map_err(|error| blame::exception(py, &error)),
    }
}
