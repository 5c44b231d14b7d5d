//! The engine tract: pure Rust, part of this crate, several times slower than ONNX Runtime.
//!
//! tract is called directly rather than through ONNX Runtime's interface: the two engines then live side by side in one
//! process, where they can be compared, instead of being exchanged behind a process-wide switch.

use std::sync::Arc;

use ndarray::{Array2, ArrayViewD, Axis};
use rayon::prelude::*;
use tract_onnx::prelude::*;

use super::device::{Device, EngineChoice};
use super::engine::{Engine, EngineError, EngineInfo, Program, ShortBatches, one_row_an_image};

/// A plan for single images; the images of a batch run in parallel, which keeps every core busy without threads inside
/// the engine.
pub(super) struct TractEngine {
    plan: Arc<TypedRunnableModel>,
    outputs: Vec<String>,
    info: EngineInfo,
}

impl TractEngine {
    pub(super) fn new(program: Program<'_>, outputs: &[&str]) -> Result<Self, EngineError> {
        let shape = program.shape(1);
        let plan = tract_onnx::onnx()
            .model_for_read(&mut &*program.onnx)
            .and_then(|graph| graph.with_outputs_by_name(outputs))
            // Of several inputs, the one that is fed; whatever the outputs need of the others is missing then, and said.
            .and_then(|graph| graph.with_input_names([program.input_name]))
            .and_then(|graph| graph.with_input_fact(0, f32::fact(shape).into()))
            .and_then(|graph| graph.into_optimized())
            .and_then(|graph| graph.into_runnable())
            .map_err(|error| EngineError::Model { engine: EngineChoice::Tract, reason: format!("{error:#}") })?;
        let info = EngineInfo {
            name: EngineChoice::Tract.to_string(),
            version: TRACT_VERSION.into(),
            provider: Device::Cpu.to_string(),
            library: None,
            reason: None,
        };
        Ok(Self { plan, outputs: outputs.iter().map(|&name| name.to_owned()).collect(), info })
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
        // Every image is run by itself, whatever the graph is.
        ShortBatches::AsTheyAre
    }

    fn run(&mut self, batch: ArrayViewD<'_, f32>) -> Result<Vec<Array2<f32>>, EngineError> {
        let images: Vec<_> = batch.axis_chunks_iter(Axis(0), 1).collect();
        let rows = images.into_par_iter().map(|image| self.run_one(image)).collect::<Result<Vec<_>, _>>()?;
        // From one list of outputs per image to one matrix per output.
        Ok((0..self.outputs.len())
            .map(|output| {
                let rows: Vec<_> = rows.iter().map(|outputs| outputs[output].view()).collect();
                ndarray::concatenate(Axis(0), &rows).expect("a plan gives every image the same shape")
            })
            .collect())
    }
}

impl TractEngine {
    fn run_one(&self, image: ArrayViewD<'_, f32>) -> Result<Vec<Array2<f32>>, EngineError> {
        let failed = |error: TractError| EngineError::Run { engine: EngineChoice::Tract, reason: format!("{error:#}") };
        let values = image.as_standard_layout();
        let values = values.as_slice().expect("standard layout is contiguous");
        let input = Tensor::from_shape(image.shape(), values).map_err(failed)?;
        let results = self.plan.run(tvec!(input.into())).map_err(failed)?;
        self.outputs
            .iter()
            .zip(results)
            .map(|(name, result)| {
                let values = result.try_as_plain_ram().and_then(|plain| plain.as_slice::<f32>().map(<[f32]>::to_vec));
                one_row_an_image(name, result.shape(), values.map_err(failed)?, 1)
            })
            .collect()
    }
}
