//! What can be had of a request, said before any work.

use std::collections::BTreeSet;

use super::{IntervalRequest, Request};
use crate::error::{Blame, Blamed};
use crate::metrics::{Counts, Definitions, JackknifeOptions, Metric, MetricError, Need, Set};

/// Which scores.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// These, with an error when the sets do not allow one.
    pub named: BTreeSet<Metric>,
    /// Those of these that the sets allow.
    pub where_possible: BTreeSet<Metric>,
}

impl Selection {
    /// These, with an error when the sets do not allow one.
    pub fn named(metrics: impl IntoIterator<Item = Metric>) -> Self {
        Self { named: metrics.into_iter().collect(), ..Self::default() }
    }

    /// Those of these that the sets allow.
    pub fn where_possible(metrics: impl IntoIterator<Item = Metric>) -> Self {
        Self { where_possible: metrics.into_iter().collect(), ..Self::default() }
    }

    /// All that the sets allow, but for those that [must be named](crate::metrics::About::only_by_name).
    pub fn all() -> Self {
        Self::where_possible(Metric::all().filter(|metric| !metric.about().only_by_name))
    }

    /// These too, with an error when the sets do not allow one.
    pub fn and(mut self, metrics: impl IntoIterator<Item = Metric>) -> Self {
        self.named.extend(metrics);
        self
    }

    /// Whether a score is computed, if the sets allow it.
    pub fn contains(&self, metric: Metric) -> bool {
        self.named.contains(&metric) || self.where_possible.contains(&metric)
    }
}

/// Which scores get confidence intervals, by which definition.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum AskedIntervals {
    /// None.
    #[default]
    None,
    /// All that can have one, with an error when none can.
    Required(JackknifeOptions),
    /// All that can have one.
    WherePossible(JackknifeOptions),
}

/// What is known of the sets before anything is extracted.
pub struct Offer<'a> {
    /// Whether there is a real set.
    pub has_real: bool,
    /// Numbers of images, where known.
    pub counts: Counts,
    /// Whether a set has what a score may need.
    pub has: &'a dyn Fn(Set, Need) -> bool,
    /// Whether the statistics of a set are of other images than those that are at hand, so that these say nothing of their error.
    pub apart: &'a dyn Fn(Set) -> bool,
}

/// A score, or its interval, that the sets do not allow.
#[derive(Debug, Clone)]
pub struct LeftOut {
    /// The score.
    pub metric: Metric,
    /// Why.
    pub reason: MetricError,
}

/// Why there is nothing to compute.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A score that was named cannot be had.
    #[error("{reason}")]
    Score {
        /// The score.
        metric: Metric,
        /// Why.
        #[source]
        reason: MetricError,
    },
    /// None of the scores can have a confidence interval.
    #[error("none of the scores can have a confidence interval: {}", first.as_ref().map_or_else(
        || "drop it".to_owned(), |(metric, reason)| format!("{metric}: {reason}")
    ))]
    NoInterval {
        /// The first of the scores that could have one of other sets, and what is in the way.
        first: Option<(Metric, MetricError)>,
    },
    /// The sets allow none of the scores.
    #[error("the sets allow no score at all; the first, {}: {}", first.0, first.1)]
    Nothing {
        /// The first score, and what is in the way.
        first: (Metric, MetricError),
    },
}

impl Blamed for PlanError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// A request that the sets allow, as far as can be known before the work.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What to compute.
    pub request: Request,
    /// Scores that the sets do not allow, of those to compute where possible.
    pub left_out: Vec<LeftOut>,
    /// Scores to compute that cannot have the interval that was asked for.
    pub without_interval: Vec<LeftOut>,
}

impl Plan {
    /// Checks a selection against what the sets offer.
    ///
    /// # Errors
    /// [`PlanError`] when a score that was named cannot be had, or intervals were asked for and no score can have one.
    pub fn new(
        selection: &Selection,
        definitions: Definitions,
        intervals: AskedIntervals,
        offer: &Offer<'_>,
    ) -> Result<Self, PlanError> {
        let Selection { named, where_possible } = selection;
        let obstacle = |metric: Metric| obstacle(metric, &definitions, offer);
        if let Some((metric, reason)) = named.iter().find_map(|&metric| Some((metric, obstacle(metric)?))) {
            return Err(PlanError::Score { metric, reason });
        }
        let (mut metrics, mut left_out) = (named.clone(), Vec::new());
        for &metric in where_possible {
            match obstacle(metric) {
                Some(reason) => left_out.push(LeftOut { metric, reason }),
                None => {
                    metrics.insert(metric);
                }
            }
        }
        if let (true, Some(first)) = (metrics.is_empty(), left_out.first()) {
            return Err(PlanError::Nothing { first: (first.metric, first.reason.clone()) });
        }
        let (intervals, without_interval) = match intervals {
            AskedIntervals::None => (None, Vec::new()),
            AskedIntervals::Required(definition) => {
                let (request, without) = with_intervals(&metrics, definition, offer);
                if request.is_none() {
                    return Err(no_interval(&without));
                }
                (request, without)
            }
            AskedIntervals::WherePossible(definition) => {
                let (request, mut without) = with_intervals(&metrics, definition, offer);
                // That others can have one at all is no news to who did not ask for it.
                without.retain(|found| found.metric.about().interval.is_some());
                (request, without)
            }
        };
        Ok(Self { request: Request { metrics, definitions, intervals }, left_out, without_interval })
    }
}

/// Why a score cannot be computed.
fn obstacle(metric: Metric, definitions: &Definitions, offer: &Offer<'_>) -> Option<MetricError> {
    let about = metric.about();
    if about.compares() && !offer.has_real {
        return Some(MetricError::NoRealSet { score: about.title });
    }
    let missing = |set| about.missing(set, |need| (offer.has)(set, need));
    Set::BOTH.into_iter().find_map(missing).or_else(|| metric.check(offer.counts, definitions).err())
}

/// The scores that can have an interval, and those that cannot although others of their kind can.
fn with_intervals(
    metrics: &BTreeSet<Metric>,
    definition: JackknifeOptions,
    offer: &Offer<'_>,
) -> (Option<IntervalRequest>, Vec<LeftOut>) {
    let obstacle = |metric: Metric| {
        let about = metric.about();
        let Some(needs) = about.interval else { return Some(MetricError::NoInterval { score: about.title }) };
        let looked_at = Set::BOTH.into_iter().filter(|&set| !about.needs(set).is_empty());
        let missing = looked_at.flat_map(|set| needs.iter().map(move |&need| (set, need)));
        let missing = missing.into_iter().find(|&(set, need)| !(offer.has)(set, need));
        if let Some((set, need)) = missing {
            return Some(MetricError::Missing { score: about.title, set, need });
        }
        let of_statistics = |set| about.needs(set).iter().any(|need| matches!(need, Need::Statistics | Need::Spatial));
        if let Some(set) = Set::BOTH.into_iter().find(|&set| of_statistics(set) && (offer.apart)(set)) {
            return Some(MetricError::Missing { score: about.title, set, need: Need::Features });
        }
        let counts = if about.compares() { offer.counts } else { Counts { real: None, ..offer.counts } };
        definition.check_counts(counts).err()
    };
    let (mut with, mut without) = (BTreeSet::new(), Vec::new());
    for &metric in metrics {
        match obstacle(metric) {
            None => {
                with.insert(metric);
            }
            Some(reason) => without.push(LeftOut { metric, reason }),
        }
    }
    let request = (!with.is_empty()).then_some(IntervalRequest { definition, metrics: with });
    (request, without)
}

/// Why no score has an interval: what could be changed says more than what cannot be had at all.
fn no_interval(without: &[LeftOut]) -> PlanError {
    let first = without.iter().find(|found| found.metric.about().interval.is_some()).or(without.first());
    PlanError::NoInterval { first: first.map(|found| (found.metric, found.reason.clone())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(names: &[&str]) -> BTreeSet<Metric> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn names(left_out: &[LeftOut]) -> Vec<&'static str> {
        left_out.iter().map(|found| found.metric.about().name).collect()
    }

    /// Two sets of images of these numbers, and a network without spatial features.
    fn images<R>(real: usize, fake: usize, plan: impl FnOnce(&Offer<'_>) -> R) -> R {
        let counts = Counts { real: Some(real), fake: Some(fake) };
        plan(&Offer {
            has_real: true,
            counts,
            has: &|_, need| !matches!(need, Need::Spatial | Need::Labels),
            apart: &|_| false,
        })
    }

    #[test]
    fn all_is_what_the_sets_allow_and_says_what_they_do_not() {
        let all = Selection::all();
        let plan =
            images(40, 40, |offer| Plan::new(&all, Definitions::default(), AskedIntervals::None, offer)).unwrap();
        assert_eq!(names(&plan.left_out), ["sfid", "kid"]);
        let reason = plan.left_out[1].reason.to_string();
        assert!(reason.contains("the real set has 40 images") && reason.contains("1000"), "{reason}");
        assert!(plan.request.metrics.is_superset(&metrics(&["fid", "is", "prdc", "authpct", "realism", "vendi"])));
        let one = images(1, 1, |offer| Plan::new(&all, Definitions::default(), AskedIntervals::None, offer)).unwrap();
        assert_eq!(one.request.metrics, metrics(&["mind", "vendi"]), "what a single image allows");
    }

    #[test]
    fn what_was_named_is_refused_before_the_work() {
        let named = |names: &[&str], real, fake| {
            let selection = Selection::named(metrics(names));
            images(real, fake, |offer| Plan::new(&selection, Definitions::default(), AskedIntervals::None, offer))
        };
        let refused = named(&["fid", "kid"], 2000, 512).unwrap_err().to_string();
        assert!(
            refused.starts_with("the fake set has 512 images, but a subset of the kernel distance needs at least 1000")
        );
        assert!(named(&["kid"], 2000, 1000).is_ok());
        assert!(named(&["is"], 2, 9).unwrap_err().to_string().contains("9 images cannot be cut into 10 splits"));
        assert!(named(&["prdc"], 5, 9).unwrap_err().to_string().contains("needs at least 6"));
        assert!(named(&["realism"], 3, 9).unwrap_err().to_string().contains("needs at least 4"));
        assert!(named(&["authpct"], 1, 9).unwrap_err().to_string().contains("needs at least 2"));
        assert!(named(&["sfid"], 50, 50).unwrap_err().to_string().starts_with("sFID needs spatial features"));
        assert!(named(&["fid-infinity"], 50, 2).unwrap_err().to_string().contains("needs at least 3"));
    }

    #[test]
    fn an_interval_that_no_score_can_have_is_refused_and_others_are_said() {
        let plan = |names: &[&str], images_of_each| {
            let selection = Selection::named(metrics(names));
            let options = AskedIntervals::Required(JackknifeOptions::default());
            images(images_of_each, images_of_each, |offer| {
                Plan::new(&selection, Definitions::default(), options, offer)
            })
        };
        let refused = plan(&["fid"], 30).unwrap_err().to_string();
        assert!(refused.contains("30 images, but a jackknife with that many groups needs at least 40"), "{refused}");
        assert!(plan(&["fid-infinity"], 50).unwrap_err().to_string().contains("has no confidence interval"));
        let both = plan(&["fid", "fid-infinity"], 50).unwrap();
        assert_eq!(both.request.intervals.unwrap().metrics, metrics(&["fid"]));
        assert_eq!(names(&both.without_interval), ["fid-infinity"]);

        let statistics = Offer {
            has_real: true,
            counts: Counts { real: Some(5000), fake: None },
            has: &|_, need| need == Need::Statistics,
            apart: &|_| false,
        };
        let selection = Selection::named(metrics(&["fid"]));
        let options = AskedIntervals::Required(JackknifeOptions::default());
        let refused = Plan::new(&selection, Definitions::default(), options, &statistics).unwrap_err().to_string();
        assert!(refused.contains("FID needs the features of every image of the real set"), "{refused}");
    }
}
