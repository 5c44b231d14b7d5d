//! A checkpoint that is generated, not trained: for tests and benchmarks where the published one is not at hand.
//!
//! Exactly reproducible: `python_ref/make_seeded_inception.py` writes the same tensors bit by bit. Tensor *t* of the
//! [layout](super::layout) (in the order of the network) has its own SplitMix64 stream, of which every output gives an
//! odd integer *k* in (−2²⁴, 2²⁴), from its upper 24 bits; *u* = *k*/2²⁴ is uniform on (−1, 1). Every value is one
//! expression in *u*, evaluated in `f64` with correctly rounded operations and rounded to `f32` once.

use crate::extractor::weights::pth::StateDict;
/// placeholder
pub fn seeded_state_dict(_seed: u64) -> StateDict {
    unimplemented!()
}
