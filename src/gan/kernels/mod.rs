//! Loops over numbers: they know slices and sizes, and nothing of differentiation.
//!
//! Work is cut by sizes alone, never by what a thread happens to finish first, so that results repeat bit by bit.

pub(super) mod blocks;
pub(super) mod convolution;
pub(super) mod gemm;
pub(super) mod maximum;
pub(super) mod minimal;
pub(super) mod normalization;
pub(super) mod pairwise;
pub(super) mod patches;
pub(super) mod permute;
pub(super) mod pointwise;
pub(super) mod reduce;
pub(super) mod softmax;
