//! Regression tests on the quality of samples, for the `#[test]`s of projects that train generators.
//!
//! A [`Baseline`] is a file of scores beside the tests. A test computes the scores of today's samples and
//! [asserts](Baseline::assert) that none is worse; when one is, it fails with a table of the numbers and leaves the offending images in
//! a folder. Run once with the environment variable `GAN_METRICS_BLESS=1`, it writes the baseline instead, to be committed.
//!
//! ```no_run
//! use gan_metrics::evaluate::{Evaluation, Job};
//! use gan_metrics::image::DataSet;
//! use gan_metrics::report::Tolerance;
//! use gan_metrics::testing::Baseline;
//! use gan_metrics::{Interrupt, Result};
//!
//! // #[test]
//! fn samples_are_as_good_as_they_were() -> Result<()> {
//!     let interrupt = Interrupt::new();
//!     let job = Job::new(Some("tests/real.npz".into()), "target/samples".into()).scores(["fid", "kid"])?;
//!     let done = Evaluation::plan(job, &interrupt)?.run(&mut (), &interrupt)?;
//!     Baseline::at("tests/baseline.json")
//!         .tolerance(Tolerance::percent(2.0))
//!         .keep_images("target/bad-samples")
//!         .assert(&done.scores, &DataSet::open("target/samples".as_ref())?);
//!     Ok(())
//! }
//! ```

mod baseline;
mod samples;

pub use baseline::{BLESS, Baseline, BaselineError};
