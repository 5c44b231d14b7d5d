//! Scores from statistics and features. Nothing here sees an image or a network.

mod fid;
mod inception_score;
mod random_state;

pub use fid::{Fid, FidError, fid};
pub use inception_score::{
    DegreesOfFreedom, InceptionScore, InceptionScoreError, InceptionScoreOptions, Order, inception_score,
};
pub use random_state::RandomState;
