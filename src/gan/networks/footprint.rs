//! What networks and batches take of memory, known from their layers before anything is allocated.

use super::graph::{Graph, Source};
use crate::gan::error::GanError;
use crate::gan::layers::Definition;

/// Memory that can be asked for: more than most machines have, and far from where an allocation aborts the process.
const MOST_BYTES: u128 = 64 << 30;
/// Bytes of a number.
const NUMBER: u128 = 4;

/// Numbers that networks hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Footprint {
    /// What is trained.
    pub parameters: u128,
    /// Outputs of all layers for one sample.
    pub outputs: u128,
}

impl Footprint {
    /// Of a network.
    pub fn of(graph: &Graph) -> Self {
        let mut footprint = Footprint::default();
        for (index, node) in graph.nodes().iter().enumerate() {
            footprint.parameters += node.layer.parameters().iter().map(|spec| numbers(&spec.shape)).sum::<u128>();
            footprint.outputs += graph.shape(Source::Node(index)).map_or(0, numbers);
        }
        footprint
    }
}

/// Numbers in a tensor of this shape.
pub(crate) fn numbers(shape: &[usize]) -> u128 {
    shape.iter().map(|&length| length as u128).product()
}

/// Checks that so many numbers can be had.
pub(crate) fn check_numbers(what: &'static str, numbers: u128) -> Result<(), GanError> {
    check_bytes(what, NUMBER * numbers)
}

/// Checks that so many bytes can be had.
pub(crate) fn check_bytes(what: &'static str, needed: u128) -> Result<(), GanError> {
    if needed <= MOST_BYTES { Ok(()) } else { Err(GanError::Memory { what, needed, most: MOST_BYTES }) }
}
