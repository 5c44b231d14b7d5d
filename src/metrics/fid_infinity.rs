//! FID∞: the Fréchet distance at infinitely many fake images.

use super::definitions::{Definition, Definitions, Preset};
use super::error::{MetricError, Set, known_to_have};
use super::extrapolation::{Extrapolation, ExtrapolationOptions, PARAMETERS, extrapolated, reported};
use super::fid::fid_until;
use super::parameter::Arguments;
use super::score::{About, Counts, Need, Quantity, Score, Sets};
use super::value::Value;
use crate::interrupt::Interrupt;
use crate::stats::{Features, Gaussian};

/// FID∞: the Fréchet distance at infinitely many fake images. The distance at N images is too large by about c/N, with a
/// constant c that depends on the generator, so that even distances of equal N may come in the wrong order; this fits a
/// line to distances at several N and returns where it meets 1/N = 0.
///
/// The real set is the same at each size, and its own bias remains.
///
/// Source: Chong and Forsyth 2020 (arXiv:1911.07023), with the sizes of dgm-eval's `compute_FD_infinity`. They draw
/// subsets from unseeded generators; these are seeded.
///
/// # Errors
/// [`MetricError`] when the dimensions differ, there are too few images for two sizes, or a distance fails.
pub fn fid_infinity(
    real: &Gaussian,
    fake: &Features,
    options: ExtrapolationOptions,
) -> Result<Extrapolation, MetricError> {
    fid_infinity_until(real, fake, options, &Interrupt::new())
}

fn fid_infinity_until(
    real: &Gaussian,
    fake: &Features,
    options: ExtrapolationOptions,
    interrupt: &Interrupt,
) -> Result<Extrapolation, MetricError> {
    if real.dim() != fake.dim() {
        return Err(MetricError::Dimension { real: real.dim(), fake: fake.dim() });
    }
    extrapolated(fake.len(), options, interrupt, |chosen| {
        Ok(fid_until(real, &Gaussian::of_rows(fake, chosen, interrupt)?, interrupt)?.value)
    })
}

impl Definition for ExtrapolationOptions {
    fn of(_: Preset) -> Self {
        Self::CHONG_FORSYTH
    }
}

/// FID∞.
pub(super) struct Row;

static ABOUT: About = About {
    name: "fid-infinity",
    key: "fid_infinity",
    title: "FID∞",
    summary: "Fréchet distance extrapolated to infinitely many generated images",
    wants: "5,000 and more",
    real: &[Need::Statistics],
    // The fit has an error of its own.
    interval: None,
    quantities: &[Quantity {
        // A line through positive points may meet the axis below zero.
        range: [f64::NEG_INFINITY, f64::INFINITY],
        ..Quantity::distance("fid-infinity", "FID∞")
    }],
    parameters: PARAMETERS,
    presets: &[Preset::DgmEval],
    ..About::OF_FEATURES
};

impl Score for Row {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, arguments: &Arguments, definitions: &mut Definitions) -> Result<(), MetricError> {
        definitions.change(|options: &mut ExtrapolationOptions| options.configure(arguments));
        Ok(())
    }

    fn check(&self, counts: Counts, definitions: &Definitions) -> Result<(), MetricError> {
        known_to_have(2, counts, &[Set::Real], "a covariance", ("give more images", None))?;
        definitions.get::<ExtrapolationOptions>().check(counts.fake)
    }

    fn compute(&self, sets: &Sets<'_>, definitions: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        let options: ExtrapolationOptions = definitions.get();
        let found = fid_infinity_until(sets.real_statistics()?, sets.fake_features()?, options, interrupt)?;
        Ok(reported(&ABOUT, &found, options, "FID"))
    }
}
