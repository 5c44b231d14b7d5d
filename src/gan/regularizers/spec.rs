//! Regularizers by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{REGISTRY, Regularizer};
use crate::gan::error::GanError;

/// A line of the list of regularizers.
#[derive(Debug)]
pub struct RegularizerEntry {
    pub(super) name: &'static str,
    pub(super) default: f64,
    pub(super) about: &'static str,
    pub(super) paper: &'static str,
    pub(super) make: fn(f64) -> Box<dyn Regularizer>,
}

impl RegularizerEntry {
    /// All of them.
    pub fn all() -> &'static [RegularizerEntry] {
        REGISTRY
    }

    /// Name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The number after the colon where none is given: a weight or a bound.
    pub fn default_weight(&self) -> f64 {
        self.default
    }

    /// What it is, in a line.
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// Where it was first described.
    pub fn paper(&self) -> &'static str {
        self.paper
    }
}

/// A regularizer and its weight, as plain data: what a configuration holds.
///
/// Text form: `NAME` or `NAME:WEIGHT`, of the [list](RegularizerEntry::all).
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RegularizerSpec {
    entry: &'static RegularizerEntry,
    weight: f64,
}

impl RegularizerSpec {
    /// A regularizer of the list.
    ///
    /// # Panics
    /// When there is none of this name: it is meant for names in the source.
    pub(crate) fn new(name: &str, weight: f64) -> Self {
        let entry = REGISTRY.iter().find(|entry| entry.name == name).expect("a name of the list");
        RegularizerSpec { entry, weight }
    }

    /// The line of the list that it comes from.
    pub fn entry(&self) -> &'static RegularizerEntry {
        self.entry
    }

    /// The regularizer, before the first step.
    pub fn make(&self) -> Box<dyn Regularizer> {
        (self.entry.make)(self.weight)
    }
}

impl PartialEq for RegularizerSpec {
    fn eq(&self, other: &Self) -> bool {
        (self.entry.name, self.weight) == (other.entry.name, other.weight)
    }
}

impl fmt::Debug for RegularizerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for RegularizerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.entry.name, self.weight)
    }
}

impl FromStr for RegularizerSpec {
    type Err = GanError;

    fn from_str(text: &str) -> Result<Self, GanError> {
        let unknown = || {
            let known = REGISTRY.iter().map(|entry| format!("{}:WEIGHT", entry.name)).collect::<Vec<_>>().join(", ");
            GanError::UnknownName { what: "regularizer", name: text.to_owned(), known }
        };
        let (name, weight) = match text.split_once(':') {
            Some((name, weight)) => (name, Some(weight)),
            None => (text, None),
        };
        let entry = REGISTRY.iter().find(|entry| entry.name == name).ok_or_else(unknown)?;
        match weight.map_or(Ok(entry.default), str::parse) {
            Err(_) => Err(unknown()),
            Ok(weight) if weight > 0.0 && weight.is_finite() => Ok(RegularizerSpec { entry, weight }),
            Ok(weight) => Err(GanError::setting("the weight of a regularizer", weight, "positive")),
        }
    }
}

impl From<RegularizerSpec> for String {
    fn from(spec: RegularizerSpec) -> Self {
        spec.to_string()
    }
}

impl TryFrom<String> for RegularizerSpec {
    type Error = GanError;

    fn try_from(text: String) -> Result<Self, GanError> {
        text.parse()
    }
}
