//! What networks and batches take of memory, known from their layers before anything is allocated.

use crate::gan::error::GanError;
use crate::gan::layers::Layer;

/// Memory that can be asked for: more than most machines have, and far from where an allocation aborts the process.
const MOST_BYTES: u128 = 64 << 30;
/// Bytes of a number.
const NUMBER: u128 = 4;

/// Numbers that a network holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footprint {
    /// What is trained.
    pub parameters: u128,
    /// Outputs of all layers for one sample.
    pub outputs: u128,
}

impl Footprint {
    /// Of layers that take samples of this shape.
    pub fn of(layers: &[Layer], input: &[usize]) -> Self {
        let mut footprint = Footprint { parameters: 0, outputs: 0 };
        let mut shape = input.to_vec();
        for layer in layers {
            footprint.parameters += layer.parameters().iter().map(|parameter| numbers(&parameter.shape)).sum::<u128>();
            shape = layer.output_shape(&shape);
            footprint.outputs += numbers(&shape);
        }
        footprint
    }
}

/// Numbers in a tensor of this shape.
pub(crate) fn numbers(shape: &[usize]) -> u128 {
    shape.iter().map(|&length| length as u128).product()
}

/// Checks that so many numbers can be had.
pub(crate) fn check(what: &'static str, numbers: u128) -> Result<(), GanError> {
    check_bytes(what, NUMBER * numbers)
}

/// Checks that so many bytes can be had.
pub(crate) fn check_bytes(what: &'static str, needed: u128) -> Result<(), GanError> {
    if needed <= MOST_BYTES { Ok(()) } else { Err(GanError::Memory { what, needed, most: MOST_BYTES }) }
}
