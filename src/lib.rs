//! How good are the samples of an image generator?
//!
//! `gan-metrics` computes the Fréchet Inception Distance and its family with the numbers that the reference
//! implementations publish. Data flows one way:
//!
//! ```text
//! paths ─► image ─► extractor ─► stats ─► metrics ─► score ─► report        divergence: a calculator of its own
//! ```
//!
//! * [`image`] decodes data sets and resizes exactly as a named reference does;
//! * [`extractor`] runs a network on the resized images;
//! * [`stats`] reduces features to moments that merge exactly, and reads and writes statistics files;
//! * [`metrics`] turns statistics and features into scores, and never sees an image or a network;
//! * [`score`] computes many of them at once, by the definitions of a named tool;
//! * [`evaluate`] is one pass over a data set, from paths to statistics;
//! * [`report`] renders what was computed;
//! * [`divergence`] is a calculator for f-divergences and transport distances;
//! * `gan` trains generators, from tensors and gradients up.
//!
//! Without default features the crate is the pure-mathematics part: [`linalg`], [`stats`], [`metrics`],
//! [`score`] and [`divergence`].
#![deny(missing_docs)]
// Not `forbid`: ndarray's `s!` brings an `allow` of its own, which `forbid` rejects.
#![deny(unsafe_code)]

pub mod atomic;
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
