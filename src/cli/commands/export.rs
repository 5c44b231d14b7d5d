//! `gan-metrics export`: a network of a checkpoint as an ONNX graph.

use std::path::PathBuf;

use crate::Result;
use crate::gan::export::{self, ExportedPart};
use crate::gan::train::checkpoint;
use crate::output::Outputs;
use clap::{Args, ValueEnum};

use crate::cli::exit::Outcome;
use crate::cli::output;

/// `gan-metrics export --checkpoint FILE -o FILE.onnx`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Checkpoint of a training run.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    /// Network to write: the one that makes images, the one that encodes them, or the one that classifies them.
    #[arg(long, value_enum, default_value_t = PartArg::Generator)]
    pub network: PartArg,
    /// ONNX file to write. A generator has the input `z`, N×length or N×length×1×1, where it takes a class or a code also
    /// `labels`, N×length, and the output `images`, N×channels×size×size; the others have the input `images`, and the output
    /// `code` (or `mean` and `log_variance`) or `classes`. Images are in the range of the model, given by the metadata entry
    /// `pixel_range`.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// A network of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PartArg {
    /// From z to images.
    Generator,
    /// From images to codes.
    Encoder,
    /// From images to logits of classes.
    Classifier,
}

impl From<PartArg> for ExportedPart {
    fn from(argument: PartArg) -> Self {
        match argument {
            PartArg::Generator => ExportedPart::Generator,
            PartArg::Encoder => ExportedPart::Encoder,
            PartArg::Classifier => ExportedPart::Classifier,
        }
    }
}

/// Writes the graph.
pub fn run(args: &ExportArgs) -> Result<Outcome> {
    let onnx = Outputs::beside([&args.checkpoint]).claim(&args.output)?;
    let trained = checkpoint::trained(&args.checkpoint)?;
    onnx.write_all(&export::part(&trained, args.network.into())?.encode())?;
    let networks = &trained.config.networks;
    let samples = match networks.dimensions {
        0 => format!("images of {}×{}", networks.size, networks.size),
        dimensions => format!("points of {dimensions} numbers"),
    };
    let (step, latent) = (trained.step, trained.config.latent);
    let what = match args.network {
        PartArg::Generator => {
            format!("generator of step {step}, z of {} numbers ({latent}) to {samples}", networks.latent)
        }
        PartArg::Encoder => format!("encoder of step {step}, {samples} to codes"),
        PartArg::Classifier => format!("classifier of step {step}, {samples} to logits of classes"),
    };
    output::to_stdout(&format!("{}: {what}\n", args.output.display()))?;
    Ok(Outcome::Success)
}
