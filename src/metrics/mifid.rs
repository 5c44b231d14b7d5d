//! Memorisation-informed Fréchet distance.

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;
use serde::Serialize;

use super::definitions::{Definition, Definitions, Preset};
use super::error::{MetricError, Set, same_dimension};
use super::fid::{check_counts, fid_until};
use super::jackknife::JackknifeOptions;
use super::parameter::{Arguments, Choice, Kind, Parameter, Range};
use super::rows::{BLOCK, unit_rows};
use super::score::{About, Counts, Quantity, Score, ScoreInterval, Sets};
use super::value::{Caution, Value, readable};
use crate::interrupt::Interrupt;
use crate::linalg::matmul;
use crate::options::builders;
use crate::stats::{Features, Gaussian};

/// Definition of a memorisation-informed Fréchet distance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MifidOptions {
    /// Mean cosine distances from here on count as no memorisation at all.
    pub threshold: f64,
    /// Whose images' nearest cosine distances, to the other set, are averaged.
    pub mean_over: Set,
}

builders!(MifidOptions {
    with_threshold threshold: f64,
    with_mean_over mean_over: Set,
});

impl MifidOptions {
    /// torchmetrics' definition: threshold 0.1, the mean over *real* images of the distance to the nearest fake one.
    pub const TORCHMETRICS: Self = Self { threshold: 0.1, mean_over: Set::Real };

    /// The definition of Bai et al.: threshold 0.1, the mean over *fake* images of the distance to the nearest real one.
    pub const BAI: Self = Self { threshold: 0.1, mean_over: Set::Fake };
}

impl MifidOptions {
    fn check(&self, counts: Counts) -> Result<(), MetricError> {
        if !(self.threshold > 0.0 && self.threshold <= 1.0) {
            let (value, range) = (self.threshold.to_string(), "above 0 and at most 1");
            return Err(MetricError::Parameter { parameter: "the threshold of cosine distances", value, range });
        }
        check_counts(counts)
    }
}

impl Default for MifidOptions {
    fn default() -> Self {
        Self::TORCHMETRICS
    }
}

/// A memorisation-informed Fréchet distance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mifid {
    /// The Fréchet distance divided by `penalty`.
    pub value: f64,
    /// The Fréchet distance.
    pub fid: f64,
    /// Mean of the nearest cosine distances, 0 to 1.
    pub distance: f64,
    /// `distance` where it is below the threshold, otherwise 1.
    pub penalty: f64,
}

/// torchmetrics' guard against a penalty of zero.
const PENALTY_GUARD: f64 = 10e-15;

/// torchmetrics takes smaller Fréchet distances for zero, whatever the penalty.
const SMALLEST_FID: f64 = 1e-8;

/// The memorisation-informed Fréchet distance:
///
/// ```text
/// MiFID = FID/m      m = d if d < threshold else 1      d = mean_i min_j (1 − |cos(xᵢ, yⱼ)|)
/// ```
///
/// A generator that copies training images has a small FID, but a small d as well.
///
/// Source: Bai et al. 2021 (arXiv:2106.03062) and torchmetrics, including its guards: rows that sum to zero are left
/// out, 1e-14 is added to the penalty, a FID of 1e-8 or less gives zero.
///
/// Precision: cosines in f64, so that copies have the distance 1e-16 rather than 1e-7. Blocked: nothing is n×n in
/// memory.
///
/// # Errors
/// [`MetricError`] when the dimensions differ, a set has fewer than two images or none that does not sum to zero, or
/// the threshold is not between 0 and 1.
pub fn mifid(real: &Features, fake: &Features, options: MifidOptions) -> Result<Mifid, MetricError> {
    mifid_until(real, fake, options, &Interrupt::new())
}

fn mifid_until(
    real: &Features,
    fake: &Features,
    options: MifidOptions,
    interrupt: &Interrupt,
) -> Result<Mifid, MetricError> {
    let MifidOptions { threshold, mean_over } = options;
    same_dimension(real, fake)?;
    options.check(Counts { real: Some(real.len()), fake: Some(fake.len()) })?;
    let distance = match mean_over {
        Set::Real => mean_nearest_cosine_distance((real, Set::Real), (fake, Set::Fake), interrupt),
        Set::Fake => mean_nearest_cosine_distance((fake, Set::Fake), (real, Set::Real), interrupt),
    }?;
    let gaussian = |set: &Features| Gaussian::of_until(set, interrupt);
    let fid = fid_until(&gaussian(real)?, &gaussian(fake)?, interrupt)?.value;
    let penalty = if distance < threshold { distance } else { 1.0 };
    let value = if fid > SMALLEST_FID { fid / (penalty + PENALTY_GUARD) } else { 0.0 };
    Ok(Mifid { value, fid, distance, penalty })
}

fn mean_nearest_cosine_distance(
    (of, of_set): (&Features, Set),
    (to, to_set): (&Features, Set),
    interrupt: &Interrupt,
) -> Result<f64, MetricError> {
    let usable = |features: &Features, set| {
        let rows = features.view();
        let sums = rows.rows().into_iter().map(|row| row.iter().map(|&value| f64::from(value)).sum::<f64>());
        let kept: Vec<usize> = sums.enumerate().filter(|&(_, sum)| sum != 0.0).map(|(row, _)| row).collect();
        if kept.is_empty() { Err(MetricError::ZeroRow { set, row: 0 }) } else { Ok(kept) }
    };
    let (of_rows, to_rows) = (usable(of, of_set)?, usable(to, to_set)?);
    let (of, to) = (of.view(), to.view());
    let units = |set: ArrayView2<'_, f32>, rows: &[usize]| {
        unit_rows(set.select(Axis(0), rows).view()).expect("a row with a sum other than zero is not zero")
    };
    let nearest_of = |rows: &[usize]| -> Result<Vec<f64>, MetricError> {
        let chosen = units(of, rows);
        let mut largest = vec![0.0_f64; rows.len()];
        for others in to_rows.chunks(BLOCK) {
            interrupt.check()?;
            let cosines = matmul(chosen.view(), units(to, others).t());
            for (largest, cosines) in largest.iter_mut().zip(cosines.rows()) {
                *largest = cosines.fold(*largest, |largest, cosine| largest.max(cosine.abs()));
            }
        }
        Ok(largest.into_iter().map(|cosine| (1.0 - cosine).max(0.0)).collect())
    };
    let nearest = of_rows.par_chunks(BLOCK).map(nearest_of).collect::<Result<Vec<_>, _>>()?.concat();
    Ok(nearest.iter().sum::<f64>() / nearest.len() as f64)
}

impl Definition for MifidOptions {
    fn of(_: Preset) -> Self {
        Self::TORCHMETRICS
    }
}

/// Memorisation-informed Fréchet distance.
pub(super) struct Row;

static ABOUT: About = About {
    name: "mifid",
    key: "mifid",
    title: "MiFID",
    summary: "memorisation-informed Fréchet distance",
    wants: "as FID",
    quantities: &[Quantity::distance("mifid", "MiFID")],
    parameters: &[
        Parameter {
            name: "threshold",
            placeholder: "DISTANCE",
            help: "Cosine distance at and above which nothing counts as memorised",
            default: Some("0.1"),
            kind: Kind::Number(Range::UpToOne),
            only_with: None,
        },
        Parameter {
            name: "mean-over",
            placeholder: "SET",
            help: "Images whose nearest distances are averaged",
            default: Some("real"),
            kind: Kind::Choice(&[
                Choice { name: "real", help: "the real images, as in torchmetrics" },
                Choice { name: "fake", help: "the generated images, as in Bai et al." },
            ]),
            only_with: None,
        },
    ],
    ..About::OF_FEATURES
};

impl Score for Row {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, arguments: &Arguments, definitions: &mut Definitions) -> Result<(), MetricError> {
        definitions.change(|options: &mut MifidOptions| {
            options.threshold = arguments.number("threshold").unwrap_or(options.threshold);
            options.mean_over = match arguments.choice("mean-over") {
                Some("fake") => Set::Fake,
                Some(_) => Set::Real,
                None => options.mean_over,
            };
        });
        Ok(())
    }

    fn check(&self, counts: Counts, definitions: &Definitions) -> Result<(), MetricError> {
        definitions.get::<MifidOptions>().check(counts)
    }

    fn compute(&self, sets: &Sets<'_>, definitions: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        let options: MifidOptions = definitions.get();
        let [real, fake] = sets.features()?;
        let score = mifid_until(real, fake, options, interrupt)?;
        let whose = match options.mean_over {
            Set::Real => "of the real images to the generated ones",
            Set::Fake => "of the generated images to the real ones",
        };
        Ok(Value::defined(&ABOUT, &score, &options)
            .note(0, format!("distance {whose} {}", readable(score.distance)))
            .caution(Caution::FewImages { dim: real.dim() }))
    }

    fn intervals(
        &self,
        sets: &Sets<'_>,
        definitions: &Definitions,
        options: JackknifeOptions,
        interrupt: &Interrupt,
    ) -> Result<Vec<ScoreInterval>, MetricError> {
        let definition: MifidOptions = definitions.get();
        Ok(vec![sets.interval(options, None, |x, y| Ok(mifid_until(x, y, definition, interrupt)?.value))?])
    }
}
