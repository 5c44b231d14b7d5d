//! From features to statistics: feature matrices and their files, mergeable moments, statistics files.

mod feature_file;
mod features;
mod file;
mod gaussian;
mod moments;

pub use feature_file::{FeatureFile, FeatureFileError};
pub use features::{Features, FeaturesError, Logits};
pub use file::{Provenance, StatsFile, StatsFileError};
pub use gaussian::{FeatureStatistics, Gaussian, GaussianError};
pub use moments::{Moments, MomentsError};
