//! Why a score of features cannot be computed.

use std::fmt;

use serde::Serialize;

use super::fid::FidError;
use super::inception_score::InceptionScoreError;
use crate::error::{Blame, Blamed};
use crate::linalg::LinalgError;
use crate::stats::{Features, MomentsError};

/// Which of two sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Set {
    /// The reference: real images.
    Real,
    /// What is judged: generated images.
    Fake,
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Set::Real => "real",
            Set::Fake => "fake",
        })
    }
}

/// Why a score of features cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// The two sets have features of different dimension.
    #[error(
        "the real set has features of {real} dimensions, the fake set of {fake}: \
         both must come from the same extractor and layer"
    )]
    Dimension {
        /// Dimension of the real set.
        real: usize,
        /// Dimension of the fake set.
        fake: usize,
    },
    /// A set has too few images.
    #[error("the {set} set has {images} images, but {purpose} takes at least {needed}: {remedy}")]
    TooFew {
        /// Which set.
        set: Set,
        /// Images in it.
        images: usize,
        /// Images it takes.
        needed: usize,
        /// What takes them.
        purpose: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A parameter is out of its range.
    #[error("{parameter} is {value}: it must be {range}")]
    Parameter {
        /// Name of the parameter.
        parameter: &'static str,
        /// The value seen.
        value: String,
        /// Values it may have.
        range: &'static str,
    },
    /// There is not one label per image.
    #[error("the {set} set has {images} images, but {labels} labels: give one label per image, in the same order")]
    Labels {
        /// Which set.
        set: Set,
        /// Images in it.
        images: usize,
        /// Labels given.
        labels: usize,
    },
    /// A feature vector is zero, so that it has no direction.
    #[error("row {row} of the {set} set is zero: a cosine takes vectors of some length (check the image of that row)")]
    ZeroRow {
        /// Which set.
        set: Set,
        /// Index of the image.
        row: usize,
    },
    /// Directions do not fit the features.
    #[error("the directions have {directions} dimensions, the features {features}: give one column per feature")]
    Directions {
        /// Columns of the directions.
        directions: usize,
        /// Dimension of the features.
        features: usize,
    },
    /// A score exceeds the range of f64.
    #[error("{score} is not finite: the features are too large for it; scale both sets by the same factor")]
    Overflow {
        /// Which score.
        score: &'static str,
    },
    /// The Fréchet distance underneath failed.
    #[error(transparent)]
    Fid(#[from] FidError),
    /// The Inception Score underneath failed.
    #[error(transparent)]
    InceptionScore(#[from] InceptionScoreError),
    /// There are no moments.
    #[error(transparent)]
    Moments(#[from] MomentsError),
    /// A matrix cannot be decomposed.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
}

impl Blamed for MetricError {
    fn blame(&self) -> Blame {
        match self {
            MetricError::Fid(error) => error.blame(),
            MetricError::Linalg(error) => error.blame(),
            _ => Blame::Input,
        }
    }
}

/// The common dimension of two sets.
pub(super) fn same_dimension(real: &Features, fake: &Features) -> Result<usize, MetricError> {
    if real.dim() == fake.dim() {
        Ok(real.dim())
    } else {
        Err(MetricError::Dimension { real: real.dim(), fake: fake.dim() })
    }
}

/// Checks that both sets have at least `needed` images.
pub(super) fn both_have(
    needed: usize,
    [real, fake]: [usize; 2],
    purpose: &'static str,
    remedy: &'static str,
) -> Result<(), MetricError> {
    for (set, images) in [(Set::Real, real), (Set::Fake, fake)] {
        if images < needed {
            return Err(MetricError::TooFew { set, images, needed, purpose, remedy });
        }
    }
    Ok(())
}

/// Checks that a count is at least one.
pub(super) fn positive(parameter: &'static str, value: usize) -> Result<(), MetricError> {
    match value {
        0 => Err(MetricError::Parameter { parameter, value: "0".into(), range: "at least 1" }),
        _ => Ok(()),
    }
}
