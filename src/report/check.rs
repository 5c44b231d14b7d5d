//! What a check of a run against a baseline found, with the run itself.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::judgement::{Change, Judgement};
use super::recorded::Recorded;
use super::text::escaped;
use super::{SCHEMA, WarningReport, pretty};

/// The result of a check; serialised, it is the JSON that is documented in `docs/json.md`.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of this crate.
    pub version: &'static str,
    /// `check`.
    pub command: &'static str,
    /// Whether no number is worse than its tolerance allows, or missing.
    pub passed: bool,
    /// A line on the whole, for people.
    pub summary: String,
    /// Path of the baseline, as given.
    pub baseline: String,
    /// Path of the report that was judged; `null` where the scores were computed by the check.
    pub run: Option<String>,
    /// The numbers of the baseline, and what became of them.
    pub changes: Vec<Change>,
    /// What to be careful about.
    pub warnings: Vec<WarningReport>,
    /// The report that was judged.
    pub report: Map<String, Json>,
    #[serde(skip)]
    text: String,
}

impl CheckReport {
    /// A judgement, the report of the run that was judged and its path, and the path of the baseline.
    pub fn new(judgement: Judgement, run: &Recorded, path: Option<&Path>, baseline: &Path) -> Self {
        let warnings = judgement.unknown.iter().map(|sentence| WarningReport {
            code: "unknown-provenance",
            message: sentence.clone(),
            remedy: "make sure that the run and the baseline have the same network and resize mode".into(),
        });
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            command: "check",
            passed: judgement.passed(),
            summary: judgement.summary(),
            baseline: baseline.display().to_string(),
            run: path.map(|path| path.display().to_string()),
            warnings: warnings.collect(),
            report: run.json().clone(),
            text: judgement.to_text(),
            changes: judgement.changes,
        }
    }

    /// JSON, indented, with a final newline.
    pub fn to_json(&self) -> String {
        pretty(self)
    }

    /// Text for people.
    pub fn to_text(&self) -> String {
        let mut text = self.text.clone();
        for warning in &self.warnings {
            text += &format!("warning: {}: {}; {}\n", warning.code, escaped(&warning.message), warning.remedy);
        }
        text
    }

    /// Seconds that the run took, where its report tells.
    pub(super) fn seconds(&self) -> Option<f64> {
        self.report.get("total_seconds")?.as_f64().filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    /// A run with a number that is worse, one that is better and one that is missing, whose reason needs escaping everywhere.
    pub fn example() -> CheckReport {
        let baseline = json!({
            "schema": 1, "sets": [{ "images": 7 }, { "images": 8 }],
            "metrics": { "fid": { "value": 10.0 }, "kid": { "mean": 0.5 }, "vendi": { "value": 3.0 }, "mmd": { "value": 1.0 } },
        });
        let run = json!({
            "schema": 1, "version": "0.1.0", "preset": "adm", "total_seconds": 8.0,
            "metrics": { "fid": { "value": 10.5 }, "vendi": { "value": 4.0 }, "mmd": { "value": 1.0 } },
            "failed": [{ "score": "kid", "part": "score", "reason": "5 < 10 & \"50%\", a,b:\nc\u{1b}" }],
            "extractor": { "name": "inception-v3", "model_sha256": "abc" },
            "preparation": { "resize": "tf1" },
            "sets": [{ "images": 7, "path": "a" }, { "images": 8, "path": "b" }],
        });
        let [baseline, run] = [baseline, run].map(|json| Recorded::from_json(json).unwrap());
        let judgement = Judgement::of(&run, &baseline, &"2%".parse().unwrap()).unwrap();
        CheckReport::new(judgement, &run, Some(Path::new("run.json")), Path::new("base, 1.json"))
    }

    #[test]
    fn the_json_has_the_verdicts_and_the_run() {
        let json: Json = serde_json::from_str(&example().to_json()).unwrap();
        assert_eq!(
            (&json["passed"], &json["command"], &json["run"]),
            (&false.into(), &"check".into(), &"run.json".into())
        );
        let expected = json!({
            "score": "fid", "better": "lower", "value": 10.5, "baseline": 10.0, "change": 0.5, "tolerance": "2%",
            "allowed": 0.2, "verdict": "worse", "reason": null,
        });
        assert_eq!(json["changes"][0], expected);
        assert_eq!(json["changes"][1]["verdict"], "missing");
        assert_eq!(json["report"]["metrics"]["fid"]["value"], 10.5);
        assert_eq!(json["warnings"][0]["code"], "unknown-provenance");
    }

    #[test]
    fn the_text_ends_with_the_warnings() {
        let text = example().to_text();
        let (table, warnings) = text
            .split_once("FAILED: worse than the baseline: fid; missing: kid; better than the baseline: vendi\n")
            .unwrap();
        assert!(table.starts_with("score  value"), "{text}");
        assert!(
            warnings.starts_with(
                "warning: unknown-provenance: the baseline does not say where the features of the real set"
            )
        );
    }
}
