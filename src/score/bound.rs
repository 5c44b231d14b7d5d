//! Bounds on scores: a regression test on the quality of samples.

use std::fmt;

use serde::Serialize;

use super::scores::Scores;
use crate::metrics::ScoreNumber;

/// The side from which a bound holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The score may be equal to the limit or smaller.
    AtMost,
    /// The score may be equal to the limit or greater.
    AtLeast,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::AtMost => "at most",
            Side::AtLeast => "at least",
        })
    }
}

/// What a score must keep to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bound {
    /// The number.
    pub score: ScoreNumber,
    /// From which side.
    pub side: Side,
    /// The last value that is allowed.
    pub limit: f64,
}

impl Bound {
    /// Judges the scores; `None` when the bounded one was not asked for. One that failed meets no bound.
    pub fn judge(self, scores: &Scores) -> Option<Verdict> {
        let value = scores.value(self.score);
        if value.is_none() && scores.failed().iter().all(|failure| failure.metric != self.score.metric()) {
            return None;
        }
        let met = value.is_some_and(|value| match self.side {
            Side::AtMost => value <= self.limit,
            Side::AtLeast => value >= self.limit,
        });
        Some(Verdict { bound: self, value, met })
    }
}

/// A bound, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Verdict {
    /// The bound.
    #[serde(flatten)]
    pub bound: Bound,
    /// Value of the score; `None` when it could not be computed.
    pub value: Option<f64>,
    /// Whether the score keeps to the bound.
    pub met: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Metric, MetricError, Value};

    #[test]
    fn the_limit_itself_is_allowed_on_both_sides_and_a_failure_meets_none() {
        let [vendi, fid]: [Metric; 2] = ["vendi", "fid"].map(|name| name.parse().unwrap());
        let mut scores = Scores::default();
        scores.take(vendi, Ok(Value::new(vendi.about(), &serde_json::json!({ "value": 2.0 }))));
        scores.take(fid, Err(MetricError::Overflow { score: "FID" }));
        let judge = |name: &str, side, limit| Bound { score: name.parse().unwrap(), side, limit }.judge(&scores);
        let met = |side, limit| judge("vendi", side, limit).unwrap().met;
        assert_eq!([1.9, 2.0, 2.1].map(|limit| met(Side::AtMost, limit)), [false, true, true]);
        assert_eq!([1.9, 2.0, 2.1].map(|limit| met(Side::AtLeast, limit)), [true, true, false]);
        assert!(judge("fid", Side::AtMost, f64::MAX).is_some_and(|verdict| !verdict.met && verdict.value.is_none()));
        assert_eq!(judge("kid", Side::AtMost, 1.0), None);
    }
}
