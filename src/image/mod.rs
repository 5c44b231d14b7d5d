//! Images: decoding, data sets, and the resizers of the reference implementations.
