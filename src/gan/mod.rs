//! Generative adversarial networks, trained from tensors and gradients up.
//!
//! ```text
//! tensor ─► tape (Var, grad) ─► ops ─► layers ─► models ─► train ─► images, and step events that anybody may observe
//! kernels (loops over numbers) ┘         optim ┘ objective ┘
//! ```
//!
//! * [`Tensor`] is a dense array; [`Var`] a value that knows where it comes from; [`grad`] differentiates, any number of
//!   times, because the derivative of every operation is made of operations;
//! * [`layers`] and [`models`] describe networks as plain data: fully connected ones and DCGAN at several resolutions;
//! * [`objective`] has the games (the original one, f-GAN, Wasserstein, …), [`optim`] the steps;
//! * [`variational`] bounds a divergence with a critic that is a network;
//! * [`train`] is Algorithm 1 of Goodfellow et al. (2014) with checkpoints, seeded and repeatable bit by bit for a given
//!   number of threads, on the CPU in f32.
//!
//! ```
//! use gan_metrics::gan::models::ModelSpec;
//! use gan_metrics::gan::train::{TrainConfig, Trainer, TrainingSet};
//!
//! let networks = ModelSpec::Mlp { size: 8, channels: 1, latent: 4, hidden: 16 };
//! let stripes: Vec<u8> = (0..32 * 64).map(|i| if (i + i / 64) % 2 == 0 { 0 } else { 255 }).collect();
//! let config = TrainConfig { batch_size: 16, ..TrainConfig::new(networks) };
//! let mut trainer = Trainer::new(config, TrainingSet::new(1, 8, stripes)?)?;
//! trainer.run(3, &mut ())?;
//! assert_eq!(trainer.samples(2)?.len(), 2 * 64);
//! # Ok::<(), gan_metrics::Error>(())
//! ```

mod buffer;
mod error;
mod kernels;
pub mod layers;
pub mod models;
pub mod objective;
mod ops;
pub mod optim;
mod random;
mod real;
mod tape;
mod tensor;
#[cfg(test)]
mod testing;
pub mod train;
pub mod variational;

pub use error::GanError;
pub use ops::{BatchMoments, BatchNorm, ConvOptions, ScalarFunction};
pub use random::Random;
pub use real::Real;
pub use tape::{Differentiability, Var, grad};
pub use tensor::Tensor;
