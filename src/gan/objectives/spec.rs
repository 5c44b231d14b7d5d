//! Objectives by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Defaults, Objective, registry};
use crate::gan::error::GanError;
use crate::gan::real::Real;

/// An objective that has a name.
pub(super) trait Named: Sized {
    /// Name.
    const NAME: &'static str;
    /// What may stand after a colon: what it is called in help, and what it means.
    const PARAMETER: Option<(&'static str, &'static str)> = None;
    /// What it is, in a line.
    const ABOUT: &'static str;
    /// Who played it first.
    const PAPER: &'static str;
    /// What they trained with.
    const DEFAULTS: Defaults;

    /// From what stands after the colon.
    ///
    /// # Errors
    /// `None` when that is not understood, [`GanError::Setting`] when it is out of range.
    fn read(parameter: Option<&str>) -> Result<Option<Self>, GanError>;

    /// What stands after the colon.
    fn parameter(&self) -> Option<String> {
        None
    }
}

/// Reads a positive number after a colon.
pub(super) fn positive(what: &'static str, text: Option<&str>, default: f64) -> Result<Option<f64>, GanError> {
    match text.map_or(Ok(default), str::parse) {
        Err(_) => Ok(None),
        Ok(value) if value > 0.0 && value.is_finite() => Ok(Some(value)),
        Ok(value) => Err(GanError::setting(what, value, "positive")),
    }
}

type Make<T> = fn(Option<&str>) -> Result<Option<(Box<dyn Objective<T>>, Option<String>)>, GanError>;

/// A line of the list of objectives.
#[derive(Debug)]
pub struct ObjectiveEntry {
    pub(super) name: &'static str,
    pub(super) parameter: Option<(&'static str, &'static str)>,
    pub(super) about: &'static str,
    pub(super) paper: &'static str,
    pub(super) defaults: Defaults,
    pub(super) single: Make<f32>,
    pub(super) double: Make<f64>,
}

impl ObjectiveEntry {
    /// All of them.
    pub fn all() -> &'static [ObjectiveEntry] {
        registry()
    }

    /// What is given for it: its name, and where it takes one the name of its parameter.
    pub fn usage(&self) -> String {
        match self.parameter {
            Some((parameter, _)) => format!("{}:{parameter}", self.name),
            None => self.name.to_owned(),
        }
    }

    /// Name without parameters.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is, in a line.
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// What may stand after a colon, where something may.
    pub fn parameter(&self) -> Option<&'static str> {
        self.parameter.map(|(_, about)| about)
    }

    /// Who played it first.
    pub fn paper(&self) -> &'static str {
        self.paper
    }

    /// What they trained with.
    pub fn defaults(&self) -> Defaults {
        self.defaults
    }
}

/// A number type that objectives are made for.
pub(super) trait Made: Real {
    fn make(entry: &ObjectiveEntry) -> Make<Self>;
}

impl Made for f32 {
    fn make(entry: &ObjectiveEntry) -> Make<f32> {
        entry.single
    }
}

impl Made for f64 {
    fn make(entry: &ObjectiveEntry) -> Make<f64> {
        entry.double
    }
}

/// An objective by its name, as plain data: what a configuration holds.
///
/// Text form: `NAME` or `NAME:PARAMETER`, of the [list](ObjectiveEntry::all).
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectiveSpec {
    entry: &'static ObjectiveEntry,
    parameter: Option<String>,
}

impl ObjectiveSpec {
    /// The line of the list that it comes from.
    pub fn entry(&self) -> &'static ObjectiveEntry {
        self.entry
    }

    /// The objective, before the first step.
    #[expect(private_bounds, reason = "there are two number types, and no others can be added")]
    pub fn make<T: Made>(&self) -> Box<dyn Objective<T>> {
        let made = T::make(self.entry)(self.parameter.as_deref());
        let Ok(Some((objective, _))) = made else { unreachable!("the parameter was read before") };
        objective
    }
}

impl Default for ObjectiveSpec {
    /// The first of the list.
    fn default() -> Self {
        ObjectiveSpec { entry: &registry()[0], parameter: None }
    }
}

impl PartialEq for ObjectiveSpec {
    fn eq(&self, other: &Self) -> bool {
        (self.entry.name, &self.parameter) == (other.entry.name, &other.parameter)
    }
}

impl fmt::Debug for ObjectiveSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ObjectiveSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.parameter {
            Some(parameter) => write!(f, "{}:{parameter}", self.entry.name),
            None => f.write_str(self.entry.name),
        }
    }
}

impl FromStr for ObjectiveSpec {
    type Err = GanError;

    fn from_str(text: &str) -> Result<Self, GanError> {
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (text, None),
        };
        let found = registry().iter().find(|entry| entry.name == name);
        let made = match found {
            Some(entry) => (entry.single)(parameter)?.map(|(_, parameter)| ObjectiveSpec { entry, parameter }),
            None => None,
        };
        made.ok_or_else(|| {
            let known = registry().iter().map(ObjectiveEntry::usage).collect::<Vec<_>>().join(", ");
            GanError::UnknownName { what: "objective", name: text.to_owned(), known }
        })
    }
}

impl From<ObjectiveSpec> for String {
    fn from(spec: ObjectiveSpec) -> Self {
        spec.to_string()
    }
}

impl TryFrom<String> for ObjectiveSpec {
    type Error = GanError;

    fn try_from(text: String) -> Result<Self, GanError> {
        text.parse()
    }
}

macro_rules! objectives {
    ($($module:ident :: $Objective:ident),+ $(,)?) => {
        /// The list: one line each.
        fn registry() -> &'static [ObjectiveEntry] {
            use spec::Named;
            static REGISTRY: &[ObjectiveEntry] = &[$(ObjectiveEntry {
                name: $module::$Objective::NAME,
                parameter: $module::$Objective::PARAMETER,
                about: $module::$Objective::ABOUT,
                paper: $module::$Objective::PAPER,
                defaults: $module::$Objective::DEFAULTS,
                single: |text| Ok($module::$Objective::read(text)?.map(|made| {
                    let parameter = made.parameter();
                    (Box::new(made) as Box<dyn Objective<f32>>, parameter)
                })),
                double: |text| Ok($module::$Objective::read(text)?.map(|made| {
                    let parameter = made.parameter();
                    (Box::new(made) as Box<dyn Objective<f64>>, parameter)
                })),
            }),+];
            REGISTRY
        }
    };
}
pub(super) use objectives;
