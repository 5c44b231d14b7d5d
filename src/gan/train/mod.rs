//! Training: the two players' steps in turn, seeded and repeatable, told to an observer.

pub mod checkpoint;
mod collapse;
mod config;
mod data;
mod observer;
mod sampling;
mod trainer;

pub use collapse::CollapseWarning;
pub use config::{Latent, TrainConfig};
pub use data::TrainingSet;
pub use observer::{Control, Observer, StepEvent};
pub use sampling::{ImageSampler, label_stream, sampling_stream};
pub use trainer::{Round, Trainer};
