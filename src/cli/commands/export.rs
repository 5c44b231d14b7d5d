//! `gan-metrics export`: the generator of a checkpoint as an ONNX graph.

use std::path::PathBuf;

use crate::Result;
use crate::gan::export;
use crate::gan::train::checkpoint;
use crate::output::Outputs;
use clap::Args;

use crate::cli::exit::Outcome;
use crate::cli::output;

/// `gan-metrics export --checkpoint FILE -o FILE.onnx`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Checkpoint of a training run.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    /// ONNX file to write: input `z`, N×length or N×length×1×1; output `images`, N×channels×size×size, in the range of
    /// the model, which the metadata entry `pixel_range` tells.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// Writes the graph.
pub fn run(args: &ExportArgs) -> Result<Outcome> {
    let onnx = Outputs::beside([&args.checkpoint]).claim(&args.output)?;
    let trained = checkpoint::trained(&args.checkpoint)?;
    onnx.write_all(&export::generator(&trained)?.encode())?;
    let networks = &trained.config.networks;
    output::to_stdout(&format!(
        "{}: generator of step {}, z of {} numbers ({}) to images of {}×{}\n",
        args.output.display(),
        trained.step,
        networks.latent,
        trained.config.latent,
        networks.size,
        networks.size,
    ))?;
    Ok(Outcome::Success)
}
