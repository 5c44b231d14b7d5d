//! The one list of scores. A new score is a file beside this one, and a line here.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::definitions::Preset;
use super::name::UnknownName;
use super::score::{Quantity, Score};

/// Every score, in the order of reports.
static SCORES: &[&dyn Score] = &[
    &super::fid::Row,
    &super::sfid::Row,
    &super::inception_score::Row,
    &super::kid::Row,
    &super::prdc::Row,
    &super::authpct::Row,
    &super::realism::Row,
    &super::mind::Row,
    &super::mifid::Row,
    &super::mmd::Row,
    &super::vendi::Row,
    &super::fid_infinity::Row,
    &super::is_infinity::Row,
    &super::duplicates::Row,
    &super::per_class::Row,
];

/// A score of the registry: equal, ordered and hashed by its place in it.
///
/// ```
/// use gan_metrics::score::Metric;
///
/// let kid: Metric = "kid".parse()?;
/// assert_eq!(kid.about().title, "KID");
/// assert!("kit".parse::<Metric>().is_err());
/// # Ok::<(), gan_metrics::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metric(usize);

impl Metric {
    /// Every score, in the order of reports.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        (0..SCORES.len()).map(Self)
    }

    /// The scores that a tool reports.
    pub fn of_preset(preset: Preset) -> impl Iterator<Item = Self> {
        Self::all().filter(move |metric| metric.about().presets.contains(&preset))
    }
}

impl std::ops::Deref for Metric {
    type Target = dyn Score;

    fn deref(&self) -> &Self::Target {
        SCORES[self.0]
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.about().name)
    }
}

/// What people call it.
impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.about().title)
    }
}

/// By its name. The error names what there is.
impl FromStr for Metric {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Self::all().find(|metric| metric.about().name == name);
        found.ok_or_else(|| UnknownName::new("score", name, Self::all().map(|metric| metric.about().name)))
    }
}

/// A number of a score of the registry: what bounds and curves are of.
///
/// ```
/// use gan_metrics::score::ScoreNumber;
///
/// let recall: ScoreNumber = "recall".parse()?;
/// assert_eq!(recall.metric().about().name, "prdc");
/// # Ok::<(), gan_metrics::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct ScoreNumber {
    metric: Metric,
    index: usize,
}

impl ScoreNumber {
    /// Every number of every score, in the order of reports.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        Metric::all().flat_map(Self::of)
    }

    /// The numbers of a score, in its order.
    pub fn of(metric: Metric) -> impl ExactSizeIterator<Item = Self> + Clone {
        (0..metric.about().quantities.len()).map(move |index| Self { metric, index })
    }

    /// The score.
    pub fn metric(self) -> Metric {
        self.metric
    }

    /// Its place among the numbers of the score.
    pub fn index(self) -> usize {
        self.index
    }

    /// What the score says of it.
    pub fn quantity(self) -> &'static Quantity {
        &self.metric.about().quantities[self.index]
    }

    /// Its key among the intervals of the JSON report: that of a score with one number, else that of the number.
    pub fn key(self) -> &'static str {
        match self.metric.about().quantities {
            [_] => self.metric.about().key,
            _ => self.quantity().field,
        }
    }
}

impl PartialEq for ScoreNumber {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ScoreNumber {}

impl PartialOrd for ScoreNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ScoreNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.metric, self.index).cmp(&(other.metric, other.index))
    }
}

impl fmt::Debug for ScoreNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.quantity().name)
    }
}

/// By its name.
impl fmt::Display for ScoreNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.quantity().name)
    }
}

/// By the name that [`Display`](fmt::Display) prints.
impl Serialize for ScoreNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// By its name. The error names what there is.
impl FromStr for ScoreNumber {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Self::all().find(|number| number.quantity().name == name);
        found.ok_or_else(|| UnknownName::new("score", name, Self::all()))
    }
}

/// The table of all scores, as Markdown, for the documentation; a test keeps `docs/metrics.md` equal to it.
pub fn table() -> String {
    let mut table = "| score | name | better | range | images it wants | of |\n|---|---|---|---|---|---|\n".to_owned();
    let bound = |value: f64| match value {
        f64::INFINITY => "∞".to_owned(),
        f64::NEG_INFINITY => "−∞".to_owned(),
        finite => finite.to_string(),
    };
    for metric in Metric::all() {
        let about = metric.about();
        let better = |quantity: &Quantity| quantity.better.to_string();
        let range = |quantity: &Quantity| format!("{} to {}", bound(quantity.range[0]), bound(quantity.range[1]));
        let listed = |show: &dyn Fn(&Quantity) -> String| {
            let mut shown: Vec<String> = about.quantities.iter().map(show).collect();
            shown.dedup();
            shown.join(", ")
        };
        let names = listed(&|quantity| format!("`{}`", quantity.name));
        let name = if names.is_empty() || names == format!("`{}`", about.name) {
            format!("`{}`", about.name)
        } else {
            format!("`{}`: {names}", about.name)
        };
        let of = if about.compares() { "both sets" } else { "the fake set" };
        table += &format!(
            "| {}: {} | {name} | {} | {} | {} | {of} |\n",
            about.title,
            about.summary,
            listed(&better),
            listed(&range),
            about.wants
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_scores_or_numbers_share_a_name() {
        let unique = |names: Vec<&str>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
        assert!(unique(Metric::all().map(|metric| metric.about().name).collect()));
        assert!(unique(Metric::all().map(|metric| metric.about().key).collect()));
        assert!(unique(ScoreNumber::all().map(|number| number.quantity().name).collect()));
        assert!(unique(ScoreNumber::all().map(ScoreNumber::key).collect()));
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for number in ScoreNumber::all() {
            assert_eq!(number.to_string().parse(), Ok(number));
            assert_eq!(serde_json::to_value(number).unwrap(), number.to_string());
        }
        let error = "fd".parse::<ScoreNumber>().unwrap_err().to_string();
        assert!(error.starts_with("no score is called `fd`; there are fid, sfid, is, kid, precision,"), "{error}");
    }

    #[test]
    fn parameters_are_told_apart_and_lean_on_each_other() {
        for metric in Metric::all() {
            let parameters = metric.about().parameters;
            for (index, parameter) in parameters.iter().enumerate() {
                assert!(parameters[..index].iter().all(|other| other.name != parameter.name), "{metric:?}");
                let Some((other, _)) = parameter.only_with else { continue };
                assert!(parameters.iter().any(|parameter| parameter.name == other), "{metric:?}: {other}");
            }
        }
    }

    #[test]
    fn every_score_has_what_reports_show() {
        for metric in Metric::all() {
            let about = metric.about();
            for text in [about.name, about.key, about.title, about.summary, about.wants] {
                assert!(!text.is_empty(), "{metric:?}");
            }
            assert!(!about.fake.is_empty(), "{metric:?}");
            assert!(about.interval.is_none() || !about.quantities.is_empty(), "{metric:?}");
        }
    }
}
