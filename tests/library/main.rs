//! The library against fixtures, laws and peers. One binary for all of it: linking takes longer than testing.
//!
//! Tests run in the root of the package, where `tests/fixtures` is.

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "images")]
mod array_files;
mod comparison;
#[cfg(feature = "inference")]
mod custom_networks;
#[cfg(feature = "images")]
mod digits;
mod divergence_fixtures;
mod divergence_pairs;
mod divergence_significance;
#[cfg(feature = "inference")]
mod engines;
#[cfg(feature = "inference")]
mod evaluate;
#[cfg(feature = "gan")]
mod gan_family;
#[cfg(feature = "gan")]
mod gan_fixtures;
#[cfg(feature = "gan")]
mod gan_likelihood;
#[cfg(feature = "gan")]
mod gan_outcomes;
#[cfg(feature = "gan")]
mod gan_points;
#[cfg(feature = "gan")]
mod gan_train;
#[cfg(all(feature = "gan", feature = "inference"))]
mod hostile_bytes;
#[cfg(feature = "images")]
mod image_datasets;
#[cfg(feature = "images")]
mod image_decode;
#[cfg(feature = "images")]
mod image_resize;
#[cfg(feature = "images")]
mod image_shards;
mod import_rules;
#[cfg(feature = "inference")]
mod install;
mod lost_modes;
mod metrics_fixtures;
mod metrics_laws;
#[cfg(feature = "inference")]
mod pipeline;
#[cfg(feature = "inference")]
mod readme;
mod score;
mod score_fixtures;
#[cfg(feature = "inference")]
mod weights_efficientnet_lite;
#[cfg(feature = "inference")]
mod weights_inception_v3;
