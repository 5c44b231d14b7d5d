//! Densities as text: `normal(0, 1)`, `gamma(shape=2, rate=1)`, `0.3*normal(0,1) + 0.7*laplace(1,2)`.

use std::fmt;
use std::str::FromStr;

use super::{Component, Density, DensityError};

/// A family: its name, its parameters in order and how to build it.
struct Family {
    name: &'static str,
    aliases: &'static [&'static str],
    parameters: &'static [&'static str],
    build: fn(&[f64]) -> Result<Density, DensityError>,
}

static FAMILIES: [Family; 13] = [
    Family {
        name: "normal",
        aliases: &["gaussian", "n"],
        parameters: &["mean", "deviation"],
        build: |v| Density::normal(v[0], v[1]),
    },
    Family {
        name: "laplace",
        aliases: &[],
        parameters: &["location", "scale"],
        build: |v| Density::laplace(v[0], v[1]),
    },
    Family { name: "exponential", aliases: &["exp"], parameters: &["rate"], build: |v| Density::exponential(v[0]) },
    Family { name: "uniform", aliases: &[], parameters: &["lower", "upper"], build: |v| Density::uniform(v[0], v[1]) },
    Family {
        name: "logistic",
        aliases: &[],
        parameters: &["location", "scale"],
        build: |v| Density::logistic(v[0], v[1]),
    },
    Family { name: "gamma", aliases: &[], parameters: &["shape", "rate"], build: |v| Density::gamma(v[0], v[1]) },
    Family { name: "beta", aliases: &[], parameters: &["a", "b"], build: |v| Density::beta(v[0], v[1]) },
    Family { name: "cauchy", aliases: &[], parameters: &["location", "scale"], build: |v| Density::cauchy(v[0], v[1]) },
    Family {
        name: "student",
        aliases: &["t"],
        parameters: &["freedom", "location", "scale"],
        build: |v| Density::student(v[0], v[1], v[2]),
    },
    Family {
        name: "lognormal",
        aliases: &[],
        parameters: &["mu", "sigma"],
        build: |v| Density::log_normal(v[0], v[1]),
    },
    Family { name: "weibull", aliases: &[], parameters: &["shape", "scale"], build: |v| Density::weibull(v[0], v[1]) },
    Family { name: "gumbel", aliases: &[], parameters: &["location", "scale"], build: |v| Density::gumbel(v[0], v[1]) },
    Family {
        name: "triangular",
        aliases: &[],
        parameters: &["lower", "mode", "upper"],
        build: |v| Density::triangular(v[0], v[1], v[2]),
    },
];

impl Density {
    /// The families that expressions can name: name, other names, and parameters in order.
    pub fn families() -> impl Iterator<Item = (&'static str, &'static [&'static str], &'static [&'static str])> {
        FAMILIES.iter().map(|family| (family.name, family.aliases, family.parameters))
    }
}

impl FromStr for Density {
    type Err = DensityError;

    /// Reads `family(parameter, …)`, each parameter optionally as `name=value`, or a sum of `weight*family(…)`.
    fn from_str(text: &str) -> Result<Self, DensityError> {
        let mut reader = Reader { text, rest: text };
        let mut parts = vec![reader.term()?];
        while reader.accept('+') {
            parts.push(reader.term()?);
        }
        if !reader.rest.trim_start().is_empty() {
            return Err(reader.expected("`+` or the end"));
        }
        Density::mixture(parts)
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn expected(&self, expected: impl Into<String>) -> DensityError {
        let read = self.text.len() - self.rest.trim_start().len();
        let position = self.text[..read].chars().count() + 1;
        DensityError::Syntax { text: self.text.to_owned(), position, expected: expected.into() }
    }

    fn accept(&mut self, symbol: char) -> bool {
        match self.rest.trim_start().strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take_while(&mut self, accepted: impl Fn(char) -> bool) -> &'a str {
        let start = self.rest.trim_start();
        let end = start.find(|c| !accepted(c)).unwrap_or(start.len());
        self.rest = &start[end..];
        &start[..end]
    }

    /// A number, with an exponent whose sign must not be mistaken for the next term's.
    fn number(&mut self) -> Option<f64> {
        let start = self.rest.trim_start();
        let is_part = |index: usize, c: char| {
            let sign_belongs = index == 0 || start[..index].ends_with(['e', 'E']);
            c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E') || (matches!(c, '+' | '-') && sign_belongs)
        };
        let end = start.char_indices().find(|(index, c)| !is_part(*index, *c)).map_or(start.len(), |(index, _)| index);
        let value = start[..end].parse().ok()?;
        self.rest = &start[end..];
        Some(value)
    }

    /// `family(…)` or `weight*family(…)`.
    fn term(&mut self) -> Result<(f64, Density), DensityError> {
        let weight = match self.number() {
            Some(weight) if self.accept('*') => weight,
            Some(_) => return Err(self.expected("`*` between a weight and its density")),
            None => 1.0,
        };
        Ok((weight, self.density()?))
    }

    fn density(&mut self) -> Result<Density, DensityError> {
        let here = self.rest;
        let name = self.take_while(|c| c.is_ascii_alphabetic()).to_ascii_lowercase();
        let Some(family) =
            FAMILIES.iter().find(|family| family.name == name || family.aliases.contains(&name.as_str()))
        else {
            self.rest = here;
            let names: Vec<_> = FAMILIES.iter().map(|family| family.name).collect();
            return Err(self.expected(format!("a density, one of {}", names.join(", "))));
        };
        if !self.accept('(') {
            return Err(self.expected(format!("`(` after {name}")));
        }
        let mut values = Vec::new();
        for (index, parameter) in family.parameters.iter().enumerate() {
            if index > 0 && !self.accept(',') {
                return Err(self.expected(format!("`,` and {parameter}")));
            }
            values.push(self.parameter(parameter)?);
        }
        if !self.accept(')') {
            return Err(self.expected(format!("`)` after {}", family.parameters.join(", "))));
        }
        (family.build)(&values)
    }

    /// `value` or `name=value`.
    fn parameter(&mut self, name: &str) -> Result<f64, DensityError> {
        let here = self.rest;
        let given = self.take_while(|c| c.is_ascii_alphabetic());
        if !given.is_empty() && (given != name || !self.accept('=')) {
            self.rest = here;
            return Err(self.expected(format!("a number or `{name}=` and a number")));
        }
        self.number().ok_or_else(|| self.expected(format!("a number for {name}")))
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Component::Normal { mean, deviation } => write!(f, "normal({mean}, {deviation})"),
            Component::Laplace { location, scale } => write!(f, "laplace({location}, {scale})"),
            Component::Uniform { lower, upper } => write!(f, "uniform({lower}, {upper})"),
            Component::Logistic { location, scale } => write!(f, "logistic({location}, {scale})"),
            Component::Gamma { shape, rate } => write!(f, "gamma({shape}, {rate})"),
            Component::Beta { a, b } => write!(f, "beta({a}, {b})"),
            Component::Cauchy { location, scale } => write!(f, "cauchy({location}, {scale})"),
            Component::StudentT { freedom, location, scale } => write!(f, "student({freedom}, {location}, {scale})"),
            Component::LogNormal { mu, sigma } => write!(f, "lognormal({mu}, {sigma})"),
            Component::Weibull { shape, scale } => write!(f, "weibull({shape}, {scale})"),
            Component::Gumbel { location, scale } => write!(f, "gumbel({location}, {scale})"),
            Component::Triangular { lower, mode, upper } => write!(f, "triangular({lower}, {mode}, {upper})"),
        }
    }
}

impl fmt::Display for Density {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(component) = self.component() {
            return component.fmt(f);
        }
        for (index, (weight, component)) in self.parts.iter().enumerate() {
            let plus = if index == 0 { "" } else { " + " };
            write!(f, "{plus}{weight}*{component}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Density, DensityError> {
        text.parse()
    }

    #[test]
    fn expressions_build_what_they_say() {
        assert_eq!(parse("normal(0,1)"), Density::normal(0.0, 1.0));
        assert_eq!(parse(" Gamma( shape = 2 , rate=1e-3 ) "), Density::gamma(2.0, 1e-3));
        assert_eq!(parse("exponential(2)"), Density::gamma(1.0, 2.0));
        for text in ["N(0,1)", "gaussian(0,1)", "n(mean=0, deviation=1)"] {
            assert_eq!(parse(text), Density::normal(0.0, 1.0));
        }
        assert_eq!(parse("exp(2)"), Density::exponential(2.0));
        let parts = vec![(0.25, Density::normal(-1.0, 1e+2).unwrap()), (0.75, Density::beta(2.0, 3.0).unwrap())];
        assert_eq!(parse("0.25*normal(-1,1e+2)+.75 * beta(2,3)"), Density::mixture(parts));
    }

    #[test]
    fn display_reads_back() {
        for text in
            ["student(3, 0, 1)", "triangular(0, 1, 2)", "laplace(1, 2)", "0.5*uniform(0, 1) + 0.5*logistic(-2, 0.125)"]
        {
            let density = parse(text).unwrap();
            assert_eq!(density.to_string(), text);
            assert_eq!(parse(&density.to_string()).unwrap(), density);
        }
    }

    #[test]
    fn mistakes_are_located() {
        for (text, position, expected) in [
            ("", 1, "a density"),
            ("chauchy(0,1)", 1, "one of normal"),
            ("normal 0", 8, "`(` after normal"),
            ("normal(0)", 9, "`,` and deviation"),
            ("normal(0,x)", 10, "`deviation=`"),
            ("normal(sd=1,0)", 8, "`mean=`"),
            ("normal(0,1,2)", 11, "`)`"),
            ("normal(0,1) laplace(0,1)", 13, "`+` or the end"),
            ("0.5 normal(0,1)", 5, "`*`"),
            ("normal(,1)", 8, "a number for mean"),
        ] {
            match parse(text) {
                Err(DensityError::Syntax { position: found, expected: message, .. }) => {
                    assert_eq!(found, position, "{text}");
                    assert!(message.contains(expected), "{text}: {message}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        assert_eq!(parse("0.5*normal(0,1)"), Err(DensityError::Weights { sum: 0.5 }));
        assert!(matches!(parse("normal(0,-1)"), Err(DensityError::Parameter { .. })));
    }
}
