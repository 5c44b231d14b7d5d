//! Generators as text: `kl`, `alpha(0.5)`, `alpha=0.5`.

use std::fmt;
use std::str::FromStr;

use super::{Generator, GeneratorError, table};

impl fmt::Display for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parameter() {
            None => f.write_str(self.name()),
            Some(parameter) => write!(f, "{}({parameter})", self.name()),
        }
    }
}

/// A name and the text of its parameter: `name`, `name(text)` or `name=text`.
pub(crate) fn split_parameter(text: &str) -> (&str, Option<&str>) {
    let text = text.trim();
    if let Some((name, rest)) = text.split_once('(')
        && let Some(parameter) = rest.strip_suffix(')')
    {
        return (name.trim(), Some(parameter.trim()));
    }
    match text.split_once('=') {
        Some((name, parameter)) => (name.trim(), Some(parameter.trim())),
        None => (text, None),
    }
}

impl FromStr for Generator {
    type Err = GeneratorError;

    /// Reads `name` or `name(parameter)`; names ignore case, and `_` is `-`.
    fn from_str(text: &str) -> Result<Self, GeneratorError> {
        let (name, parameter) = split_parameter(text);
        let wanted = name.to_ascii_lowercase().replace('_', "-");
        let unchanged: fn(f64) -> f64 = |parameter| parameter;
        let found = table::ROWS.iter().copied().find_map(|row| match row.as_printed {
            _ if row.name == wanted || row.aliases.contains(&wanted.as_str()) => Some((row, unchanged)),
            Some((printed, translate)) if printed == wanted => Some((row, translate)),
            _ => None,
        });
        let Some((row, translate)) = found else {
            let names = |row: &&table::Row| match row.aliases {
                [] => row.name.to_owned(),
                aliases => format!("{} ({})", row.name, aliases.join(", ")),
            };
            let known = table::ROWS.iter().map(names).collect::<Vec<_>>().join(", ");
            return Err(GeneratorError::UnknownName { name: name.to_owned(), known });
        };
        match (&row.parameter, parameter) {
            (None, None) => Ok(Generator::plain(row)),
            (None, Some(text)) => Err(GeneratorError::UnexpectedParameter { name: row.name, text: text.to_owned() }),
            (Some(spec), None) => Err(GeneratorError::MissingParameter {
                name: row.name,
                symbol: spec.symbol,
                example: spec.example,
                requirement: spec.requirement,
            }),
            (Some(_), Some(text)) => {
                let value = text.parse().map_err(|_| GeneratorError::UnreadableParameter {
                    name: name.to_owned(),
                    text: text.to_owned(),
                })?;
                Generator::with_parameter(row, translate(value))
            }
        }
    }
}
