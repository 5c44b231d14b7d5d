//! `gan-metrics doctor`: what this machine has, and how to get what is missing.

use std::fmt::Write;

use crate::Result;
use crate::extractor::{
    EngineError, ExtractorId, OLDEST_MINOR_VERSION, available_providers, find_libraries, models_folder,
};

use super::model;
use crate::cli::args::DoctorArgs;
use crate::cli::exit::Outcome;
use crate::cli::output;

/// Prints what was found.
pub fn run(args: &DoctorArgs) -> Result<Outcome> {
    let mut text = format!("gan-metrics {} (algebra by {})\n", env!("CARGO_PKG_VERSION"), crate::linalg::BACKEND);
    let mut line = |content: String| writeln!(text, "{content}").expect("a String takes any text");

    line("\nONNX Runtime".into());
    let library = args.ort_library.as_deref();
    find_libraries(library).1.into_iter().for_each(|place| line(format!("  {place}")));
    match available_providers(library) {
        Ok((library, providers)) => {
            let names: Vec<String> = providers.iter().map(ToString::to_string).collect();
            line(format!("  in use: {}", library.path.display()));
            line(format!("  built for: {} (whether a device is there shows when it runs)", names.join(", ")));
        }
        Err(EngineError::NoLibrary { .. }) => {
            line(format!(
                "  none of version 1.{OLDEST_MINOR_VERSION} or newer: networks run on tract, several times slower"
            ));
            line(
                "  to get it: pip install onnxruntime (or onnxruntime-gpu for CUDA), or name it with ORT_DYLIB_PATH"
                    .into(),
            );
        }
        Err(error) => line(format!("  cannot be used: {error}")),
    }

    line("\ntract".into());
    line("  built in; CPU only".into());

    line("\nModels".into());
    line(format!("  folder: {}", models_folder().display()));
    for id in ExtractorId::ALL {
        line(format!("  {:<20}{}", id.to_string(), model::state(id)));
    }
    output::to_stdout(&text)?;
    Ok(Outcome::Success)
}
