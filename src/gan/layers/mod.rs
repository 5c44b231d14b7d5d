//! Networks: a list of layers as plain data, and the tensors that belong to it.

mod init;
mod network;
mod spec;

pub use init::Initializer;
pub use network::{Network, Parameter};
pub use spec::{Activation, Bias, Layer, NORMALIZATION_EPSILON};
