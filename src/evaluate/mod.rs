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

pub mod cache;
mod collector;
mod evaluation;
mod input;
mod measure;
mod network;
mod pass;

pub use collector::Collector;
pub use evaluation::{BoundError, Caching, Evaluated, Evaluation, Job, Judged, MeasuredSet};
pub use input::{GeneratedImages, GeneratorReport, Input, SetGenerator};
pub use measure::{CacheMode, CacheUse, Extracted, Measured, Measurer, SetReport, StageSeconds, labels};
pub use network::{ModelChoice, NetworkChoice, NetworkPlan, Preparation};
pub use pass::{EvaluateError, FeatureSink, OnBadImage, PassObserver, PassOptions, PassSummary, SkippedImage, run};
