//! Weights that are part of `gan-metrics`, in a crate of their own: a registry takes 10 MiB a crate, which is just enough for them.
#![deny(missing_docs)]

/// EfficientNet-Lite0, trained on ImageNet, as a checkpoint of PyTorch with 16 bits a weight; `NOTICE.md` says where it comes from.
///
/// Not a constant, of which every unit of code that uses it would have 9 MB of its own.
pub static EFFICIENTNET_LITE0: &[u8] = include_bytes!("../efficientnet-lite0.pth");
