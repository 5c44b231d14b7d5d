//! `gan-metrics interpolate`: images between images of a generator.

use std::path::PathBuf;

use clap::Args;

use super::grid;
use crate::Result;
use crate::cli::exit::Outcome;
use crate::cli::numbers::{seed, whole};
use crate::cli::output;
use crate::gan::train::checkpoint;
use crate::output::{OutputError, Outputs};

/// `gan-metrics interpolate --checkpoint FILE -o FILE.png`
#[derive(Debug, Args)]
pub struct InterpolateArgs {
    /// Checkpoint of a training run.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    /// PNG file to write: a row for each pair of images, from one to the other.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Pairs of images.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = whole(1..=64_u16))]
    pub rows: u16,
    /// Images in a row, including both ends.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole(2..=64_u16))]
    pub columns: u16,
    /// Seed of the noise at the ends of each row.
    #[arg(long, default_value_t = 0, value_parser = seed)]
    pub seed: u64,
}

/// Writes the grid.
pub fn run(args: &InterpolateArgs) -> Result<Outcome> {
    let png = grid::claim(&args.output, Outputs::beside([&args.checkpoint]))?;
    let explorer = grid::explorer(checkpoint::trained(&args.checkpoint)?, args.seed)?;
    let (rows, columns) = (usize::from(args.rows), usize::from(args.columns));
    let images = explorer.interpolations(rows, columns)?;
    let [channels, size, _] = explorer.trained().config.networks.image();
    let grid = grid::png(&images, columns, channels, size);
    png.write_all(&grid.map_err(|source| OutputError::at(&args.output, source))?)?;
    let step = explorer.trained().step;
    output::to_stdout(&format!("{}: {rows} rows of {columns} images, step {step}\n", args.output.display()))?;
    Ok(Outcome::Success)
}
