//! Two recorded reports, number by number: what differs by more than the choice of the images explains.

use std::fmt;

use serde::{Serialize, Serializer};

use super::differing::{self, Differing};
use super::recorded_set::{Property, RecordedSet};
use super::text::{entry, escaped, percent};
use super::{Recorded, RecordedInterval, SCHEMA, pretty};
use crate::error::{Blame, Blamed};
use crate::metrics::{self, Better, Difference, Metric, RealImages, ScoreNumber, Set, readable};

/// Facts that two sets must share for scores to be of the same quantity.
const MEASURED_ALIKE: [Property; 6] = [
    Property::Extractor,
    Property::Layer,
    Property::InputSize,
    Property::Normalization,
    Property::Resize,
    Property::Precision,
];

/// What is said where a test finds no difference.
const UNDECIDED: &str = "the difference may be chance";

/// Why two reports cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComparabilityError {
    /// Their scores are not of the same quantity.
    #[error("the reports cannot be compared:\n  {}\nmeasure both in the same way", reasons.join("\n  "))]
    Incomparable {
        /// Everything that stands in the way.
        reasons: Vec<String>,
    },
    /// No number is in both.
    #[error(
        "the reports have no number in common: {} has {}, {} has {}",
        titles[0], listed(&numbers[0]), titles[1], listed(&numbers[1])
    )]
    NothingInCommon {
        /// What the reports are called.
        titles: [String; 2],
        /// Names of the numbers that each has.
        numbers: [Vec<String>; 2],
    },
}

impl Blamed for ComparabilityError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// Whether the images of a set are the same in two reports, in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SameImages {
    /// They are.
    Same,
    /// They are not.
    Other,
    /// One of the reports does not say.
    Unknown,
}

impl SameImages {
    /// Whether a set is the same in two reports; `None` where one has no such set.
    pub(super) fn of(reports: [&Recorded; 2], which: Set) -> Option<Self> {
        let [first, second] = reports.map(|report| RecordedSet::of(report, which));
        Some(match (first?.get(Property::Content), second?.get(Property::Content)) {
            (Some(first), Some(second)) if first == second => SameImages::Same,
            (Some(_), Some(_)) => SameImages::Other,
            _ => SameImages::Unknown,
        })
    }
}

/// One of two reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// The first.
    First,
    /// The second.
    Second,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Which::First => "the first",
            Which::Second => "the second",
        })
    }
}

/// A report that is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComparedReport {
    /// Path of the report.
    pub path: String,
    /// Path of the set that was judged.
    pub set: Option<String>,
    /// Number of its images.
    pub images: Option<u64>,
}

/// The test of a difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Test {
    /// What the difference is of, where that is not the number itself but an estimate of the same quantity without random
    /// subsets.
    pub of: Option<String>,
    /// The difference with its uncertainty.
    #[serde(flatten)]
    pub difference: Difference,
    /// Estimate of how much of the difference comes from the numbers of images alone: the bias of the first score less that of
    /// the second. It is small where both sets have the same number.
    pub bias: f64,
}

/// Why there is no test of a difference.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Untested {
    /// The score cannot have an interval.
    #[error("{0} has no confidence interval")]
    Never(&'static str),
    /// A report has no interval of a score that can have one.
    #[error("{} of it", match lacking.as_slice() {
        [one] => format!("{one} report has no interval"),
        _ => "neither report has an interval".to_owned(),
    })]
    NoInterval {
        /// Which.
        lacking: Vec<Which>,
    },
    /// The interval is of another quantity in each.
    #[error("the intervals are of other quantities: {first} against {second}")]
    OtherQuantity {
        /// Of the first.
        first: String,
        /// Of the second.
        second: String,
    },
    /// The intervals cannot be compared.
    #[error(transparent)]
    Interval(#[from] metrics::ComparisonError),
}

/// In words.
impl Serialize for Untested {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A number that both reports have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NumberComparison {
    /// Which number.
    pub score: ScoreNumber,
    /// Its value in the first report.
    pub first: f64,
    /// Its value in the second report.
    pub second: f64,
    /// The first value less the second.
    pub difference: f64,
    /// Which report has the better one; `None` where the difference may be chance, or there is no test.
    pub better: Option<Which>,
    /// The test of the difference, where both reports have an interval.
    pub test: Option<Test>,
    /// Why there is no test.
    pub untested: Option<Untested>,
}

/// Two reports, number by number. It is what `docs/json.md` documents.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of this crate.
    pub version: &'static str,
    /// `compare`.
    pub command: &'static str,
    /// The reports, in the order of the arguments.
    pub reports: [ComparedReport; 2],
    /// Whether the real images are the same in both, in which case their groups are paired; `None` where no number that both have
    /// looks at any.
    pub real_images: Option<SameImages>,
    /// The numbers that both reports have, in the order of reports.
    pub numbers: Vec<NumberComparison>,
}

impl Comparison {
    /// Compares two reports. Groups of the real images are [paired](RealImages::Paired) where both reports say that the images are
    /// the same.
    ///
    /// # Errors
    /// [`ComparabilityError`] when no number is in both, or what both have is not of the same quantity: another network, layer, input,
    /// resize mode or precision, another definition of a score, other groups of the jackknife, another number of real images.
    pub fn of(reports: [&Recorded; 2]) -> Result<Self, ComparabilityError> {
        let same = SameImages::of(reports, Set::Real);
        let real = if same == Some(SameImages::Same) { RealImages::Paired } else { RealImages::Independent };
        let numbers = numbers(reports, real)?;
        let compares = numbers.iter().any(|number| number.score.metric().about().compares());
        let real_images = same.filter(|_| compares);
        let described = |report: &Recorded| {
            let fake = RecordedSet::of(report, Set::Fake);
            ComparedReport {
                path: report.title().into_owned(),
                set: fake.and_then(RecordedSet::path).map(str::to_owned),
                images: fake.and_then(RecordedSet::images),
            }
        };
        Ok(Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            command: "compare",
            reports: reports.map(described),
            real_images,
            numbers,
        })
    }

    /// Whether some difference has no test for want of an interval that could be had.
    pub fn lacks_intervals(&self) -> bool {
        self.numbers.iter().any(|number| matches!(number.untested, Some(Untested::NoInterval { .. })))
    }

    /// JSON, indented, with a final newline.
    pub fn to_json(&self) -> String {
        pretty(self)
    }

    /// Text for people.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (which, report) in ["first", "second"].into_iter().zip(&self.reports) {
            let set = report.set.as_deref().unwrap_or("a set without a name");
            let images = report.images.map_or(String::new(), |images| format!(", {images} images"));
            text += &entry(which, format!("{}: {}{images}", escaped(&report.path), escaped(set)));
        }
        if let Some(real_images) = self.real_images {
            let words = match real_images {
                SameImages::Same => "the same in both reports: compared group by group",
                SameImages::Other => {
                    "not the same in the two reports: their variances add, and a difference may be due to them"
                }
                SameImages::Unknown => "not known to be the same in the two reports: their variances add",
            };
            text += &entry("real images", words);
        }
        let images = self.reports.each_ref().map(|report| report.images);
        for number in &self.numbers {
            text += &number.to_text(None, images);
        }
        text + &many_tests(&self.numbers)
    }
}

/// What to bear in mind of several tests.
pub(super) fn many_tests<'a>(numbers: impl IntoIterator<Item = &'a NumberComparison>) -> String {
    let tests = numbers.into_iter().filter(|number| number.test.is_some()).count();
    if tests < 2 {
        return String::new();
    }
    entry("note", format!("p is of each number by itself: of {tests} comparisons, some have a small one by chance"))
}

impl NumberComparison {
    /// Text for people, by the names of the two sets where they have any, and their numbers of images.
    pub(super) fn to_text(&self, names: Option<[&str; 2]>, images: [Option<u64>; 2]) -> String {
        let Self { score, first, second, difference, better, test, untested } = self;
        let [first, second, difference] = [first, second, difference].map(|&value| readable(value));
        let [of_first, of_second] = names.map_or(Default::default(), |names| names.map(|name| format!("{name} ")));
        let title = score.quantity().title;
        let mut text = entry(title, format!("{of_first}{first} against {of_second}{second}, difference {difference}"));
        if let Some(Test { of, difference, bias }) = test {
            let name = |which: Which| names.map_or(which.to_string(), |names| names[which as usize].to_owned());
            let verdict = better.map_or(UNDECIDED.to_owned(), |which| format!("{} is better", name(which)));
            let [value, lower, upper] = [difference.value, difference.lower, difference.upper].map(readable);
            if let Some(of) = of {
                text += &entry("", format!("{}: difference {value}", escaped(of)));
            }
            let (level, p) = (percent(difference.level), probability(difference.p));
            text += &entry("", format!("{level} % interval {lower} to {upper}, p {p}: {verdict}"));
            if images[0] != images[1] {
                let bias = readable(*bias);
                text +=
                    &entry("", format!("about {bias} of the difference comes from the different numbers of images"));
            }
        }
        if let Some(reason) = untested {
            text += &entry("", format!("no interval of the difference: {}", escaped(&reason.to_string())));
        }
        text
    }
}

/// A probability as people read it.
fn probability(p: f64) -> String {
    if p < 1e-4 { "below 0.0001".into() } else { format!("{p:.4}") }
}

/// Every number that both reports have, in the order of reports.
pub(super) fn numbers(reports: [&Recorded; 2], real: RealImages) -> Result<Vec<NumberComparison>, ComparabilityError> {
    let [first, second] = reports;
    let in_both: Vec<(ScoreNumber, f64, f64)> =
        first.numbers().filter_map(|(number, value)| Some((number, value, second.number(number)?))).collect();
    if in_both.is_empty() {
        let names = |report: &Recorded| report.numbers().map(|(number, _)| number.to_string()).collect();
        let titles = reports.map(|report| report.title().into_owned());
        return Err(ComparabilityError::NothingInCommon { titles, numbers: reports.map(names) });
    }
    let reasons = obstacles(reports, in_both.iter().map(|(number, ..)| *number));
    if !reasons.is_empty() {
        return Err(ComparabilityError::Incomparable { reasons });
    }
    let compared = |(number, first, second)| compare(reports, number, [first, second], real);
    Ok(in_both.into_iter().map(compared).collect())
}

/// A number of two reports.
fn compare(reports: [&Recorded; 2], number: ScoreNumber, values: [f64; 2], real: RealImages) -> NumberComparison {
    let [first, second] = values;
    let (test, untested) = match tested(reports, number, real) {
        Ok(test) => (Some(test), None),
        Err(untested) => (None, Some(untested)),
    };
    let told = test.as_ref().map(|test| &test.difference).filter(|difference| difference.is_significant());
    let better = told.map(|difference| match (number.quantity().better, difference.value < 0.0) {
        (Better::Lower, true) | (Better::Higher, false) => Which::First,
        (Better::Lower, false) | (Better::Higher, true) => Which::Second,
    });
    NumberComparison { score: number, first, second, difference: first - second, better, test, untested }
}

fn tested(reports: [&Recorded; 2], number: ScoreNumber, real: RealImages) -> Result<Test, Untested> {
    let about = number.metric().about();
    if about.interval.is_none() {
        return Err(Untested::Never(about.title));
    }
    // Reports of before did not keep what the score was without each group.
    let intervals =
        reports.map(|report| report.interval(number).filter(|found| !found.interval.without.fake.is_empty()));
    let [Some(first), Some(second)] = intervals else {
        let lacking = [Which::First, Which::Second].into_iter().zip(intervals).filter(|(_, found)| found.is_none());
        return Err(Untested::NoInterval { lacking: lacking.map(|(which, _)| which).collect() });
    };
    if first.of != second.of {
        let of = |found: &RecordedInterval| found.of.clone().unwrap_or_else(|| number.quantity().title.into());
        let [first, second] = [first, second].map(of);
        return Err(Untested::OtherQuantity { first, second });
    }
    let difference = metrics::difference(&first.interval, &second.interval, real)?;
    Ok(Test { of: first.of.clone(), difference, bias: first.interval.bias - second.interval.bias })
}

/// Everything that makes the numbers of two reports other quantities.
fn obstacles(reports: [&Recorded; 2], numbers: impl Iterator<Item = ScoreNumber>) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut add = |found: Differing| {
        let reason = found.to_string();
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    };
    let mut scores: Vec<Metric> = numbers.map(ScoreNumber::metric).collect();
    scores.dedup();
    for which in Set::BOTH {
        if scores.iter().all(|metric| metric.about().needs(which).is_empty()) {
            continue;
        }
        let [Some(first), Some(second)] = reports.map(|report| RecordedSet::of(report, which)) else { continue };
        let of_real = (which == Set::Real).then_some(Property::Images);
        for property in MEASURED_ALIKE.into_iter().chain(of_real) {
            if let (Some(ours), Some(theirs)) = (first.get(property), second.get(property))
                && ours != theirs
            {
                let whose = if property == Property::Images { " of the real set" } else { "" };
                let place = format!("{}{whose}", property.title());
                add(Differing { place, first: ours, second: theirs });
            }
        }
    }
    for metric in scores {
        differing::of_definitions(reports, metric).into_iter().for_each(&mut add);
    }
    if let [Some(first), Some(second)] = reports.map(Recorded::interval_definition) {
        for field in ["groups", "seed"] {
            if let (Some(first), Some(second)) = (first.get(field), second.get(field)) {
                let mut found = Vec::new();
                differing::compare("jackknife", field, first, second, &mut found);
                found.into_iter().for_each(&mut add);
            }
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    /// A report with two numbers and their intervals; the replicates of the fake set lie `spread` around the value.
    fn report(fid: f64, recall: f64, spread: f64) -> Json {
        let interval = |value: f64, spread: f64| {
            json!({
                "value": value, "standard_error": spread, "bias": 0.1, "lower": value - spread, "upper": value + spread,
                "level": 0.95, "of": null,
                "without": { "real": [value - 1.0, value, value + 1.0], "fake": [value - spread, value, value + spread] },
            })
        };
        json!({
            "schema": 1,
            "metrics": {
                "fid": { "value": fid },
                "kid": { "mean": 0.1, "definition": { "subsets": 10, "kernel": { "degree": 3 } } },
                "prdc": { "precision": 0.5, "recall": recall, "f_score": 0.5, "density": 1.0, "coverage": 1.0 },
                "fid_infinity": { "value": 3.0 },
                "intervals": {
                    "definition": { "groups": 3, "level": 0.95, "seed": 1 },
                    "scores": { "fid": interval(fid, spread), "recall": interval(recall, spread) },
                },
            },
            "extractor": { "name": "n", "model_sha256": "0123456789abcdef", "features_output": "out" },
            "preparation": { "resize": "tf1", "width": 8, "height": 8 },
            "sets": [
                { "kind": "folder", "images": 9, "path": "real", "provenance": { "census": { "content": "aa" } } },
                { "kind": "folder", "images": 9, "path": "fake" },
            ],
        })
    }

    fn recorded(name: &str, json: Json) -> Recorded {
        Recorded::from_json(json).unwrap().read_from(name.as_ref())
    }

    fn compared(first: Json, second: Json) -> Result<Comparison, ComparabilityError> {
        Comparison::of([&recorded("a.json", first), &recorded("b.json", second)])
    }

    fn number<'a>(comparison: &'a Comparison, name: &str) -> &'a NumberComparison {
        comparison.numbers.iter().find(|number| number.score.to_string() == name).unwrap()
    }

    #[test]
    fn the_better_one_is_told_by_the_side_that_is_better() {
        let found = compared(report(5.0, 0.5, 0.01), report(3.0, 0.1, 0.01)).unwrap();
        assert_eq!(found.real_images, Some(SameImages::Same));
        let (fid, recall) = (number(&found, "fid"), number(&found, "recall"));
        assert_eq!((fid.better, fid.difference), (Some(Which::Second), 2.0));
        assert_eq!(recall.better, Some(Which::First), "a recall is better when high");
        // The replicates of the real set are the same in both, and cancel.
        assert!(fid.test.as_ref().unwrap().difference.standard_error < 0.02, "{fid:?}");
        let text = found.to_text();
        assert!(text.contains("FID               5.000000 against 3.000000, difference 2.000000\n"), "{text}");
        assert!(text.contains("p below 0.0001: the second is better"), "{text}");
        assert!(text.contains("real images       the same in both reports"), "{text}");
    }

    #[test]
    fn real_images_that_are_not_known_to_be_the_same_are_not_paired() {
        let mut other = report(3.0, 0.1, 0.01);
        for (content, real_images) in [(json!("bb"), SameImages::Other), (Json::Null, SameImages::Unknown)] {
            other["sets"][0]["provenance"]["census"]["content"] = content;
            let found = compared(report(5.0, 0.5, 0.01), other.clone()).unwrap();
            assert_eq!(found.real_images, Some(real_images));
            let fid = number(&found, "fid");
            assert!(fid.test.as_ref().unwrap().difference.standard_error > 1.0, "{fid:?}");
            assert_eq!(fid.better, None);
            assert!(found.to_text().contains("the difference may be chance"));
        }
    }

    #[test]
    fn without_intervals_there_is_only_a_difference_and_why() {
        let mut old = report(3.0, 0.1, 0.01);
        let scores = &mut old["metrics"]["intervals"]["scores"];
        scores["fid"].as_object_mut().unwrap().remove("without");
        scores["recall"]["of"] = json!("something else");
        let found = compared(report(5.0, 0.5, 0.01), old).unwrap();
        let reason = |name: &str| number(&found, name).untested.as_ref().unwrap().to_string();
        assert_eq!(reason("fid"), "the second report has no interval of it");
        assert_eq!(reason("kid"), "neither report has an interval of it");
        assert_eq!(reason("fid-infinity"), "FID∞ has no confidence interval");
        assert_eq!(reason("recall"), "the intervals are of other quantities: recall against something else");
        assert!(found.lacks_intervals() && found.numbers.iter().all(|number| number.better.is_none()));
        let json: Json = serde_json::from_str(&found.to_json()).unwrap();
        assert_eq!(json["numbers"][0]["score"], "fid");
        assert_eq!((&json["numbers"][0]["test"], &json["numbers"][0]["difference"]), (&Json::Null, &json!(2.0)));
    }

    #[test]
    fn everything_that_stands_in_the_way_is_named_at_once() {
        let mut other = report(3.0, 0.1, 0.01);
        other["extractor"]["model_sha256"] = json!("ffff");
        other["preparation"]["resize"] = json!("clean");
        other["metrics"]["kid"]["definition"] = json!({ "subsets": 20, "kernel": { "degree": 2 } });
        other["metrics"]["intervals"]["definition"]["seed"] = json!(2);
        other["sets"][0]["images"] = json!(10);
        let error = compared(report(5.0, 0.5, 0.01), other).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the reports cannot be compared:\n  \
             extractor: n (sha256 0123456789ab…) against n (sha256 ffff…)\n  \
             resize mode: tf1 against clean\n  \
             number of images of the real set: 9 against 10\n  \
             KID, subsets: 10 against 20\n  \
             KID, kernel.degree: 3 against 2\n  \
             jackknife, seed: 1 against 2\n\
             measure both in the same way"
        );
        assert_eq!(error.blame(), Blame::Input);
    }

    #[test]
    fn real_images_do_not_matter_to_scores_of_one_set() {
        let [first, mut second] = [report(5.0, 0.5, 0.01), report(3.0, 0.1, 0.01)].map(|mut report| {
            report["metrics"] = json!({ "vendi": { "value": 2.0 } });
            report
        });
        second["sets"][0]["images"] = json!(10);
        assert_eq!(compared(first, second).unwrap().real_images, None);
    }

    #[test]
    fn reports_without_a_number_in_common_are_refused() {
        let mut other = report(3.0, 0.1, 0.01);
        other["metrics"] = json!({ "vendi": { "value": 2.0 } });
        let error = compared(report(5.0, 0.5, 0.01), other).unwrap_err().to_string();
        assert!(error.contains("a.json has fid, kid, precision,") && error.ends_with("b.json has vendi"), "{error}");
    }

    #[test]
    fn other_numbers_of_generated_images_are_pointed_out_with_their_bias() {
        let mut other = report(3.0, 0.1, 0.01);
        other["sets"][1]["images"] = json!(18);
        other["metrics"]["intervals"]["scores"]["fid"]["bias"] = json!(0.05);
        let text = compared(report(5.0, 0.5, 0.01), other).unwrap().to_text();
        assert!(text.contains("about 0.050000 of the difference comes from the different numbers of images"), "{text}");
    }
}
