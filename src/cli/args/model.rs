//! Networks, and the machine they run on.

use std::path::PathBuf;

use crate::extractor::ExtractorId;
use crate::extractor::install::Source;
use clap::{Args, Subcommand};

/// `gan-metrics model …`
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Fetch, verify and convert the published weights of a network (91 MiB).
    Install {
        /// Network to install.
        #[arg(value_name = "NAME", value_parser = |text: &str| text.parse::<ExtractorId>())]
        network: ExtractorId,
        /// A copy of the published file, or an address to fetch it from, instead of the authors' addresses.
        #[arg(long, value_name = "FILE|URL", value_parser = |text: &str| Ok::<_, String>(Source::parse(text)))]
        from: Option<Source>,
        /// No progress, no message.
        #[arg(short, long)]
        quiet: bool,
    },
    /// Turn a PyTorch checkpoint with the layout of the FID Inception-v3 into an ONNX network for --model.
    Convert {
        /// Checkpoint (.pth) in either format of torch.save.
        checkpoint: PathBuf,
        /// ONNX file to write.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// List the networks and whether they are installed.
    List,
    /// Show inputs, outputs and origin of a network.
    Info {
        /// Name of a network, or an ONNX file.
        #[arg(value_name = "NAME|FILE")]
        network: PathBuf,
    },
    /// Print where the ONNX file of an installed network is.
    Path {
        /// Network.
        #[arg(value_name = "NAME", value_parser = |text: &str| text.parse::<ExtractorId>())]
        network: ExtractorId,
    },
    /// Remove an installed network.
    Remove {
        /// Network.
        #[arg(value_name = "NAME", value_parser = |text: &str| text.parse::<ExtractorId>())]
        network: ExtractorId,
    },
    /// Write a network as an ONNX file, for use elsewhere.
    Export {
        /// Network.
        #[arg(value_name = "NAME", value_parser = |text: &str| text.parse::<ExtractorId>())]
        network: ExtractorId,
        /// ONNX file to write.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
}

/// `gan-metrics doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Library file or folder of ONNX Runtime, instead of searching for it.
    #[arg(long, value_name = "PATH")]
    pub ort_library: Option<PathBuf>,
}
