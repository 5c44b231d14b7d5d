//! What the tests of the library and of the program share. Both binaries include it, and each uses its part.
#![allow(dead_code, unused_imports)]

#[cfg(feature = "inference")]
mod checkpoint;
mod fixtures;
#[cfg(feature = "gan")]
mod images;
pub mod made_features;
#[cfg(feature = "inference")]
pub mod networks;
mod noise;
#[cfg(feature = "cli")]
mod program;
#[cfg(feature = "inference")]
mod skips;
mod statistics;

#[cfg(feature = "inference")]
pub use checkpoint::checkpoint_bytes;
pub use fixtures::{fixture, fixture_file, sha256_hex};
#[cfg(feature = "gan")]
pub use images::discs;
pub use noise::{noise, noise_images};
#[cfg(feature = "cli")]
pub use program::{fails, json, program, program_at, succeeds, text};
#[cfg(feature = "inference")]
pub use skips::{finds_onnx_runtime, has_onnx_runtime, skip};
pub use statistics::{gaussian, provenance};
