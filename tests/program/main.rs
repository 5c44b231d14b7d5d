//! The whole program, as users run it. One binary for all commands: linking takes longer than testing.
#![cfg(feature = "cli")]

#[path = "../support/checkpoint.rs"]
mod checkpoint;
mod support;

mod divergence;
mod features;
mod flags;
mod from_files;
mod model;
mod scores;
mod train;
