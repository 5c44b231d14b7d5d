//! The engine tract: pure Rust, part of this crate, several times slower than ONNX Runtime.
//!
//! tract is called directly rather than through ONNX Runtime's interface: the two engines then live side by side in one
//! process, where they can be compared, instead of being exchanged behind a process-wide switch.

use std::io;
use std::sync::Arc;

use ndarray::{ArrayD, ArrayViewD, Axis};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tract_onnx::prelude::*;

use super::device::{Device, EngineChoice};
use super::engine::{Engine, EngineError, EngineInfo, Program, ShortBatches, one_an_image};
use super::model::BatchAxis;
use crate::foreign;

/// A plan for single images; the images of a batch run in parallel, which keeps every core busy without threads inside
/// the engine. A graph for batches of one size is run at that.
pub(super) struct TractEngine {
    plan: Arc<TypedRunnableModel>,
    /// Threads of its own, where their number was chosen.
    pool: Option<ThreadPool>,
    /// Images of a run.
    at_once: usize,
    outputs: Vec<String>,
    info: EngineInfo,
}

impl TractEngine {
    pub(super) fn new(program: Program<'_>, outputs: &[&str], threads: Option<usize>) -> Result<Self, EngineError> {
        let at_once = match program.batch_axis {
            BatchAxis::Fixed(size) => size,
            BatchAxis::Open | BatchAxis::Invariant => 1,
        };
        let names: Vec<&str> = program.inputs.iter().map(|input| input.name).collect();
        let feed = |graph: InferenceModel| {
            let facts = program.inputs.iter().map(|input| f32::fact(input.shape(at_once)).into());
            facts.enumerate().try_fold(graph, |graph, (index, fact)| graph.with_input_fact(index, fact))
        };
        let plan = || {
            tract_onnx::onnx()
                .model_for_read(&mut &*program.onnx)
                .and_then(|graph| graph.with_outputs_by_name(outputs))
                // Of several inputs, the one that is fed; whatever the outputs need of the others is missing then, and said.
                .and_then(|graph| graph.with_input_names(&names))
                .and_then(feed)
                .and_then(|graph| graph.into_optimized())
                .and_then(|graph| graph.into_runnable())
                .map_err(|error| format!("{error:#}"))
        };
        // What is wrong with a graph it often finds by assertions.
        let plan = foreign::shielded(plan).and_then(|plan| plan);
        let plan = plan.map_err(|reason| EngineError::Model { engine: EngineChoice::Tract, reason })?;
        let info = EngineInfo {
            name: EngineChoice::Tract.to_string(),
            version: TRACT_VERSION.into(),
            provider: Device::Cpu.to_string(),
            library: None,
            reason: None,
        };
        let of_its_own = |threads| ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = threads
            .map(of_its_own)
            .transpose()
            .map_err(|error| EngineError::Thread { source: io::Error::other(error) })?;
        Ok(Self { plan, pool, at_once, outputs: outputs.iter().map(|&name| name.to_owned()).collect(), info })
    }

    pub(super) fn because(mut self, reason: String) -> Self {
        self.info.reason = Some(reason);
        self
    }
}

/// The version that Cargo.toml pins, and tract pins of its own parts: the crate does not say it.
const TRACT_VERSION: &str = "0.23.9";

impl Engine for TractEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn short_batches(&self) -> ShortBatches {
        match self.at_once {
            // Every image is run by itself.
            1 => ShortBatches::AsTheyAre,
            _ => ShortBatches::Padded,
        }
    }

    fn run(&mut self, batch: &[ArrayViewD<'_, f32>]) -> Result<Vec<ArrayD<f32>>, EngineError> {
        let images = batch.first().map_or(0, |batch| batch.len_of(Axis(0)));
        let run = |start| {
            let end = images.min(start + self.at_once);
            let part = batch.iter().map(|batch| batch.slice_axis(Axis(0), (start..end).into())).collect::<Vec<_>>();
            self.run_part(&part)
        };
        let starts: Vec<usize> = (0..images).step_by(self.at_once).collect();
        let all = || starts.into_par_iter().map(run).collect::<Result<Vec<_>, _>>();
        let rows = match &self.pool {
            Some(pool) => pool.install(all),
            None => all(),
        }?;
        // From one list of outputs per run to one array per output.
        (0..self.outputs.len())
            .map(|output| {
                let rows: Vec<_> = rows.iter().map(|outputs| outputs[output].view()).collect();
                ndarray::concatenate(Axis(0), &rows).map_err(|_| EngineError::Graph {
                    engine: EngineChoice::Tract,
                    reason: format!("output `{}` differs in shape from image to image", self.outputs[output]),
                })
            })
            .collect()
    }
}

impl TractEngine {
    fn run_part(&self, part: &[ArrayViewD<'_, f32>]) -> Result<Vec<ArrayD<f32>>, EngineError> {
        let failed =
            |error: TractError| EngineError::Graph { engine: EngineChoice::Tract, reason: format!("{error:#}") };
        let inputs = part.iter().map(|input| {
            let values = input.as_standard_layout();
            let values = values.as_slice().expect("standard layout is contiguous");
            Ok(Tensor::from_shape(input.shape(), values).map_err(failed)?.into())
        });
        let inputs = inputs.collect::<Result<TVec<TValue>, EngineError>>()?;
        // It takes some faults of a network for impossible: an index that is beyond its array.
        let results = foreign::shielded(|| self.plan.run(inputs))
            .map_err(|reason| EngineError::Graph { engine: EngineChoice::Tract, reason })?;
        let results = results.map_err(failed)?;
        self.outputs
            .iter()
            .zip(results)
            .map(|(name, result)| {
                let values = result.try_as_plain_ram().and_then(|plain| plain.as_slice::<f32>().map(<[f32]>::to_vec));
                one_an_image(name, result.shape(), values.map_err(failed)?, self.at_once)
            })
            .collect()
    }
}
