//! From sets to scores.
//!
//! A [`Job`] says what to compute of which sets. [`Evaluation::plan`] opens the sets, reads the network and checks all that can be
//! known before the first image is decoded; [`Evaluation::run`] does the work: one [pass](run) over each set of images, or what a
//! file or the [cache] has of it, then the scores.
//!
//! ```no_run
//! use gan_metrics::Interrupt;
//! use gan_metrics::evaluate::{Evaluation, Job};
//! use gan_metrics::score::Request;
//!
//! let job = Job::new(Some("real/".into()), "fake/".into()).scores(["fid", "kid", "prdc"])?;
//! let found = Evaluation::plan(job, &Interrupt::new())?.run(&mut (), &Interrupt::new())?;
//! println!("FID {:.4}", found.scores.number("fid").unwrap());
//! # Ok::<(), gan_metrics::Error>(())
//! ```

mod accumulator;
pub mod cache;
mod evaluation;
mod evaluator;
mod indices;
mod input;
mod measure;
mod network;
mod partial;
mod pass;
mod rows;
mod shard;

pub use accumulator::{Accumulator, MergeError};
pub use evaluation::{BoundError, Caching, Evaluated, Evaluation, Job, Judged, MeasuredSet};
pub use evaluator::{Evaluator, EvaluatorError, Reference};
pub use indices::Indices;
pub use input::{Batch, GeneratedImages, GeneratorReport, Input, SetGenerator, class_names, has_array};
pub use measure::{
    ArraysReport, CacheMode, CacheUse, ChosenReport, Extracted, Measured, Measurer, SetReport, StageSeconds, labels,
};
pub use network::{ModelChoice, Network, NetworkChoice, NetworkPlan, Passed, Preparation};
pub use partial::{Partial, PartialError, WholeSet};
pub use pass::{
    EvaluateError, FeatureSink, OnBadImage, PassObserver, PassOptions, PassSummary, Portion, SkippedImage, run,
};
pub use rows::GatherError;
pub use shard::{Shard, ShardError};
