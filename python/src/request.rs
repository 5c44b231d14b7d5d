//! Which scores, and how they are defined.

use gan_metrics::Result;
use gan_metrics::metrics::{Arguments, Better, JackknifeOptions, Quantity};
use gan_metrics::score::{AskedIntervals, Definitions, IntervalRequest, Metric, Preset, Request, Selection};
use pyo3::prelude::*;
use serde_json::{Value, json};

/// Scores, the tool whose definitions hold, what is changed of them by score, and the level of intervals.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Asked {
    metrics: Option<Vec<String>>,
    preset: String,
    parameters: Vec<(String, Vec<(String, String)>)>,
    level: Option<f64>,
}

/// A parameter of a score that is not computed.
#[derive(Debug)]
struct Unused(Metric);

impl std::fmt::Display for Unused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "parameters of {} would have no effect: it is not among the scores to compute", self.0)
    }
}

impl std::error::Error for Unused {}

impl Asked {
    /// The tool whose definitions hold.
    pub fn preset(&self) -> Result<Preset> {
        Ok(self.preset.parse()?)
    }

    /// The scores: those that were named, else those of the tool where they are possible; `all` is all that are possible.
    pub fn selection(&self) -> Result<Selection> {
        let Some(names) = &self.metrics else {
            return Ok(Selection::where_possible(Metric::of_preset(self.preset()?)));
        };
        let selection = if names.iter().any(|name| name == "all") { Selection::all() } else { Selection::default() };
        let named = names.iter().filter(|name| *name != "all").map(|name| name.parse());
        Ok(selection.and(named.collect::<Result<Vec<Metric>, _>>()?))
    }

    /// The definitions, each parameter of which concerns one of the scores.
    pub fn definitions(&self) -> Result<Definitions> {
        let (selection, mut definitions) = (self.selection()?, Definitions::of(self.preset()?));
        for (score, given) in &self.parameters {
            let metric: Metric = score.parse()?;
            if !selection.contains(metric) {
                return Err(gan_metrics::Error::other(Unused(metric)));
            }
            let texts = given.iter().map(|(name, text)| (name.as_str(), text.as_str()));
            metric.configure(&Arguments::parse(metric.about().parameters, texts)?, &mut definitions)?;
        }
        Ok(definitions)
    }

    /// The intervals of a job.
    pub fn intervals(&self) -> AskedIntervals {
        self.jackknife().map_or(AskedIntervals::None, AskedIntervals::Required)
    }

    fn jackknife(&self) -> Option<JackknifeOptions> {
        self.level.map(|level| JackknifeOptions::default().with_level(level))
    }

    /// The request of an evaluator, whose scores are those that were named.
    pub fn request(&self) -> Result<Request> {
        let selection = self.selection()?;
        let metrics: std::collections::BTreeSet<Metric> = match selection.named.is_empty() {
            true => selection.where_possible,
            false => selection.named,
        };
        let intervals = self.jackknife().map(|definition| IntervalRequest {
            definition,
            metrics: metrics.iter().copied().filter(|metric| metric.about().interval.is_some()).collect(),
        });
        Ok(Request { metrics, definitions: self.definitions()?, intervals })
    }
}

/// The registry of scores, as JSON.
#[pyfunction]
pub fn registry() -> String {
    let quantity = |quantity: &Quantity| {
        let better = if quantity.better == Better::Lower { "lower" } else { "higher" };
        json!({ "name": quantity.name, "field": quantity.field, "better": better })
    };
    let score = |metric: Metric| {
        let about = metric.about();
        let parameters = about.parameters.iter();
        json!({
            "name": about.name,
            "key": about.key,
            "title": about.title,
            "summary": about.summary,
            "compares": about.compares(),
            "presets": about.presets,
            "numbers": about.quantities.iter().map(quantity).collect::<Vec<_>>(),
            "parameters": parameters.map(|parameter| parameter.name.replace('-', "_")).collect::<Vec<_>>(),
        })
    };
    Value::from(Metric::all().map(score).collect::<Vec<_>>()).to_string()
}
