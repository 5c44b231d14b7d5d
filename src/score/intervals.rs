//! Confidence intervals of the scores of a request.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Metric, Request, ScoreError, SetData};
use crate::metrics::{
    DegreesOfFreedom, Directions, Estimator, InceptionScoreOptions, Interval, JackknifeOptions, Length, MetricError,
    MmdOptions, Order, Part, Splits, fid, inception_score, jackknife_parts, mifid, mind, mmd, prdc, vendi,
};
use crate::stats::{FeatureStatistics, Features, Gaussian};

/// Confidence intervals by the delete-a-group jackknife.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Intervals {
    /// How they were computed.
    pub definition: JackknifeOptions,
    /// One for each score that can have one, by its name in the JSON report.
    pub scores: BTreeMap<&'static str, ScoreInterval>,
}

/// The confidence interval of a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScoreInterval {
    /// The interval.
    #[serde(flatten)]
    pub interval: Interval,
    /// What it is the interval of, where that is not the score itself but an estimate of the same quantity without random
    /// subsets, whose noise a jackknife would amplify.
    pub of: Option<&'static str>,
}

/// The intervals of all scores of a request that can have one.
///
/// FID, MiFID, MMD, MIND with directions of its own, the Vendi score, precision, recall, density and coverage have one of
/// themselves. That of KID is of the unbiased discrepancy of all pairs, which is what its subsets estimate, and that of
/// the Inception Score of one split. sFID keeps no features to compute it from; extrapolations have an error of their own;
/// classes have too few images.
pub(super) fn intervals(
    request: &Request,
    options: JackknifeOptions,
    real: Option<&SetData>,
    fake: &SetData,
) -> Result<Intervals, ScoreError> {
    let mut scores = BTreeMap::new();
    let mut insert = |name, interval, of| {
        scores.insert(name, ScoreInterval { interval, of });
    };
    // Two sets of features, where the scores asked for have needed them.
    let both = real.and_then(|real| Some((real.features.as_ref()?, fake.features.as_ref()?)));
    let definitions = &request.definitions;
    for metric in &request.metrics {
        match (metric, both) {
            (Metric::Fid, Some((x, y))) => insert("fid", of_fid(x, y, options)?, None),
            (Metric::Kid, Some((x, y))) => {
                let options_of_mmd = MmdOptions {
                    kernel: definitions.kid.kernel,
                    estimator: Estimator::Unbiased,
                    length: Length::AsGiven,
                    scale: 1.0,
                };
                let score = |x: &Features, y: &Features| Ok(mmd(x, y, options_of_mmd)?.value);
                insert("kid", of_pair(x, y, options, score)?, Some("unbiased MMD² over all pairs"));
            }
            (Metric::Mmd, Some((x, y))) => {
                let score = |x: &Features, y: &Features| Ok(mmd(x, y, definitions.mmd)?.value);
                insert("mmd", of_pair(x, y, options, score)?, None);
            }
            (Metric::Mifid, Some((x, y))) => {
                let score = |x: &Features, y: &Features| Ok(mifid(x, y, definitions.mifid)?.value);
                insert("mifid", of_pair(x, y, options, score)?, None);
            }
            (Metric::Mind, Some((x, y))) => {
                // torch-fidelity leaves out images of the larger set, others with every group.
                let (directions, of) = match definitions.directions {
                    Directions::TorchFidelity { count, seed } => {
                        (Directions::Seeded { count, seed: seed as u32 }, Some("MIND of all images, by quantiles"))
                    }
                    ref own => (own.clone(), None),
                };
                let score = |x: &Features, y: &Features| Ok(mind(x, y, &directions)?.value);
                insert("mind", of_pair(x, y, options, score)?, of);
            }
            (Metric::Prdc, Some((x, y))) => {
                let (x, y) = definitions.prdc.subsets(x, y);
                let balls = definitions.prdc.options;
                let found = jackknife_parts([x.len(), y.len()], options, |left, right| -> Result<_, MetricError> {
                    let score = prdc(&left.of(&x), &right.of(&y), balls)?;
                    Ok([score.precision, score.recall, score.f_score, score.density, score.coverage])
                })?;
                let names = ["precision", "recall", "f_score", "density", "coverage"];
                names.into_iter().zip(found).for_each(|(name, interval)| insert(name, interval, None));
            }
            (Metric::Vendi, _) => {
                let features = fake.features.as_ref();
                let features = features.expect("the score itself has been computed from them");
                let [interval] = jackknife_parts([0, features.len()], options, |_, part| -> Result<_, MetricError> {
                    Ok([vendi(&part.of(features), definitions.vendi)?.value])
                })?;
                insert("vendi", interval, None);
            }
            (Metric::InceptionScore, _) => {
                let logits = fake.logits.as_ref().expect("the score itself has been computed from them");
                let whole = InceptionScoreOptions {
                    splits: Splits::Even(1),
                    order: Order::AsGiven,
                    ddof: DegreesOfFreedom::Population,
                };
                let [interval] = jackknife_parts([0, logits.len()], options, |_, part| -> Result<_, MetricError> {
                    Ok([inception_score(&part.of_logits(logits), whole)?.mean])
                })?;
                insert("inception_score", interval, Some("Inception Score of one split"));
            }
            _ => {}
        }
    }
    Ok(Intervals { definition: options, scores })
}

fn of_pair(
    real: &Features,
    fake: &Features,
    options: JackknifeOptions,
    score: impl Fn(&Features, &Features) -> Result<f64, MetricError>,
) -> Result<Interval, MetricError> {
    let [interval] = jackknife_parts([real.len(), fake.len()], options, |x, y| {
        score(&x.of(real), &y.of(fake)).map(|score| [score])
    })?;
    Ok(interval)
}

/// The statistics of a set that stays whole are computed once.
fn of_fid(real: &Features, fake: &Features, options: JackknifeOptions) -> Result<Interval, ScoreError> {
    let gaussian = |set: &Features| -> Result<Gaussian, MetricError> {
        let mut statistics = FeatureStatistics::new(set.dim());
        statistics.push(set)?;
        Ok(statistics.finish()?)
    };
    let (whole_real, whole_fake) = (gaussian(real)?, gaussian(fake)?);
    let [interval] = jackknife_parts([real.len(), fake.len()], options, |x, y| -> Result<_, ScoreError> {
        let of = |part: Part<'_>, set: &Features, whole: &Gaussian| match part {
            Part::Whole => Ok(whole.clone()),
            rows => gaussian(&rows.of(set)),
        };
        Ok([fid(&of(x, real, &whole_real)?, &of(y, fake, &whole_fake)?)?.value])
    })?;
    Ok(interval)
}
