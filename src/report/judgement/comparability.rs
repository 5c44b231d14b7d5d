//! Whether the numbers of two reports can be compared.

use serde_json::Value as Json;

use super::super::differing::{self, Differing, shown};
use super::super::recorded::Recorded;
use super::super::recorded_set::RecordedSet;
use crate::metrics::{Metric, Set};

/// What stands between two reports.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// What makes their numbers incomparable, each as a phrase.
    pub differences: Vec<String>,
    /// What cannot be known, each as a sentence.
    pub unknown: Vec<String>,
}

/// Compares a run with a baseline, as far as the scores of the baseline depend on it.
pub(super) fn compare(run: &Recorded, baseline: &Recorded) -> Comparison {
    let mut found = Comparison::default();
    let metrics = {
        let mut metrics: Vec<Metric> = baseline.numbers().map(|(number, _)| number.metric()).collect();
        metrics.dedup();
        metrics
    };
    for role in Set::BOTH {
        if metrics.iter().all(|metric| metric.about().needs(role).is_empty()) {
            continue;
        }
        let [Some(ours), Some(theirs)] = [run, baseline].map(|report| RecordedSet::of(report, role)) else { continue };
        let images = [ours, theirs].map(RecordedSet::images);
        if let [Some(ours), Some(theirs)] = images
            && ours != theirs
        {
            found.differs(format!("images of the {role} set"), ours, theirs);
        }
        let (ours, theirs) = (origin(run, ours), origin(baseline, theirs));
        for (which, origin) in [("run", &ours), ("baseline", &theirs)] {
            if origin.is_empty() {
                found.unknown.push(format!("the {which} does not say where the features of the {role} set come from"));
            }
        }
        for (what, ours) in &ours {
            if let Some((_, theirs)) = theirs.iter().find(|(other, theirs)| other == what && theirs != ours) {
                found.differs(what, ours, theirs);
            }
        }
    }
    for metric in metrics {
        for Differing { place, first, second } in differing::of_definitions([run, baseline], metric) {
            found.differs(place, first, second);
        }
    }
    found
}

impl Comparison {
    fn differs(&mut self, what: impl std::fmt::Display, ours: impl std::fmt::Display, theirs: impl std::fmt::Display) {
        let difference = format!("{what}: {ours} in the run, {theirs} in the baseline");
        // Both sets of a run come from one network.
        if !self.differences.contains(&difference) {
            self.differences.push(difference);
        }
    }
}

/// How features of many positions became one row.
const POOLING: &str = "pooling";

/// How the features of a set came about: what a file says, or else the network of the run. Nothing where neither is known.
fn origin(report: &Recorded, set: RecordedSet<'_>) -> Vec<(&'static str, String)> {
    let fields: Vec<(&'static str, Option<&Json>)> = if set.is_file() {
        let field = |name| set.provenance(name);
        vec![
            ("extractor", field("extractor")),
            ("SHA-256 of the network", field("model_sha256")),
            ("layer", field("layer")),
            (POOLING, field("pooling")),
            ("resize mode", field("resize")),
        ]
    } else {
        let extractor = |name| report.extractor().and_then(|extractor| extractor.get(name));
        let preparation = |name| report.preparation().and_then(|preparation| preparation.get(name));
        vec![
            ("extractor", extractor("name")),
            ("SHA-256 of the network", extractor("model_sha256")),
            ("layer", extractor("features_output")),
            (POOLING, extractor("pooling")),
            ("layer of the class scores", extractor("logits_output")),
            ("resize mode", preparation("resize")),
            ("width of the input", preparation("width")),
            ("height of the input", preparation("height")),
            ("mean of the input", preparation("mean")),
            ("standard deviation of the input", preparation("std")),
            ("precision of the network", preparation("dtype")),
        ]
    };
    let known = fields.into_iter().filter_map(|(what, value)| Some((what, value.filter(|value| !value.is_null())?)));
    let mut origin: Vec<(&'static str, String)> = known.map(|(what, value)| (what, shown(value))).collect();
    // Nothing said of pooling is none, where anything is known.
    if !origin.is_empty() && origin.iter().all(|(what, _)| *what != POOLING) {
        origin.push((POOLING, "none".into()));
    }
    origin
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report() -> Json {
        json!({
            "schema": 1,
            "metrics": {
                "fid": { "value": 1.0, "dim": 2048 },
                "kid": { "mean": 0.1, "definition": { "subset_size": 100, "kernel": { "name": "polynomial", "gamma": null } } },
            },
            "extractor": { "name": "inception-v3", "model_sha256": "aa", "features_output": "pool3", "logits_output": null },
            "preparation": { "resize": "tf1", "width": 299, "height": 299, "mean": [128.0, 128.0, 128.0], "batch_size": 16 },
            "sets": [
                { "kind": "folder", "images": 50, "provenance": null },
                { "kind": "features", "images": 60, "provenance":
                    { "extractor": "inception-v3", "model_sha256": "aa", "layer": "pool3", "resize": "tf1" } },
            ],
        })
    }

    fn compared(change: impl Fn(&mut Json)) -> Comparison {
        let mut run = report();
        change(&mut run);
        let read = |json| Recorded::from_json(json).unwrap();
        compare(&read(run), &read(report()))
    }

    #[test]
    fn what_changes_a_number_is_named_and_the_rest_is_not() {
        assert_eq!(compared(|_| {}), Comparison::default());
        // Neither the size of a batch nor a field of a later version changes a number.
        let same = compared(|run| {
            run["preparation"]["batch_size"] = 8.into();
            run["metrics"]["kid"]["definition"]["later"] = 1.into();
            run["metrics"]["kid"]["definition"]["subset_size"] = 100.0.into();
        });
        assert_eq!(same, Comparison::default());
        let differences = |change: &dyn Fn(&mut Json)| compared(change).differences;
        for (change, expected) in [
            (
                &(|run: &mut Json| run["sets"][0]["images"] = 51.into()) as &dyn Fn(&mut Json),
                "images of the real set: 51 in the run, 50 in the baseline",
            ),
            (
                &|run| run["extractor"]["model_sha256"] = "bb".into(),
                "SHA-256 of the network: bb in the run, aa in the baseline",
            ),
            (
                &|run| run["preparation"]["height"] = 64.into(),
                "height of the input: 64 in the run, 299 in the baseline",
            ),
            (
                &|run| run["sets"][1]["provenance"]["resize"] = "clean".into(),
                "resize mode: clean in the run, tf1 in the baseline",
            ),
            (&|run| run["metrics"]["fid"]["dim"] = 64.into(), "FID, dim: 64 in the run, 2048 in the baseline"),
            (
                &|run| run["metrics"]["kid"]["definition"]["kernel"]["name"] = "gaussian".into(),
                "KID, kernel.name: gaussian in the run, polynomial in the baseline",
            ),
            (
                &|run| run["metrics"]["kid"]["definition"]["kernel"]["gamma"] = 2.into(),
                "KID, kernel.gamma: 2 in the run, null in the baseline",
            ),
        ] {
            assert_eq!(differences(change), [expected]);
        }
        let both = differences(&|run| {
            run["preparation"]["resize"] = "clean".into();
            run["sets"][1]["provenance"]["resize"] = "clean".into();
        });
        assert_eq!(both, ["resize mode: clean in the run, tf1 in the baseline"], "said once of both sets");
    }

    #[test]
    fn what_is_not_known_is_no_difference_and_is_said() {
        let found = compared(|run| {
            run["sets"][1]["provenance"] = Json::Null;
            run["sets"][0]["images"] = Json::Null;
        });
        assert!(found.differences.is_empty());
        assert_eq!(found.unknown, ["the run does not say where the features of the fake set come from"]);
    }

    #[test]
    fn a_set_that_no_score_of_the_baseline_looks_at_may_be_any() {
        let of_one = |images: u64| {
            let mut report = report();
            report["metrics"] = json!({ "inception_score": { "mean": 5.0, "splits": 10 } });
            report["sets"][0]["images"] = images.into();
            Recorded::from_json(report).unwrap()
        };
        assert_eq!(compare(&of_one(3), &of_one(4)), Comparison::default());
    }
}
