//! Why a score of features cannot be computed.

use std::fmt;

use serde::Serialize;

use super::fid::FidError;
use super::inception_score::InceptionScoreError;
use super::score::{Counts, Need};
use crate::error::{Blame, Blamed};
use crate::interrupt::Interrupted;
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

impl Set {
    /// Both, in the order of arguments.
    pub const BOTH: [Self; 2] = [Self::Real, Self::Fake];
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
    #[error("the {set} set has {images} images, but {purpose} needs at least {needed}: {remedy}")]
    TooFew {
        /// Which set.
        set: Set,
        /// Images in it.
        images: usize,
        /// Images it needs.
        needed: usize,
        /// What needs them.
        purpose: &'static str,
        /// What to do.
        remedy: &'static str,
        /// The parameter of the score that changes how many it needs, if one does.
        parameter: Option<&'static str>,
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
    /// A set lacks what a score needs.
    #[error("{score} needs {need} of the {set} set, which does not have them: {}", need.remedy())]
    Missing {
        /// The score.
        score: &'static str,
        /// The set.
        set: Set,
        /// What it lacks.
        need: Need,
    },
    /// A score of two sets was asked for with one.
    #[error("{score} compares with real images: give them too")]
    NoRealSet {
        /// The score.
        score: &'static str,
    },
    /// A score cannot have a confidence interval.
    #[error("{score} has no confidence interval")]
    NoInterval {
        /// The score.
        score: &'static str,
    },
    /// A value is not one that a parameter takes.
    #[error("{parameter} is `{value}`: it must be {range}")]
    Argument {
        /// Name of the parameter.
        parameter: &'static str,
        /// The value seen.
        value: String,
        /// Values it may have.
        range: String,
    },
    /// There is no parameter of this name.
    #[error("there is no parameter `{name}`; there are {names}")]
    NoParameter {
        /// The name.
        name: String,
        /// The names of those that there are.
        names: String,
    },
    /// A parameter was given that nothing depends on.
    #[error("{parameter} has no effect where {other} is {actual}: it is for {other} {wanted}")]
    NoEffect {
        /// The parameter.
        parameter: &'static str,
        /// The parameter that it depends on.
        other: &'static str,
        /// The value that the other must have.
        wanted: &'static str,
        /// The value that it has.
        actual: &'static str,
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
    #[error(
        "row {row} of the {set} set is zero: a vector of length zero has no direction (check the image of that row)"
    )]
    ZeroRow {
        /// Which set.
        set: Set,
        /// Index of the image.
        row: usize,
    },
    /// All balls of the real set are of one size, so that none is smaller than the median one.
    #[error("no real image is nearer to its neighbour {neighbours} than the median one: use another k or more images")]
    NoSmallBall {
        /// Which neighbour.
        neighbours: usize,
    },
    /// The realism score of a copy is infinite where its distance is divided by as it is.
    #[error(
        "row {row} of the fake set equals a real image, where dgm-eval's form of the realism score is infinite: use the authors' form, kynkaanniemi"
    )]
    InfiniteRealism {
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
    /// The work was stopped.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
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
            MetricError::Moments(error) => error.blame(),
            MetricError::Interrupted(error) => error.blame(),
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
    known_to_have(needed, Counts { real: Some(real), fake: Some(fake) }, &Set::BOTH, purpose, (remedy, None))
}

/// Checks that the sets, as far as their sizes are known, have at least `needed` images, for a score of both or of one.
pub(super) fn known_to_have(
    needed: usize,
    counts: Counts,
    sets: &[Set],
    purpose: &'static str,
    (remedy, parameter): (&'static str, Option<&'static str>),
) -> Result<(), MetricError> {
    for &set in sets {
        match counts.of(set) {
            Some(images) if images < needed => {
                return Err(MetricError::TooFew { set, images, needed, purpose, remedy, parameter });
            }
            _ => {}
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
