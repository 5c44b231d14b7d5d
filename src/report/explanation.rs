//! Why the numbers of two recorded reports differ, as far as the reports themselves tell.

use serde::Serialize;
use serde_json::Value as Json;

use super::comparison::SameImages;
use super::differing;
use super::recorded_set::{Property, RecordedSet};
use super::text::{entry, escaped};
use super::{Recorded, SCHEMA, pretty};
use crate::metrics::{Metric, ScoreNumber, Set, readable};

/// Something that moves scores.
struct Cause {
    /// Stable identifier for programs.
    code: &'static str,
    /// How much it usually does.
    effect: &'static str,
    /// Where reports say it.
    place: Place,
}

/// Where reports say something.
enum Place {
    /// In their sets, and how these were measured.
    Sets(&'static [Set], Property),
    /// In the definition of each score.
    Definitions,
    /// In a field of their own, of this title.
    Field(&'static str, &'static str),
    /// Among their warnings.
    Warnings,
}

const REAL: &[Set] = &[Set::Real];
const BOTH: &[Set] = &Set::BOTH;

/// What moves scores, by how much it usually does: first what makes another quantity of a number, last what shows in its last digits.
const CAUSES: &[Cause] = &[
    Cause {
        code: "extractor",
        effect: "scores of other networks or other weights are on another scale: nothing follows from their difference",
        place: Place::Sets(BOTH, Property::Extractor),
    },
    Cause {
        code: "layer",
        effect: "features of another layer have another scale and mostly another dimension: the numbers do not compare",
        place: Place::Sets(BOTH, Property::Layer),
    },
    Cause {
        code: "normalization",
        effect: "the network sees images of other contrast and brightness than it was trained on: the numbers do not compare",
        place: Place::Sets(BOTH, Property::Normalization),
    },
    Cause {
        code: "input-size",
        effect: "the network sees other details: the numbers do not compare",
        place: Place::Sets(BOTH, Property::InputSize),
    },
    Cause {
        code: "definition",
        effect: "the number is another quantity: scores compare only in one definition",
        place: Place::Definitions,
    },
    Cause {
        code: "real-images",
        effect: "a score belongs to its reference: somebody found an FID of 7.03 by pytorch-fid against a validation set where the authors \
                 report 1.26 (DDT, issue 7)",
        place: Place::Sets(REAL, Property::Content),
    },
    Cause {
        code: "encodings",
        effect: "networks see compression: with one of two sets of 600 crops of photographs as JPEG of quality 75, 4:2:0, the Fréchet \
                 distance by efficientnet-lite0 was 46.3 instead of 11.9",
        place: Place::Sets(BOTH, Property::Encodings),
    },
    Cause {
        code: "images",
        effect: "a Fréchet distance is biased upwards by about c/n: that of training and test images of CIFAR-10, by a generated checkpoint of \
                 Inception-v3, is 16.8 with 1,024 of each and 9.1 with 2,000; precision and recall depend on the numbers, too, a KID \
                 does not",
        place: Place::Sets(BOTH, Property::Images),
    },
    Cause {
        code: "sizes",
        effect: "images that were kept smaller have lost detail, whoever resized them: an FID of 4.30 against 5.30 was how FFHQ-256 had \
                 been made (stylegan2-ada-pytorch, issue 283)",
        place: Place::Sets(BOTH, Property::Sizes),
    },
    Cause {
        code: "enlarged",
        effect: "images that are enlarged to the input are smooth, and the network sees it",
        place: Place::Sets(BOTH, Property::Enlarged),
    },
    Cause {
        code: "aspect",
        effect: "images that are squeezed to the shape of the input are distorted, and the network sees it",
        place: Place::Sets(BOTH, Property::Squeezed),
    },
    Cause {
        code: "resize",
        effect: "little for small images that are enlarged (CIFAR-10: FID 16.77 by tf1, 16.80 by torch), far more for large ones that \
                 are reduced, where tf1 and torch leave out pixels and clean does not (Parmar et al. 2022)",
        place: Place::Sets(BOTH, Property::Resize),
    },
    Cause {
        code: "skipped",
        effect: "the scores are of other images than the sets have: few change little, unless they are of one kind",
        place: Place::Sets(BOTH, Property::Skipped),
    },
    Cause {
        code: "preset",
        effect: "it decides the definitions and the resize mode that nothing else was asked for: what of them differs is named by itself",
        place: Place::Field("preset", "preset"),
    },
    Cause {
        code: "precision",
        effect: "fewer bits show: an FID of 8.113 in float32 was 8.272 in bfloat16 (+2 %), and in float16 0.1 % less",
        place: Place::Sets(BOTH, Property::Precision),
    },
    Cause {
        code: "engine",
        effect: "engines and devices round differently: where it was measured, features differ by 3e-6 to 1e-5 and an FID by up to 5e-6, \
                 relative",
        place: Place::Sets(BOTH, Property::Engine),
    },
    Cause {
        code: "version",
        effect: "the changelog says which scores a version changed",
        place: Place::Field("version", "version of gan-metrics"),
    },
    Cause {
        code: "linalg",
        effect: "libraries of linear algebra agree up to rounding",
        place: Place::Field("linalg", "linear algebra"),
    },
    Cause {
        code: "warning",
        effect: "it applies to one of the runs alone: what it says may be the reason",
        place: Place::Warnings,
    },
];

/// Something in which two reports differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable identifier for programs, such as `resize`.
    pub code: &'static str,
    /// What differs, such as `resize mode of both sets`.
    pub what: String,
    /// What the first report says.
    pub first: String,
    /// What the second report says.
    pub second: String,
    /// How much such a thing usually moves a score.
    pub effect: &'static str,
}

/// Something that a report does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// Of what: the real set, the fake set, both sets or the run.
    pub of: &'static str,
    /// What, such as `resize mode`.
    pub what: &'static str,
}

/// A number that both reports have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pair {
    /// Which number.
    pub score: ScoreNumber,
    /// Its value in the first report.
    pub first: f64,
    /// Its value in the second report.
    pub second: f64,
}

/// In what two reports differ. It is what `docs/json.md` documents.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of this crate.
    pub version: &'static str,
    /// `explain`.
    pub command: &'static str,
    /// Paths of the reports, in the order of the arguments.
    pub reports: [String; 2],
    /// The numbers that both have.
    pub numbers: Vec<Pair>,
    /// Whether the images that are judged are the same, in the same order; `None` where a report has no set.
    pub generated_images: Option<SameImages>,
    /// In what the reports differ besides, what moves scores most first.
    pub differences: Vec<Finding>,
    /// What one of the reports does not say, so that nobody knows whether it differs.
    pub unknown: Vec<Unknown>,
}

/// What is found of a cause.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
    unknown: Vec<Unknown>,
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Self {
        Self { findings: vec![finding], ..Self::default() }
    }
}

impl From<Unknown> for Found {
    fn from(unknown: Unknown) -> Self {
        Self { unknown: vec![unknown], ..Self::default() }
    }
}

impl Explanation {
    /// Looks for what the reports say of their runs, and in what that differs.
    ///
    /// Causes are ordered by how much they usually move a score: what makes another quantity of it (network, layer, input,
    /// definition), then what the network sees (reference, compression, number and sizes of images, resizing), then what rounds
    /// (precision, engine). Each says of what size its effect was where it was measured; of a given pair of runs
    /// that proves nothing.
    pub fn of(reports: [&Recorded; 2]) -> Self {
        let [first, second] = reports;
        let numbers = first.numbers();
        let pair = |(score, first)| Some(Pair { score, first, second: second.number(score)? });
        let (mut differences, mut unknown) = (Vec::new(), Vec::new());
        for cause in CAUSES {
            let found = cause.look(reports);
            differences.extend(found.findings);
            unknown.extend(found.unknown);
        }
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            command: "explain",
            reports: reports.map(|report| report.title().into_owned()),
            numbers: numbers.filter_map(pair).collect(),
            generated_images: SameImages::of(reports, Set::Fake),
            differences,
            unknown,
        }
    }

    /// JSON, indented, with a final newline.
    pub fn to_json(&self) -> String {
        pretty(self)
    }

    /// Text for people.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (which, path) in ["first", "second"].into_iter().zip(&self.reports) {
            text += &entry(which, escaped(path));
        }
        for Pair { score, first, second } in &self.numbers {
            let [first, second] = [*first, *second].map(readable);
            text += &entry(score.quantity().title, format!("{first} against {second}"));
        }
        let generated = self.generated_images.map(|generated| match generated {
            SameImages::Same => "the same images in both reports",
            SameImages::Other => "different images: that is what a score is to tell",
            SameImages::Unknown => "not known to be the same images",
        });
        if let Some(generated) = generated {
            text += &entry("judged", generated);
        }
        for Finding { code, what, first, second, effect } in &self.differences {
            text += &entry(code, format!("{}: {} against {}", escaped(what), escaped(first), escaped(second)));
            text += &entry("", effect);
        }
        if self.differences.is_empty() {
            text += &entry("differences", "none in what both reports say of how they were made");
        }
        if !self.unknown.is_empty() {
            let mut of: Vec<&str> = self.unknown.iter().map(|unknown| unknown.of).collect();
            of.sort_unstable();
            of.dedup();
            for of in of {
                let what = self.unknown.iter().filter(|unknown| unknown.of == of).map(|unknown| unknown.what);
                let what: Vec<&str> = what.collect();
                text += &entry("not known", format!("whether there is a difference of {of} in: {}", what.join(", ")));
            }
        }
        text
    }
}

impl Cause {
    fn look(&self, reports: [&Recorded; 2]) -> Found {
        match &self.place {
            Place::Sets(sets, property) => self.of_sets(reports, sets, *property),
            Place::Definitions => {
                let of = |metric| differing::of_definitions(reports, metric);
                let differing = Metric::all().flat_map(of);
                let findings = differing.map(|found| self.finding(found.place, found.first, found.second));
                Found { findings: findings.collect(), ..Found::default() }
            }
            Place::Field(field, title) => {
                let values = reports.map(|report| report.json().get(*field).and_then(Json::as_str).map(str::to_owned));
                match values {
                    [Some(first), Some(second)] if first != second => {
                        self.finding((*title).into(), first, second).into()
                    }
                    [Some(_), Some(_)] => Found::default(),
                    _ => Unknown { of: "the run", what: title }.into(),
                }
            }
            Place::Warnings => self.of_warnings(reports),
        }
    }

    fn finding(&self, what: String, first: String, second: String) -> Finding {
        Finding { code: self.code, what, first, second, effect: self.effect }
    }

    /// What differs in the same way in both sets is said once.
    fn of_sets(&self, reports: [&Recorded; 2], sets: &[Set], property: Property) -> Found {
        let of = |which: Set| {
            let [Some(first), Some(second)] = reports.map(|report| RecordedSet::of(report, which)) else { return None };
            let whose = match which {
                Set::Real => "the real set",
                Set::Fake => "the fake set",
            };
            Some((whose, [first, second].map(|set| set.get(property))))
        };
        let mut values: Vec<_> = sets.iter().copied().filter_map(of).collect();
        if let [(_, real), (_, fake)] = values.as_slice()
            && real == fake
        {
            values = vec![("both sets", real.clone())];
        }
        let mut found = Found::default();
        for (of, values) in values {
            match values {
                [Some(first), Some(second)] if first != second => {
                    let [first, second] = [first, second].map(|value| property.shown(value));
                    found.findings.push(self.finding(format!("{} of {of}", property.title()), first, second));
                }
                [Some(_), Some(_)] => {}
                _ => found.unknown.push(Unknown { of, what: property.title() }),
            }
        }
        found
    }

    /// Warnings of one report whose code the other does not have.
    fn of_warnings(&self, reports: [&Recorded; 2]) -> Found {
        let warnings = reports.map(|report| {
            let all = report.json().get("warnings").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
            let field = |warning: &Json, name: &str| warning.get(name).and_then(Json::as_str).map(str::to_owned);
            let read = all.iter().filter_map(|warning| Some((field(warning, "code")?, field(warning, "message")?)));
            read.collect::<Vec<_>>()
        });
        let mut found = Found::default();
        for (ours, theirs, is_first) in [(&warnings[0], &warnings[1], true), (&warnings[1], &warnings[0], false)] {
            for (code, message) in ours.iter().filter(|(code, _)| theirs.iter().all(|(other, _)| other != code)) {
                let (mut first, mut second) = (message.clone(), "none".to_owned());
                if !is_first {
                    std::mem::swap(&mut first, &mut second);
                }
                found.findings.push(self.finding(code.clone(), first, second));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use serde_json::json;

    fn report() -> Json {
        let set = |content: &str| {
            let census = json!({
                "content": content, "encodings": { "PNG": 9 },
                "sizes": { "width": [32, 32], "height": [32, 32], "squeezed": 0, "enlarged": 9 },
            });
            json!({ "kind": "folder", "images": 9, "skipped": [], "provenance": { "census": census } })
        };
        json!({
            "schema": 1, "version": "0.1.0", "preset": "clean-fid", "linalg": "faer",
            "metrics": { "fid": { "value": 5.0 }, "kid": { "mean": 0.1, "definition": { "subsets": 10 } } },
            "extractor": {
                "name": "n", "model_sha256": "0123456789abcdef", "features_output": "out",
                "engine": { "name": "tract", "version": "1", "provider": "cpu" },
            },
            "preparation": {
                "resize": "tf1", "width": 8, "height": 8, "mean": [0, 0, 0], "std": [1, 1, 1], "dtype": "float32",
            },
            "sets": [set("aa"), set("bb")],
            "warnings": [{ "code": "few-images", "message": "9 images" }],
        })
    }

    fn explained(first: Json, second: Json) -> Explanation {
        let [first, second] = [("a.json", first), ("b.json", second)]
            .map(|(name, json)| Recorded::from_json(json).unwrap().read_from(name.as_ref()));
        Explanation::of([&first, &second])
    }

    #[test]
    fn equal_reports_differ_in_nothing() {
        let found = explained(report(), report());
        assert_eq!((found.differences.len(), found.unknown.len()), (0, 0), "{found:?}");
        assert_eq!(found.generated_images, Some(SameImages::Same));
        assert!(found.to_text().contains("differences       none in what both reports say"), "{}", found.to_text());
    }

    #[test]
    fn each_cause_is_found_in_its_place_and_in_the_order_of_their_effects() {
        let changes: [(&str, &str, Json); 20] = [
            ("extractor", "/extractor/model_sha256", json!("ff")),
            ("layer", "/extractor/features_output", json!("other")),
            ("normalization", "/preparation/std", json!([2, 2, 2])),
            ("input-size", "/preparation/width", json!(9)),
            ("definition", "/metrics/kid/definition/subsets", json!(11)),
            ("real-images", "/sets/0/provenance/census/content", json!("cc")),
            ("encodings", "/sets/1/provenance/census/encodings", json!({ "JPEG quality 75 4:2:0": 9 })),
            ("images", "/sets/1/images", json!(8)),
            ("sizes", "/sets/1/provenance/census/sizes/width", json!([16, 32])),
            ("enlarged", "/sets/1/provenance/census/sizes/enlarged", json!(3)),
            ("aspect", "/sets/0/provenance/census/sizes/squeezed", json!(3)),
            ("resize", "/preparation/resize", json!("clean")),
            ("skipped", "/sets/1/skipped", json!([{}])),
            ("preset", "/preset", json!("adm")),
            ("precision", "/preparation/dtype", json!("bfloat16")),
            ("engine", "/extractor/engine/version", json!("2")),
            ("version", "/version", json!("0.2.0")),
            ("linalg", "/linalg", json!("lapack")),
            ("warning", "/warnings", json!([])),
            ("warning", "/warnings/0", json!({ "code": "left-out", "message": "no" })),
        ];
        let changed = |changes: &[(&str, &str, Json)]| {
            let mut other = report();
            for (_, place, value) in changes {
                *other.pointer_mut(place).unwrap() = value.clone();
            }
            explained(report(), other)
        };
        for change in &changes {
            let found = changed(std::slice::from_ref(change));
            let codes: BTreeSet<&str> = found.differences.iter().map(|finding| finding.code).collect();
            assert_eq!(codes, BTreeSet::from([change.0]), "{found:?}");
            assert!(found.unknown.is_empty());
        }
        let all = changed(&changes[..19]);
        let mut codes: Vec<&str> = all.differences.iter().map(|finding| finding.code).collect();
        codes.dedup();
        let expected: Vec<&str> = CAUSES.iter().map(|cause| cause.code).collect();
        assert_eq!(codes, expected);
    }

    #[test]
    fn what_differs_in_the_same_way_in_both_sets_is_said_once() {
        let mut other = report();
        other["preparation"]["resize"] = json!("clean");
        let found = explained(report(), other.clone());
        let [finding] = &*found.differences else { panic!("{found:?}") };
        assert_eq!((&*finding.what, &*finding.first, &*finding.second), ("resize mode of both sets", "tf1", "clean"));
        other["preparation"]["resize"] = json!("tf1");
        other["sets"][1]["images"] = json!(8);
        let found = explained(report(), other);
        assert_eq!(found.differences[0].what, "number of images of the fake set");
        let mut other = report();
        other["sets"][0]["provenance"]["census"]["content"] = json!("0123456789abcdef");
        let found = explained(report(), other);
        let Finding { what, second, .. } = &found.differences[0];
        assert_eq!((&**what, &**second), ("images of the real set", "content 0123456789ab…"));
    }

    #[test]
    fn what_one_report_does_not_say_is_not_known_to_differ() {
        let mut other = report();
        other["sets"][1]["provenance"] = Json::Null;
        let found = explained(report(), other);
        assert!(found.differences.is_empty(), "{found:?}");
        assert_eq!(found.generated_images, Some(SameImages::Unknown));
        let text = found.to_text();
        assert!(
            text.contains("not known         whether there is a difference of the fake set in: encodings, "),
            "{text}"
        );
    }

    #[test]
    fn warnings_of_one_report_alone_are_named() {
        let mut other = report();
        other["warnings"] =
            json!([{ "code": "few-images", "message": "8" }, { "code": "slow-engine", "message": "slow" }]);
        let found = explained(report(), other);
        let [finding] = &*found.differences else { panic!("{found:?}") };
        assert_eq!((&*finding.what, &*finding.first, &*finding.second), ("slow-engine", "none", "slow"));
    }

    #[test]
    fn scores_of_one_set_have_no_real_one() {
        let mut other = report();
        other["sets"].as_array_mut().unwrap().remove(0);
        let found = explained(report(), other);
        assert!(found.differences.is_empty() && found.unknown.is_empty(), "{found:?}");
    }
}
