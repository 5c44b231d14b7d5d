//! From features to statistics: feature matrices and their files, mergeable moments, statistics files.
//!
//! | type | what it is | merges |
//! |---|---|---|
//! | [`Features`], [`Logits`] | one row an image, f32 | by concatenation |
//! | [`Moments`] | n, mean and scatter matrix of a stream of rows | to 1e-12 |
//! | [`FeatureStatistics`] | the same; keeps the rows themselves while there are fewer than dimensions, which is cheaper | to 1e-12 |
//! | [`Gaussian`] | mean and covariance, the end of either: what a Fréchet distance compares | by way of [`Moments`] |
//! | [`StatsFile`], [`FeatureFile`] | a [`Gaussian`], or rows, on a disk, with their [`Provenance`] | |
//!
//! The law of merging is the example: statistics of two parts, merged, are those of the whole.
//!
//! ```
//! use gan_metrics::stats::{FeatureStatistics, Features};
//! use ndarray::array;
//!
//! let (first, second) = (Features::new(array![[0.0, 1.0]])?, Features::new(array![[4.0, 1.0], [2.0, 7.0]])?);
//! let (mut one, mut other) = (FeatureStatistics::new(2), FeatureStatistics::new(2));
//! one.push(&first)?;
//! other.push(&second)?;
//! one.merge(&other)?;
//! assert_eq!(one.finish()?.mean(), &array![2.0, 3.0]);
//! # Ok::<(), gan_metrics::Error>(())
//! ```

pub(crate) mod archive;
mod census;
pub(crate) mod fault;
mod feature_file;
mod features;
mod file;
mod gaussian;
mod mapped;
mod moments;
mod pickled;
#[cfg(feature = "inference")]
mod spilled;

pub use census::{Census, ContentSum, SizeCount, Sizes};
#[cfg(feature = "inference")]
pub(crate) use feature_file::PART;
pub use feature_file::{FeatureFile, FeatureFileError};
pub use features::{Features, FeaturesError, Logits};
pub use file::{EngineProvenance, NetworkInput, Provenance, StatsFile, StatsFileError};
pub use gaussian::{FeatureStatistics, Gaussian, GaussianError, Seen};
#[cfg(feature = "inference")]
pub(crate) use mapped::MappedRows;
pub use moments::{Moments, MomentsError};
#[cfg(feature = "inference")]
pub(crate) use spilled::SpilledRows;
