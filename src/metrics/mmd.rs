//! Maximum mean discrepancy of whole sets.

use serde::Serialize;

use super::definitions::{Definition, Definitions, Preset};
use super::error::{MetricError, Set, known_to_have, same_dimension};
use super::jackknife::JackknifeOptions;
use super::kernel::{self, Estimator, Kernel, discrepancy};
use super::parameter::{Arguments, Choice, Kind, Parameter, Range};
use super::rows::unit_features;
use super::score::{About, Better, Counts, Quantity, Score, ScoreInterval, Sets};
use super::value::Value;
use crate::interrupt::Interrupt;
use crate::options::builders;
use crate::stats::Features;

/// Whether features are scaled to unit length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// Features as they are.
    AsGiven,
    /// Each row divided by its Euclidean norm.
    Unit,
}

/// Definition of a maximum mean discrepancy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MmdOptions {
    /// The kernel.
    pub kernel: Kernel,
    /// Which estimate.
    pub estimator: Estimator,
    /// Whether features are scaled to unit length first.
    pub length: Length,
    /// Factor of the result.
    pub scale: f64,
}

builders!(MmdOptions {
    with_kernel kernel: Kernel,
    with_estimator estimator: Estimator,
    with_length length: Length,
    with_scale scale: f64,
});

impl MmdOptions {
    /// CMMD's form: Gaussian kernel with σ = 10 on features of unit length, biased, times 1000.
    pub const CMMD: Self =
        Self { kernel: Kernel::SIGMA_10, estimator: Estimator::Biased, length: Length::Unit, scale: 1000.0 };
}

impl MmdOptions {
    fn check(&self, counts: Counts) -> Result<(), MetricError> {
        self.kernel.check()?;
        known_to_have(2, counts, &Set::BOTH, "a mean discrepancy", ("give more images", None))
    }
}

impl Default for MmdOptions {
    fn default() -> Self {
        Self::CMMD
    }
}

/// A maximum mean discrepancy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mmd {
    /// `scale·MMD²`.
    pub value: f64,
}

/// The squared maximum mean discrepancy of two sets, over all pairs,
///
/// ```text
/// MMD² = E k(x, x′) + E k(y, y′) − 2·E k(x, y)
/// ```
///
/// Source: Gretton et al. 2012; with [`MmdOptions::CMMD`] on the embeddings of CLIP ViT-L/14@336 it is the CMMD of
/// Jayasumana et al. 2024 (arXiv:2401.09603), on other features it has only its form.
///
/// Precision: products of centred features in f32, everything else in f64, where `k − 1` is summed in place of a Gaussian
/// kernel close to one: CMMD's own sums in f32 cancel to a few digits there. Blocked: nothing is n×n in memory.
///
/// # Errors
/// [`MetricError`] when the dimensions differ, a set has fewer than two images, a parameter is out of range, or a row
/// that is to have unit length is zero.
pub fn mmd(real: &Features, fake: &Features, options: MmdOptions) -> Result<Mmd, MetricError> {
    mmd_until(real, fake, options, &Interrupt::new())
}

fn mmd_until(real: &Features, fake: &Features, options: MmdOptions, interrupt: &Interrupt) -> Result<Mmd, MetricError> {
    let MmdOptions { kernel, estimator, length, scale } = options;
    same_dimension(real, fake)?;
    options.check(Counts { real: Some(real.len()), fake: Some(fake.len()) })?;
    let square = match length {
        Length::AsGiven => discrepancy(kernel, real.view(), fake.view(), estimator, interrupt)?,
        Length::Unit => {
            let of = |features, set| unit_features(features, set, interrupt);
            let (real, fake) = (of(real, Set::Real)?, of(fake, Set::Fake)?);
            discrepancy(kernel, real.view(), fake.view(), estimator, interrupt)?
        }
    };
    let value = scale * square;
    if value.is_finite() { Ok(Mmd { value }) } else { Err(MetricError::Overflow { score: "the mean discrepancy" }) }
}

/// The interval of a discrepancy, or of what one stands for.
pub(super) fn interval(
    sets: &Sets<'_>,
    discrepancy: MmdOptions,
    options: JackknifeOptions,
    interrupt: &Interrupt,
    of: Option<&'static str>,
) -> Result<Vec<ScoreInterval>, MetricError> {
    Ok(vec![sets.interval(options, of, |x, y| Ok(mmd_until(x, y, discrepancy, interrupt)?.value))?])
}

impl Definition for MmdOptions {
    fn of(_: Preset) -> Self {
        Self::CMMD
    }
}

/// Maximum mean discrepancy.
pub(super) struct Row;

static ABOUT: About = About {
    name: "mmd",
    key: "mmd",
    title: "MMD",
    summary: "maximum mean discrepancy, in the form of CMMD",
    quantities: &[Quantity {
        name: "mmd",
        title: "MMD",
        field: "value",
        better: Better::Lower,
        // The unbiased estimate may be negative.
        range: [f64::NEG_INFINITY, f64::INFINITY],
    }],
    parameters: &[
        kernel::parameter("rbf"),
        kernel::SIGMA,
        Parameter {
            name: "estimator",
            placeholder: "ESTIMATOR",
            help: "Pairs that the means are taken over",
            default: Some("biased"),
            kind: Kind::Choice(&[
                Choice { name: "biased", help: "all pairs, as in CMMD" },
                Choice { name: "unbiased", help: "pairs of different images" },
            ]),
            only_with: None,
        },
        Parameter {
            name: "length",
            placeholder: "LENGTH",
            help: "Length of the features",
            default: Some("unit"),
            kind: Kind::Choice(&[
                Choice { name: "unit", help: "scaled to one, as in CMMD" },
                Choice { name: "as-given", help: "as they are" },
            ]),
            only_with: None,
        },
        Parameter {
            name: "scale",
            placeholder: "FACTOR",
            help: "Factor of the result",
            default: Some("1000"),
            kind: Kind::Number(Range::Positive),
            only_with: None,
        },
    ],
    ..About::OF_FEATURES
};

impl Score for Row {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, arguments: &Arguments, definitions: &mut Definitions) -> Result<(), MetricError> {
        definitions.change(|options: &mut MmdOptions| {
            options.kernel = Kernel::chosen(arguments).unwrap_or(options.kernel);
            options.estimator = match arguments.choice("estimator") {
                Some("unbiased") => Estimator::Unbiased,
                Some(_) => Estimator::Biased,
                None => options.estimator,
            };
            options.length = match arguments.choice("length") {
                Some("as-given") => Length::AsGiven,
                Some(_) => Length::Unit,
                None => options.length,
            };
            options.scale = arguments.number("scale").unwrap_or(options.scale);
        });
        Ok(())
    }

    fn check(&self, counts: Counts, definitions: &Definitions) -> Result<(), MetricError> {
        definitions.get::<MmdOptions>().check(counts)
    }

    fn compute(&self, sets: &Sets<'_>, definitions: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        let options: MmdOptions = definitions.get();
        let [real, fake] = sets.features()?;
        let value = Value::defined(&ABOUT, &mmd_until(real, fake, options, interrupt)?, &options);
        Ok(match options.estimator {
            Estimator::Biased => value.range([0.0, f64::INFINITY]),
            Estimator::Unbiased => value,
        })
    }

    fn intervals(
        &self,
        sets: &Sets<'_>,
        definitions: &Definitions,
        options: JackknifeOptions,
        interrupt: &Interrupt,
    ) -> Result<Vec<ScoreInterval>, MetricError> {
        interval(sets, definitions.get(), options, interrupt, None)
    }
}
