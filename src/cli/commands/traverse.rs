//! `gan-metrics traverse`: what each part of a generator's code does.

use std::path::PathBuf;

use clap::Args;

use super::grid;
use crate::Result;
use crate::cli::exit::Outcome;
use crate::cli::numbers::{seed, whole};
use crate::cli::output;
use crate::gan::train::checkpoint;
use crate::output::{OutputError, Outputs};

/// `gan-metrics traverse --checkpoint FILE -o FILE.png`
#[derive(Debug, Args)]
pub struct TraverseArgs {
    /// Checkpoint of a training run whose generator is given a class or a code.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    /// PNG file to write: a row for each class or category, and, for each number of the code, the same number of rows.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Images in a row: with different noise in rows of classes, with different values of the number, from −1 to 1, in the
    /// others.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole(2..=64_u16))]
    pub columns: u16,
    /// Seed of the noise.
    #[arg(long, default_value_t = 0, value_parser = seed)]
    pub seed: u64,
}

/// Writes the grid.
pub fn run(args: &TraverseArgs) -> Result<Outcome> {
    let png = grid::claim(&args.output, Outputs::beside([&args.checkpoint]))?;
    let explorer = grid::explorer(checkpoint::trained(&args.checkpoint)?, args.seed)?;
    let columns = usize::from(args.columns);
    let images = explorer.traversals(columns)?;
    let [channels, size, _] = explorer.trained().config.networks.image();
    let grid = grid::png(&images, columns, channels, size);
    png.write_all(&grid.map_err(|source| OutputError::at(&args.output, source))?)?;
    let rows = images.len() / (channels * size * size) / columns;
    let step = explorer.trained().step;
    output::to_stdout(&format!("{}: {rows} rows of {columns} images, step {step}\n", args.output.display()))?;
    Ok(Outcome::Success)
}
