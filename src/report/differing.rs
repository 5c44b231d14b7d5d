//! In what two recorded reports differ, value by value.

use std::fmt;

use serde_json::{Map, Value as Json};

use super::Recorded;
use super::text::escaped;
use crate::metrics::Metric;

/// A place in which two reports differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Differing {
    /// Where, such as `KID, kernel.degree`.
    pub place: String,
    /// What the first has.
    pub first: String,
    /// What the second has.
    pub second: String,
}

impl fmt::Display for Differing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [place, first, second] = [&self.place, &self.first, &self.second].map(|text| escaped(text));
        write!(f, "{place}: {first} against {second}")
    }
}

/// In what the definitions of a score differ, where both reports have it.
pub(super) fn of_definitions([first, second]: [&Recorded; 2], metric: Metric) -> Vec<Differing> {
    let [Some(first), Some(second)] = [first, second].map(|report| report.score(metric)) else { return Vec::new() };
    let about = metric.about();
    let mut found = Vec::new();
    for field in about.defined_by {
        if let (Some(first), Some(second)) = (first.get(field), second.get(field)) {
            // Fields of the definition are known by their own names.
            let path = if *field == "definition" { String::new() } else { (*field).to_owned() };
            compare(about.title, &path, first, second, &mut found);
        }
    }
    found
}

/// Adds every place in which two values differ. What only one of them has was added by a later version, and changes the meaning of
/// nothing else; where each has something that the other lacks, they are alternatives, such as two kernels.
pub(super) fn compare(whole: &str, path: &str, first: &Json, second: &Json, found: &mut Vec<Differing>) {
    match (first, second) {
        (Json::Object(first), Json::Object(second)) if extends(first, second) || extends(second, first) => {
            for (name, first) in first {
                if let Some(second) = second.get(name) {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    compare(whole, &path, first, second, found);
                }
            }
        }
        _ if first == second || first.as_f64().is_some_and(|first| second.as_f64() == Some(first)) => {}
        _ => found.push(Differing { place: format!("{whole}, {path}"), first: shown(first), second: shown(second) }),
    }
}

fn extends(larger: &Map<String, Json>, smaller: &Map<String, Json>) -> bool {
    smaller.keys().all(|name| larger.contains_key(name))
}

/// A value for people: a text without its quotes.
pub(super) fn shown(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn alternatives_differ_and_fields_of_a_later_version_do_not() {
        let of = |first: Json, second: Json| {
            let mut found = Vec::new();
            compare("KID", "kernel", &first, &second, &mut found);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let cubic = json!({ "name": "polynomial", "degree": 3 });
        assert_eq!(
            of(cubic.clone(), json!({ "name": "polynomial", "degree": 2 })),
            ["KID, kernel.degree: 3 against 2"]
        );
        assert!(of(cubic.clone(), json!({ "name": "polynomial", "degree": 3.0, "later": 1 })).is_empty());
        let gaussian = of(cubic, json!({ "name": "gaussian", "sigma": 10 }));
        assert_eq!(
            gaussian,
            [r#"KID, kernel: {"name":"polynomial","degree":3} against {"name":"gaussian","sigma":10}"#]
        );
    }
}
