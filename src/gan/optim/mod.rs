//! From gradients to steps.

mod clip;
mod optimizer;

pub use clip::{clip_norm, norm};
pub use optimizer::{Optimizer, Rule};
