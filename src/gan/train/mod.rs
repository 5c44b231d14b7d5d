//! Training: one trainer for every system, seeded and repeatable, told to an observer.

pub mod checkpoint;
mod collapse;
mod config;
mod data;
mod explore;
mod gaussians;
mod labelled;
mod latent;
mod observer;
mod sampling;
mod step;
mod trainer;

pub use collapse::CollapseWarning;
pub use config::TrainConfig;
pub use data::{Batch, Feed, Given, TrainingSet};
pub use explore::Explorer;
pub use gaussians::{Coverage, Gaussians};
pub use latent::Latent;
pub use observer::{Observer, StepEvent};
pub use sampling::{Drawn, ImageSampler, Trained, label_stream, sampling_stream};
pub use step::{Step, Weights};
pub use trainer::Trainer;
