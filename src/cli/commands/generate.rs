//! `gan-metrics generate`: images from a checkpoint, streamed into a folder, a zip archive or an array file.

mod array;
mod latents;
mod onnx;
pub mod pixels;
mod points;
mod sink;

use std::path::PathBuf;

use crate::Result;
use crate::error::{Blame, Blamed};
use crate::gan::train::{ImageSampler, checkpoint};
use crate::output::Outputs;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::exit::Outcome;
use crate::cli::numbers::{seed, whole};
use crate::cli::output;
use crate::cli::progress;
pub use array::Shape;
use latents::Latents;
pub use onnx::OnnxGeneratorArgs;
use sink::Sink;

/// `gan-metrics generate --checkpoint FILE -n N -o OUTPUT`
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Checkpoint of a training run.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    /// Number of images.
    #[arg(short = 'n', long, value_name = "N", value_parser = whole(1..=u32::MAX))]
    pub images: u32,
    /// Folder to create, or an existing empty one to fill; or .zip (of PNGs), .npz or .npy file to write.
    #[arg(short, long, value_name = "OUTPUT")]
    pub output: PathBuf,
    /// Also write the inputs of the generator to this .npz file: `z`, N×length, and `condition`, N×numbers, if it takes more
    /// than z.
    #[arg(long, value_name = "FILE")]
    pub save_latents: Option<PathBuf>,
    /// Make only images of this class, given by its index from 0; for models with classes only.
    #[arg(long, value_name = "INDEX", value_parser = whole(0..=u16::MAX))]
    pub class: Option<u16>,
    /// Seed of the noise: the same seed gives the same images.
    #[arg(long, default_value_t = 0, value_parser = seed)]
    pub seed: u64,
    /// Images made at once.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = whole(1..=u16::MAX))]
    pub batch_size: u16,
    /// No progress, no message.
    #[arg(short, long)]
    pub quiet: bool,
}

/// Ctrl-C came before the last image; what was written until then is removed.
#[derive(Debug, thiserror::Error)]
#[error("interrupted after {done} of {total} images, none of which is kept")]
struct Interrupted {
    done: usize,
    total: usize,
}

impl Blamed for Interrupted {
    fn blame(&self) -> Blame {
        Blame::Interrupted
    }
}

/// Writes the images.
pub fn run(args: &GenerateArgs) -> Result<Outcome> {
    let mut outputs = Outputs::beside([&args.checkpoint]);
    let mut latents = Latents::claim(args.save_latents.as_deref(), &mut outputs)?;
    let sink = Sink::claim(&args.output, &mut outputs)?;
    let trained = checkpoint::trained(&args.checkpoint)?;
    latents.check(trained.system.as_ref())?;
    if trained.config.networks.entry().takes_points() {
        return points::run(args, trained, sink, latents);
    }
    let (step, total) = (trained.step, args.images as usize);
    let shape = Shape::squares(total, trained.config.networks.channels, trained.config.networks.size);
    let mut sampler = ImageSampler::new(trained, args.seed);
    if let Some(class) = args.class {
        sampler = sampler.of_class(class.into())?;
    }
    let bar = if args.quiet { ProgressBar::hidden() } else { ProgressBar::new(total as u64) };
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {per_sec} {eta} left");
    bar.set_style(style.expect("the template is well-formed"));
    let interrupt = progress::interrupt();
    let mut done = 0;
    let mut next = || -> Result<Option<Vec<u8>>> {
        if interrupt.is_requested() {
            return Err(Interrupted { done, total }.into());
        }
        let count = (total - done).min(args.batch_size.into());
        if count == 0 {
            return Ok(None);
        }
        done += count;
        bar.set_position(done as u64);
        Ok(Some(latents.keep(&mut sampler, count)?))
    };
    let written = sink.write(shape, &mut next);
    bar.finish_and_clear();
    written?;
    latents.write()?;
    if !args.quiet {
        output::to_stdout(&format!("{}: {total} images of step {step}, seed {}\n", args.output.display(), args.seed))?;
    }
    Ok(Outcome::Success)
}
