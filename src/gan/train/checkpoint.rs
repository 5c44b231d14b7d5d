//! Checkpoints: one safetensors file with everything that a run needs to go on exactly as if it had never stopped.
//!
//! The file holds a [`SavedState`]. Tensors are named after their network, such as `generator.…`, as in PyTorch's
//! `state_dict`; moving averages are under `average.…`, what optimizers remember under `optimizer.…`. The metadata entry
//! `gan-metrics` is JSON: settings, the digest of the training images, and all of the state that is not a tensor. Files are
//! written to a temporary and renamed, so that a process may die at any moment and leave a checkpoint that loads.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::config::TrainConfig;
use super::data::TrainingSet;
use super::sampling::Trained;
use super::trainer::Trainer;
use crate::gan::error::GanError;
use crate::gan::networks::{Network, Parameter};
use crate::gan::random::Random;
use crate::gan::state::SavedState;
use crate::gan::systems::{Networks, System};
use crate::gan::tensor::Tensor;
use crate::output::Output;
use crate::regular;

/// Version of the layout described above.
const FORMAT: u32 = 2;

/// Name of the metadata entry.
const ENTRY: &str = "gan-metrics";

/// What is not a tensor.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    config: TrainConfig,
    data_sha256: String,
    /// Of the class of every image, where the run knows it, and the names of the classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    labels_sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    class_names: Vec<String>,
    images: usize,
    state: BTreeMap<String, Value>,
}

/// A tensor as safetensors wants it: little-endian bytes.
struct Bytes<'a>(&'a Tensor);

impl View for Bytes<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.0.data().iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>().into()
    }

    fn data_len(&self) -> usize {
        4 * self.0.len()
    }
}

/// Writes the state of a run.
///
/// # Errors
/// [`GanError::Output`] when the file cannot be written; a file that was there before is untouched then.
pub fn save(trainer: &Trainer, path: &Path) -> Result<(), GanError> {
    save_to(trainer, Output::claim(path)?)
}

/// As [`save`], to a file that was claimed before.
///
/// # Errors
/// [`GanError::Output`] when the file cannot be written.
pub fn save_to(trainer: &Trainer, output: Output) -> Result<(), GanError> {
    let state = trainer.state();
    let header = Header {
        format: FORMAT,
        config: trainer.config().clone(),
        data_sha256: trainer.data().digest().to_owned(),
        labels_sha256: trainer.data().labels_digest().map(str::to_owned),
        class_names: trainer.data().class_names().unwrap_or_default().to_vec(),
        images: trainer.data().len(),
        state: state.values().clone(),
    };
    let path = output.path().to_owned();
    let problem = |problem: String| GanError::Checkpoint { path: path.clone(), problem };
    let header = serde_json::to_string(&header).map_err(|error| problem(error.to_string()))?;
    let tensors = state.tensors().iter().map(|(name, tensor)| (name, Bytes(tensor)));
    let metadata = HashMap::from([(ENTRY.to_owned(), header)]);
    let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(|error| problem(error.to_string()))?;
    Ok(output.write_all(&bytes)?)
}

/// The run that a checkpoint holds, on the images that it was trained on.
///
/// # Errors
/// [`GanError::Io`] when the file cannot be read, [`GanError::Checkpoint`] when it is not a whole checkpoint or the run saw
/// other images.
pub fn resume(path: &Path, data: TrainingSet) -> Result<Trainer, GanError> {
    let bytes = read(path)?;
    let file = CheckpointFile::parse(path, &bytes)?;
    let trainer = Trainer::new(file.for_data(&data)?, data).map_err(|error| file.located(error))?;
    file.restore(trainer)
}

/// As [`resume`], where the system is none of the list: the one that [`Trainer::with_system`] was given.
///
/// # Errors
/// As for [`resume`].
pub fn resume_system(path: &Path, system: Box<dyn System>, data: TrainingSet) -> Result<Trainer, GanError> {
    let bytes = read(path)?;
    let file = CheckpointFile::parse(path, &bytes)?;
    file.restore(Trainer::with_system(file.for_data(&data)?, system, data)?)
}

/// The settings of the run that a checkpoint holds.
///
/// # Errors
/// As for [`resume`].
pub fn config(path: &Path) -> Result<TrainConfig, GanError> {
    let bytes = read(path)?;
    let file = CheckpointFile::parse(path, &bytes)?;
    file.header.config.networks.validate().map_err(|error| file.located(error))?;
    Ok(file.header.config)
}

/// Steps that the run of a checkpoint has taken.
///
/// # Errors
/// As for [`resume`].
pub fn steps(path: &Path) -> Result<u64, GanError> {
    let bytes = read(path)?;
    let file = CheckpointFile::parse(path, &bytes)?;
    file.state.value("step").map_err(|error| file.located(error))
}

/// The trained system that a checkpoint holds, to draw images from.
///
/// # Errors
/// [`GanError::Io`] when the file cannot be read, [`GanError::Checkpoint`] when it is not a whole checkpoint.
pub fn trained(path: &Path) -> Result<Trained, GanError> {
    let bytes = read(path)?;
    let file = CheckpointFile::parse(path, &bytes)?;
    let config = file.header.config.clone();
    let mut system = config.system().map_err(|error| file.located(error))?;
    // The weights drawn here are all replaced.
    let mut networks = Networks::new(system.networks(), &mut Random::new(0))?;
    let averaged = if config.average_decay.is_some() { system.averaged() } else { Vec::new() };
    for (name, network) in networks.iter_mut() {
        let prefix = if averaged.contains(&name) { format!("average.{name}") } else { name.to_owned() };
        file.state.fill(&prefix, network.state_mut()).map_err(|error| file.located(error))?;
        file.check_finite(&prefix, network)?;
    }
    system.restore(&file.state).map_err(|error| file.located(error))?;
    let step = file.state.value("step").map_err(|error| file.located(error))?;
    let class_names = file.header.class_names;
    Ok(Trained { config, step, class_names, system, networks })
}

fn read(path: &Path) -> Result<Vec<u8>, GanError> {
    regular::read(path).map_err(|source| GanError::Io { action: "read", path: path.to_owned(), source })
}

struct CheckpointFile<'a> {
    path: &'a Path,
    header: Header,
    state: SavedState,
}

impl<'a> CheckpointFile<'a> {
    fn parse(path: &'a Path, bytes: &[u8]) -> Result<Self, GanError> {
        let problem = |problem: String| GanError::Checkpoint { path: path.to_owned(), problem };
        let no_file =
            |error: safetensors::SafeTensorError| problem(format!("this is not a whole safetensors file ({error})"));
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(no_file)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(no_file)?;
        let entry = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY));
        let Some(entry) = entry else {
            return Err(problem("a safetensors file without the state of a training run".into()));
        };
        /// The version alone: what else there is depends on it.
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let damaged = |error: serde_json::Error| problem(format!("its header is damaged ({error})"));
        let Version { format } = serde_json::from_str(entry).map_err(damaged)?;
        if format != FORMAT {
            return Err(problem(format!("its format is {format}, this program reads {FORMAT}")));
        }
        let mut header: Header = serde_json::from_str(entry).map_err(damaged)?;
        let mut read = BTreeMap::new();
        for (name, view) in tensors.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(problem(format!("`{name}` is {:?}, expected F32", view.dtype())));
            }
            let values = view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            read.insert(name, Tensor::new(view.shape(), values)?);
        }
        let state = SavedState::new(read, std::mem::take(&mut header.state));
        Ok(CheckpointFile { path, header, state })
    }

    /// The settings, for a run on these data.
    fn for_data(&self, data: &TrainingSet) -> Result<TrainConfig, GanError> {
        let Header { images, data_sha256, labels_sha256, class_names, .. } = &self.header;
        let same_labels = labels_sha256.as_deref() == data.labels_digest()
            && class_names.as_slice() == data.class_names().unwrap_or_default();
        let found = match (data_sha256 == data.digest(), same_labels) {
            (true, true) => return Ok(self.header.config.clone()),
            (true, false) => format!("the same {images} images with other classes"),
            (false, _) => format!("{images} other images"),
        };
        let remedy = "go on with the data of the first part, or start a new run";
        Err(GanError::Checkpoint {
            path: self.path.to_owned(),
            problem: format!("it was trained on {found}; {remedy}"),
        })
    }

    fn restore(&self, mut trainer: Trainer) -> Result<Trainer, GanError> {
        trainer.restore(&self.state).map_err(|error| self.located(error))?;
        Ok(trainer)
    }

    /// What is missing in the state is missing in this file, and what is wrong with its settings is wrong with it.
    fn located(&self, error: GanError) -> GanError {
        let problem = match error {
            GanError::State(problem) => problem,
            error @ (GanError::Setting { .. } | GanError::UnknownName { .. }) => error.to_string(),
            other => return other,
        };
        GanError::Checkpoint { path: self.path.to_owned(), problem }
    }

    /// Refuses weights of which nothing can be made.
    fn check_finite(&self, prefix: &str, network: &Network) -> Result<(), GanError> {
        let odd = |parameter: &&Parameter| parameter.value.data().iter().any(|value| !value.is_finite());
        match network.state().find(odd) {
            None => Ok(()),
            Some(parameter) => {
                let problem = format!("`{prefix}.{}` has values that are not finite numbers", parameter.name);
                Err(GanError::Checkpoint { path: self.path.to_owned(), problem })
            }
        }
    }
}
