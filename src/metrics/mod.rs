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
//! | near-duplicates | [`duplicates_within`], [`duplicates_between`] | features |
//! | confidence interval of any of them | [`jackknife_parts`], [`jackknife`], [`jackknife_logits`] | features, logits |
//! | for the eye: the real images nearest to each fake one, principal components | [`nearest_real`], [`principal`] | features |
//!
//! Functions of two sets take the real one first. Each has an options type whose constants are the definitions of named
//! implementations; `docs/metrics.md` compares them.

mod duplicates;
mod error;
mod extrapolation;
mod fid;
mod frame;
mod inception_score;
mod jackknife;
mod kernel;
mod kid;
mod mifid;
mod mind;
mod mmd;
mod nearest;
mod neighbours;
mod per_class;
mod prdc;
mod principal;
mod random_state;
mod rows;
mod subsets;
mod torch_random;
mod vendi;

pub use duplicates::{DuplicateOptions, DuplicatePair, NearDuplicates, duplicates_between, duplicates_within};
pub use error::{MetricError, Set};
pub use extrapolation::{Extrapolation, ExtrapolationOptions, fid_infinity, inception_score_infinity};
pub use fid::{Fid, FidError, fid};
pub use inception_score::{
    DegreesOfFreedom, InceptionScore, InceptionScoreError, InceptionScoreOptions, Order, Splits, inception_score,
};
pub use jackknife::{Interval, JackknifeOptions, Part, jackknife, jackknife_logits, jackknife_parts};
pub use kernel::{Estimator, Kernel};
pub use kid::{Kid, KidOptions, kid};
pub use mifid::{Mifid, MifidOptions, mifid};
pub use mind::{Directions, Mind, mind};
pub use mmd::{Length, Mmd, MmdOptions, mmd};
pub use nearest::{Nearest, nearest_real};
pub use neighbours::Boundary;
pub use per_class::{ClassFid, per_class_fid};
pub use prdc::{Balls, Prdc, PrdcOptions, prdc};
pub use principal::{Principal, principal};
pub use random_state::RandomState;
pub use torch_random::TorchGenerator;
pub use vendi::{Vendi, VendiOptions, vendi};
