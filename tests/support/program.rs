//! Running the program and reading what it says.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

/// The program, blind to whatever the machine has installed.
pub fn program() -> Command {
    program_at("/nonexistent")
}

/// The program with a home of its own.
pub fn program_at(home: impl AsRef<Path>) -> Command {
    let mut command = Command::cargo_bin("gan-metrics").unwrap();
    command.env("GAN_METRICS_HOME", home.as_ref()).env("COLUMNS", "100");
    command
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What a run that must succeed printed.
pub fn succeeds(output: Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// The report of a run that must succeed.
pub fn json(output: Output) -> Value {
    serde_json::from_str(&succeeds(output)).unwrap()
}

/// Fails with the exit code and a message that has the parts, and prints no report.
pub fn fails(output: Output, code: i32, parts: &[&str]) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "`{part}` is not in:\n{stderr}");
    }
    assert!(output.stdout.is_empty(), "a failure prints no report");
}
