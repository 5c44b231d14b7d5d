//! Scores from statistics and features. Nothing here sees an image or a network.
//!
//! | score | function | input |
//! |---|---|---|
//! | Fréchet distance (FID, and sFID on spatial features) | [`fid`] | [`Gaussian`](crate::stats::Gaussian) |
//! | … at infinitely many images, and class by class | [`fid_infinity`], [`per_class_fid`] | features |
//! | Inception Score, and at infinitely many images | [`inception_score`], [`inception_score_infinity`] | logits |
//! | Kernel Inception Distance | [`kid`] | features |
//! | maximum mean discrepancy (CMMD's form) | [`mmd`] | features |
//! | precision, recall, density, coverage | [`prdc`] | features |
//! | Monge Inception Distance | [`mind`] | features |
//! | memorisation-informed FID | [`mifid`] | features |
//! | Vendi score | [`vendi`] | features of one set |
//! | authentic images | [`authpct`] | features |
//! | realism of each image | [`realism`] | features |
//! | near-duplicates | [`duplicates_within`], [`duplicates_between`] | features |
//! | confidence interval of any of them | [`jackknife_parts`], [`jackknife`], [`jackknife_logits`] | features, logits |
//! | whether two sets differ in one of them | [`difference`] | two intervals |
//! | for the eye: the real images nearest to each fake one, principal components | [`nearest_real`], [`principal`] | features |
//!
//! Functions of two sets take the real one first. Where tools differ there is an options type whose constants are their
//! definitions; `docs/metrics.md` compares them. Each score is a [row](Score) of the [registry], too, by which it is found by
//! name, with its [definition](Definitions) and parameters.

mod authpct;
mod comparison;
mod definitions;
mod duplicates;
mod error;
mod extrapolation;
mod fid;
mod fid_infinity;
mod frame;
mod inception_score;
mod is_infinity;
mod jackknife;
mod kernel;
mod kid;
mod mifid;
mod mind;
mod mmd;
mod name;
mod nearest;
mod neighbours;
mod parameter;
mod per_class;
mod prdc;
pub(crate) mod principal;
mod realism;
pub mod registry;
mod rows;
mod score;
mod sfid;
mod subsets;
mod torch_random;
mod value;
mod vendi;

pub use crate::random_state::RandomState;
pub use authpct::{AuthPct, authpct};
pub use comparison::{ComparisonError, Difference, RealImages, difference};
pub use definitions::{Definition, Definitions, Preset};
pub use duplicates::{DuplicateOptions, DuplicatePair, NearDuplicates, duplicates_between, duplicates_within};
pub use error::{MetricError, Set};
pub use extrapolation::{Extrapolation, ExtrapolationOptions};
pub use fid::{Fid, FidError, fid, fid_until};
pub use fid_infinity::fid_infinity;
pub use inception_score::{
    DegreesOfFreedom, InceptionScore, InceptionScoreError, InceptionScoreOptions, SplitOrder, Splits, inception_score,
};
pub use is_infinity::inception_score_infinity;
pub use jackknife::{Interval, JackknifeOptions, Replicates, Subsample, jackknife, jackknife_logits, jackknife_parts};
pub use kernel::{Estimator, Kernel};
pub use kid::{Kid, KidOptions, kid};
pub use mifid::{Mifid, MifidOptions, mifid};
pub use mind::{Directions, Mind, mind};
pub use mmd::{Length, Mmd, MmdOptions, mmd};
pub use name::UnknownName;
pub use nearest::{Nearest, nearest_real};
pub use neighbours::Boundary;
pub use parameter::{Arguments, Choice, Kind, Parameter, Range};
pub use per_class::{ClassFid, per_class_fid};
pub use prdc::{Balls, Prdc, PrdcDefinition, PrdcOptions, Subset, prdc};
pub use principal::{Principal, principal};
pub use realism::{Realism, RealismForm, RealismOptions, realism};
pub use registry::{Metric, ScoreNumber};
pub use score::{About, Better, Counts, Need, Quantity, Score, ScoreInterval, SetData, Sets};
pub use torch_random::TorchGenerator;
pub use value::{Caution, Curve, Number, Panel, Style, Table, Value, readable};
pub use vendi::{Vendi, VendiOptions, vendi};
