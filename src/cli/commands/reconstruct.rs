//! `gan-metrics reconstruct`: images beside what a model makes of them.

use std::path::PathBuf;

use clap::Args;

use super::grid;
use super::train::data::{Classes, DataArgs};
use crate::Result;
use crate::cli::exit::Outcome;
use crate::cli::numbers::{seed, whole};
use crate::cli::output;
use crate::gan::train::{checkpoint, sampling_stream};
use crate::output::{OutputError, Outputs};

/// `gan-metrics reconstruct --checkpoint FILE --data IMAGES -o FILE.png`
#[derive(Debug, Args)]
pub struct ReconstructArgs {
    /// Checkpoint of a training run of a model that reconstructs: bigan, vae and others.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    #[command(flatten)]
    pub data: DataArgs,
    /// PNG file to write: rows of images, with the reconstructions under each row.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Pairs of rows, from the first images.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = whole(1..=64_u16))]
    pub rows: u16,
    /// Images in a row.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole(1..=64_u16))]
    pub columns: u16,
    /// Seed of the noise, if the model needs any.
    #[arg(long, default_value_t = 0, value_parser = seed)]
    pub seed: u64,
}

/// Writes the grid.
pub fn run(args: &ReconstructArgs) -> Result<Outcome> {
    let inputs = args.data.data.iter().chain([&args.checkpoint]);
    let png = grid::claim(&args.output, Outputs::beside(inputs))?;
    let trained = checkpoint::trained(&args.checkpoint)?;
    let [channels, size, _] = trained.config.networks.image();
    let data = args.data.load(&trained.config.networks, Classes::Unwanted)?;
    let columns = usize::from(args.columns).min(data.len());
    let count = (usize::from(args.rows) * columns).min(data.len() / columns * columns);
    let range = trained.system.pixel_range();
    let images = data.first(count, range);
    let made = trained.system.reconstruct(&trained.networks, &images, &mut sampling_stream(args.seed))?;
    let made: Vec<u8> = made.data().iter().map(|&value| range.to_byte(value)).collect();
    let row = columns * channels * size * size;
    let pairs = data.bytes().chunks_exact(row).zip(made.chunks_exact(row));
    let both: Vec<u8> = pairs.flat_map(|(images, made)| [images, made].concat()).collect();
    let grid = grid::png(&both, columns, channels, size);
    png.write_all(&grid.map_err(|source| OutputError::at(&args.output, source))?)?;
    let step = trained.step;
    output::to_stdout(&format!(
        "{}: {count} images above their reconstructions, step {step}\n",
        args.output.display()
    ))?;
    Ok(Outcome::Success)
}
