//! What a recorded report says of one of its sets, and of how it was measured: text that is equal where the fact is.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value as Json;

use super::Recorded;
use crate::metrics::Set;

/// Digits of a digest that are shown.
const DIGEST_SHOWN: usize = 12;

/// A fact about a set, or about how it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Property {
    /// The network and the digest of its weights.
    Extractor,
    /// Output of the network that served as features.
    Layer,
    /// Width and height that images were resized to.
    InputSize,
    /// What was subtracted from each channel, and what each was divided by.
    Normalization,
    /// How images were resized.
    Resize,
    /// What the network computed with.
    Precision,
    /// The engine and its version, and where it ran.
    Engine,
    /// Number of images behind the score.
    Images,
    /// By which the same images in the same order are known.
    Content,
    /// How the images were encoded.
    Encodings,
    /// Smallest and largest width and height of the images.
    Sizes,
    /// Images of another aspect ratio than that of the network's input.
    Squeezed,
    /// Images smaller than the network's input.
    Enlarged,
    /// Images left out.
    Skipped,
}

impl Property {
    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Property::Extractor => "extractor",
            Property::Layer => "layer",
            Property::InputSize => "input size of the network",
            Property::Normalization => "mean and deviation of the input",
            Property::Resize => "resize mode",
            Property::Precision => "precision",
            Property::Engine => "engine",
            Property::Images => "number of images",
            Property::Content => "images",
            Property::Encodings => "encodings",
            Property::Sizes => "sizes of the images",
            Property::Squeezed => "images of another aspect ratio",
            Property::Enlarged => "images smaller than the input",
            Property::Skipped => "images left out",
        }
    }

    /// A value of it as people read it.
    pub fn shown(self, value: String) -> String {
        match self {
            Property::Content => format!("content {value:.DIGEST_SHOWN$}…"),
            _ => value,
        }
    }
}

/// A set of a recorded report.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordedSet<'a> {
    report: &'a Recorded,
    set: &'a Json,
}

impl<'a> RecordedSet<'a> {
    /// A set of a report; `None` for the real one of a report about one set.
    pub fn of(report: &'a Recorded, which: Set) -> Option<Self> {
        let set = match (report.sets(), which) {
            ([real, _, ..], Set::Real) => real,
            ([.., fake], Set::Fake) => fake,
            _ => return None,
        };
        Some(Self { report, set })
    }

    /// A fact about the set; `None` where the report does not say.
    pub fn get(self, property: Property) -> Option<String> {
        match property {
            Property::Extractor => {
                let name = text(self.measured("extractor", "extractor", "name")?)?;
                let digest = text(self.measured("model_sha256", "extractor", "model_sha256")?)?;
                Some(format!("{name} (sha256 {digest:.DIGEST_SHOWN$}…)"))
            }
            Property::Layer => {
                let layer = text(self.measured("layer", "extractor", "features_output")?)?;
                let pooling = self.measured("pooling", "extractor", "pooling").and_then(text);
                Some(pooling.map_or(layer.clone(), |pooling| format!("{layer}, {pooling}")))
            }
            Property::Resize => text(self.measured("resize", "preparation", "resize")?),
            Property::Precision => text(self.measured("precision", "preparation", "dtype")?),
            Property::InputSize => {
                let side = |side: &str| self.input(side)?.as_u64();
                Some(format!("{}×{}", side("width")?, side("height")?))
            }
            Property::Normalization => {
                let channels = |field: &str| numbers(self.input(field)?);
                Some(format!("mean {}, deviation {}", channels("mean")?, channels("std")?))
            }
            Property::Engine => {
                let engine = self.measured("engine", "extractor", "engine")?;
                let field = |name: &str| text(&engine[name]);
                let provider = field("provider").map_or(String::new(), |provider| format!(" on {provider}"));
                Some(format!("{} {}{provider}", field("name")?, field("version")?))
            }
            Property::Images => Some(self.images()?.to_string()),
            Property::Content => text(self.census()?.get("content")?),
            Property::Encodings => self.encodings(),
            Property::Sizes => {
                let range = |side: &str| {
                    let [least, most] = self.census()?.get("sizes")?.get(side)?.as_array()?.as_slice() else {
                        return None;
                    };
                    let (least, most) = (least.as_u64()?, most.as_u64()?);
                    Some(if least == most { least.to_string() } else { format!("{least}–{most}") })
                };
                Some(format!("{}×{}", range("width")?, range("height")?))
            }
            Property::Squeezed => self.share("squeezed"),
            Property::Enlarged => self.share("enlarged"),
            // Files of features do not say what was left out when they were written.
            Property::Skipped if self.is_file() => None,
            Property::Skipped => Some(self.set.get("skipped")?.as_array()?.len().to_string()),
        }
    }

    /// Whether it came as a file of features or statistics.
    pub fn is_file(self) -> bool {
        matches!(self.set.get("kind").and_then(Json::as_str), Some("features" | "statistics"))
    }

    /// Number of images behind the score.
    pub fn images(self) -> Option<u64> {
        self.set.get("images")?.as_u64()
    }

    /// Path of the set.
    pub fn path(self) -> Option<&'a str> {
        self.set.get("path")?.as_str()
    }

    /// What the set itself says of how it was measured, else what the report says of the network that ran.
    fn measured(self, of_set: &str, section: &str, of_run: &str) -> Option<&'a Json> {
        self.provenance(of_set).or_else(|| self.run(section, of_run))
    }

    /// What it says itself of how it was measured.
    pub fn provenance(self, field: &str) -> Option<&'a Json> {
        self.set.get("provenance")?.get(field).filter(|told| !told.is_null())
    }

    /// What the report says of the network that ran: which never saw a set that came as a file of features or statistics.
    fn run(self, section: &str, field: &str) -> Option<&'a Json> {
        self.report.json().get(section).filter(|_| !self.is_file())?.get(field)
    }

    /// A fact about the input of the network.
    fn input(self, field: &str) -> Option<&'a Json> {
        self.provenance("input").and_then(|input| input.get(field)).or_else(|| self.run("preparation", field))
    }

    fn census(self) -> Option<&'a Json> {
        self.provenance("census")
    }

    /// Each encoding, with its share where there are several: sets that differ in size alone do not differ in it.
    fn encodings(self) -> Option<String> {
        let counts = self.census()?.get("encodings")?.as_object()?;
        let counts: BTreeMap<&String, u64> =
            counts.iter().map(|(name, count)| Some((name, count.as_u64()?))).collect::<Option<_>>()?;
        if let Some((name, _)) = counts.first_key_value().filter(|_| counts.len() == 1) {
            return Some((*name).clone());
        }
        let total: u64 = counts.values().sum();
        let mut shown = String::new();
        for (name, count) in counts {
            let separator = if shown.is_empty() { "" } else { ", " };
            write!(shown, "{separator}{name} {}", percentage(count, total)).expect("a String takes any text");
        }
        Some(shown)
    }

    /// The share of the images that a count of the census is of.
    fn share(self, field: &str) -> Option<String> {
        let counts = self.census()?.get("encodings")?.as_object()?.values();
        let total = counts.map(Json::as_u64).sum::<Option<u64>>()?;
        Some(percentage(self.census()?.get("sizes")?.get(field)?.as_u64()?, total))
    }
}

/// A share to the percent; what is neither none nor all is not shown as such.
fn percentage(count: u64, total: u64) -> String {
    let share = 100.0 * count as f64 / total.max(1) as f64;
    match (share, share.round()) {
        (share, 0.0) if share > 0.0 => "below 1 %".into(),
        (share, 100.0) if share < 100.0 => "above 99 %".into(),
        (_, rounded) => format!("{rounded} %"),
    }
}

fn text(json: &Json) -> Option<String> {
    json.as_str().map(str::to_owned)
}

/// Numbers in their order; one where all are the same.
fn numbers(json: &Json) -> Option<String> {
    let numbers = json.as_array()?.iter().map(Json::as_f64).collect::<Option<Vec<f64>>>()?;
    let shown = match numbers.as_slice() {
        [first, others @ ..] if others.iter().all(|other| other == first) => &numbers[..1],
        all => all,
    };
    Some(shown.iter().map(f64::to_string).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report(set: Json) -> Recorded {
        let json = json!({
            "schema": 1, "metrics": {},
            "extractor": {
                "name": "inception-v3", "model_sha256": "0123456789abcdef", "features_output": "pool3",
                "engine": { "name": "onnxruntime", "version": "1.32", "provider": "cpu" },
            },
            "preparation": {
                "resize": "tf1", "width": 299, "height": 299, "mean": [127.5, 127.5, 127.5], "std": [1.0, 2.0, 3.0],
                "dtype": "float32",
            },
            "sets": [{ "kind": "statistics", "images": 7 }, set],
        });
        Recorded::from_json(json).unwrap()
    }

    #[test]
    fn a_set_of_images_was_measured_by_the_network_that_ran_and_a_file_was_not() {
        let report = report(json!({ "kind": "folder", "images": 9, "skipped": [{}], "provenance": null }));
        let [real, fake] = Set::BOTH.map(|set| RecordedSet::of(&report, set).unwrap());
        for (property, value) in [
            (Property::Extractor, "inception-v3 (sha256 0123456789ab…)"),
            (Property::Layer, "pool3"),
            (Property::InputSize, "299×299"),
            (Property::Normalization, "mean 127.5, deviation 1, 2, 3"),
            (Property::Resize, "tf1"),
            (Property::Precision, "float32"),
            (Property::Engine, "onnxruntime 1.32 on cpu"),
        ] {
            assert_eq!(fake.get(property).as_deref(), Some(value));
            assert_eq!(real.get(property), None, "{property:?}");
        }
        assert_eq!((fake.get(Property::Skipped), real.images()), (Some("1".into()), Some(7)));
        assert_eq!(fake.get(Property::Content), None);
    }

    #[test]
    fn what_a_set_says_of_itself_comes_first() {
        let census = json!({
            "content": "00ff", "encodings": { "PNG": 997, "JPEG quality 75 4:2:0": 3 },
            "sizes": { "width": [32, 32], "height": [16, 48], "squeezed": 1000, "enlarged": 250 },
        });
        let provenance = json!({
            "extractor": "own.onnx", "model_sha256": "ff", "layer": "out", "resize": "clean", "precision": "bfloat16",
            "input": { "width": 8, "height": 4, "mean": [0, 0, 0], "std": [1, 1, 1] },
            "engine": { "name": "tract", "version": "0.23" }, "census": census,
        });
        let report = report(json!({ "kind": "features", "provenance": provenance }));
        let fake = RecordedSet::of(&report, Set::Fake).unwrap();
        for (property, value) in [
            (Property::Extractor, "own.onnx (sha256 ff…)"),
            (Property::InputSize, "8×4"),
            (Property::Normalization, "mean 0, deviation 1"),
            (Property::Resize, "clean"),
            (Property::Precision, "bfloat16"),
            (Property::Engine, "tract 0.23"),
            (Property::Content, "00ff"),
            (Property::Encodings, "JPEG quality 75 4:2:0 below 1 %, PNG above 99 %"),
            (Property::Sizes, "32×16–48"),
            (Property::Squeezed, "100 %"),
            (Property::Enlarged, "25 %"),
        ] {
            assert_eq!(fake.get(property).as_deref(), Some(value));
        }
        assert_eq!((fake.get(Property::Skipped), fake.images()), (None, None));
    }
}
