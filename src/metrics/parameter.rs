//! What can be changed of a score's definition, as data: names, values and their meaning.

use std::collections::BTreeMap;

use super::error::MetricError;

/// A value that a choice allows.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// The value.
    pub name: &'static str,
    /// What it means.
    pub help: &'static str,
}

/// The numbers that a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Finite ones above zero.
    Positive,
    /// Finite ones from zero up.
    NotNegative,
    /// Those from zero up, `inf` included.
    UpToInfinity,
    /// Those above zero, up to one.
    UpToOne,
}

impl Range {
    fn contains(self, number: f64) -> bool {
        match self {
            Range::Positive => number > 0.0 && number.is_finite(),
            Range::NotNegative => number >= 0.0 && number.is_finite(),
            Range::UpToInfinity => number >= 0.0,
            Range::UpToOne => number > 0.0 && number <= 1.0,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Range::Positive => "positive and finite",
            Range::NotNegative => "zero or more, and finite",
            Range::UpToInfinity => "zero or more, or inf",
            Range::UpToOne => "above 0 and at most 1",
        }
    }
}

/// The values that a parameter takes.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number between two bounds.
    Count {
        /// Smallest.
        least: usize,
        /// Largest: what still fits into memory.
        most: usize,
    },
    /// A seed of numpy's `RandomState`.
    Seed,
    /// A number.
    Number(Range),
    /// One of these.
    Choice(&'static [Choice]),
}

/// Something that can be changed of a score's definition.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, such as `subset-size`.
    pub name: &'static str,
    /// What stands for the value in help, such as `N`.
    pub placeholder: &'static str,
    /// What it is.
    pub help: &'static str,
    /// Its value where nothing is said; `None` when that depends on the preset.
    pub default: Option<&'static str>,
    /// The values it takes.
    pub kind: Kind,
    /// Another parameter, and the value that it must have for this one to have an effect.
    pub only_with: Option<(&'static str, &'static str)>,
}

/// The value of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Argument {
    Count(usize),
    Seed(u32),
    Number(f64),
    Choice(&'static str),
}

impl Parameter {
    fn parse(&self, text: &str) -> Result<Argument, MetricError> {
        let wrong = |range: String| MetricError::Argument { parameter: self.name, value: text.into(), range };
        match &self.kind {
            Kind::Count { least, most } => match text.parse() {
                Ok(count) if (*least..=*most).contains(&count) => Ok(Argument::Count(count)),
                _ => Err(wrong(format!("a whole number from {least} to {most}"))),
            },
            Kind::Seed => match text.parse() {
                Ok(seed) => Ok(Argument::Seed(seed)),
                Err(_) => Err(wrong(format!("a whole number from 0 to {}", u32::MAX))),
            },
            Kind::Number(range) => match text.parse::<f64>() {
                Ok(number) if range.contains(number) => Ok(Argument::Number(number)),
                _ => Err(wrong(range.in_words().into())),
            },
            Kind::Choice(choices) => match choices.iter().find(|choice| choice.name == text) {
                Some(choice) => Ok(Argument::Choice(choice.name)),
                None => {
                    let names: Vec<&str> = choices.iter().map(|choice| choice.name).collect();
                    Err(wrong(format!("one of {}", names.join(", "))))
                }
            },
        }
    }
}

/// Values given to some of the parameters of a score.
#[derive(Debug, Clone, Default)]
pub struct Arguments(BTreeMap<&'static str, Argument>);

impl Arguments {
    /// Reads values, by the names of the parameters.
    ///
    /// # Errors
    /// [`MetricError::Argument`] when a value is not one that its parameter takes, [`MetricError::NoParameter`] when there
    /// is no such parameter, [`MetricError::NoEffect`] when one has no effect beside the others.
    pub fn parse<'a>(
        parameters: &'static [Parameter],
        given: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, MetricError> {
        let mut arguments = Self::default();
        for (name, text) in given {
            let parameter = parameters.iter().find(|parameter| parameter.name == name).ok_or_else(|| {
                let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name).collect();
                MetricError::NoParameter { name: name.into(), names: names.join(", ") }
            })?;
            arguments.0.insert(parameter.name, parameter.parse(text)?);
        }
        for parameter in parameters.iter().filter(|parameter| arguments.0.contains_key(parameter.name)) {
            let Some((other, wanted)) = parameter.only_with else { continue };
            let default = parameters.iter().find(|parameter| parameter.name == other).and_then(|other| other.default);
            // Where the preset decides, the parameter itself says what is wanted.
            let actual = arguments.choice(other).or(default).unwrap_or(wanted);
            if actual != wanted {
                return Err(MetricError::NoEffect { parameter: parameter.name, other, wanted, actual });
            }
        }
        Ok(arguments)
    }

    /// Whether no parameter was given a value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a count, if it was given.
    pub fn count(&self, name: &str) -> Option<usize> {
        match self.0.get(name)? {
            Argument::Count(count) => Some(*count),
            _ => None,
        }
    }

    /// The value of a seed, if it was given.
    pub fn seed(&self, name: &str) -> Option<u32> {
        match self.0.get(name)? {
            Argument::Seed(seed) => Some(*seed),
            _ => None,
        }
    }

    /// The value of a number, if it was given.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.0.get(name)? {
            Argument::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The choice, if one was given.
    pub fn choice(&self, name: &str) -> Option<&'static str> {
        match self.0.get(name)? {
            Argument::Choice(name) => Some(name),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETERS: &[Parameter] = &[
        Parameter {
            name: "kernel",
            placeholder: "KERNEL",
            help: "",
            default: Some("plain"),
            kind: Kind::Choice(&[Choice { name: "plain", help: "" }, Choice { name: "rbf", help: "" }]),
            only_with: None,
        },
        Parameter {
            name: "sigma",
            placeholder: "SIGMA",
            help: "",
            default: Some("10"),
            kind: Kind::Number(Range::Positive),
            only_with: Some(("kernel", "rbf")),
        },
        Parameter {
            name: "k",
            placeholder: "K",
            help: "",
            default: None,
            kind: Kind::Count { least: 1, most: 100 },
            only_with: None,
        },
    ];

    fn parse(given: &[(&'static str, &'static str)]) -> Result<Arguments, MetricError> {
        Arguments::parse(PARAMETERS, given.iter().copied())
    }

    #[test]
    fn values_come_back_by_name_and_kind() {
        let arguments = parse(&[("kernel", "rbf"), ("sigma", "2.5"), ("k", "7")]).unwrap();
        assert_eq!(arguments.choice("kernel"), Some("rbf"));
        assert_eq!(arguments.number("sigma"), Some(2.5));
        assert_eq!((arguments.count("k"), arguments.count("sigma"), arguments.seed("k")), (Some(7), None, None));
        assert!(parse(&[]).unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        for (given, expected) in [
            (("k", "0"), "k is `0`: it must be a whole number from 1 to 100"),
            (("k", "101"), "k is `101`: it must be a whole number from 1 to 100"),
            (("k", "-1"), "k is `-1`: it must be a whole number from 1 to 100"),
            (("sigma", "inf"), "sigma is `inf`: it must be positive and finite"),
            (("sigma", "0"), "sigma is `0`: it must be positive and finite"),
            (("kernel", "x"), "kernel is `x`: it must be one of plain, rbf"),
            (("size", "1"), "there is no parameter `size`; there are kernel, sigma, k"),
        ] {
            assert_eq!(parse(&[given]).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_parameter_without_effect_is_refused() {
        let expected = "sigma has no effect where kernel is plain: it is for kernel rbf";
        assert_eq!(parse(&[("sigma", "1")]).unwrap_err().to_string(), expected);
        assert_eq!(parse(&[("kernel", "plain"), ("sigma", "1")]).unwrap_err().to_string(), expected);
    }
}
