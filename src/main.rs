//! The program `gan-metrics`: [`gan_metrics::cli::run`] on the arguments of the process.

#![deny(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    keep_telemetry_off();
    gan_metrics::cli::run(std::env::args_os())
}

/// Sets what ONNX Runtime looks at before its telemetry begins: a call to switch it off comes too late, when it has written
/// to the home folder already.
#[allow(unsafe_code)]
fn keep_telemetry_off() {
    // SAFETY: this comes first of all, when the program has no thread but this one that could read the environment. With the
    // feature `lapack`, OpenBLAS has started its own; they wait for work and read nothing of it.
    unsafe { std::env::set_var("ORT_DISABLE_TELEMETRY", "1") };
}
