//! Statistics of features, and where they are said to come from.

use gan_metrics::stats::{FeatureStatistics, Features, Gaussian, Provenance};

/// Mean and covariance of a set.
pub fn gaussian(features: &Features) -> Gaussian {
    let mut statistics = FeatureStatistics::new(features.dim());
    statistics.push(features).unwrap();
    statistics.finish().unwrap()
}

/// Of `n` images through Inception-v3.
pub fn provenance(resize: &str, n: u64) -> Provenance {
    Provenance {
        version: "0.1.0".into(),
        extractor: "inception-v3".into(),
        model_sha256: "0".into(),
        layer: "pool3".into(),
        resize: resize.into(),
        n,
        ..Provenance::default()
    }
}
