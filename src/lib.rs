//! How good are the samples of an image generator?
//!
//! `gan-metrics` computes the Fréchet Inception Distance and its family with the numbers that the reference
//! implementations publish. Data flows one way:
//!
//! ```text
//! paths ─► image ─► extractor ─► stats ─► metrics ─► score ─► report        divergence: a separate calculator
//! ```
//!
//! * [`image`] decodes data sets and resizes exactly as a named reference does;
//! * [`extractor`] runs a network on the resized images;
//! * [`stats`] reduces features to moments that merge exactly, and reads and writes statistics files;
//! * [`metrics`] turns statistics and features into scores, each a row of one registry, and never sees an image or a
//!   network;
//! * [`score`] computes many of them at once, by the definitions of a named tool;
//! * [`evaluate`] does it from paths: a job becomes a plan, then one pass over each set, then the scores;
//! * [`report`] renders what was computed;
//! * [`output`] claims files before the work that fills them;
//! * [`divergence`] is a calculator for f-divergences and transport distances;
//! * `gan` trains generators, from tensors and gradients up;
//! * `cli` is the program `gan-metrics`, as a function from arguments to an exit code.
//!
//! Without default features the crate is the pure-mathematics part: [`linalg`], [`stats`], [`metrics`],
//! [`score`] and [`divergence`], with [`output`] for the files that they write.
#![deny(missing_docs)]
// Not `forbid`: ndarray's `s!` brings an `allow` of its own, which `forbid` rejects.
#![deny(unsafe_code)]

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(any(feature = "gan", feature = "inference"))]
mod digest;
pub mod divergence;
pub mod error;
#[cfg(feature = "gan")]
pub mod gan;
#[cfg(feature = "images")]
pub mod image;
mod interrupt;
pub mod linalg;
pub mod metrics;
pub mod output;
mod regular;
pub mod score;
pub mod stats;

#[cfg(feature = "inference")]
pub mod evaluate;
#[cfg(feature = "inference")]
pub mod extractor;
#[cfg(feature = "inference")]
pub mod report;

pub use error::{Blame, Error, Result};
pub use interrupt::{Interrupt, Interrupted};
