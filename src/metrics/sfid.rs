//! Fréchet distance of the spatial features.

use super::definitions::{Definitions, Preset};
use super::error::MetricError;
use super::fid::{check_counts, fid_until, reported};
use super::score::{About, Counts, Need, Quantity, Score, Sets};
use super::value::Value;
use crate::interrupt::Interrupt;

/// sFID: the same distance on features that tell where things are in the image.
///
/// Source: Nash et al. 2021 (arXiv:2103.03841), and the evaluation code of ADM.
pub(super) struct Row;

static ABOUT: About = About {
    name: "sfid",
    key: "sfid",
    title: "sFID",
    summary: "Fréchet distance of the spatial features of inception-v3",
    wants: "as FID",
    real: &[Need::Spatial],
    fake: &[Need::Spatial],
    // The spatial features are not kept.
    interval: None,
    quantities: &[Quantity::distance("sfid", "sFID")],
    defined_by: &["dim"],
    presets: &[Preset::Adm],
    ..About::OF_FEATURES
};

impl Score for Row {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, counts: Counts, _: &Definitions) -> Result<(), MetricError> {
        check_counts(counts)
    }

    fn compute(&self, sets: &Sets<'_>, _: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        let [real, fake] = sets.spatial()?;
        Ok(reported(&ABOUT, fid_until(real, fake, interrupt)?))
    }
}
