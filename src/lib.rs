//! How good are the samples of an image generator?
//!
//! `gan-metrics` computes the Fréchet Inception Distance and its family with the numbers that the reference
//! implementations publish.
//!
//! # Two folders
//!
//! ```
//! use gan_metrics::Interrupt;
//! use gan_metrics::evaluate::{Evaluation, Job, NetworkChoice};
//!
//! # fn main() -> gan_metrics::Result<()> {
//! # let folder = std::env::temp_dir().join(format!("gan-metrics-{}", std::process::id()));
//! # for (name, tint) in [("real", 3), ("fake", 5)] {
//! #     std::fs::create_dir_all(folder.join(name))?;
//! #     for index in 0..8_u8 {
//! #         let pixels = (0..48_u8).map(|at| at.wrapping_mul(tint).wrapping_add(31 * index)).collect();
//! #         gan_metrics::image::RgbImage::new(4, 4, pixels)?.write_png(&folder.join(name).join(format!("{index}.png")))?;
//! #     }
//! # }
//! # let (real, fake) = (folder.join("real"), folder.join("fake"));
//! let mut job = Job::new(Some(real), fake).scores(["fid", "prdc"])?;
//! job.network = NetworkChoice::builtin(); // else inception-v3, whose weights `gan-metrics model install` fetches
//! let found = Evaluation::plan(job, &Interrupt::new())?.run(&mut (), &Interrupt::new())?;
//! println!("FID {:.4}", found.scores.number("fid").unwrap());
//! # std::fs::remove_dir_all(folder)?;
//! # Ok(())
//! # }
//! ```
//!
//! # In a training loop
//!
//! An [`Evaluator`](evaluate::Evaluator) takes arrays of u8 or f32, N×H×W×C or N×C×H×W, and copies none of them:
//!
//! ```
//! use gan_metrics::evaluate::{Evaluator, NetworkChoice};
//! use gan_metrics::image::ImageArray;
//! use gan_metrics::metrics::Set;
//! use gan_metrics::ndarray::Array4;
//! use gan_metrics::score::Request;
//!
//! # let real = Array4::from_shape_fn((12, 16, 16, 3), |(n, y, x, c)| (20 * n + 7 * y + 3 * x + c) as u8);
//! # let sample = |seed: usize| Array4::from_shape_fn((12, 3, 16, 16), |(n, c, y, x)| ((n + seed + c * y + x) % 9) as f32 / 4.5 - 1.0);
//! let request = Request::of(["fid", "is", "prdc"])?;
//! let mut run = Evaluator::new(&NetworkChoice::builtin(), request)?
//!     .with_reference_images(&ImageArray::nhwc(real.view())?, None)?; // through the network once, factorised once
//! for epoch in 0..2 {
//!     run.reset(Set::Fake);
//!     let batch: Array4<f32> = sample(epoch); // of whatever trains, here with tanh
//!     run.update(Set::Fake, &ImageArray::nchw_f32(batch.view(), [-1.0, 1.0])?)?; // as often as there are batches
//!     let scores = run.compute()?;
//!     println!("{epoch}: FID {:.2}, recall {:.2}", scores.number("fid").unwrap(), scores.number("recall").unwrap());
//! }
//! # Ok::<(), gan_metrics::Error>(())
//! ```
//!
//! What other threads, processes or hosts gather merges into it: see [`Partial`](evaluate::Partial) and
//! [`Shard`](evaluate::Shard). A test of sample quality is a [`Bound`](score::Bound) away.
//!
//! # Train, produce, score
//!
//! The networks of `gan` train here, from tensors and gradients up:
//!
//! ```
//! # #[cfg(feature = "gan")] {
//! use gan_metrics::evaluate::{Evaluator, NetworkChoice};
//! use gan_metrics::gan::models::ModelSpec;
//! use gan_metrics::gan::train::{TrainConfig, Trainer, TrainingSet};
//! use gan_metrics::image::ImageArray;
//! use gan_metrics::metrics::Set;
//! use gan_metrics::ndarray::ArrayView4;
//! use gan_metrics::score::Request;
//!
//! # let digits: Vec<u8> = (0..16 * 256).map(|at| if (at + at / 256) % 5 < 2 { 255 } else { 0 }).collect();
//! fn images(bytes: &[u8]) -> ArrayView4<'_, u8> {
//!     ArrayView4::from_shape((16, 1, 16, 16), bytes).expect("16 gray images of 16×16")
//! }
//!
//! let networks = ModelSpec { size: 16, latent: 8, width: 4, ..ModelSpec::named("dcgan")? };
//! let config = TrainConfig { batch_size: 8, ..TrainConfig::new(networks) };
//! let mut trainer = Trainer::new(config, TrainingSet::new(1, 16, digits.clone())?)?;
//! let mut run = Evaluator::new(&NetworkChoice::builtin(), Request::of(["fid"])?)?
//!     .with_reference_images(&ImageArray::nchw(images(&digits))?, None)?;
//! for _ in 0..2 {
//!     trainer.run(2, &mut ())?;
//!     run.reset(Set::Fake);
//!     run.update(Set::Fake, &ImageArray::nchw(images(&trainer.samples(16)?))?)?;
//!     println!("after {} steps: FID {:.2}", trainer.steps(), run.compute()?.number("fid").unwrap());
//! }
//! # }
//! # Ok::<(), gan_metrics::Error>(())
//! ```
//!
//! # Which number is comparable
//!
//! A FID to publish is by [`inception-v3`](extractor::ExtractorId::InceptionV3) with the weights of the literature, which are not
//! part of this crate (`gan-metrics model install inception-v3`). [`NetworkChoice::builtin`](evaluate::NetworkChoice::builtin) is
//! efficientnet-lite0: it needs nothing and is fast enough for a training loop, and its scores compare with nothing but themselves.
//! Scores with few images are biased; compare equal numbers.
//!
//! # What runs the network
//!
//! ONNX Runtime, loaded at run time from the first usable library of: the one that was
//! [named](extractor::NetworkOptions::library), `ORT_DYLIB_PATH`, Python's `site-packages` (`pip install onnxruntime` or
//! `onnxruntime-gpu` suffices), beside the program, the system ([`find_libraries`](extractor::find_libraries) lists them). Without any,
//! [`EngineChoice::Auto`](extractor::EngineChoice) takes tract, which is part of this crate and several times slower:
//! `run.network().info().engine` says what runs and why. ONNX Runtime is never told to send telemetry.
//!
//! # Threads
//!
//! Everything is `Send`. What runs a network ([`Evaluator`](evaluate::Evaluator), [`Network`](evaluate::Network)) is not `Sync`: one
//! a thread, or one behind a lock. Statistics, features, scores and [`Interrupt`] are both. Decoding and linear algebra use the global
//! rayon pool.
//!
//! # Debug builds
//!
//! Cargo's profiles are those of *your* workspace: without them, a debug build runs linear algebra and tract unoptimised, some forty
//! times slower. Build with `--release`, or have dependencies optimised in debug builds too:
//!
//! ```toml
//! [profile.dev.package."*"]
//! opt-level = 3
//! ```
//!
//! # Features
//!
//! | feature | brings | on by default |
//! |---|---|---|
//! | (none) | [`linalg`], [`stats`], [`metrics`], [`score`], [`divergence`]: scores of features at hand | |
//! | `images` | [`image`]: decoding, data sets, resizers | yes |
//! | `inference` | [`extractor`], [`evaluate`], [`report`]: images in, scores out | yes |
//! | `gan` | `gan`: training | yes |
//! | `pictures` | plots and HTML of reports | yes |
//! | `cli` | all of these, and the program | yes |
//! | `lapack` | factorisations from the system's OpenBLAS | |
//!
//! A library wants `default-features = false, features = ["inference"]`.
//!
//! # Where things are
//!
//! Data flows one way:
//!
//! ```text
//! paths, arrays ─► image ─► extractor ─► stats ─► metrics ─► score ─► report        divergence: a separate calculator
//! ```
//!
//! * [`image`] decodes data sets, takes arrays, and resizes exactly as a named reference does;
//! * [`extractor`] runs a network on the resized images;
//! * [`stats`] reduces features to moments that merge, and reads and writes statistics files;
//! * [`metrics`] turns statistics and features into scores, each a row of one registry, and never sees an image or a
//!   network;
//! * [`score`] computes many of them at once, by the definitions of a named tool;
//! * [`evaluate`] does it from images: batch by batch, or from paths, where a job becomes a plan, then one pass over each set, then the
//!   scores;
//! * [`report`] renders what was computed;
//! * [`testing`] holds scores against a baseline, in the tests of projects that train generators;
//! * [`output`] claims files before the work that fills them;
//! * [`divergence`] is a calculator for f-divergences and transport distances;
//! * `gan` trains generators, from tensors and gradients up;
//! * `cli` is the program `gan-metrics`, as a function from arguments to an exit code.
#![deny(missing_docs)]
// Not `forbid`: ndarray's `s!` brings an `allow` of its own, which `forbid` rejects.
#![deny(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(any(feature = "gan", feature = "inference"))]
mod digest;
pub mod divergence;
pub mod error;
#[cfg(feature = "images")]
mod foreign;
#[cfg(feature = "gan")]
pub mod gan;
#[cfg(feature = "images")]
pub mod image;
mod interrupt;
pub mod linalg;
pub mod metrics;
mod numpy;
mod options;
pub mod output;
// What only checkpoints have is not looked at without them.
#[cfg_attr(not(feature = "inference"), allow(dead_code))]
mod pickle;
mod random_state;
mod registers;
mod regular;
pub mod score;
pub mod stats;

#[cfg(feature = "inference")]
pub mod evaluate;
#[cfg(feature = "inference")]
pub mod extractor;
#[cfg(feature = "inference")]
pub mod report;
#[cfg(feature = "inference")]
pub mod testing;

pub use error::{Blame, Error, Result};
pub use interrupt::{Interrupt, Interrupted};
/// The arrays that this crate takes and gives.
pub use ndarray;
