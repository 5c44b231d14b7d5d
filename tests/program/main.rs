//! The whole program, as users run it. One binary for all commands: linking takes longer than testing.
#![cfg(feature = "cli")]

#[path = "../support/mod.rs"]
mod support;

mod array_files;
mod check;
mod comparisons;
mod divergence;
mod features;
mod flags;
mod from_files;
mod interrupts;
mod model;
mod models;
mod networks;
#[cfg(unix)]
mod outputs;
mod scores;
mod series;
mod shards;
mod skipped;
mod telemetry;
mod train;
