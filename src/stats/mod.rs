//! From features to statistics: feature matrices, mergeable moments, statistics files.

mod features;
mod file;
mod gaussian;
mod moments;

pub use features::{Features, FeaturesError, Logits};
pub use file::{Provenance, StatsFile, StatsFileError};
pub use gaussian::{FeatureStatistics, Gaussian, GaussianError};
pub use moments::{Moments, MomentsError};
