//! Checkpoints: one safetensors file with everything that a run needs to go on exactly as if it had never stopped.
//!
//! Tensors are named `generator.…`, `discriminator.…` and `average.…` after PyTorch's `state_dict`, and
//! `optimizer.generator.…`, `optimizer.discriminator.…` after the parameter with the name of the state appended. The
//! metadata entry `gan-metrics` is JSON: settings, the number of steps, the digest of the training images, and the
//! states of the random number generators. Files are written to a temporary and renamed, so that a process may die at
//! any moment and leave a checkpoint that loads.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};

use super::config::TrainConfig;
use super::data::{Order, TrainingSet};
use super::trainer::Trainer;
use crate::gan::error::GanError;
use crate::gan::layers::{Network, Parameter};
use crate::gan::random::Random;
use crate::gan::tensor::Tensor;
use crate::output::Output;
use crate::regular;

/// Version of the layout described above.
const FORMAT: u32 = 1;

/// Name of the metadata entry.
const ENTRY: &str = "gan-metrics";

/// What is no tensor.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    config: TrainConfig,
    step: u64,
    generator_steps: u64,
    discriminator_steps: u64,
    data_sha256: String,
    images: usize,
    epoch: [u64; 4],
    position: usize,
    random: [u64; 4],
}

/// A generator and how it came about.
#[derive(Debug, Clone)]
pub struct TrainedGenerator {
    /// Settings of the run.
    pub config: TrainConfig,
    /// Steps that it was trained.
    pub step: u64,
    /// The network that samples are drawn from: the moving average of the weights where the run keeps one.
    pub network: Network,
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
    let (epoch, position) = trainer.order.state();
    let header = Header {
        format: FORMAT,
        config: trainer.config.clone(),
        step: trainer.step,
        generator_steps: trainer.generator.optimizer.steps(),
        discriminator_steps: trainer.discriminator.optimizer.steps(),
        data_sha256: trainer.data.digest().to_owned(),
        images: trainer.data.len(),
        epoch,
        position,
        random: trainer.random.state(),
    };
    let path = output.path().to_owned();
    let problem = |problem: String| GanError::Checkpoint { path: path.clone(), problem };
    let header = serde_json::to_string(&header).map_err(|error| problem(error.to_string()))?;
    let mut tensors: Vec<(String, Bytes<'_>)> = Vec::new();
    let average = trainer.average.iter().flat_map(Network::state);
    for (prefix, parameters) in [
        ("generator", trainer.generator.network.state().collect::<Vec<_>>()),
        ("discriminator", trainer.discriminator.network.state().collect()),
        ("average", average.collect()),
        ("optimizer.generator", trainer.generator.optimizer.state().collect()),
        ("optimizer.discriminator", trainer.discriminator.optimizer.state().collect()),
    ] {
        for parameter in parameters {
            tensors.push((format!("{prefix}.{}", parameter.name), Bytes(&parameter.value)));
        }
    }
    let metadata = HashMap::from([(ENTRY.to_owned(), header)]);
    let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(|error| problem(error.to_string()))?;
    Ok(output.write_all(&bytes)?)
}

/// The run that a checkpoint holds, on the images that it was trained on.
///
/// # Errors
/// [`GanError::Io`] when the file cannot be read, [`GanError::Checkpoint`] when it is no whole checkpoint or the run saw
/// other images.
pub fn resume(path: &Path, data: TrainingSet) -> Result<Trainer, GanError> {
    let bytes = read(path)?;
    let file = CheckpointFile::parse(path, &bytes)?;
    let header = &file.header;
    if header.data_sha256 != data.digest() {
        return Err(file.problem(format!(
            "it was trained on {} other images; go on with the data of the first part, or start a new run",
            header.images
        )));
    }
    let mut trainer = Trainer::new(header.config.clone(), data)?;
    file.fill("generator", trainer.generator.network.state_mut())?;
    file.fill("discriminator", trainer.discriminator.network.state_mut())?;
    if let Some(average) = &mut trainer.average {
        file.fill("average", average.state_mut())?;
    }
    file.fill("optimizer.generator", trainer.generator.optimizer.state_mut())?;
    file.fill("optimizer.discriminator", trainer.discriminator.optimizer.state_mut())?;
    trainer.generator.optimizer.set_steps(header.generator_steps);
    trainer.discriminator.optimizer.set_steps(header.discriminator_steps);
    trainer.order = Order::new(trainer.data.len(), Random::from_state(header.epoch), header.position);
    trainer.random = Random::from_state(header.random);
    trainer.step = header.step;
    Ok(trainer)
}

/// The settings of the run that a checkpoint holds.
///
/// # Errors
/// As for [`resume`].
pub fn config(path: &Path) -> Result<TrainConfig, GanError> {
    let bytes = read(path)?;
    Ok(CheckpointFile::parse(path, &bytes)?.header.config)
}

/// The generator that a checkpoint holds.
///
/// # Errors
/// [`GanError::Io`] when the file cannot be read, [`GanError::Checkpoint`] when it is no whole checkpoint.
pub fn generator(path: &Path) -> Result<TrainedGenerator, GanError> {
    let bytes = read(path)?;
    let file = CheckpointFile::parse(path, &bytes)?;
    let config = file.header.config.clone();
    // The weights drawn here are all replaced.
    let mut network: Network = config.networks.generator(&mut Random::new(0))?;
    let prefix = if config.average_decay.is_some() { "average" } else { "generator" };
    file.fill(prefix, network.state_mut())?;
    Ok(TrainedGenerator { config, step: file.header.step, network })
}

fn read(path: &Path) -> Result<Vec<u8>, GanError> {
    regular::read(path).map_err(|source| GanError::Io { action: "read", path: path.to_owned(), source })
}

struct CheckpointFile<'a> {
    path: &'a Path,
    header: Header,
    tensors: SafeTensors<'a>,
}

impl<'a> CheckpointFile<'a> {
    fn parse(path: &'a Path, bytes: &'a [u8]) -> Result<Self, GanError> {
        let problem = |problem: String| GanError::Checkpoint { path: path.to_owned(), problem };
        let no_file =
            |error: safetensors::SafeTensorError| problem(format!("this is no whole safetensors file ({error})"));
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(no_file)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(no_file)?;
        let entry = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY));
        let Some(entry) = entry else {
            return Err(problem("a safetensors file without the state of a training run".into()));
        };
        let header: Header =
            serde_json::from_str(entry).map_err(|error| problem(format!("its header is damaged ({error})")))?;
        if header.format != FORMAT {
            return Err(problem(format!("its format is {}, this program reads {FORMAT}", header.format)));
        }
        Ok(CheckpointFile { path, header, tensors })
    }

    fn problem(&self, problem: String) -> GanError {
        GanError::Checkpoint { path: self.path.to_owned(), problem }
    }

    fn fill<'p>(&self, prefix: &str, parameters: impl Iterator<Item = &'p mut Parameter>) -> Result<(), GanError> {
        for parameter in parameters {
            let name = format!("{prefix}.{}", parameter.name);
            let view =
                self.tensors.tensor(&name).map_err(|_| self.problem(format!("the tensor `{name}` is missing")))?;
            if view.dtype() != Dtype::F32 || view.shape() != parameter.value.shape() {
                return Err(self.problem(format!(
                    "`{name}` is {:?} of shape {:?}, the model has F32 of shape {:?}",
                    view.dtype(),
                    view.shape(),
                    parameter.value.shape()
                )));
            }
            let values = view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            parameter.value = Tensor::new(view.shape(), values)?;
        }
        Ok(())
    }
}
