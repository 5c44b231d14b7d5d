//! Monge Inception Distance.

use ndarray::{Array2, ArrayView2, Axis, CowArray, s};
use rayon::prelude::*;
use serde::Serialize;

use super::definitions::{Definition, Definitions, Preset};
use super::error::{MetricError, Set, known_to_have, positive, same_dimension};
use super::frame::{Frame, PANEL, products};
use super::jackknife::JackknifeOptions;
use super::parameter::{Arguments, Choice, Kind, Parameter};
use super::score::{About, Counts, Quantity, Score, ScoreInterval, Sets};
use super::torch_random::TorchGenerator;
use super::value::Value;
use crate::interrupt::Interrupt;
use crate::random_state::RandomState;
use crate::stats::Features;

/// Directions that a thread works on at a time: enough for the products to pay, few enough to fit beside each other.
const DIRECTIONS: usize = 64;

/// Where the directions come from, and with them what is done with sets of different sizes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "source")]
pub enum Directions {
    /// `RandomState(seed).standard_normal((count, d))` of numpy, each row divided by its norm. Sets of different sizes
    /// are compared as they are, by the quantiles of their projections.
    Seeded {
        /// Number of directions.
        count: usize,
        /// Seed of the generator.
        seed: u32,
    },
    /// torch-fidelity's: `torch.randn(count, d)`, after `torch.randperm` has cut the larger set down to the size of the
    /// smaller one.
    TorchFidelity {
        /// Number of directions.
        count: usize,
        /// Seed of the generator.
        seed: u64,
    },
    /// The given ones, one a row, each divided by its norm. Sizes as for [`Directions::Seeded`].
    Given {
        /// The directions, count×d.
        #[serde(skip)]
        directions: Array2<f32>,
    },
}

impl Directions {
    /// torch-fidelity's 1000 directions of seed 2020.
    pub const TORCH_FIDELITY: Self = Directions::TorchFidelity { count: 1000, seed: 2020 };

    fn count(&self) -> usize {
        match self {
            Directions::Seeded { count, .. } | Directions::TorchFidelity { count, .. } => *count,
            Directions::Given { directions } => directions.nrows(),
        }
    }

    fn check(&self, counts: Counts) -> Result<(), MetricError> {
        positive("the number of directions", self.count())?;
        known_to_have(1, counts, &Set::BOTH, "a projection", ("give more images", None))
    }
}

impl Default for Directions {
    /// 1000 directions of seed 2020 by numpy's generator.
    fn default() -> Self {
        Directions::Seeded { count: 1000, seed: 2020 }
    }
}

/// A Monge Inception Distance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mind {
    /// The distance, never negative.
    pub value: f64,
    /// Standard error of the mean over directions, of the same scale as `value`: what other directions would change.
    /// Zero for a single direction.
    pub standard_error: f64,
    /// Images of the real and of the fake set that were compared.
    pub images: [usize; 2],
}

/// torch-fidelity's guard against a direction of no length.
const SHORTEST: f32 = 1e-12;

/// The Monge Inception Distance, a squared sliced 2-Wasserstein distance:
///
/// ```text
/// MIND = 3d · 1/M·Σ_u ∫₀¹ (F⁻¹_u(t) − G⁻¹_u(t))² dt
/// ```
///
/// over M random directions `u` of length one, with the quantile functions `F⁻¹_u`, `G⁻¹_u` of the projections of both
/// sets; for sets of one size the integral is the mean squared difference of the sorted projections.
///
/// Source: Berthet et al. 2026 (arXiv:2605.06797), as computed by torch-fidelity from 0.5 on, with
/// [`Directions::TORCH_FIDELITY`].
///
/// Precision: projections of centred features in f32, everything else in f64.
/// Memory: `512·(n₁+n₂)` bytes per thread besides the features.
///
/// # Errors
/// [`MetricError`] when the dimensions differ, a set is empty, or there is no direction or none that fits.
pub fn mind(real: &Features, fake: &Features, directions: &Directions) -> Result<Mind, MetricError> {
    mind_until(real, fake, directions, &Interrupt::new())
}

fn mind_until(
    real: &Features,
    fake: &Features,
    directions: &Directions,
    interrupt: &Interrupt,
) -> Result<Mind, MetricError> {
    let dim = same_dimension(real, fake)?;
    directions.check(Counts { real: Some(real.len()), fake: Some(fake.len()) })?;
    let count = directions.count();

    let (mut x, mut y) = (CowArray::from(real.view()), CowArray::from(fake.view()));
    let mut units = match directions {
        Directions::Seeded { seed, .. } => {
            let mut random = RandomState::new(*seed);
            Array2::from_shape_simple_fn((count, dim), || random.standard_normal() as f32)
        }
        Directions::TorchFidelity { seed, .. } => {
            let mut random = TorchGenerator::new(*seed);
            let size = x.nrows().min(y.nrows());
            for set in [&mut x, &mut y] {
                if set.nrows() > size {
                    *set = set.select(Axis(0), &random.permutation(set.nrows())[..size]).into();
                }
            }
            Array2::from_shape_vec((count, dim), random.normal(count * dim)).expect("as many as asked for")
        }
        Directions::Given { directions } if directions.ncols() == dim => directions.as_standard_layout().into_owned(),
        Directions::Given { directions } => {
            return Err(MetricError::Directions { directions: directions.ncols(), features: dim });
        }
    };
    for mut unit in units.rows_mut() {
        let norm = unit.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt() as f32;
        unit.mapv_inplace(|value| value / norm.max(SHORTEST));
    }

    let frame = Frame::of(&[x.view(), y.view()], interrupt);
    let blocks: Vec<_> = units.axis_chunks_iter(Axis(0), DIRECTIONS).collect();
    let of_block = |units| -> Result<Vec<f64>, MetricError> {
        let (x, y) = (sorted_projections(&frame, x.view(), units)?, sorted_projections(&frame, y.view(), units)?);
        Ok(x.into_iter().zip(y).map(|(x, y)| squared_distance_on_the_line(&x, &y)).collect())
    };
    let squares = blocks.into_par_iter().map(of_block).collect::<Result<Vec<_>, _>>()?.concat();
    let scale = 3.0 * dim as f64 * frame.unit();
    let mean = squares.iter().sum::<f64>() / count as f64;
    let variance = squares.iter().map(|square| (square - mean).powi(2)).sum::<f64>() / (count.max(2) - 1) as f64;
    let standard_error = scale * (variance / count as f64).sqrt();
    Ok(Mind { value: scale * mean, standard_error, images: [x.nrows(), y.nrows()] })
}

/// The projections of a set on each direction, ascending, in the frame.
fn sorted_projections(
    frame: &Frame,
    set: ArrayView2<'_, f32>,
    units: ArrayView2<'_, f32>,
) -> Result<Vec<Vec<f32>>, MetricError> {
    let mut projections = vec![Vec::with_capacity(set.nrows()); units.nrows()];
    for first in (0..set.nrows()).step_by(PANEL) {
        frame.interrupt().check()?;
        let end = set.nrows().min(first + PANEL);
        let rows = frame.place(set.slice(s![first..end, ..]).axis_iter(Axis(0)));
        for (projections, values) in projections.iter_mut().zip(products(units, rows.values()).rows()) {
            projections.extend(values);
        }
    }
    projections.iter_mut().for_each(|values| values.sort_unstable_by(f32::total_cmp));
    Ok(projections)
}

/// `∫₀¹ (F⁻¹ − G⁻¹)²` of two sorted samples.
fn squared_distance_on_the_line(x: &[f32], y: &[f32]) -> f64 {
    let difference = |i: usize, j: usize| (f64::from(x[i]) - f64::from(y[j])).powi(2);
    if x.len() == y.len() {
        return (0..x.len()).map(|i| difference(i, i)).sum::<f64>() / x.len() as f64;
    }
    // Both quantile functions are steps, of length 1/n₁ and 1/n₂: in units of 1/(n₁·n₂) everything is a whole number.
    let (n1, n2) = (x.len() as u64, y.len() as u64);
    let (mut i, mut j, mut at, mut sum) = (0, 0, 0, 0.0);
    while at < n1 * n2 {
        let (end_x, end_y) = ((i + 1) * n2, (j + 1) * n1);
        let end = end_x.min(end_y);
        sum += (end - at) as f64 * difference(i as usize, j as usize);
        at = end;
        i += u64::from(end == end_x);
        j += u64::from(end == end_y);
    }
    sum / (n1 as f64 * n2 as f64)
}

impl Definition for Directions {
    fn of(_: Preset) -> Self {
        Self::TORCH_FIDELITY
    }
}

/// Monge Inception Distance.
pub(super) struct Row;

static ABOUT: About = About {
    name: "mind",
    key: "mind",
    title: "MIND",
    summary: "Monge Inception Distance",
    quantities: &[Quantity::distance("mind", "MIND")],
    parameters: &[
        Parameter {
            name: "directions",
            placeholder: "N",
            help: "Number of directions",
            default: Some("1000"),
            kind: Kind::Count { least: 1, most: 1_000_000 },
            only_with: None,
        },
        Parameter {
            name: "source",
            placeholder: "SOURCE",
            help: "Generator of the directions",
            default: Some("torch"),
            kind: Kind::Choice(&[
                Choice { name: "torch", help: "torch.randn, as in torch-fidelity" },
                Choice { name: "numpy", help: "numpy's RandomState, which leaves no image out" },
            ]),
            only_with: None,
        },
        Parameter {
            name: "seed",
            placeholder: "SEED",
            help: "Seed of the generator",
            default: Some("2020"),
            kind: Kind::Seed,
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
        if arguments.is_empty() {
            return Ok(());
        }
        let (count, seed) = (arguments.count("directions").unwrap_or(1000), arguments.seed("seed").unwrap_or(2020));
        definitions.set(match arguments.choice("source") {
            Some("numpy") => Directions::Seeded { count, seed },
            _ => Directions::TorchFidelity { count, seed: seed.into() },
        });
        Ok(())
    }

    fn check(&self, counts: Counts, definitions: &Definitions) -> Result<(), MetricError> {
        definitions.get::<Directions>().check(counts)
    }

    fn compute(&self, sets: &Sets<'_>, definitions: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        let directions: Directions = definitions.get();
        let [real, fake] = sets.features()?;
        let score = mind_until(real, fake, &directions, interrupt)?;
        Ok(Value::defined(&ABOUT, &score, &directions).spread(score.standard_error).note(0, "over directions"))
    }

    fn intervals(
        &self,
        sets: &Sets<'_>,
        definitions: &Definitions,
        options: JackknifeOptions,
        interrupt: &Interrupt,
    ) -> Result<Vec<ScoreInterval>, MetricError> {
        // torch-fidelity leaves out images of the larger set, others with every group.
        let (directions, of) = match definitions.get() {
            Directions::TorchFidelity { count, seed } => {
                (Directions::Seeded { count, seed: seed as u32 }, Some("MIND of all images, by quantiles"))
            }
            own => (own, None),
        };
        Ok(vec![sets.interval(options, of, |x, y| Ok(mind_until(x, y, &directions, interrupt)?.value))?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_unequal_sizes_are_those_of_repeated_samples() {
        let (x, y) = ([0.5_f32, 1.0, 4.0], [-1.0_f32, 0.0, 2.0, 2.5, 9.0]);
        let repeat = |values: &[f32], times| values.iter().flat_map(|&v| vec![v; times]).collect::<Vec<_>>();
        let expected = squared_distance_on_the_line(&repeat(&x, 5), &repeat(&y, 3));
        assert!((squared_distance_on_the_line(&x, &y) - expected).abs() < 1e-14 * expected);
        assert_eq!(squared_distance_on_the_line(&x, &repeat(&x, 7)), 0.0);
    }

    #[test]
    fn one_dimension_is_the_distance_on_the_line() {
        let set =
            |values: &[f32]| Features::new(Array2::from_shape_vec((values.len(), 1), values.into()).unwrap()).unwrap();
        let (x, y) = (set(&[3.0, 1.0, 2.0]), set(&[5.0, 3.0, 4.5]));
        let directions = Directions::Given { directions: Array2::from_elem((1, 1), -4.0) };
        // Differences 2, 2.5 and 2, squared; 3d = 3.
        let expected = 3.0 * (4.0 + 6.25 + 4.0) / 3.0;
        let mind = mind(&x, &y, &directions).unwrap();
        assert!((mind.value - expected).abs() < 1e-6 && mind.standard_error == 0.0, "{mind:?}");
    }
}
