//! IS∞: the Inception Score at infinitely many images.

use ndarray::Axis;

use super::definitions::{Definition, Definitions, Preset};
use super::error::MetricError;
use super::extrapolation::{Extrapolation, ExtrapolationOptions, PARAMETERS, extrapolated, reported};
use super::inception_score::{InceptionScoreOptions, inception_score};
use super::parameter::Arguments;
use super::score::{About, Better, Counts, Need, Quantity, Score, Sets};
use super::value::Value;
use crate::interrupt::Interrupt;
use crate::stats::Logits;

/// IS∞: the Inception Score at infinitely many images, as [`fid_infinity`](super::fid_infinity). The score at N images is too
/// small by about c/N. Each size is scored as one split.
///
/// Source: Chong and Forsyth 2020 (arXiv:1911.07023).
///
/// # Errors
/// [`MetricError`] when there are too few images for two sizes.
pub fn inception_score_infinity(logits: &Logits, options: ExtrapolationOptions) -> Result<Extrapolation, MetricError> {
    inception_score_infinity_until(logits, options, &Interrupt::new())
}

fn inception_score_infinity_until(
    logits: &Logits,
    options: ExtrapolationOptions,
    interrupt: &Interrupt,
) -> Result<Extrapolation, MetricError> {
    extrapolated(logits.len(), options, interrupt, |chosen| {
        let chosen = Logits::new(logits.view().select(Axis(0), chosen)).expect("rows of valid logits are valid");
        Ok(inception_score(&chosen, InceptionScoreOptions::WHOLE)?.mean)
    })
}

/// The definition of IS∞, which can differ from that of FID∞.
#[derive(Debug, Clone, Copy)]
struct Sizes(ExtrapolationOptions);

impl Definition for Sizes {
    fn of(_: Preset) -> Self {
        Self(ExtrapolationOptions::CHONG_FORSYTH)
    }
}

/// IS∞.
pub(super) struct Row;

static ABOUT: About = About {
    name: "is-infinity",
    key: "inception_score_infinity",
    title: "IS∞",
    summary: "Inception Score extrapolated to infinitely many generated images",
    wants: "5,000 and more",
    real: &[],
    fake: &[Need::Logits],
    // The fit has an error of its own.
    interval: None,
    quantities: &[Quantity {
        name: "is-infinity",
        title: "IS∞",
        field: "value",
        better: Better::Higher,
        range: [f64::NEG_INFINITY, f64::INFINITY],
    }],
    parameters: PARAMETERS,
    ..About::OF_FEATURES
};

impl Score for Row {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, arguments: &Arguments, definitions: &mut Definitions) -> Result<(), MetricError> {
        definitions.change(|options: &mut Sizes| options.0.configure(arguments));
        Ok(())
    }

    fn check(&self, counts: Counts, definitions: &Definitions) -> Result<(), MetricError> {
        definitions.get::<Sizes>().0.check(counts.fake)
    }

    fn compute(&self, sets: &Sets<'_>, definitions: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        let Sizes(options) = definitions.get();
        let found = inception_score_infinity_until(sets.fake_logits()?, options, interrupt)?;
        Ok(reported(&ABOUT, &found, options, "Inception Score"))
    }
}
