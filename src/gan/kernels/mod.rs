//! Loops over numbers: they know slices and sizes, and nothing of differentiation.
//!
//! Work is cut by sizes alone, never by what a thread happens to finish first, so that results repeat bit by bit.

pub(super) mod convolution;
pub(super) mod gemm;
pub(super) mod minimal;
pub(super) mod normalization;
pub(super) mod patches;
pub(super) mod pointwise;
pub(super) mod reduce;
