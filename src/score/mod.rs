//! Many scores of two sets at once, from their features, by the definitions of a named tool.
//!
//! A [`Request`] says which scores, by which [`Definitions`], and [tells](Request::needs) what it needs of each set, so
//! that nothing is gathered that no score looks at; [`score`] computes them. As the metrics themselves it sees neither
//! images nor networks.

mod bound;
mod definitions;
mod intervals;
mod metric;
mod result;

use std::collections::BTreeSet;

pub use bound::{Bound, Quantity, Side, Verdict};
pub use definitions::{Definitions, PrdcDefinition, Preset, Subset};
pub use intervals::{Intervals, ScoreInterval};
pub use metric::{Metric, Need, ScoreError};
pub use result::{Defined, Duplicates, FidReport, InceptionScoreReport, NamedDuplicates, Scores};

use crate::metrics::{
    JackknifeOptions, Set, duplicates_between, duplicates_within, fid, fid_infinity, inception_score,
    inception_score_infinity, kid, mifid, mind, mmd, per_class_fid, prdc, vendi,
};
use crate::stats::{Features, Gaussian, Logits};

/// What is known of a set of images: whatever the scores that were asked for need.
#[derive(Debug, Clone, Default)]
pub struct SetData {
    /// Mean and covariance of the features.
    pub statistics: Option<Gaussian>,
    /// The features.
    pub features: Option<Features>,
    /// The class scores.
    pub logits: Option<Logits>,
    /// Mean and covariance of the spatial features, which sFID compares.
    pub spatial: Option<Gaussian>,
    /// The class of each image.
    pub labels: Option<Vec<String>>,
    /// The name of each image, if it has one: for reports, and nothing is computed of it.
    pub names: Option<Vec<String>>,
}

impl SetData {
    /// Whether both hold the same features as far as can be told from what is known of both.
    pub fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self { features: Some(ours), .. }, Self { features: Some(theirs), .. }) => ours == theirs,
            (Self { statistics: Some(ours), .. }, Self { statistics: Some(theirs), .. }) => {
                ours.mean() == theirs.mean()
            }
            _ => false,
        }
    }
}

/// Which scores to compute, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// The scores.
    pub metrics: BTreeSet<Metric>,
    /// Their definitions.
    pub definitions: Definitions,
    /// Confidence intervals of those scores that can have one.
    pub intervals: Option<JackknifeOptions>,
}

impl Request {
    /// What the scores need of a set.
    pub fn needs(&self, set: Set) -> BTreeSet<Need> {
        let mut needs: BTreeSet<Need> = self.metrics.iter().flat_map(|metric| metric.needs(set)).copied().collect();
        // Whatever has an interval is computed again without some of the images.
        if self.intervals.is_some() && self.metrics.contains(&Metric::Fid) {
            needs.insert(Need::Features);
        }
        needs
    }

    /// Whether a score compares the set with a real one.
    pub fn needs_real(&self) -> bool {
        !self.needs(Set::Real).is_empty()
    }
}

/// Both sets, and the errors of what one of them lacks.
struct Pair<'a> {
    metric: Metric,
    real: Option<&'a SetData>,
    fake: &'a SetData,
}

impl<'a> Pair<'a> {
    fn part<T>(&self, set: Set, need: Need, part: impl Fn(&'a SetData) -> Option<&'a T>) -> Result<&'a T, ScoreError> {
        let of = match set {
            Set::Real => self.real.ok_or(ScoreError::NoRealSet { metric: self.metric })?,
            Set::Fake => self.fake,
        };
        part(of).ok_or(ScoreError::Missing { metric: self.metric, set, need })
    }

    fn statistics(&self, set: Set) -> Result<&'a Gaussian, ScoreError> {
        self.part(set, Need::Statistics, |data| data.statistics.as_ref())
    }

    fn spatial(&self, set: Set) -> Result<&'a Gaussian, ScoreError> {
        self.part(set, Need::Spatial, |data| data.spatial.as_ref())
    }

    fn features(&self, set: Set) -> Result<&'a Features, ScoreError> {
        self.part(set, Need::Features, |data| data.features.as_ref())
    }

    fn labels(&self, set: Set) -> Result<&'a Vec<String>, ScoreError> {
        self.part(set, Need::Labels, |data| data.labels.as_ref())
    }

    fn logits(&self) -> Result<&'a Logits, ScoreError> {
        self.part(Set::Fake, Need::Logits, |data| data.logits.as_ref())
    }

    fn both(&self) -> Result<(&'a Features, &'a Features), ScoreError> {
        Ok((self.features(Set::Real)?, self.features(Set::Fake)?))
    }
}

/// Computes the scores of a request; those of one set alone are of the fake one.
///
/// # Errors
/// [`ScoreError`] when a set lacks what a score needs, or a score cannot be computed.
pub fn score(request: &Request, real: Option<&SetData>, fake: &SetData) -> Result<Scores, ScoreError> {
    let mut scores = Scores::default();
    let Request { metrics, definitions, .. } = request;
    for &metric in metrics {
        let pair = Pair { metric, real, fake };
        match metric {
            Metric::Fid => {
                scores.fid = Some(fid(pair.statistics(Set::Real)?, pair.statistics(Set::Fake)?)?.into());
            }
            Metric::Sfid => scores.sfid = Some(fid(pair.spatial(Set::Real)?, pair.spatial(Set::Fake)?)?.into()),
            Metric::InceptionScore => {
                let options = definitions.inception_score;
                let score = inception_score(pair.logits()?, options)?;
                scores.inception_score = Some(InceptionScoreReport::new(score, options));
            }
            Metric::Kid => {
                let (x, y) = pair.both()?;
                scores.kid = Some(Defined::new(kid(x, y, definitions.kid)?, definitions.kid));
            }
            Metric::Prdc => {
                let (x, y) = pair.both()?;
                let definition = definitions.prdc;
                let (x, y) = definition.subsets(x, y);
                scores.prdc = Some(Defined::new(prdc(&x, &y, definition.options)?, definition));
            }
            Metric::Mind => {
                let (x, y) = pair.both()?;
                let directions = definitions.directions.clone();
                scores.mind = Some(Defined::new(mind(x, y, &directions)?, directions));
            }
            Metric::Mifid => {
                let (x, y) = pair.both()?;
                scores.mifid = Some(Defined::new(mifid(x, y, definitions.mifid)?, definitions.mifid));
            }
            Metric::Mmd => {
                let (x, y) = pair.both()?;
                scores.mmd = Some(Defined::new(mmd(x, y, definitions.mmd)?, definitions.mmd));
            }
            Metric::Vendi => {
                let score = vendi(pair.features(Set::Fake)?, definitions.vendi)?;
                scores.vendi = Some(Defined::new(score, definitions.vendi));
            }
            Metric::FidInfinity => {
                let options = definitions.extrapolation;
                let score = fid_infinity(pair.statistics(Set::Real)?, pair.features(Set::Fake)?, options)?;
                scores.fid_infinity = Some(Defined::new(score, options));
            }
            Metric::InceptionScoreInfinity => {
                let options = definitions.extrapolation;
                let score = inception_score_infinity(pair.logits()?, options)?;
                scores.inception_score_infinity = Some(Defined::new(score, options));
            }
            Metric::Duplicates => {
                let (x, y) = pair.both()?;
                let options = definitions.duplicates;
                let (real, fake) = (real.and_then(|real| real.names.as_ref()), fake.names.as_ref());
                let found = Duplicates {
                    within_real: NamedDuplicates::new(duplicates_within(x, options)?, real, real),
                    within_fake: NamedDuplicates::new(duplicates_within(y, options)?, fake, fake),
                    between: NamedDuplicates::new(duplicates_between(x, y, options)?, real, fake),
                };
                scores.duplicates = Some(Defined::new(found, options));
            }
            Metric::PerClass => {
                let (x, y) = pair.both()?;
                let (real_labels, fake_labels) = (pair.labels(Set::Real)?, pair.labels(Set::Fake)?);
                scores.per_class_fid = Some(per_class_fid(x, real_labels, y, fake_labels)?);
            }
        }
    }
    if let Some(options) = request.intervals {
        scores.intervals = Some(intervals::intervals(request, options, real, fake)?);
    }
    Ok(scores)
}
