//! A report that a run wrote as JSON, read back.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::{Report, SCHEMA};
use crate::error::{Blame, Blamed};
use crate::metrics::{Interval, Metric, ScoreNumber};
use crate::regular;
use crate::score::{FailedPart, Scores};
use crate::stats::{FeatureFile, StatsFile};

/// Largest file that is read as a report, in bytes. The realism score of a million images, the largest part that a report can
/// have, takes some 20 MB.
const LARGEST: u64 = 1 << 28;

/// Why a report cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordedError {
    /// The file cannot be opened or read, though nothing is known to be wrong with it.
    #[error("{}: {source}", path.display())]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else that this crate writes.
    #[error("{} is {what}, not a JSON report: compute scores from it, and give their report", path.display())]
    OtherFile {
        /// Path of the file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The file is not a report, or a damaged one.
    #[error("{} is not a JSON report: {reason}", path.display())]
    Malformed {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A later version wrote the report, in which fields may mean something else.
    #[error(
        "{} has schema {found}, and this version reads up to {SCHEMA}: update gan-metrics, or make the report anew",
        path.display()
    )]
    Schema {
        /// Path of the file.
        path: PathBuf,
        /// The schema that it says it has.
        found: u64,
    },
}

impl Blamed for RecordedError {
    fn blame(&self) -> Blame {
        match self {
            RecordedError::Io { source, .. } => regular::blame(source),
            _ => Blame::Input,
        }
    }
}

/// The confidence interval of a number, as reports hold it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct RecordedInterval {
    /// The interval.
    #[serde(flatten)]
    pub interval: Interval,
    /// What it is the interval of, where that is not the number itself.
    pub of: Option<String>,
}

/// A score that could not be computed, as reports hold it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RecordedFailure {
    /// Name of the score.
    pub score: String,
    /// What of it: the score itself, or its interval alone.
    pub part: FailedPart,
    /// Why.
    pub reason: String,
}

/// A report that was written as JSON, by this version or an earlier one. What it has beyond the fields that are known is ignored.
///
/// ```
/// use gan_metrics::report::Recorded;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("report.json");
/// std::fs::write(&path, r#"{ "schema": 1, "metrics": { "fid": { "value": 12.5, "dim": 2048 } } }"#)?;
/// let report = Recorded::read(&path)?;
/// assert_eq!(report.number("fid".parse()?), Some(12.5));
/// assert_eq!(report.number("kid".parse()?), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    path: Option<PathBuf>,
    json: Map<String, Json>,
    numbers: BTreeMap<ScoreNumber, f64>,
    intervals: BTreeMap<ScoreNumber, RecordedInterval>,
    failed: Vec<RecordedFailure>,
}

impl Recorded {
    /// Reads a report.
    ///
    /// # Errors
    /// [`RecordedError`] when the file cannot be read, is not a regular file, is not a report, or is one of a later schema.
    pub fn read(path: &Path) -> Result<Self, RecordedError> {
        let malformed = |reason: String| RecordedError::Malformed { path: path.into(), reason };
        let bytes = read_bounded(path).map_err(|source| RecordedError::Io { path: path.into(), source })?;
        if bytes.len() as u64 > LARGEST {
            return Err(malformed(format!("it has more than {LARGEST} bytes, and no report is that large")));
        }
        let what = if StatsFile::sniff(path) {
            Some("a statistics file")
        } else if FeatureFile::sniff(path) {
            Some("a feature file")
        } else {
            None
        };
        if let Some(what) = what {
            return Err(RecordedError::OtherFile { path: path.into(), what });
        }
        let text = std::str::from_utf8(&bytes)
            .map_err(|error| malformed(format!("byte {} is not UTF-8", error.valid_up_to())))?;
        let json = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
        let report = Self::parse(json).map_err(|fault| match fault {
            Fault::Malformed(reason) => malformed(reason),
            Fault::Schema(found) => RecordedError::Schema { path: path.into(), found },
        })?;
        Ok(report.read_from(path))
    }

    /// What is in memory as it would be read back. By way of the text, in which a number of 32 bits has other digits than the same
    /// number in 64.
    pub(super) fn reread(report: &impl Serialize) -> Self {
        let text = serde_json::to_string(report).expect("a report holds only plain values");
        let json = serde_json::from_str(&text).expect("what is written can be read");
        Self::from_json(json).expect("what is written can be read")
    }

    /// As [`Self::read`], of JSON.
    pub(super) fn from_json(json: Json) -> Result<Self, String> {
        Self::parse(json).map_err(|fault| match fault {
            Fault::Malformed(reason) => reason,
            Fault::Schema(found) => format!("it has schema {found}"),
        })
    }

    /// Scores that no command reports, of a fake set of so many images. Nothing is known of a network.
    pub fn of_scores(scores: &Scores, images: usize) -> Self {
        let failed: Vec<Json> = scores
            .failed()
            .iter()
            .map(|failure| {
                let (score, reason) = (failure.metric.about().name, failure.error.to_string());
                json!({ "score": score, "part": failure.part, "reason": reason })
            })
            .collect();
        let json = json!({
            "schema": SCHEMA, "version": env!("CARGO_PKG_VERSION"), "command": "test", "metrics": scores, "failed": failed,
            "sets": [{ "images": images }],
        });
        Self::reread(&json)
    }

    /// JSON, indented, with a final newline: what [`Self::read`] reads.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", Json::Object(self.json.clone()))
    }

    fn parse(json: Json) -> Result<Self, Fault> {
        let Json::Object(json) = json else {
            return Err(Fault::Malformed(format!("it holds {}, not an object", kind(&json))));
        };
        match json.get("schema").map(|schema| (schema.as_u64(), schema)) {
            None => return Err(Fault::missing("schema")),
            Some((Some(known), _)) if known <= u64::from(SCHEMA) => {}
            Some((Some(found), _)) => return Err(Fault::Schema(found)),
            Some((None, other)) => return Err(Fault::field("schema", other, "a whole number")),
        }
        let metrics = match json.get("metrics") {
            None => return Err(other_result(&json).map_or_else(|| Fault::missing("metrics"), Fault::Malformed)),
            Some(Json::Object(metrics)) => metrics,
            Some(other) => return Err(Fault::field("metrics", other, "an object")),
        };
        let mut numbers = BTreeMap::new();
        for number in ScoreNumber::all() {
            let (key, field) = (number.metric().about().key, number.quantity().field);
            if let Some(score) = metrics.get(key) {
                let value = score.get(field).unwrap_or(&Json::Null);
                let wrong = || Fault::field(&format!("metrics.{key}.{field}"), value, "a number");
                numbers.insert(number, value.as_f64().ok_or_else(wrong)?);
            }
        }
        let mut intervals = BTreeMap::new();
        if let Some(scores) = metrics.get("intervals").and_then(|intervals| intervals.get("scores")) {
            for number in ScoreNumber::all() {
                // JSON has no NaN: what the jackknife could not compute is null, and then there is no interval.
                if let Some(interval) = scores.get(number.key()).filter(|interval| is_computed(interval)) {
                    let field = format!("metrics.intervals.scores.{}", number.key());
                    intervals.insert(number, part(&field, interval)?);
                }
            }
        }
        let failed = match json.get("failed") {
            None => Vec::new(),
            Some(failed) => part("failed", failed)?,
        };
        if let Some(sets) = json.get("sets").filter(|sets| !sets.is_array()) {
            return Err(Fault::field("sets", sets, "an array"));
        }
        Ok(Self { path: None, numbers, intervals, failed, json })
    }

    /// What people call it: the path that it was read from.
    pub fn title(&self) -> Cow<'_, str> {
        self.path.as_ref().map_or("a report in memory".into(), |path| path.to_string_lossy())
    }

    /// The same report, as read from there.
    pub(super) fn read_from(self, path: &Path) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// A number of a score; `None` where the report does not have it.
    pub fn number(&self, number: ScoreNumber) -> Option<f64> {
        self.numbers.get(&number).copied()
    }

    /// All numbers, in the order of reports.
    pub fn numbers(&self) -> impl ExactSizeIterator<Item = (ScoreNumber, f64)> {
        self.numbers.iter().map(|(&number, &value)| (number, value))
    }

    /// The fields of `metrics` that are of scores which this version does not know.
    pub fn unknown_scores(&self) -> Vec<&str> {
        let is_known = |key: &str| key == "intervals" || Metric::all().any(|metric| metric.about().key == key);
        let metrics = self.json["metrics"].as_object().into_iter().flat_map(Map::keys);
        metrics.map(String::as_str).filter(|key| !is_known(key)).collect()
    }

    /// The confidence interval of a number; `None` where none was computed.
    pub fn interval(&self, number: ScoreNumber) -> Option<&RecordedInterval> {
        self.intervals.get(&number)
    }

    /// The scores that could not be computed.
    pub fn failed(&self) -> &[RecordedFailure] {
        &self.failed
    }

    /// Name of the tool whose definitions the scores follow where nothing else was asked for.
    pub fn preset(&self) -> Option<&str> {
        self.json.get("preset")?.as_str()
    }

    /// What turned images into features; `None` where no network ran.
    pub fn extractor(&self) -> Option<&Json> {
        self.json.get("extractor").filter(|extractor| !extractor.is_null())
    }

    /// How images were prepared for the network; `None` where none ran.
    pub fn preparation(&self) -> Option<&Json> {
        self.json.get("preparation").filter(|preparation| !preparation.is_null())
    }

    /// The sets, in the order of the arguments of the run.
    pub fn sets(&self) -> &[Json] {
        self.json.get("sets").and_then(Json::as_array).map_or(&[], Vec::as_slice)
    }

    /// All that the report has of a score, its definition included; `None` where it does not have the score.
    pub fn score(&self, metric: Metric) -> Option<&Json> {
        self.json["metrics"].get(metric.about().key)
    }

    /// How the intervals were computed; `None` where there are none.
    pub fn interval_definition(&self) -> Option<&Json> {
        self.json["metrics"].get("intervals")?.get("definition")
    }

    /// The whole report.
    pub fn json(&self) -> &Map<String, Json> {
        &self.json
    }
}

impl From<&Report> for Recorded {
    /// The report as it would be read back.
    fn from(report: &Report) -> Self {
        Self::reread(report)
    }
}

/// What is said of the result of another command, which holds reports or was made of some.
fn other_result(json: &Map<String, Json>) -> Option<String> {
    let command = json.get("command")?.as_str()?;
    if json.contains_key("report") {
        Some(format!("it is what `{command}` found: its field `report` is the report of the run"))
    } else if json.get("reports")?.get(0)?.get("metrics").is_some() {
        Some(format!("it is what `{command}` found of several sets: its field `reports` has the report of each"))
    } else {
        Some(format!("it is what `{command}` found of two reports: give one of those"))
    }
}

/// Whether all numbers of an interval are there.
fn is_computed(interval: &Json) -> bool {
    ["value", "standard_error", "bias", "lower", "upper"].iter().all(|field| interval.get(field) != Some(&Json::Null))
}

/// What is wrong with a report, wherever it comes from.
#[derive(Debug)]
enum Fault {
    Malformed(String),
    Schema(u64),
}

impl Fault {
    fn missing(field: &str) -> Self {
        Fault::Malformed(format!("it has no `{field}`"))
    }

    fn field(field: &str, found: &Json, wanted: &str) -> Self {
        Fault::Malformed(format!("its `{field}` is {}, not {wanted}", kind(found)))
    }
}

/// A part of a report, by its type.
fn part<'a, T: Deserialize<'a>>(field: &str, json: &'a Json) -> Result<T, Fault> {
    T::deserialize(json).map_err(|error| Fault::Malformed(format!("its `{field}` cannot be read: {error}")))
}

/// What a JSON value is, for people.
fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

/// The bytes of a regular file, up to one more than a report can have.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    regular::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Features;
    use ndarray::array;
    use serde_json::json;

    fn example() -> Json {
        json!({
            "schema": 1, "version": "0.1.0", "command": "score", "preset": "clean-fid", "of the future": [],
            "metrics": {
                "fid": { "value": 12.5, "dim": 2048 },
                "prdc": { "precision": 0.5, "recall": 0.25, "f_score": 0.3, "density": 1.5, "coverage": 1,
                    "definition": { "precision_recall": { "neighbours": 3 } } },
                "of the future": 7,
                "intervals": {
                    "definition": { "groups": 20, "level": 0.95, "seed": 2020 },
                    "scores": { "recall": { "value": 0.25, "standard_error": 0.01, "bias": -0.001,
                        "lower": 0.23, "upper": 0.27, "level": 0.95, "of": null,
                        "without": { "real": [], "fake": [0.24, 0.26] } } },
                },
            },
            "failed": [{ "score": "kid", "part": "score", "reason": "too few" }],
            "extractor": { "model_sha256": "abc" }, "preparation": null,
            "sets": [{ "images": 10 }, { "images": 20 }],
        })
    }

    fn read(content: impl AsRef<[u8]>) -> Result<Recorded, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        std::fs::write(&path, content).unwrap();
        Recorded::read(&path).map_err(|error| {
            assert_eq!(error.blame(), Blame::Input);
            error.to_string().replace(&path.display().to_string(), "x.json")
        })
    }

    fn number(name: &str) -> ScoreNumber {
        name.parse().unwrap()
    }

    /// Without the feature `float_roundtrip`, serde_json reads such numbers one unit in the last place off, and a score
    /// would differ from itself.
    #[test]
    fn a_score_is_read_back_to_the_last_bit() {
        for value in [31.245_270_191_439_438, 3.956_523_004_040_165e-7] {
            let mut report = example();
            report["metrics"]["fid"]["value"] = json!(value);
            let read = Recorded::reread(&report);
            assert_eq!(read.number(number("fid")).map(f64::to_bits), Some(f64::to_bits(value)), "{value}");
        }
    }

    #[test]
    fn what_is_known_is_read_and_the_rest_is_ignored() {
        let report = read(example().to_string()).unwrap();
        assert_eq!(report.numbers().len(), 6);
        assert_eq!((report.number(number("fid")), report.number(number("coverage"))), (Some(12.5), Some(1.0)));
        assert_eq!(report.number(number("is")), None);
        assert_eq!(report.unknown_scores(), ["of the future"]);
        let interval = report.interval(number("recall")).unwrap();
        let RecordedInterval { interval, of } = interval;
        assert_eq!((interval.standard_error, interval.level, of), (0.01, 0.95, &None));
        assert_eq!((interval.without.real.len(), &*interval.without.fake), (0, &[0.24, 0.26][..]));
        assert!(report.interval(number("fid")).is_none());
        assert_eq!(report.interval_definition().unwrap()["groups"], 20);
        let [failure] = report.failed() else { panic!("one failed") };
        assert_eq!((&*failure.score, failure.part, &*failure.reason), ("kid", FailedPart::Score, "too few"));
        assert_eq!((report.preset(), report.preparation(), report.sets().len()), (Some("clean-fid"), None, 2));
        assert_eq!(report.extractor().unwrap()["model_sha256"], "abc");
        let prdc = report.score("prdc".parse().unwrap()).unwrap();
        assert_eq!(prdc["definition"]["precision_recall"]["neighbours"], 3);
        assert!(read(r#"{ "schema": 1, "metrics": {} }"#).unwrap().sets().is_empty());
        assert_eq!(read(report.to_json()).unwrap().json(), report.json());
        let mut without = example();
        without["metrics"]["intervals"]["scores"]["recall"]["standard_error"] = Json::Null;
        assert!(read(without.to_string()).unwrap().interval(number("recall")).is_none());
    }

    #[test]
    fn what_is_not_a_report_is_refused_by_what_is_wrong() {
        for (content, complaint) in [
            ("", "x.json is not a JSON report: EOF while parsing a value at line 1 column 0"),
            ("[1]", "x.json is not a JSON report: it holds an array, not an object"),
            (r#"{ "schema": 1, "metrics": {"#, "EOF while parsing an object at line 1 column 27"),
            (r#"{ "metrics": {} }"#, "it has no `schema`"),
            (r#"{ "schema": 1 }"#, "it has no `metrics`"),
            (r#"{ "schema": "1", "metrics": {} }"#, "its `schema` is a text, not a whole number"),
            (r#"{ "schema": 1, "metrics": [] }"#, "its `metrics` is an array, not an object"),
            (r#"{ "schema": 1, "metrics": {}, "sets": 3 }"#, "its `sets` is a number, not an array"),
            (r#"{ "schema": 1, "metrics": {}, "failed": [3] }"#, "its `failed` cannot be read: invalid type"),
            (r#"{ "schema": 1, "metrics": { "fid": { "value": NaN } } }"#, "expected value at line 1"),
            (r#"{ "schema": 1, "metrics": { "fid": { "value": 1e999 } } }"#, "number out of range"),
            (r#"{ "schema": 1, "metrics": { "fid": {} } }"#, "its `metrics.fid.value` is null, not a number"),
            (r#"{ "schema": 1, "metrics": { "fid": 3 } }"#, "its `metrics.fid.value` is null, not a number"),
            (
                r#"{ "schema": 2, "metrics": {} }"#,
                "x.json has schema 2, and this version reads up to 1: update gan-metrics, or make the report anew",
            ),
        ] {
            let error = read(content).unwrap_err();
            assert!(error.contains(complaint), "{content}: {error}");
        }
        let deep = "[".repeat(100_000);
        assert!(read(format!(r#"{{ "schema": 1, "metrics": {deep}"#)).unwrap_err().contains("recursion limit"));
        assert_eq!(read(b"{ \"\xff\" }").unwrap_err(), "x.json is not a JSON report: byte 3 is not UTF-8");
    }

    #[test]
    fn other_files_of_this_crate_are_called_by_their_name_and_what_is_not_a_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let features = Features::new(array![[0.0], [1.0]]).unwrap();
        let gaussian = crate::stats::Gaussian::of(&features).unwrap();
        let path = folder.path().join("f.npz");
        let file = FeatureFile { features, logits: None, spatial: None, names: None, labels: None, provenance: None };
        file.write(&path).unwrap();
        let error = Recorded::read(&path).unwrap_err().to_string();
        assert!(error.contains("f.npz is a feature file, not a JSON report"), "{error}");
        StatsFile { gaussian, provenance: None, spatial: None }.write(&path).unwrap();
        let error = Recorded::read(&path).unwrap_err().to_string();
        assert!(error.contains("f.npz is a statistics file, not a JSON report"), "{error}");
        let error = Recorded::read(folder.path()).unwrap_err();
        assert!(error.to_string().ends_with("this is a folder, not a file: name a file in it"), "{error}");
        assert!(matches!(Recorded::read(&folder.path().join("y")), Err(RecordedError::Io { .. })));
    }
}
