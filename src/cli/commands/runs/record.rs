//! What the folder of a run tells.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::cli::commands::train::folder::{RunFile, RunFolder};
use crate::error::{Blame, Blamed};
use crate::gan::train::{Trained, checkpoint};

/// A run: its folder, its configuration, and what it became.
pub struct Recorded {
    pub path: PathBuf,
    pub file: RunFile,
    pub trained: Trained,
    /// Seconds of all steps.
    pub seconds: f64,
}

/// A file of measurements without what is needed of it.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
struct MetricsError {
    path: PathBuf,
    problem: String,
}

impl Blamed for MetricsError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

impl Recorded {
    /// Reads the folder of a run.
    pub fn read(path: &Path) -> Result<Self> {
        let folder = RunFolder::new(path);
        let file = folder.read_config()?;
        let trained = checkpoint::trained(&folder.checkpoint())?;
        let seconds = seconds(&folder.metrics(), trained.step)?;
        Ok(Recorded { path: path.to_owned(), file, trained, seconds })
    }

    /// What was trained, in short.
    pub fn game(&self) -> String {
        let config = &self.trained.config;
        let regularizers = config.regularizers.iter().map(ToString::to_string);
        let objective = config.networks.entry().plays().then(|| config.objective.to_string());
        let parts: Vec<String> =
            std::iter::once(config.networks.model.clone()).chain(objective).chain(regularizers).collect();
        parts.join(" ")
    }
}

/// The sum of the column of seconds up to a step.
fn seconds(path: &Path, steps: u64) -> Result<f64> {
    let failure = |problem: String| MetricsError { path: path.to_owned(), problem };
    let text = fs::read_to_string(path).map_err(|source| failure(source.to_string()))?;
    let mut lines = text.lines();
    let column = lines.next().and_then(|line| line.split(',').position(|name| name == "seconds"));
    let column = column.ok_or_else(|| failure("it has no column `seconds`".into()))?;
    let of_line = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let step: u64 = fields.first()?.parse().ok()?;
        let seconds: f64 = fields.get(column)?.parse().ok()?;
        (step <= steps).then_some(seconds)
    };
    Ok(lines.filter_map(of_line).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_those_of_the_steps_of_the_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        fs::write(&path, "step,loss,seconds,fid\n1,0.5,0.25,\n2,0.5,0.5,7\n3,0.5,100,\n").unwrap();
        assert_eq!(seconds(&path, 2).unwrap(), 0.75);
        fs::write(&path, "step,loss\n").unwrap();
        assert!(seconds(&path, 2).unwrap_err().to_string().contains("metrics.csv: it has no column `seconds`"));
    }
}
