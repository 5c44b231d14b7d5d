//! Vendi score.

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Serialize, Serializer};

use super::definitions::{Definition, Definitions, Preset};
use super::error::{MetricError, Set, known_to_have};
use super::jackknife::{JackknifeOptions, jackknife_parts};
use super::parameter::{Arguments, Kind, Parameter, Range};
use super::rows::{BLOCK, unit_rows};
use super::score::{About, Better, Counts, Need, Quantity, Score, ScoreInterval, Sets};
use super::value::Value;
use crate::interrupt::Interrupt;
use crate::linalg::{add_gram_lower, eigenvalues};
use crate::options::builders;
use crate::stats::Features;

/// Definition of a Vendi score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct VendiOptions {
    /// Order q of the Rényi entropy, zero or more, infinity included. Orders above 1 look at what is common, those
    /// below at what is rare.
    #[serde(serialize_with = "or_infinity")]
    pub order: f64,
}

builders!(VendiOptions {
    with_order order: f64,
});

/// JSON has no infinity: it becomes what the parameter takes for it.
fn or_infinity<S: Serializer>(order: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if order.is_finite() { serializer.serialize_f64(*order) } else { serializer.serialize_str("inf") }
}

impl Default for VendiOptions {
    /// Order 1, Shannon's entropy.
    fn default() -> Self {
        Self { order: 1.0 }
    }
}

impl VendiOptions {
    fn check(&self, counts: Counts) -> Result<(), MetricError> {
        if self.order.is_nan() || self.order < 0.0 {
            let value = self.order.to_string();
            return Err(MetricError::Parameter { parameter: "the order of the entropy", value, range: "zero or more" });
        }
        known_to_have(1, counts, &[Set::Fake], "a Vendi score", ("give images", None))
    }
}

/// A Vendi score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Vendi {
    /// The score: 1 when all images look alike, n when no two have anything in common.
    pub value: f64,
}

/// The Vendi score of a set, its effective number of different images:
///
/// ```text
/// VS_q = exp( 1/(1−q)·log Σᵢ λᵢ^q )      VS₁ = exp(−Σᵢ λᵢ·log λᵢ)      VS_∞ = 1/max λᵢ
/// ```
///
/// where λ are the eigenvalues of `K/n` and `K` holds the cosines of all pairs of images. No reference set is needed, and
/// nothing is said of quality: noise is diverse.
///
/// Source: Friedman and Dieng 2023 (arXiv:2210.02410), Pasarkar and Dieng 2024 (arXiv:2310.12952); dgm-eval's
/// `compute_vendi_score` with its linear kernel.
///
/// The non-zero eigenvalues of `X·Xᵀ` are those of `Xᵀ·X`: the smaller of the two is decomposed, so that neither time
/// nor memory grow with n². Eigenvalues below `ε·n·λmax` count as zero, which matters to order 0, the rank, alone.
///
/// # Errors
/// [`MetricError`] when the set is empty, a row is zero, or the order is negative or NaN.
pub fn vendi(features: &Features, options: VendiOptions) -> Result<Vendi, MetricError> {
    vendi_until(features, options, &Interrupt::new())
}

fn vendi_until(features: &Features, options: VendiOptions, interrupt: &Interrupt) -> Result<Vendi, MetricError> {
    options.check(Counts { real: None, fake: Some(features.len()) })?;
    let order = options.order;
    let (n, dim) = features.view().dim();
    let gram = gram_of_units(features.view(), interrupt)?;
    let eigenvalues = interrupt.deserting(move || eigenvalues(&gram))??;
    let largest = eigenvalues.iter().fold(0.0_f64, |a, &b| a.max(b));
    let floor = f64::EPSILON * n.min(dim) as f64 * largest;
    let shares = || eigenvalues.iter().map(|value| value / n as f64).filter(|&share| share > floor / n as f64);
    let entropy = if order == 1.0 {
        -shares().map(|share| share * share.ln()).sum::<f64>()
    } else if order.is_infinite() {
        -(largest / n as f64).ln()
    } else {
        shares().map(|share| share.powf(order)).sum::<f64>().ln() / (1.0 - order)
    };
    Ok(Vendi { value: entropy.exp() })
}

/// The lower triangle of `X·Xᵀ` or `Xᵀ·X`, whichever is smaller, for the rows of X divided by their norms.
fn gram_of_units(rows: ArrayView2<'_, f32>, interrupt: &Interrupt) -> Result<Array2<f64>, MetricError> {
    let (n, dim) = rows.dim();
    let zero = |row| MetricError::ZeroRow { set: Set::Fake, row };
    let mut gram = Array2::zeros((n.min(dim), n.min(dim)));
    if n <= dim {
        add_gram_lower(&mut gram, unit_rows(rows).map_err(zero)?.t());
    } else {
        for (number, rows) in rows.axis_chunks_iter(Axis(0), BLOCK).enumerate() {
            interrupt.check()?;
            add_gram_lower(&mut gram, unit_rows(rows).map_err(|row| zero(number * BLOCK + row))?.view());
        }
    }
    Ok(gram)
}

impl Definition for VendiOptions {
    fn of(_: Preset) -> Self {
        Self::default()
    }
}

/// Vendi score.
pub(super) struct Row;

static ABOUT: About = About {
    name: "vendi",
    key: "vendi",
    title: "Vendi score",
    summary: "effective number of different images",
    wants: "always the same number",
    real: &[],
    fake: &[Need::Features],
    quantities: &[Quantity {
        name: "vendi",
        title: "Vendi score",
        field: "value",
        better: Better::Higher,
        range: [1.0, f64::INFINITY],
    }],
    parameters: &[Parameter {
        name: "order",
        placeholder: "Q",
        help: "Order of the entropy; inf counts only the commonest image",
        default: Some("1"),
        kind: Kind::Number(Range::UpToInfinity),
        only_with: None,
    }],
    presets: &[Preset::DgmEval],
    ..About::OF_FEATURES
};

impl Score for Row {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, arguments: &Arguments, definitions: &mut Definitions) -> Result<(), MetricError> {
        if let Some(order) = arguments.number("order") {
            definitions.set(VendiOptions { order });
        }
        Ok(())
    }

    fn check(&self, counts: Counts, definitions: &Definitions) -> Result<(), MetricError> {
        definitions.get::<VendiOptions>().check(counts)
    }

    fn compute(&self, sets: &Sets<'_>, definitions: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        let options: VendiOptions = definitions.get();
        let features = sets.fake_features()?;
        let score = vendi_until(features, options, interrupt)?;
        Ok(Value::defined(&ABOUT, &score, &options).range([1.0, features.len() as f64]))
    }

    fn intervals(
        &self,
        sets: &Sets<'_>,
        definitions: &Definitions,
        options: JackknifeOptions,
        interrupt: &Interrupt,
    ) -> Result<Vec<ScoreInterval>, MetricError> {
        let (features, definition) = (sets.fake_features()?, definitions.get());
        let [interval] = jackknife_parts([0, features.len()], options, |_, part| -> Result<_, MetricError> {
            Ok([vendi_until(&part.of(features), definition, interrupt)?.value])
        })?;
        Ok(vec![ScoreInterval { interval, of: None }])
    }
}
