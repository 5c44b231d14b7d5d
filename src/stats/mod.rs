//! From features to statistics: feature matrices, mergeable moments, statistics files.

pub mod features;

pub use features::{Features, FeaturesError, Logits};
