//! Generative adversarial networks, trained from tensors and gradients up.
//!
//! ```text
//! tensor ─► tape (Var, grad) ─► ops ─► layers ─► networks ─► systems ─► train ─► images, and step events that anybody may observe
//! kernels (loops over numbers) ┘  optim, objectives, regularizers ┘ └ models: systems by name
//! ```
//!
//! * [`Tensor`] is a dense array; [`Var`] a value that knows where it comes from; [`grad`] differentiates, any number of
//!   times, because the derivative of every operation is made of operations;
//! * [`layers`] and [`networks`] describe networks as plain data: graphs with named inputs and outputs;
//! * [`objectives`] has the games (the original one, f-GAN, Wasserstein, …), [`regularizers`] what is added to them,
//!   [`optim`] the steps;
//! * a [system](systems) is an algorithm over networks, [`models`] are the systems that go by a name;
//! * [`variational`] bounds a divergence with a critic that is a network;
//! * [`train`] trains any system, with checkpoints, seeded and repeatable bit by bit for a given number of threads, on the
//!   CPU in f32.
//!
//! ```
//! use gan_metrics::gan::models::ModelSpec;
//! use gan_metrics::gan::train::{TrainConfig, Trainer, TrainingSet};
//!
//! let networks = ModelSpec { size: 8, latent: 4, width: 16, ..ModelSpec::named("mlp")? };
//! let stripes: Vec<u8> = (0..32 * 64).map(|i| if (i + i / 64) % 2 == 0 { 0 } else { 255 }).collect();
//! let config = TrainConfig { batch_size: 16, ..TrainConfig::new(networks) };
//! let mut trainer = Trainer::new(config, TrainingSet::new(1, 8, stripes)?)?;
//! trainer.run(3, &mut ())?;
//! assert_eq!(trainer.samples(2)?.len(), 2 * 64);
//! # Ok::<(), gan_metrics::Error>(())
//! ```

mod buffer;
mod error;
#[cfg(feature = "inference")]
pub mod export;
mod kernels;
pub mod layers;
pub mod models;
pub mod networks;
pub mod objectives;
mod ops;
pub mod optim;
mod probe;
mod random;
mod real;
pub mod regularizers;
mod state;
pub mod systems;
mod tape;
mod tensor;
#[cfg(test)]
mod testing;
pub mod train;
pub mod variational;

pub use error::GanError;
pub use ops::{BatchMoments, BatchNormOutput, ConvOptions, ScalarFunction};
pub use probe::linear_probe;
pub use random::Random;
pub use real::Real;
pub use state::SavedState;
pub use tape::{Differentiability, Var, grad};
pub use tensor::Tensor;
