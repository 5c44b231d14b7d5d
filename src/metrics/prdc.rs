//! Precision, recall, density and coverage.

use std::borrow::Cow;

use serde::Serialize;

use super::definitions::{Definition, Definitions, Preset};
use super::error::{MetricError, Set, known_to_have, positive, same_dimension};
use super::jackknife::{JackknifeOptions, jackknife_parts};
use super::neighbours::{Boundary, Distances};
use super::parameter::{Arguments, Kind, Parameter};
use super::rows::choose;
use super::score::{About, Better, Counts, Quantity, Score, ScoreInterval, Sets};
use super::value::{Caution, Value};
use crate::interrupt::Interrupt;
use crate::options::builders;
use crate::random_state::RandomState;
use crate::stats::Features;

/// The balls that stand for the manifold of a set: around each image, as far as its k-th nearest neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Balls {
    /// k; an image is not a neighbour of itself.
    pub neighbours: usize,
    /// Whether balls contain their boundary.
    pub boundary: Boundary,
}

/// Definition of precision, recall, density and coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PrdcOptions {
    /// Balls for precision, recall and their F-score.
    pub precision_recall: Balls,
    /// Balls for density and coverage.
    pub density_coverage: Balls,
}

builders!(PrdcOptions {
    with_precision_recall precision_recall: Balls,
    with_density_coverage density_coverage: Balls,
});

impl PrdcOptions {
    /// torch-fidelity and the improved precision and recall of Kynkäänniemi et al.: k = 3, closed balls. They have no
    /// density and coverage; those are the ones of [`Self::PRDC`].
    pub const TORCH_FIDELITY: Self = Self {
        precision_recall: Balls { neighbours: 3, boundary: Boundary::Closed },
        density_coverage: Self::PRDC.density_coverage,
    };

    /// The package `prdc` of Naeem et al. with its usual k = 5, and dgm-eval: open balls for all four.
    pub const PRDC: Self = Self {
        precision_recall: Balls { neighbours: 5, boundary: Boundary::Open },
        density_coverage: Balls { neighbours: 5, boundary: Boundary::Open },
    };
}

impl Default for PrdcOptions {
    fn default() -> Self {
        Self::TORCH_FIDELITY
    }
}

impl PrdcOptions {
    fn check(&self, counts: Counts) -> Result<(), MetricError> {
        let [pair, other] = [self.precision_recall, self.density_coverage].map(|balls| balls.neighbours);
        positive("the number of neighbours", pair)?;
        positive("the number of neighbours", other)?;
        check_neighbours(pair.max(other), counts)
    }
}

/// Checks that every image of both sets has a k-th nearest neighbour.
pub(super) fn check_neighbours(k: usize, counts: Counts) -> Result<(), MetricError> {
    let remedy = ("use fewer neighbours or more images", Some("k"));
    known_to_have(k.saturating_add(1), counts, &Set::BOTH, "a k-th nearest neighbour", remedy)
}

/// Precision, recall, density and coverage of a fake set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Prdc {
    /// Share of fake images within the ball of any real image, 0 to 1: fidelity.
    pub precision: f64,
    /// Share of real images within the ball of any fake image, 0 to 1: diversity.
    pub recall: f64,
    /// `2·precision·recall/(precision + recall)`, as in torch-fidelity: the divisor is at least 1e-5.
    pub f_score: f64,
    /// Mean number of real balls around a fake image, divided by k: as precision, but an outlier among the real images
    /// with its huge ball counts as one ball only. About 1 for equal distributions, and not bounded by 1.
    pub density: f64,
    /// Share of real images whose ball has a fake image inside, 0 to 1: as recall, but by the real images' own balls.
    pub coverage: f64,
}

/// torch-fidelity's guard against a division of zero by zero.
const F_SCORE_GUARD: f64 = 1e-5;

/// Precision, recall, density and coverage, all from one pass over the distances.
///
/// ```text
/// precision = 1/M·Σ_j 1[∃i: yⱼ ∈ B(xᵢ)]      density  = 1/(kM)·Σ_j Σ_i 1[yⱼ ∈ B(xᵢ)]
/// recall    = 1/N·Σ_i 1[∃j: xᵢ ∈ B(yⱼ)]      coverage = 1/N·Σ_i 1[∃j: yⱼ ∈ B(xᵢ)]
/// ```
///
/// for N real images x and M fake images y, where `B(z)` is the Euclidean ball around `z` that reaches to its k-th
/// nearest neighbour within its own set. Precision judges the *fake* images: torch-fidelity calls them `input1`.
///
/// Sources: Kynkäänniemi et al. 2019 (arXiv:1904.06991) and torch-fidelity; Naeem et al. 2020 (arXiv:2002.09797) and
/// their package `prdc`.
///
/// Exact: every comparison is that of distances in f64, so that equal rows are at distance zero; the peers' distances
/// from f32 products are not zero there. Memory: a few hundred bytes per image besides the features; nothing is n×n.
/// Time: three passes of products in f32, of which two are symmetric.
///
/// # Errors
/// [`MetricError`] when the dimensions differ, k is zero, or a set has no more than k images.
pub fn prdc(real: &Features, fake: &Features, options: PrdcOptions) -> Result<Prdc, MetricError> {
    Ok(prdc_until(real, fake, options, &Interrupt::new())?.0)
}

/// With the numbers of real and of fake images of which a ball is a point.
fn prdc_until(
    real: &Features,
    fake: &Features,
    options: PrdcOptions,
    interrupt: &Interrupt,
) -> Result<(Prdc, [usize; 2]), MetricError> {
    let PrdcOptions { precision_recall, density_coverage } = options;
    same_dimension(real, fake)?;
    options.check(Counts { real: Some(real.len()), fake: Some(fake.len()) })?;
    let most = precision_recall.neighbours.max(density_coverage.neighbours);

    let radii = |set: &Features| -> Result<Vec<[f64; 2]>, MetricError> {
        let neighbours = Distances::within(set, interrupt).nearest_within(most)?;
        let square = |of: &[super::neighbours::Neighbour], balls: Balls| of[balls.neighbours - 1].square;
        Ok(neighbours.iter().map(|of| [square(of, precision_recall), square(of, density_coverage)]).collect())
    };
    let (real_radii, fake_radii) = (radii(real)?, radii(fake)?);

    let mut seen = Seen::new(real.len(), fake.len());
    let distances = Distances::between(real, fake, interrupt);
    let tiles = distances.map_between(|tile| {
        let mut part = Seen::new(tile.rows.len(), tile.columns.len());
        distances.for_each_pair(tile, |i, j, bounds| {
            let (row, column) = (tile.first_row + i, tile.first_column + j);
            let exact = || distances.exact(row, column);
            let [for_precision, for_density] = real_radii[row];
            let within = |radius, balls: Balls| bounds.within(radius, balls.boundary, exact);
            part.fake_in_real[j] |= !part.fake_in_real[j] && within(for_precision, precision_recall);
            part.real_in_fake[i] |= !part.real_in_fake[i] && within(fake_radii[column][0], precision_recall);
            if within(for_density, density_coverage) {
                part.balls += 1;
                part.covered[i] = true;
            }
        });
        (tile.first_row, tile.first_column, part)
    })?;
    for (first_row, first_column, part) in &tiles {
        seen.join(*first_row, *first_column, part);
    }

    let (precision, recall) = (share(&seen.fake_in_real), share(&seen.real_in_fake));
    let found = Prdc {
        precision,
        recall,
        f_score: 2.0 * precision * recall / (precision + recall).max(F_SCORE_GUARD),
        density: seen.balls as f64 / (density_coverage.neighbours as f64 * fake.len() as f64),
        coverage: share(&seen.covered),
    };
    let points = |radii: &[[f64; 2]]| radii.iter().filter(|radii| radii.contains(&0.0)).count();
    Ok((found, [points(&real_radii), points(&fake_radii)]))
}

fn share(flags: &[bool]) -> f64 {
    flags.iter().filter(|&&flag| flag).count() as f64 / flags.len() as f64
}

/// What was seen of the pairs of some real and some fake images.
struct Seen {
    /// For each fake image: whether it is in the ball of a real one.
    fake_in_real: Vec<bool>,
    /// For each real image: whether it is in the ball of a fake one.
    real_in_fake: Vec<bool>,
    /// For each real image: whether a fake one is in its ball.
    covered: Vec<bool>,
    /// Pairs of a real image and a fake one in its ball.
    balls: u64,
}

impl Seen {
    fn new(real: usize, fake: usize) -> Self {
        Self { fake_in_real: vec![false; fake], real_in_fake: vec![false; real], covered: vec![false; real], balls: 0 }
    }

    /// Adds what was seen of a part, which begins at the given images.
    fn join(&mut self, real: usize, fake: usize, part: &Seen) {
        let join = |all: &mut [bool], part: &[bool]| all.iter_mut().zip(part).for_each(|(all, part)| *all |= part);
        join(&mut self.fake_in_real[fake..], &part.fake_in_real);
        join(&mut self.real_in_fake[real..], &part.real_in_fake);
        join(&mut self.covered[real..], &part.covered);
        self.balls += part.balls;
    }
}

/// A random subset of each set, of the same size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Subset {
    /// Images of each set at most. The subsets have no more images than the smaller set.
    pub most: usize,
    /// Seed of numpy's `RandomState`, which chooses the real images first.
    pub seed: u32,
}

/// Definition of precision, recall, density and coverage, and of the images they are computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PrdcDefinition {
    /// The balls.
    #[serde(flatten)]
    pub options: PrdcOptions,
    /// The images; `None` for all of them.
    pub subset: Option<Subset>,
}

impl PrdcDefinition {
    /// The images of both sets that count.
    fn subsets<'a>(&self, [real, fake]: [&'a Features; 2]) -> [Cow<'a, Features>; 2] {
        let Some(Subset { most, seed }) = self.subset else { return [Cow::Borrowed(real), Cow::Borrowed(fake)] };
        let size = most.min(real.len()).min(fake.len());
        let mut random = RandomState::new(seed);
        let mut of = |set: &'a Features| {
            // Drawn even where all are chosen, as the tool does.
            let chosen = random.choice(set.len(), size);
            if size == set.len() { Cow::Borrowed(set) } else { Cow::Owned(choose(set, &chosen)) }
        };
        [of(real), of(fake)]
    }
}

impl Definition for PrdcDefinition {
    fn of(preset: Preset) -> Self {
        match preset {
            Preset::DgmEval => {
                let subset = Subset { most: 10_000, seed: Preset::DGM_EVAL_SEED };
                Self { options: PrdcOptions::PRDC, subset: Some(subset) }
            }
            _ => Self { options: PrdcOptions::TORCH_FIDELITY, subset: None },
        }
    }
}

/// Precision, recall, density and coverage.
pub(super) struct Row;

static ABOUT: About = About {
    name: "prdc",
    key: "prdc",
    title: "precision and recall",
    summary: "precision, recall, their F-score, density and coverage",
    wants: "1,000 and more, always the same number",
    quantities: &[
        Quantity::share("precision", "precision", "precision"),
        Quantity::share("recall", "recall", "recall"),
        Quantity::share("f-score", "F-score", "f_score"),
        Quantity {
            name: "density",
            title: "density",
            field: "density",
            better: Better::Higher,
            range: [0.0, f64::INFINITY],
        },
        Quantity::share("coverage", "coverage", "coverage"),
    ],
    parameters: &[Parameter {
        name: "k",
        placeholder: "K",
        help: "Nearest neighbour that balls reach to, for all numbers",
        default: None,
        kind: Kind::Count { least: 1, most: 10_000 },
        only_with: None,
    }],
    presets: &[Preset::TorchFidelity, Preset::Adm, Preset::DgmEval],
    ..About::OF_FEATURES
};

impl Score for Row {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, arguments: &Arguments, definitions: &mut Definitions) -> Result<(), MetricError> {
        if let Some(k) = arguments.count("k") {
            definitions.change(|definition: &mut PrdcDefinition| {
                definition.options.precision_recall.neighbours = k;
                definition.options.density_coverage.neighbours = k;
            });
        }
        Ok(())
    }

    fn check(&self, counts: Counts, definitions: &Definitions) -> Result<(), MetricError> {
        let PrdcDefinition { options, subset } = definitions.get();
        let most = subset.map_or(usize::MAX, |subset| subset.most);
        let capped = |count: Option<usize>| count.map(|count| count.min(most));
        options.check(Counts { real: capped(counts.real), fake: capped(counts.fake) })
    }

    fn compute(&self, sets: &Sets<'_>, definitions: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        let definition: PrdcDefinition = definitions.get();
        let [real, fake] = definition.subsets(sets.features()?);
        let options = definition.options;
        let (score, points) = prdc_until(&real, &fake, options, interrupt)?;
        let k = |balls: Balls| format!("k = {}", balls.neighbours);
        let value = Value::defined(&ABOUT, &score, &definition)
            .note(0, k(options.precision_recall))
            .note(3, k(options.density_coverage));
        let value =
            Set::BOTH.into_iter().zip(points).fold(value, |value, (set, images)| value.caution_of_copies(set, images));
        Ok(match definition.subset {
            None => value.caution(Caution::NumberOfImages),
            Some(_) => value,
        })
    }

    fn intervals(
        &self,
        sets: &Sets<'_>,
        definitions: &Definitions,
        options: JackknifeOptions,
        interrupt: &Interrupt,
    ) -> Result<Vec<ScoreInterval>, MetricError> {
        let definition: PrdcDefinition = definitions.get();
        let [real, fake] = definition.subsets(sets.features()?);
        let found = jackknife_parts([real.len(), fake.len()], options, |x, y| -> Result<_, MetricError> {
            let (score, _) = prdc_until(&x.of(&real), &y.of(&fake), definition.options, interrupt)?;
            Ok([score.precision, score.recall, score.f_score, score.density, score.coverage])
        })?;
        Ok(found.map(|interval| ScoreInterval { interval, of: None }).into())
    }
}
