//! `gan-metrics model …`: networks to install, convert and inspect.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Result;
use crate::error::{Blame, Blamed};
use crate::extractor::install::{Checkpoint, InstallError, InstallObserver, Installed, Source, install};
use crate::extractor::weights::onnx::ModelFile;
use crate::extractor::weights::pth::StateDict;
use crate::extractor::weights::{WeightsError, inception_v3};
use crate::extractor::{ExtractorId, installed_files, installed_path, load, models_folder};
use crate::image::ResizeMode;
use crate::output::{Output, OutputError, Outputs};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::args::ModelCommand;
use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::cli::{progress, terminal};

/// A source for a network that is not fetched.
#[derive(Debug, thiserror::Error)]
#[error("{0} is built in, and --from has no effect on it: drop it")]
struct BuiltIn(ExtractorId);

impl Blamed for BuiltIn {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Runs one of the commands.
pub fn run(command: &ModelCommand) -> Result<Outcome> {
    match command {
        ModelCommand::Install { network, from, quiet } => {
            let done = match network {
                ExtractorId::EfficientNetLite0 if from.is_some() => return Err(BuiltIn(*network).into()),
                ExtractorId::EfficientNetLite0 => format!("{network} is built in: there is nothing to install\n"),
                ExtractorId::InceptionV3 => install_inception(from.as_ref().unwrap_or(&Source::Published), *quiet)?,
            };
            if !quiet {
                output::to_stdout(&done)?;
            }
        }
        ModelCommand::Convert { checkpoint, output } => convert(checkpoint, output)?,
        ModelCommand::List => list()?,
        ModelCommand::Info { network } => info(network)?,
        ModelCommand::Path { network } => path(*network)?,
        ModelCommand::Remove { network } => remove(*network)?,
        ModelCommand::Export { network, output } => {
            let file = Output::claim(output)?;
            file.write_all(&load(*network, ResizeMode::default(), None)?.onnx)?;
        }
    }
    Ok(Outcome::Success)
}

/// No address gave the file, which a network elsewhere may.
#[derive(Debug, thiserror::Error)]
#[error("{0}\nwithout a network, fetch the file elsewhere and name that copy with --from FILE")]
struct Unreachable(InstallError);

impl Blamed for Unreachable {
    fn blame(&self) -> Blame {
        self.0.blame()
    }
}

/// Shows how an install goes.
struct InstallProgress {
    bar: ProgressBar,
    quiet: bool,
}

impl InstallObserver for InstallProgress {
    fn waiting(&mut self) {
        if !self.quiet {
            terminal::say("waiting for another install to end");
        }
    }

    fn arrived(&mut self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
    }
}

/// Installs the network and says what became of it.
fn install_inception(source: &Source, quiet: bool) -> Result<String> {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::no_length() };
    let style =
        ProgressStyle::with_template("inception-v3 {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left");
    bar.set_style(style.expect("the template is well-formed"));
    let mut observer = InstallProgress { bar, quiet };
    let (checkpoint, folder) = (Checkpoint::inception_v3(), models_folder());
    let installed = install(&checkpoint, source, &folder, &mut observer, &progress::interrupt());
    observer.bar.finish_and_clear();
    let installed = installed.map_err(|error| -> crate::Error {
        match error {
            error @ InstallError::Download { .. } => Unreachable(error).into(),
            error => error.into(),
        }
    });
    Ok(match installed? {
        Installed::Now(path) => format!("installed inception-v3: {}\n", path.display()),
        Installed::Before(path) => format!("inception-v3 is installed already: {}\n", path.display()),
    })
}

fn convert(checkpoint: &Path, to: &Path) -> Result<()> {
    let file = Outputs::beside([checkpoint]).claim(to)?;
    let state = StateDict::from_file(checkpoint).map_err(WeightsError::from)?;
    file.write_all(&inception_v3::build(&state)?)?;
    output::to_stdout(&format!("{}: inception-v3 with the weights {}\n", to.display(), state.provenance()))
}

fn list() -> Result<()> {
    let mut text = String::new();
    for id in ExtractorId::ALL {
        let state = state(id);
        writeln!(text, "{:<20}{state}", id.to_string()).expect("a String takes any text");
    }
    output::to_stdout(&text)
}

/// Whether a network can be used, in words.
pub fn state(id: ExtractorId) -> String {
    // What is part of the program need not be built to say so.
    if id == ExtractorId::EfficientNetLite0 {
        return "built in".into();
    }
    match load(id, ResizeMode::default(), None) {
        Ok(_) => format!("installed at {}", installed_path(id).display()),
        Err(_) if !installed_path(id).is_file() => "not installed: gan-metrics model install inception-v3".into(),
        Err(error) => format!("cannot be used: {error}"),
    }
}

fn info(network: &Path) -> Result<()> {
    let named = network.to_str().and_then(|name| name.parse::<ExtractorId>().ok());
    let (title, file) = match named {
        Some(id) => {
            let model = load(id, ResizeMode::default(), None)?;
            (format!("{id} (sha256 {})", model.sha256), ModelFile::from_bytes(&model.onnx)?)
        }
        None => (network.display().to_string(), ModelFile::from_file(network)?),
    };
    let mut text = format!("{title}\n");
    let mut section = |heading: &str, lines: Vec<String>| {
        writeln!(text, "{heading}").expect("a String takes any text");
        lines.iter().for_each(|line| writeln!(text, "  {line}").expect("a String takes any text"));
    };
    section("inputs", file.inputs.iter().map(ToString::to_string).collect());
    section("outputs", file.outputs.iter().map(ToString::to_string).collect());
    section("metadata", file.metadata.iter().map(|(key, value)| format!("{key}: {value}")).collect());
    output::to_stdout(&text)
}

fn path(id: ExtractorId) -> Result<()> {
    // Loading it tells whether it is there and undamaged.
    load(id, ResizeMode::default(), None)?;
    output::to_stdout(&match id {
        ExtractorId::EfficientNetLite0 => "efficientnet-lite0 is built in; `model export` writes it to a file\n".into(),
        ExtractorId::InceptionV3 => format!("{}\n", installed_path(id).display()),
    })
}

fn remove(id: ExtractorId) -> Result<()> {
    let mut removed = String::new();
    for path in installed_files(id).into_iter().filter(|path| path.is_file()) {
        fs::remove_file(&path).map_err(|source| OutputError::at(&path, source))?;
        writeln!(removed, "removed {}", path.display()).expect("a String takes any text");
    }
    let nothing = format!("{id} has no files to remove\n");
    output::to_stdout(if removed.is_empty() { &nothing } else { &removed })
}
