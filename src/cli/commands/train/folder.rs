//! The folder of a run.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::error::{Blame, Blamed};
use crate::gan::train::{TrainConfig, Trainer, checkpoint};
use crate::image::would_hold;
use crate::output::{OutputError, check_folder};
use crate::report::plot::{self, Format, Panel};
use serde::{Deserialize, Serialize};

use super::points;
use crate::cli::commands::{grid, scatter};
use crate::cli::output;

/// A `config.toml` that is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct ConfigError {
    path: PathBuf,
    problem: String,
}

impl Blamed for ConfigError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// What `config.toml` records: everything that decides how the run goes.
#[derive(Debug, Serialize, Deserialize)]
pub struct RunFile {
    /// Version of this program.
    pub version: String,
    /// Where the images came from, as absolute paths.
    pub data: Vec<PathBuf>,
    /// Values of black and white, where they are floating-point numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixel_range: Option<[f32; 2]>,
    /// Number of images.
    pub images: usize,
    /// SHA-256 of the images as the networks see them, without their classes.
    pub data_sha256: String,
    /// Threads that it began with.
    pub threads: usize,
    /// Networks and settings.
    pub training: TrainConfig,
}

impl RunFile {
    /// The record of a run before its first step.
    pub fn new(data: Vec<PathBuf>, pixel_range: Option<[f32; 2]>, trainer: &Trainer) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            data: data.iter().map(|path| found_from_anywhere(path)).collect(),
            pixel_range,
            images: trainer.data().len(),
            data_sha256: trainer.data().digest().into(),
            threads: rayon::current_num_threads(),
            training: trainer.config().clone(),
        }
    }
}

/// A path that names the same data from every folder. A pattern is not a file, and the path of a list comes after an `@`.
fn found_from_anywhere(path: &Path) -> PathBuf {
    if points::is_built_in(path) {
        return path.to_owned();
    }
    let absolute =
        |path: &Path| fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
    match path.to_str().and_then(|text| text.strip_prefix('@')).filter(|_| !path.exists()) {
        Some(list) => format!("@{}", absolute(Path::new(list)).display()).into(),
        None => absolute(path),
    }
}

/// Images of a row of samples, and rows.
const COLUMNS: usize = 8;

/// Points of a picture of samples.
const POINTS: usize = 2048;

/// Where everything of a run is.
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// The folder, which need not exist yet.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The last checkpoint.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint.safetensors")
    }

    /// One row a step.
    pub fn metrics(&self) -> PathBuf {
        self.0.join("metrics.csv")
    }

    fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    fn samples(&self) -> PathBuf {
        self.0.join("samples")
    }

    /// Makes sure that the folder can be made, or is there and takes files; gives the first of these data, if any, that the
    /// samples of the run would be found among, wherever links lead.
    pub fn check_beside<'a>(&self, data: &'a [PathBuf]) -> Result<Option<&'a Path>, OutputError> {
        let out = check_folder(&self.0)?;
        let samples = fs::canonicalize(self.samples()).unwrap_or_else(|_| out.join("samples"));
        let pictures = [out.join("samples"), samples].map(|folder| folder.join("0000000.png"));
        // What is wrong with the data is told by whoever reads them.
        let above = |data: &&PathBuf| pictures.iter().any(|picture| would_hold(data, picture));
        Ok(data.iter().find(above).map(PathBuf::as_path))
    }

    /// Keeps the folder for this process until the file is dropped; `None` where another process has it.
    pub fn lock(&self) -> Result<Option<File>> {
        let path = self.0.join(".lock");
        let file = File::create(&path).map_err(|source| OutputError::at(&path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(OutputError::at(&path, source).into()),
        }
    }

    /// Makes the folders.
    pub fn create(&self) -> Result<()> {
        Ok(fs::create_dir_all(self.samples()).map_err(|source| OutputError::at(&self.0, source))?)
    }

    pub fn write_config(&self, run: &RunFile) -> Result<()> {
        let text = toml::to_string(run).map_err(|error| self.config_error(&error))?;
        output::to_file(&self.config(), text.as_bytes())
    }

    pub fn read_config(&self) -> Result<RunFile, ConfigError> {
        let text = fs::read_to_string(self.config()).map_err(|error| self.config_error(&error))?;
        let run: RunFile = toml::from_str(&text).map_err(|error| self.config_error(&error))?;
        if !(1..=usize::from(u16::MAX)).contains(&run.threads) {
            let problem = format!("threads = {} is out of range: it must be from 1 to {}", run.threads, u16::MAX);
            return Err(ConfigError { path: self.config(), problem });
        }
        Ok(run)
    }

    fn config_error(&self, error: &dyn std::error::Error) -> ConfigError {
        ConfigError { path: self.config(), problem: error.to_string() }
    }

    pub fn save(&self, trainer: &Trainer) -> Result<()> {
        Ok(checkpoint::save(trainer, &self.checkpoint())?)
    }

    /// The images of the noise that stays the same, or points beside those of the data, as `samples/STEP.png`; none where the system
    /// makes none.
    pub fn write_samples(&self, trainer: &Trainer) -> Result<()> {
        if !trainer.system().makes_samples() {
            return Ok(());
        }
        let networks = &trainer.config().networks;
        let path = self.samples().join(format!("{:07}.png", trainer.steps()));
        let write =
            |png: io::Result<Vec<u8>>| output::to_file(&path, &png.map_err(|source| OutputError::at(&path, source))?);
        if networks.entry().takes_points() {
            let real = trainer.data().range(0, POINTS.min(trainer.data().len()), trainer.system().pixel_range());
            let made = trainer.sample_values(POINTS)?;
            return write(scatter::png(networks.dimensions, real.images.data(), made.data()));
        }
        let images = trainer.samples(COLUMNS * COLUMNS)?;
        write(grid::png(&images, COLUMNS, networks.channels, networks.size))
    }

    /// Curves as SVG for browsers and as PNG for everything else.
    pub fn write_curves(&self, panels: &[Panel]) -> Result<()> {
        for name in ["curves.svg", "curves.png"] {
            let path = self.0.join(name);
            output::to_file(&path, &plot::picture(panels, Format::of(&path)?)?)?;
        }
        Ok(())
    }
}
