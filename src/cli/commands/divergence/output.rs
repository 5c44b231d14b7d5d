//! Rows as a table or as JSON.

use crate::divergence::Estimate;
use serde::{Serialize, Serializer};

/// All results of one call.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// What P and Q are.
    pub kind: &'static str,
    pub rows: Vec<Row>,
}

/// One result.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub measure: String,
    pub title: String,
    #[serde(serialize_with = "number")]
    pub value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    pub method: Method,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncertainty: Option<Uncertainty>,
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
}

impl Method {
    fn label(self) -> &'static str {
        match self {
            Method::Exact => "exact",
            Method::ClosedForm => "closed form",
            Method::Quadrature => "quadrature",
            Method::MonteCarlo => "Monte Carlo, 95% interval",
            Method::PlugIn => "plug-in estimate (biased upwards)",
            Method::NearestNeighbours => "nearest-neighbour estimate",
            Method::LowerBound => "lower bound, 95% interval",
            Method::Sinkhorn => "entropic",
            Method::Sliced => "sliced, 95% interval",
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
        }
    }
}

impl From<Estimate> for Uncertainty {
    fn from(estimate: Estimate) -> Self {
        let Estimate { standard_error, lower, upper, .. } = estimate;
        Uncertainty::Interval { standard_error, lower, upper }
    }
}

/// JSON has no infinity; it becomes the string "inf" instead of a null that looks like nothing.
fn number<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() { serializer.serialize_f64(*value) } else { serializer.serialize_str(&value.to_string()) }
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
        let width = |text: fn(&Row) -> String| self.rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0);
        let (measures, values) = (width(|row| row.measure.clone()), width(value));
        let line = |row: &Row| {
            let (measure, value, method) = (&row.measure, value(row), row.method.label());
            format!("{measure:measures$}  {value:>values$}  {method}  {}\n", row.title)
        };
        self.rows.iter().map(line).collect()
    }
}

fn value(row: &Row) -> String {
    let number = if row.value.is_infinite() {
        if row.value > 0.0 { "∞".to_owned() } else { "−∞".to_owned() }
    } else if row.value != 0.0 && !(1e-4..1e9).contains(&row.value.abs()) {
        format!("{:.9e}", row.value)
    } else {
        format!("{:.9}", row.value)
    };
    let unit = row.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
    match row.uncertainty {
        Some(Uncertainty::Interval { lower, upper, .. }) => format!("{number}{unit} [{lower:.6}, {upper:.6}]"),
        Some(Uncertainty::Bound { error }) if row.value.is_finite() => format!("{number}{unit} ± {error:.0e}"),
        _ => format!("{number}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: f64, unit: Option<&str>, uncertainty: Option<Uncertainty>) -> Row {
        Row {
            measure: "kl".to_owned(),
            title: "Kullback–Leibler".to_owned(),
            value,
            unit: unit.map(str::to_owned),
            method: Method::Exact,
            uncertainty,
        }
    }

    #[test]
    fn values_are_readable() {
        assert_eq!(value(&row(0.25, Some("nats"), None)), "0.250000000 nats");
        assert_eq!(value(&row(f64::INFINITY, None, None)), "∞");
        assert_eq!(value(&row(1.5e-18, None, None)), "1.500000000e-18");
        let bound = Some(Uncertainty::Bound { error: 2e-14 });
        assert_eq!(value(&row(1.0, Some("bits"), bound)), "1.000000000 bits ± 2e-14");
    }

    #[test]
    fn json_keeps_infinity() {
        let report = Report { kind: "probabilities", rows: vec![row(f64::INFINITY, None, None), row(0.5, None, None)] };
        let parsed: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(parsed["rows"][0]["value"], "inf");
        assert_eq!(parsed["rows"][1]["value"], 0.5);
    }
}
