//! What a request gives; serialised, it is the part `metrics` of the JSON report.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::metrics::{Interval, JackknifeOptions, Metric, MetricError, ScoreInterval, ScoreNumber, Value};

/// What of a score failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailedPart {
    /// The score itself.
    Score,
    /// Its confidence interval alone.
    Interval,
}

/// A score that could not be computed, and why.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The score.
    pub metric: Metric,
    /// What of it.
    pub part: FailedPart,
    /// Why.
    pub error: MetricError,
}

/// Confidence intervals by the delete-a-group jackknife.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervals {
    /// How they were computed.
    pub definition: JackknifeOptions,
    /// One for each number that can have one.
    pub scores: BTreeMap<ScoreNumber, ScoreInterval>,
}

impl Serialize for Intervals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Reported<'a> {
            definition: &'a JackknifeOptions,
            scores: BTreeMap<&'static str, &'a ScoreInterval>,
        }
        let scores = self.scores.iter().map(|(number, interval)| (number.key(), interval)).collect();
        Reported { definition: &self.definition, scores }.serialize(serializer)
    }
}

/// The scores that were computed, and those that failed.
#[derive(Debug, Clone, Default)]
pub struct Scores {
    values: BTreeMap<Metric, Value>,
    failed: Vec<Failure>,
    intervals: Option<Intervals>,
}

impl Scores {
    /// Each score with what it found, in the order of the registry.
    pub fn iter(&self) -> impl Iterator<Item = (Metric, &Value)> {
        self.values.iter().map(|(&metric, value)| (metric, value))
    }

    /// What a score found; `None` when it was not computed.
    pub fn get(&self, metric: Metric) -> Option<&Value> {
        self.values.get(&metric)
    }

    /// A number by its name, such as `recall`; `None` when its score was not computed or there is no such number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.value(name.parse().ok()?)
    }

    /// A number; `None` when its score was not computed.
    pub fn value(&self, number: ScoreNumber) -> Option<f64> {
        Some(self.get(number.metric())?.numbers[number.index()].value)
    }

    /// The interval of a number, if one was computed.
    pub fn interval(&self, number: ScoreNumber) -> Option<&ScoreInterval> {
        self.intervals.as_ref()?.scores.get(&number)
    }

    /// All intervals, if any were computed.
    pub fn intervals(&self) -> Option<&Intervals> {
        self.intervals.as_ref()
    }

    /// The scores that could not be computed.
    pub fn failed(&self) -> &[Failure] {
        &self.failed
    }

    /// Keeps what a score found; whether it found anything. A number that is not one is a failure: it must never look like
    /// a good score.
    pub(super) fn take(&mut self, metric: Metric, found: Result<Value, MetricError>) -> bool {
        let found = found.and_then(|value| match value.numbers.iter().all(|number| number.value.is_finite()) {
            true => Ok(value),
            false => Err(MetricError::Overflow { score: metric.about().title }),
        });
        match found {
            Ok(value) => {
                self.values.insert(metric, value);
                true
            }
            Err(error) => {
                self.failed.push(Failure { metric, part: FailedPart::Score, error });
                false
            }
        }
    }

    /// Keeps the intervals of a score. An end outside of what the number can be moves to the nearest possible value, which
    /// changes nothing of what the interval covers.
    pub(super) fn take_intervals(
        &mut self,
        metric: Metric,
        definition: JackknifeOptions,
        found: Result<Vec<ScoreInterval>, MetricError>,
    ) {
        let found = match found {
            Ok(found) => found,
            Err(error) => return self.failed.push(Failure { metric, part: FailedPart::Interval, error }),
        };
        let intervals = self.intervals.get_or_insert_with(|| Intervals { definition, scores: BTreeMap::new() });
        for (number, ScoreInterval { interval, of }) in ScoreNumber::of(metric).zip(found) {
            let range = self.values.get(&metric).map(|value| value.numbers[number.index()].range);
            let [least, most] = range.unwrap_or(number.quantity().range);
            let (lower, upper) = (interval.lower.clamp(least, most), interval.upper.clamp(least, most));
            let interval = Interval { lower, upper, ..interval };
            intervals.scores.insert(number, ScoreInterval { interval, of });
        }
    }
}

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (metric, value) in self.iter() {
            map.serialize_entry(metric.about().key, &value.json)?;
        }
        if let Some(intervals) = &self.intervals {
            map.serialize_entry("intervals", intervals)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Replicates;
    use serde_json::json;

    fn metric(name: &str) -> Metric {
        name.parse().unwrap()
    }

    fn value(metric: Metric, json: serde_json::Value) -> Value {
        Value::new(metric.about(), &json)
    }

    #[test]
    fn a_number_that_is_none_is_a_failure() {
        let mut scores = Scores::default();
        // JSON has no NaN: it becomes null.
        assert!(!scores.take(metric("fid"), Ok(value(metric("fid"), json!({ "value": f64::NAN })))));
        assert!(scores.get(metric("fid")).is_none() && scores.number("fid").is_none());
        assert!(matches!(scores.failed()[0].error, MetricError::Overflow { score: "FID" }));
    }

    #[test]
    fn the_ends_of_an_interval_are_possible_values() {
        let mut scores = Scores::default();
        let prdc = metric("prdc");
        let numbers = json!({ "precision": 0.02, "recall": 0.99, "f_score": 0.04, "density": 1.4, "coverage": 0.5 });
        assert!(scores.take(prdc, Ok(value(prdc, numbers))));
        let options = JackknifeOptions::default();
        let around = |value: f64| {
            let (lower, upper) = (value - 0.1, value + 0.1);
            let without = Replicates { real: vec![value; 20], fake: vec![value; 20] };
            let interval = Interval { value, standard_error: 0.05, bias: 0.0, lower, upper, level: 0.95, without };
            ScoreInterval { interval, of: None }
        };
        scores.take_intervals(prdc, options, Ok([0.02, 0.99, 0.04, 1.4, 0.5].map(around).to_vec()));
        let ends = |name: &str| {
            let interval = &scores.interval(name.parse().unwrap()).unwrap().interval;
            (interval.lower, interval.upper)
        };
        assert_eq!(ends("precision"), (0.0, 0.02 + 0.1));
        assert_eq!(ends("recall"), (0.99 - 0.1, 1.0));
        assert_eq!(ends("density"), (1.4 - 0.1, 1.4 + 0.1), "a density may be above one");
        let report = serde_json::to_value(&scores).unwrap();
        assert_eq!(report["intervals"]["scores"]["precision"]["lower"], 0.0);
        assert_eq!(report["prdc"]["recall"], 0.99);
    }
}
