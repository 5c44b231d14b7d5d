//! The scores by name, what each needs of a set, and the errors of what is not there.

use std::fmt;

use serde::Serialize;

use crate::error::{Blame, Blamed};
use crate::metrics::{FidError, InceptionScoreError, MetricError, Set};

/// A score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Fréchet distance.
    Fid,
    /// Fréchet distance of the spatial features.
    Sfid,
    /// Inception Score of the fake set.
    InceptionScore,
    /// Kernel Inception Distance.
    Kid,
    /// Precision, recall, their F-score, density and coverage.
    Prdc,
    /// Monge Inception Distance.
    Mind,
    /// Memorisation-informed Fréchet distance.
    Mifid,
    /// Maximum mean discrepancy.
    Mmd,
    /// Vendi score of the fake set.
    Vendi,
    /// Fréchet distance at infinitely many fake images.
    FidInfinity,
    /// Inception Score at infinitely many fake images.
    InceptionScoreInfinity,
    /// Near-duplicates within each set, and between both.
    Duplicates,
    /// Fréchet distance class by class.
    PerClass,
}

/// What a score needs of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Mean and covariance of the features.
    Statistics,
    /// The features of every image.
    Features,
    /// The class scores of every image.
    Logits,
    /// Mean and covariance of the spatial features.
    Spatial,
    /// The class of every image.
    Labels,
}

impl Metric {
    /// All scores.
    pub const ALL: [Self; 13] = [
        Self::Fid,
        Self::Sfid,
        Self::InceptionScore,
        Self::Kid,
        Self::Prdc,
        Self::Mind,
        Self::Mifid,
        Self::Mmd,
        Self::Vendi,
        Self::FidInfinity,
        Self::InceptionScoreInfinity,
        Self::Duplicates,
        Self::PerClass,
    ];

    /// What it needs of a set.
    pub fn needs(self, set: Set) -> &'static [Need] {
        match (self, set) {
            (Self::Fid, _) | (Self::FidInfinity, Set::Real) => &[Need::Statistics],
            (Self::Sfid, _) => &[Need::Spatial],
            (Self::InceptionScore | Self::InceptionScoreInfinity | Self::Vendi, Set::Real) => &[],
            (Self::InceptionScore | Self::InceptionScoreInfinity, Set::Fake) => &[Need::Logits],
            (Self::PerClass, _) => &[Need::Features, Need::Labels],
            (Self::FidInfinity | Self::Vendi, Set::Fake)
            | (Self::Kid | Self::Prdc | Self::Mind | Self::Mifid | Self::Mmd | Self::Duplicates, _) => {
                &[Need::Features]
            }
        }
    }

    /// Why it cannot be computed where a set offers only some needs: the first that is missing.
    pub fn missing(self, set: Set, offers: impl Fn(Need) -> bool) -> Option<ScoreError> {
        let need = self.needs(set).iter().copied().find(|&need| !offers(need))?;
        Some(ScoreError::Missing { metric: self, set, need })
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fid => "FID",
            Self::Sfid => "sFID",
            Self::InceptionScore => "Inception Score",
            Self::Kid => "KID",
            Self::Prdc => "precision and recall",
            Self::Mind => "MIND",
            Self::Mifid => "MiFID",
            Self::Mmd => "MMD",
            Self::Vendi => "Vendi score",
            Self::FidInfinity => "FID∞",
            Self::InceptionScoreInfinity => "IS∞",
            Self::Duplicates => "near-duplicates",
            Self::PerClass => "per-class FID",
        })
    }
}

impl Need {
    /// What is needed, and how to come by it.
    fn in_words(self) -> (&'static str, &'static str) {
        match self {
            Need::Statistics => ("mean and covariance of the features", "give images, features or statistics"),
            Need::Features => {
                ("the features of every image", "a statistics file has only their mean: give images or a feature file")
            }
            Need::Logits => {
                ("class scores", "use a network with an output named `logits`, or name one with --logits-output")
            }
            Need::Spatial => {
                ("spatial features", "they are an output of inception-v3; feature files hold them when told to")
            }
            Need::Labels => ("the class of every image", "put the images of each class into a folder of its own"),
        }
    }
}

/// Why scores cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// A set lacks what a score needs.
    #[error("{metric} needs {} of the {set} set, which has none: {}", need.in_words().0, need.in_words().1)]
    Missing {
        /// The score.
        metric: Metric,
        /// The set.
        set: Set,
        /// What it lacks.
        need: Need,
    },
    /// A score of two sets was asked for with one.
    #[error("{metric} compares with real images: give them too")]
    NoRealSet {
        /// The score.
        metric: Metric,
    },
    /// A Fréchet distance failed.
    #[error(transparent)]
    Fid(#[from] FidError),
    /// An Inception Score failed.
    #[error(transparent)]
    InceptionScore(#[from] InceptionScoreError),
    /// Another score failed.
    #[error(transparent)]
    Metric(#[from] MetricError),
}

impl Blamed for ScoreError {
    fn blame(&self) -> Blame {
        match self {
            ScoreError::Fid(error) => error.blame(),
            ScoreError::Metric(error) => error.blame(),
            _ => Blame::Input,
        }
    }
}
