//! A check as a line of a log: what one wants to plot over the runs of a year.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value as Json, json};

use super::SCHEMA;
use super::check::CheckReport;

/// One line of JSON, without its end: when the check was done, the judged numbers of the run with their verdicts, and what made them.
/// Documented in `docs/json.md`.
pub fn log_line(check: &CheckReport, time: SystemTime) -> String {
    let of = |part: &str, field: &str| -> Json {
        check.report.get(part).and_then(|part| part.get(field)).cloned().unwrap_or_default()
    };
    let by_name = |value: &dyn Fn(&super::Change) -> Json| -> Map<String, Json> {
        check.changes.iter().map(|change| (change.score.to_string(), value(change))).collect()
    };
    let sets = check.report.get("sets").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let images: Vec<Json> = sets.iter().map(|set| set.get("images").cloned().unwrap_or_default()).collect();
    json!({
        "schema": SCHEMA,
        "time": DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Secs, true),
        "version": check.report.get("version"),
        "passed": check.passed,
        "baseline": check.baseline,
        "run": check.run,
        "scores": by_name(&|change| json!(change.value)),
        "baseline_scores": by_name(&|change| json!(change.baseline)),
        "verdicts": by_name(&|change| json!(change.verdict)),
        "preset": check.report.get("preset"),
        "extractor": of("extractor", "name"),
        "model_sha256": of("extractor", "model_sha256"),
        "resize": of("preparation", "resize"),
        "images": images,
        "seconds": check.seconds(),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::check::tests::example;

    #[test]
    fn a_line_has_the_time_the_numbers_and_what_made_them() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        assert_eq!(
            log_line(&example(), time),
            r#"{"schema":1,"time":"2001-09-09T01:46:40Z","version":"0.1.0","passed":false,"baseline":"base, 1.json","run":"run.json","scores":{"fid":10.5,"kid":null,"mmd":1.0,"vendi":4.0},"baseline_scores":{"fid":10.0,"kid":0.5,"mmd":1.0,"vendi":3.0},"verdicts":{"fid":"worse","kid":"missing","mmd":"within","vendi":"better"},"preset":"adm","extractor":"inception-v3","model_sha256":"abc","resize":"tf1","images":[7,8],"seconds":8.0}"#
        );
    }
}
