//! What a pass keeps of the features of each batch.

use ndarray::{Array2, ArrayView2, Axis, concatenate};

use super::pass::FeatureSink;
use crate::extractor::Extraction;
use crate::stats::{FeatureStatistics, Features, Gaussian, Logits, MomentsError};

/// Gathers what was asked for, and nothing else.
#[derive(Debug, Default)]
pub struct Collector {
    statistics: Reduced,
    features: Gathered<Features>,
    logits: Gathered<Logits>,
    spatial_statistics: Reduced,
    spatial: Gathered<Features>,
}

/// The rows of all batches.
#[derive(Debug, Default)]
enum Gathered<T> {
    Wanted(Vec<T>),
    #[default]
    Unwanted,
}

impl<T> Gathered<T> {
    fn push(&mut self, batch: T) {
        if let Gathered::Wanted(batches) = self {
            batches.push(batch);
        }
    }

    /// The rows of all batches; `None` when there are none.
    fn joined(&self, view: impl Fn(&T) -> ArrayView2<'_, f32>) -> Option<Array2<f32>> {
        let Gathered::Wanted(batches) = self else { return None };
        let views: Vec<_> = batches.iter().map(view).collect();
        concatenate(Axis(0), &views).ok()
    }
}

/// Mean and covariance of all batches.
#[derive(Debug, Default)]
enum Reduced {
    Wanted(Option<FeatureStatistics>),
    #[default]
    Unwanted,
}

impl Reduced {
    fn push(&mut self, batch: &Features) -> Result<(), MomentsError> {
        match self {
            Reduced::Wanted(statistics) => {
                statistics.get_or_insert_with(|| FeatureStatistics::new(batch.dim())).push(batch)
            }
            Reduced::Unwanted => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<Gaussian, MomentsError> {
        match std::mem::take(self) {
            Reduced::Wanted(Some(statistics)) => statistics.finish(),
            _ => Err(MomentsError::TooFew { got: 0 }),
        }
    }
}

impl Collector {
    /// Gathers nothing yet.
    pub fn of_nothing() -> Self {
        Self::default()
    }

    /// Gathers statistics only; memory does not grow with the number of images.
    pub fn of_statistics() -> Self {
        Self::of_nothing().with_statistics()
    }

    /// Gathers mean and covariance of the features too: `8·d²` bytes.
    pub fn with_statistics(self) -> Self {
        Self { statistics: Reduced::Wanted(None), ..self }
    }

    /// Gathers the logits too: `4·classes` bytes an image.
    pub fn with_logits(self) -> Self {
        Self { logits: Gathered::Wanted(Vec::new()), ..self }
    }

    /// Gathers the features too: `4·d` bytes an image.
    pub fn with_features(self) -> Self {
        Self { features: Gathered::Wanted(Vec::new()), ..self }
    }

    /// Gathers mean and covariance of the spatial features too: 33 MB.
    pub fn with_spatial_statistics(self) -> Self {
        Self { spatial_statistics: Reduced::Wanted(None), ..self }
    }

    /// Gathers the spatial features too: 8 KB an image.
    pub fn with_spatial(self) -> Self {
        Self { spatial: Gathered::Wanted(Vec::new()), ..self }
    }

    /// Mean and covariance of the features, which are gathered anew from here on.
    ///
    /// # Errors
    /// [`MomentsError::TooFew`] with fewer than two images, or when they were not asked for.
    pub fn gaussian(&mut self) -> Result<Gaussian, MomentsError> {
        self.statistics.finish()
    }

    /// As [`Self::gaussian`], of the spatial features.
    ///
    /// # Errors
    /// [`MomentsError::TooFew`] with fewer than two images, or when they were not asked for or the model has none.
    pub fn spatial_gaussian(&mut self) -> Result<Gaussian, MomentsError> {
        self.spatial_statistics.finish()
    }

    /// The features of all images; `None` when they were not asked for.
    pub fn features(&self) -> Option<Features> {
        let all = self.features.joined(Features::view)?;
        Some(Features::new(all).expect("each batch was valid"))
    }

    /// The logits of all images; `None` when they were not asked for or the model has none.
    pub fn logits(&self) -> Option<Logits> {
        let all = self.logits.joined(Logits::view)?;
        Some(Logits::new(all).expect("each batch was valid"))
    }

    /// The spatial features of all images; `None` when they were not asked for or the model has none.
    pub fn spatial(&self) -> Option<Features> {
        let all = self.spatial.joined(Features::view)?;
        Some(Features::new(all).expect("each batch was valid"))
    }
}

impl FeatureSink for Collector {
    fn take(&mut self, extraction: Extraction) -> Result<(), MomentsError> {
        let Extraction { features, logits, spatial } = extraction;
        self.statistics.push(&features)?;
        self.features.push(features);
        if let Some(logits) = logits {
            self.logits.push(logits);
        }
        if let Some(spatial) = spatial {
            self.spatial_statistics.push(&spatial)?;
            self.spatial.push(spatial);
        }
        Ok(())
    }
}
