//! Weights that are part of `gan-metrics`, in a crate of their own: a registry takes 10 MiB a crate, which is just enough for them.
#![deny(missing_docs)]

/// EfficientNet-Lite0, trained on ImageNet, as a checkpoint of PyTorch with 16 bits a weight; `NOTICE.md` says where it comes from.
pub const EFFICIENTNET_LITE0: &[u8] = include_bytes!("../efficientnet-lite0.pth");
