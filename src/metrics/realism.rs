//! The realism score: how plausible each generated image is.

use serde::Serialize;

use super::definitions::{Definition, Definitions, Preset};
use super::error::{MetricError, Set, known_to_have, positive, same_dimension};
use super::neighbours::Distances;
use super::parameter::{Arguments, Choice, Kind, Parameter};
use super::prdc::check_neighbours;
use super::score::{About, Better, Counts, Quantity, Score, Sets};
use super::value::{Table, Value, readable};
use crate::interrupt::Interrupt;
use crate::options::builders;
use crate::stats::Features;

/// Whose formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RealismForm {
    /// The code of Kynkäänniemi et al.: `rᵢ²/(dᵢⱼ² + 10⁻⁵)` over balls up to the median one.
    Kynkaanniemi,
    /// dgm-eval, and the paper's formula: `rᵢ/dᵢⱼ` over balls smaller than the median one.
    DgmEval,
}

/// Definition of a realism score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RealismOptions {
    /// The real balls reach to this neighbour; an image is not a neighbour of itself.
    pub neighbours: usize,
    /// The formula.
    pub form: RealismForm,
}

builders!(RealismOptions {
    with_neighbours neighbours: usize,
    with_form form: RealismForm,
});

impl RealismOptions {
    /// The authors' code: k = 3, squared distances.
    pub const KYNKAANNIEMI: Self = Self { neighbours: 3, form: RealismForm::Kynkaanniemi };

    /// dgm-eval: k = 5, distances.
    pub const DGM_EVAL: Self = Self { neighbours: 5, form: RealismForm::DgmEval };

    fn check(&self, counts: Counts) -> Result<(), MetricError> {
        positive("the number of neighbours", self.neighbours)?;
        check_neighbours(self.neighbours, Counts { fake: None, ..counts })?;
        known_to_have(1, counts, &[Set::Fake], "a realism score", ("give images", None))
    }
}

/// The realism scores of a fake set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Realism {
    /// Their mean.
    pub mean: f64,
    /// Their median, which one extreme image does not move.
    pub median: f64,
    /// The score of each image, zero or more: at 1 it lies on the border of a real ball, above 1 inside of one.
    pub values: Vec<f64>,
}

/// The authors' guard against a division by zero.
const GUARD: f64 = 1e-5;

/// The realism score of each fake image: how far inside of a real ball it lies,
///
/// ```text
/// R(yⱼ) = maxᵢ rᵢ/‖xᵢ − yⱼ‖
/// ```
///
/// over those half of the real images x whose balls, of radius rᵢ up to their k-th nearest neighbour, are the smallest: a
/// large ball says little.
///
/// Source: Kynkäänniemi et al. 2019 (arXiv:1904.06991), equation 3. Their code computes it from squared distances
/// ([`RealismForm::Kynkaanniemi`]), dgm-eval as in the paper ([`RealismForm::DgmEval`]).
///
/// Exact: all distances that decide are f64. Nothing is n×n in memory.
///
/// ```
/// use gan_metrics::metrics::{RealismOptions, realism};
/// use gan_metrics::stats::Features;
/// use ndarray::array;
///
/// let real = Features::new(array![[0.0], [1.0], [3.0], [9.0]])?;
/// let fake = Features::new(array![[0.5], [5.0]])?;
/// let options = RealismOptions::DGM_EVAL.with_neighbours(1);
/// // Radii 1, 1, 2 and 6: the balls of 0 and 1 are smaller than the median, 1.5.
/// assert_eq!(realism(&real, &fake, options)?.values, [1.0 / 0.5, 1.0 / 4.0]);
/// # Ok::<(), gan_metrics::Error>(())
/// ```
///
/// # Errors
/// [`MetricError`] when the dimensions differ, k is zero, there are no more than k real images or no fake one, no real ball
/// is smaller than the median one, or dgm-eval's form is infinite: for a copy of a real image.
pub fn realism(real: &Features, fake: &Features, options: RealismOptions) -> Result<Realism, MetricError> {
    Ok(realism_until(real, fake, options, &Interrupt::new())?.0)
}

/// The scores, and the number of real images whose ball is a point.
fn realism_until(
    real: &Features,
    fake: &Features,
    options: RealismOptions,
    interrupt: &Interrupt,
) -> Result<(Realism, usize), MetricError> {
    let RealismOptions { neighbours, form } = options;
    same_dimension(real, fake)?;
    options.check(Counts { real: Some(real.len()), fake: Some(fake.len()) })?;

    let nearest = Distances::within(real, interrupt).nearest_within(neighbours)?;
    let radii: Vec<f64> =
        nearest.iter().map(|found| found[neighbours - 1].square).map(|square| form.of(square)).collect();
    let points = radii.iter().filter(|&&radius| radius == 0.0).count();
    let middle = median(&radii);
    let counts = |radius: f64| match form {
        RealismForm::Kynkaanniemi => radius <= middle,
        RealismForm::DgmEval => radius < middle,
    };
    // A ball that does not count is as good as none.
    let radii: Vec<Option<f64>> = radii.into_iter().map(|radius| counts(radius).then_some(radius)).collect();
    if radii.iter().all(Option::is_none) {
        return Err(MetricError::NoSmallBall { neighbours });
    }

    let distances = Distances::between(real, fake, interrupt);
    let tiles = distances.map_between(|tile| {
        let mut best = vec![0.0_f64; tile.columns.len()];
        distances.for_each_pair(tile, |i, j, bounds| {
            let (row, column) = (tile.first_row + i, tile.first_column + j);
            let Some(radius) = radii[row] else { return };
            // The nearer, the better: the exact distance matters only where the least possible one would win.
            if form.score(radius, bounds.at_least()) > best[j] {
                best[j] = best[j].max(form.score(radius, distances.exact(row, column)));
            }
        });
        (tile.first_column, best)
    })?;
    let mut values = vec![0.0_f64; fake.len()];
    for (first, best) in tiles {
        values[first..].iter_mut().zip(best).for_each(|(value, best)| *value = value.max(best));
    }
    if let Some(row) = values.iter().position(|value| value.is_infinite()) {
        return Err(MetricError::InfiniteRealism { row });
    }
    Ok((Realism { mean: values.iter().sum::<f64>() / values.len() as f64, median: median(&values), values }, points))
}

impl RealismForm {
    /// What it compares, of a squared distance.
    fn of(self, square: f64) -> f64 {
        match self {
            RealismForm::Kynkaanniemi => square,
            RealismForm::DgmEval => square.sqrt(),
        }
    }

    /// The score with one ball, at a squared distance from its middle.
    fn score(self, radius: f64, square: f64) -> f64 {
        match self {
            RealismForm::Kynkaanniemi => radius / (square + GUARD),
            // A ball without extent, of an image with copies, says nothing.
            RealismForm::DgmEval if radius == 0.0 => 0.0,
            RealismForm::DgmEval => radius / square.sqrt(),
        }
    }
}

/// The middle value, or the mean of both.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0
}

impl Definition for RealismOptions {
    fn of(preset: Preset) -> Self {
        match preset {
            Preset::DgmEval => Self::DGM_EVAL,
            _ => Self::KYNKAANNIEMI,
        }
    }
}

/// Realism score.
pub(super) struct Row;

/// Images that the table names.
const NAMED: usize = 10;

static ABOUT: About = About {
    name: "realism",
    key: "realism",
    title: "realism",
    summary: "how plausible each generated image is",
    // A median has no jackknife.
    interval: None,
    quantities: &[
        Quantity {
            name: "realism",
            title: "realism",
            field: "mean",
            better: Better::Higher,
            range: [0.0, f64::INFINITY],
        },
        Quantity {
            name: "realism-median",
            title: "realism, median",
            field: "median",
            better: Better::Higher,
            range: [0.0, f64::INFINITY],
        },
    ],
    parameters: &[
        Parameter {
            name: "k",
            placeholder: "K",
            help: "Nearest neighbour that the balls of real images reach to",
            default: None,
            kind: Kind::Count { least: 1, most: 10_000 },
            only_with: None,
        },
        Parameter {
            name: "form",
            placeholder: "FORM",
            help: "Formula",
            default: None,
            kind: Kind::Choice(&[
                Choice { name: "kynkaanniemi", help: "the authors' code: squared distances, balls up to the median" },
                Choice { name: "dgm-eval", help: "the paper's: distances, balls below the median" },
            ]),
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
        definitions.change(|options: &mut RealismOptions| {
            options.neighbours = arguments.count("k").unwrap_or(options.neighbours);
            options.form = match arguments.choice("form") {
                Some("dgm-eval") => RealismForm::DgmEval,
                Some(_) => RealismForm::Kynkaanniemi,
                None => options.form,
            };
        });
        Ok(())
    }

    fn check(&self, counts: Counts, definitions: &Definitions) -> Result<(), MetricError> {
        definitions.get::<RealismOptions>().check(counts)
    }

    fn compute(&self, sets: &Sets<'_>, definitions: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        let options: RealismOptions = definitions.get();
        let [real, fake] = sets.features()?;
        let (score, points) = realism_until(real, fake, options, interrupt)?;
        let names = sets.names(Set::Fake);
        let mut order: Vec<usize> = (0..score.values.len()).collect();
        order.sort_by(|&a, &b| score.values[a].total_cmp(&score.values[b]));
        let row = |&index: &usize| {
            let name = names.map_or_else(|| index.to_string(), |names| names[index].clone());
            vec![name, readable(score.values[index])]
        };
        let table = Table {
            title: "least realistic generated images".into(),
            columns: vec!["image", "realism"],
            rows: order.iter().take(NAMED).map(row).collect(),
        };
        let value = Value::defined(&ABOUT, &score, &options).note(0, format!("mean, k = {}", options.neighbours));
        Ok(value.table(table).caution_of_copies(Set::Real, points))
    }
}
