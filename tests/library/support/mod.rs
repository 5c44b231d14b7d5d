//! What several tests of the library share.

pub mod made_features;
#[cfg(feature = "inference")]
pub mod networks;
