//! Rows as a table or as JSON.

use crate::divergence::Estimate;
use crate::report::escaped_for_terminals;
use serde::{Serialize, Serializer};

/// Optimal discriminators that the text shows of many.
const MOST_POINTS: usize = 20;
/// Characters of P and Q that the text shows.
const LONGEST_INPUT: usize = 60;

/// All results of one call.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// What the numbers are of P and Q.
    pub relation: &'static str,
    /// What P and Q are.
    pub kind: &'static str,
    /// P as it was given.
    pub p: String,
    /// Q as it was given.
    pub q: String,
    pub rows: Vec<Row>,
}

/// One result.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub measure: String,
    pub title: String,
    #[serde(flatten)]
    pub found: Found,
}

/// A value, or why there is none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Found {
    Value(Value),
    Failure {
        /// Always null, so that every row has a value.
        value: (),
        error: String,
    },
}

/// A value and how it was obtained.
#[derive(Debug, Serialize)]
pub(super) struct Value {
    #[serde(rename = "value", serialize_with = "magnitude")]
    pub magnitude: Magnitude,
    /// Its natural logarithm, where the value is finite and too large for a floating-point number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    pub method: Method,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncertainty: Option<Uncertainty>,
}

/// How large a value is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Magnitude {
    /// A number, or infinity.
    Number(f64),
    /// A finite number beyond all floating-point numbers, by its natural logarithm.
    Beyond(f64),
}

impl Value {
    pub fn new(value: f64, method: Method, uncertainty: Option<Uncertainty>) -> Self {
        Value { magnitude: Magnitude::Number(value), log_value: None, unit: None, method, uncertainty }
    }

    /// An infinite value with a finite logarithm is finite.
    pub fn with_logarithm(self, logarithm: f64) -> Self {
        if logarithm.is_finite() {
            Value { magnitude: Magnitude::Beyond(logarithm), log_value: Some(logarithm), ..self }
        } else {
            self
        }
    }
}

impl Row {
    pub fn new(measure: impl ToString, title: impl Into<String>, value: Value) -> Self {
        Row { measure: measure.to_string(), title: title.into(), found: Found::Value(value) }
    }

    /// What cannot be had of all that was asked for.
    pub fn failed(measure: impl ToString, title: impl Into<String>, error: &crate::Error) -> Self {
        let found = Found::Failure { value: (), error: error.to_string() };
        Row { measure: measure.to_string(), title: title.into(), found }
    }

    fn is_point(&self) -> bool {
        self.measure.starts_with("D*(")
    }
}

/// How a value was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Method {
    Exact,
    ClosedForm,
    Quadrature,
    MonteCarlo,
    PlugIn,
    NearestNeighbours,
    LowerBound,
    Sinkhorn,
    Sliced,
    Permutation,
    Simulation,
    UpperBound,
    Approximation,
}

impl Method {
    fn label(self) -> &'static str {
        match self {
            Method::Exact => "exact",
            Method::ClosedForm => "closed form",
            Method::Quadrature => "quadrature",
            Method::MonteCarlo => "Monte Carlo, 95% interval",
            Method::PlugIn => "plug-in estimate, no error known",
            Method::NearestNeighbours => "nearest-neighbour estimate, no error known",
            Method::LowerBound => "lower bound",
            Method::Sinkhorn => "entropic",
            Method::Sliced => "sliced, 95% interval",
            Method::Permutation => "permutation test",
            Method::Simulation => "Monte Carlo test",
            Method::UpperBound => "upper bound",
            Method::Approximation => "approximation, no error known",
        }
    }
}

/// How far off a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub(super) enum Uncertainty {
    /// A numerical error bound.
    Bound { error: f64 },
    /// A 95% confidence interval.
    Interval { standard_error: f64, lower: f64, upper: f64 },
    /// The value is a lower bound that holds with this confidence; the estimate is what it would be without sampling error.
    Below { confidence: f64, estimate: f64 },
    /// The share of the statistics of so many draws under the hypothesis, this one among them, that are at least as large.
    PValue { p_value: f64, draws: usize },
}

impl Uncertainty {
    /// In another unit.
    pub fn scaled(self, factor: f64) -> Self {
        match self {
            Uncertainty::Bound { error } => Uncertainty::Bound { error: error * factor },
            Uncertainty::Interval { standard_error, lower, upper } => Uncertainty::Interval {
                standard_error: standard_error * factor,
                lower: lower * factor,
                upper: upper * factor,
            },
            Uncertainty::Below { confidence, estimate } => {
                Uncertainty::Below { confidence, estimate: estimate * factor }
            }
            Uncertainty::PValue { .. } => self,
        }
    }
}

impl From<Estimate> for Uncertainty {
    fn from(estimate: Estimate) -> Self {
        let Estimate { standard_error, lower, upper, .. } = estimate;
        Uncertainty::Interval { standard_error, lower, upper }
    }
}

/// JSON has no infinity; it becomes the string "inf" instead of a null that looks like nothing. A finite value beyond all
/// floating-point numbers is a string of its digits.
fn magnitude<S: Serializer>(value: &Magnitude, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Magnitude::Number(value) if value.is_finite() => serializer.serialize_f64(*value),
        Magnitude::Number(value) => serializer.serialize_str(&value.to_string()),
        Magnitude::Beyond(logarithm) => serializer.serialize_str(&beyond(*logarithm)),
    }
}

/// e^logarithm in scientific notation.
fn beyond(logarithm: f64) -> String {
    let decimal = logarithm / std::f64::consts::LN_10;
    let exponent = decimal.floor();
    // The digits that the logarithm still has.
    let digits = (9.0 - exponent.abs().max(1.0).log10()).clamp(0.0, 9.0) as usize;
    format!("{:.digits$}e{exponent}", 10.0_f64.powf(decimal - exponent))
}

impl Report {
    /// As JSON.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("rows have string keys and serialize");
        text.push('\n');
        text
    }

    /// As a table for people.
    pub fn to_text(&self) -> String {
        let points = self.rows.iter().filter(|row| row.is_point()).count();
        let hidden = points.saturating_sub(MOST_POINTS);
        let shown = &self.rows[..self.rows.len() - hidden];
        let width = |text: fn(&Row) -> String| shown.iter().map(|row| text(row).chars().count()).max().unwrap_or(0);
        let (measures, values) = (width(|row| row.measure.clone()), width(value));
        let [p, q] = [&self.p, &self.q].map(|text| abridged(text));
        let mut text = format!("{}, P = {p}, Q = {q}\n", self.relation);
        // What is missing for one reason stands in one line.
        let mut missing: Vec<(&str, Vec<&str>)> = Vec::new();
        for row in shown {
            let measure = &row.measure;
            match &row.found {
                Found::Value(found) => {
                    let (value, method) = (value(row), found.method.label());
                    text.push_str(&format!("{measure:measures$}  {value:>values$}  {method}  {}\n", row.title));
                }
                Found::Failure { error, .. } => match missing.iter_mut().find(|(reason, _)| reason == error) {
                    Some((_, measures)) => measures.push(measure),
                    None => missing.push((error, vec![measure])),
                },
            }
        }
        for (reason, measures) in missing {
            text.push_str(&format!("{}: not available: {reason}\n", measures.join(", ")));
        }
        if hidden > 0 {
            text.push_str(&format!("… and D* at {hidden} more points: --json prints all\n"));
        }
        text
    }
}

fn abridged(text: &str) -> String {
    let mut start: String = text.chars().take(LONGEST_INPUT).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    escaped_for_terminals(&start).to_string()
}

fn value(row: &Row) -> String {
    let Found::Value(found) = &row.found else { return String::new() };
    let number = match found.magnitude {
        Magnitude::Number(f64::INFINITY) => "∞".to_owned(),
        Magnitude::Number(f64::NEG_INFINITY) => "−∞".to_owned(),
        Magnitude::Number(value) if value != 0.0 && !(1e-4..1e9).contains(&value.abs()) => format!("{value:.9e}"),
        Magnitude::Number(value) => format!("{value:.9}"),
        Magnitude::Beyond(logarithm) => format!("{} = exp({logarithm:.6})", beyond(logarithm)),
    };
    let unit = found.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
    let is_finite = !matches!(found.magnitude, Magnitude::Number(value) if value.is_infinite());
    match found.uncertainty {
        Some(Uncertainty::Interval { lower, upper, .. }) => format!("{number}{unit} [{lower:.6}, {upper:.6}]"),
        Some(Uncertainty::Below { confidence, estimate }) => {
            format!("≥ {number}{unit} ({:.0}% confidence; estimate {estimate:.6})", 100.0 * confidence)
        }
        Some(Uncertainty::PValue { p_value, draws }) => {
            let sign = if p_value * (draws + 1) as f64 <= 1.5 { '≤' } else { '=' };
            format!("{number}, p {sign} {p_value:.4}")
        }
        Some(Uncertainty::Bound { error }) if is_finite && error > 0.0 => format!("{number}{unit} ± {error:.0e}"),
        _ => format!("{number}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: f64, unit: Option<&str>, uncertainty: Option<Uncertainty>) -> Row {
        let unit = unit.map(str::to_owned);
        Row::new("kl", "Kullback–Leibler", Value { unit, ..Value::new(value, Method::Exact, uncertainty) })
    }

    fn report(rows: Vec<Row>) -> Report {
        Report { relation: "D(P‖Q)", kind: "probabilities", p: "1,0".to_owned(), q: "0,1".to_owned(), rows }
    }

    #[test]
    fn values_are_readable() {
        assert_eq!(value(&row(0.25, Some("nats"), None)), "0.250000000 nats");
        assert_eq!(value(&row(f64::INFINITY, None, None)), "∞");
        assert_eq!(value(&row(1.5e-18, None, None)), "1.500000000e-18");
        let bound = Some(Uncertainty::Bound { error: 2e-14 });
        assert_eq!(value(&row(1.0, Some("bits"), bound)), "1.000000000 bits ± 2e-14");
        let p_value = Some(Uncertainty::PValue { p_value: 0.25, draws: 999 });
        assert_eq!(value(&row(1.5, None, p_value)), "1.500000000, p = 0.2500");
        let least = Some(Uncertainty::PValue { p_value: 0.001, draws: 999 });
        assert_eq!(value(&row(1.5, None, least)), "1.500000000, p ≤ 0.0010");
        let below = Some(Uncertainty::Below { confidence: 0.95, estimate: 0.5 });
        assert_eq!(value(&row(0.25, None, below)), "≥ 0.250000000 (95% confidence; estimate 0.500000)");
    }

    #[test]
    fn large_values_are_told_from_infinity() {
        // e^1600 = 7.43311830746e694 by mpmath.
        let large = Value::new(f64::INFINITY, Method::ClosedForm, None).with_logarithm(1600.0);
        let row = Row::new("pearson-chi2", "Pearson χ²", large);
        let text = value(&row);
        assert!(text.starts_with("7.43") && text.ends_with("e694 = exp(1600.000000)"), "{text}");
        let parsed: serde_json::Value = serde_json::from_str(&report(vec![row]).to_json()).unwrap();
        assert_eq!(parsed["rows"][0]["log_value"], 1600.0);
        assert!(parsed["rows"][0]["value"].as_str().unwrap().ends_with("e694"));
        let infinite = Value::new(f64::INFINITY, Method::ClosedForm, None).with_logarithm(f64::INFINITY);
        assert_eq!((infinite.magnitude, infinite.log_value), (Magnitude::Number(f64::INFINITY), None));
    }

    #[test]
    fn json_keeps_infinity_and_failures() {
        let failed = Row::failed("w2", "Wasserstein", &crate::Error::other(std::io::Error::other("too hard")));
        let other = Row::failed("tv", "Total variation", &crate::Error::other(std::io::Error::other("too hard")));
        let report = report(vec![row(f64::INFINITY, None, None), row(0.5, None, None), failed, other]);
        let parsed: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!((&parsed["p"], &parsed["q"]), (&"1,0".into(), &"0,1".into()));
        assert_eq!(parsed["rows"][0]["value"], "inf");
        assert_eq!(parsed["rows"][1]["value"], 0.5);
        assert!(parsed["rows"][2]["value"].is_null() && parsed["rows"][2]["error"] == "too hard");
        let text = report.to_text();
        assert!(
            text.starts_with("D(P‖Q), P = 1,0, Q = 0,1\n") && text.ends_with("\nw2, tv: not available: too hard\n"),
            "{text}"
        );
    }

    #[test]
    fn many_points_are_not_printed() {
        let point = |index: usize| Row::new(format!("D*({index})"), "D*", Value::new(0.5, Method::Exact, None));
        let text = report((0..100_000).map(point).collect()).to_text();
        assert_eq!(text.lines().count(), 1 + MOST_POINTS + 1);
        assert!(text.contains("99980 more points"), "{text}");
    }
}
