//! Tests that cannot run on a machine, and machines on which that is an error.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use gan_metrics::extractor::find_libraries;

/// Set to 1 where every test must run, as `.ci/run` does.
const REQUIRED: &str = "GAN_METRICS_REQUIRE_ORT";

static SKIPS: AtomicUsize = AtomicUsize::new(0);

/// Says on the terminal that something was not tested, and how often that has been so in this binary.
///
/// # Panics
/// Where everything must be tested.
pub fn skip(what: &str) {
    assert!(std::env::var_os(REQUIRED).is_none_or(|value| value != "1"), "{REQUIRED}=1, but {what}");
    let skips = 1 + SKIPS.fetch_add(1, Ordering::Relaxed);
    // Past the macros, whose output libtest keeps for tests that fail.
    let _ = writeln!(std::io::stderr(), "SKIPPED ({skips}): {what}");
}

/// Whether an ONNX Runtime is on this machine.
pub fn finds_onnx_runtime() -> bool {
    find_libraries(None).0.iter().any(|library| library.is_usable())
}

/// Whether there is an ONNX Runtime to test with; it is a [`skip`] if not.
pub fn has_onnx_runtime() -> bool {
    let found = finds_onnx_runtime();
    if !found {
        skip("ONNX Runtime is not on this machine; `make test` installs it where pip can");
    }
    found
}
