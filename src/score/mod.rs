//! Many scores of two sets at once, from their features, by the definitions of a named tool.
//!
//! A [`Request`] says which scores of the [registry](crate::metrics::registry), by which [`Definitions`], and
//! [tells](Request::needs) what it needs of each set, so that nothing is gathered that no score looks at; [`Plan`] says
//! before any work what can be had of it, and [`score`] computes it: each score for itself, so that one that fails costs no
//! other. As the metrics themselves it sees neither images nor networks.
//!
//! ```
//! use gan_metrics::Interrupt;
//! use gan_metrics::score::{Request, SetData, score};
//! use gan_metrics::stats::{Features, Gaussian};
//! use ndarray::array;
//!
//! let set = |features| -> gan_metrics::Result<SetData> {
//!     let features = Features::new(features)?;
//!     Ok(SetData { statistics: Some(Gaussian::of(&features)?), features: Some(features), ..SetData::default() })
//! };
//! let (real, fake) = (set(array![[0.0], [1.0], [2.0]])?, set(array![[0.5], [1.0], [3.0]])?);
//! let scores = score(&Request::of(["fid", "vendi"])?, Some(&real), &fake, &Interrupt::new())?;
//! assert!(scores.number("fid").unwrap() > 0.0);
//! assert!(scores.failed().is_empty());
//! # Ok::<(), gan_metrics::Error>(())
//! ```

mod bound;
mod plan;
mod scores;

use std::collections::BTreeSet;

pub use bound::{Bound, Side, Verdict};
pub use plan::{AskedIntervals, LeftOut, Offer, Plan, PlanError, Selection};
pub use scores::{FailedPart, Failure, Intervals, Scores};

pub use crate::metrics::{
    Definition, Definitions, Metric, MetricError, Need, PrdcDefinition, Preset, ScoreInterval, ScoreNumber, SetData,
    Subset, UnknownName,
};

use crate::interrupt::{Interrupt, Interrupted};
use crate::metrics::{JackknifeOptions, Set, Sets};

/// Confidence intervals to compute.
#[derive(Debug, Clone, PartialEq)]
pub struct IntervalRequest {
    /// How.
    pub definition: JackknifeOptions,
    /// Of which scores; each [can have one](crate::metrics::About::interval).
    pub metrics: BTreeSet<Metric>,
}

/// Which scores to compute, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// The scores.
    pub metrics: BTreeSet<Metric>,
    /// Their definitions.
    pub definitions: Definitions,
    /// Confidence intervals of some of them.
    pub intervals: Option<IntervalRequest>,
}

impl Request {
    /// The scores of these names, in the definitions of torch-fidelity, without intervals.
    ///
    /// # Errors
    /// [`UnknownName`] when one of the names is not that of a score; it lists the scores.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownName> {
        let metrics = names.into_iter().map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { metrics, definitions: Definitions::default(), intervals: None })
    }

    /// What the scores need of a set.
    pub fn needs(&self, set: Set) -> BTreeSet<Need> {
        let of_scores = self.metrics.iter().flat_map(|metric| metric.about().needs(set));
        let with_intervals = self.intervals.iter().flat_map(|intervals| &intervals.metrics);
        // Whatever has an interval is computed again without some of the images, of the sets that it looks at.
        let with_intervals = with_intervals.filter(|metric| !metric.about().needs(set).is_empty());
        let of_intervals = with_intervals.flat_map(|metric| metric.about().interval.unwrap_or_default());
        of_scores.chain(of_intervals).copied().collect()
    }

    /// Whether a score compares the set with a real one.
    pub fn needs_real(&self) -> bool {
        self.metrics.iter().any(|metric| metric.about().compares())
    }
}

/// Computes the scores of a request; those of one set alone are of the fake one. A score that fails is among
/// [`Scores::failed`], and costs no other.
///
/// # Errors
/// [`Interrupted`], within a second of the interrupt.
pub fn score(
    request: &Request,
    real: Option<&SetData>,
    fake: &SetData,
    interrupt: &Interrupt,
) -> Result<Scores, Interrupted> {
    let mut scores = Scores::default();
    let Request { metrics, definitions, intervals } = request;
    for &metric in metrics {
        let sets = Sets { score: metric.about().title, real, fake };
        let computed = metric.compute(&sets, definitions, interrupt);
        interrupt.check()?;
        let computed = scores.take(metric, computed);
        let Some(IntervalRequest { definition, metrics }) = intervals else { continue };
        if computed && metrics.contains(&metric) {
            let found = metric.intervals(&sets, definitions, *definition, interrupt);
            interrupt.check()?;
            scores.take_intervals(metric, *definition, found);
        }
    }
    Ok(scores)
}
