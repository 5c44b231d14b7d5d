//! Every score of the registry against `tests/fixtures/metrics/scores/NAME.json`, which `python_ref/make_metrics_fixtures.py`
//! makes. The scores that are older than that form are held to theirs in `metrics_fixtures.rs`.

use gan_metrics::Interrupt;
use gan_metrics::metrics::{Arguments, Metric, ScoreNumber};
use gan_metrics::score::{Definitions, Preset, Request, Scores, SetData, score};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::support::made_features::Made;
use crate::support::{fixture, gaussian};

/// Scores with tests and fixtures of their own.
const ELSEWHERE: [&str; 13] = [
    "fid",
    "sfid",
    "is",
    "kid",
    "prdc",
    "mind",
    "mifid",
    "mmd",
    "vendi",
    "fid-infinity",
    "is-infinity",
    "duplicates",
    "per-class",
];

#[derive(Deserialize)]
struct Fixture {
    /// Relative to the larger of one and the expected number.
    tolerance: f64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    real: Value,
    fake: Value,
    preset: String,
    parameters: Map<String, Value>,
    expected: Map<String, Value>,
    peer: Option<Peer>,
}

#[derive(Deserialize)]
struct Peer {
    name: String,
    expected: Map<String, Value>,
    tolerance: f64,
}

fn set(made: &Value) -> SetData {
    let number = |key: &str, default: f64| made.get(key).map_or(default, |value| value.as_f64().unwrap());
    let count = |key: &str| made[key].as_u64().unwrap() as usize;
    let features = Made {
        seed: count("seed") as u32,
        n: count("n"),
        d: count("d"),
        shift: number("shift", 0.0),
        offset: number("offset", 0.0),
        scale: number("scale", 1.0),
    };
    let features = features.features();
    SetData { statistics: Some(gaussian(&features)), features: Some(features), ..SetData::default() }
}

fn compute(metric: Metric, case: &Case) -> Scores {
    let preset: Preset = case.preset.parse().unwrap();
    let mut definitions = Definitions::of(preset);
    let given = case.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
    let arguments = Arguments::parse(metric.about().parameters, given).unwrap();
    metric.configure(&arguments, &mut definitions).unwrap();
    let request = Request { definitions, ..Request::of([metric.about().name]).unwrap() };
    score(&request, Some(&set(&case.real)), &set(&case.fake), &Interrupt::new()).unwrap()
}

fn close(actual: f64, expected: f64, tolerance: f64) -> bool {
    println!("off by {:.1e}", (actual - expected).abs());
    (actual - expected).abs() <= tolerance * expected.abs().max(1.0)
}

#[test]
fn every_score_equals_its_definition_and_its_peer() {
    for metric in Metric::all() {
        let name = metric.about().name;
        if ELSEWHERE.contains(&name) {
            continue;
        }
        let fixture: Fixture = fixture(&format!("metrics/scores/{name}.json"));
        assert!(!fixture.cases.is_empty(), "{name}");
        for case in &fixture.cases {
            let found = compute(metric, case);
            let what = format!("{name}, {}", case.name);
            assert!(found.failed().is_empty(), "{what}: {:?}", found.failed());
            let of_peer = case.peer.iter().map(|peer| (&peer.expected, peer.tolerance, peer.name.as_str()));
            for (expected, tolerance, whose) in
                [(&case.expected, fixture.tolerance, "definition")].into_iter().chain(of_peer)
            {
                assert!(!expected.is_empty(), "{what}: {whose}");
                for (key, expected) in expected {
                    match expected {
                        // Values of single images: the first of those in the report.
                        Value::Array(values) => {
                            let found = &found.get(metric).unwrap().json[key];
                            for (index, expected) in values.iter().enumerate() {
                                let (actual, expected) = (found[index].as_f64().unwrap(), expected.as_f64().unwrap());
                                assert!(
                                    close(actual, expected, tolerance),
                                    "{what}, {whose}, {key}[{index}]: {actual} {expected}"
                                );
                            }
                        }
                        expected => {
                            let number: ScoreNumber = key.parse().unwrap();
                            let (actual, expected) = (found.value(number).unwrap(), expected.as_f64().unwrap());
                            assert!(close(actual, expected, tolerance), "{what}, {whose}, {key}: {actual} {expected}");
                        }
                    }
                }
            }
        }
    }
}
