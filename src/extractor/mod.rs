//! From resized images to features: the networks and the engines that run them.

pub mod weights;
