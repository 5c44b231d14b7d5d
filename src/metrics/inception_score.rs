//! Inception Score.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayView2, Axis};

use serde::Serialize;

use super::definitions::{Definition, Definitions, Preset};
use super::error::MetricError;
use super::jackknife::{JackknifeOptions, jackknife_logits};
use super::parameter::{Arguments, Choice, Kind, Parameter};
use super::score::{About, Better, Counts, Need, Quantity, Score, ScoreInterval, Sets};
use super::value::{Caution, Value};
use crate::error::{Blame, Blamed};
use crate::interrupt::Interrupt;
use crate::options::builders;
use crate::random_state::RandomState;
use crate::stats::Logits;

/// Why an Inception Score cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InceptionScoreError {
    /// There must be a split, and each needs an image.
    #[error("{images} images cannot be cut into {splits} splits: use at least one split and as many images as splits")]
    Splits {
        /// Number of images.
        images: usize,
        /// Number of splits asked for.
        splits: usize,
    },
    /// Splits need a size, and there must be an image.
    #[error("{images} images cannot be cut into splits of {size}: give images, and splits of at least one")]
    SplitSize {
        /// Number of images.
        images: usize,
        /// Size of the splits asked for.
        size: usize,
    },
    /// The softmax was taken already.
    #[error(
        "the class scores are probabilities: no one is negative, and those of every image sum to 1. The Inception Score takes their \
         softmax itself: give what comes before it, the logits"
    )]
    Probabilities,
    /// The unbiased deviation of a single split does not exist.
    #[error("the deviation with ddof 1 needs at least 2 splits, got {splits}: use more splits or ddof 0")]
    Deviation {
        /// Number of splits asked for.
        splits: usize,
    },
}

impl Blamed for InceptionScoreError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// In which order images are cut into splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitOrder {
    /// As they come; what the original TensorFlow code does.
    AsGiven,
    /// Shuffled by `numpy.random.RandomState(seed).permutation`; torch-fidelity does so with seed 2020.
    Shuffled {
        /// Seed of the generator.
        seed: u32,
    },
}

/// Divisor of the variance over splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DegreesOfFreedom {
    /// Divide by the number of splits (ddof = 0): the original code, torch-fidelity.
    Population,
    /// Divide by one less (ddof = 1): torchmetrics.
    Sample,
}

/// How the images are cut into splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Splits {
    /// So many splits, split i holding the images from ⌊i·n/s⌋ to ⌊(i+1)·n/s⌋: no image is left out, and sizes differ
    /// by one at most. torch-fidelity.
    Even(usize),
    /// So many splits of ⌊n/s⌋ images each; what remains at the end is left out. dgm-eval.
    Equal(usize),
    /// Splits of so many images, the last one of what remains. ADM's evaluator: 5000.
    OfSize(usize),
}

impl Splits {
    /// How many there are.
    fn count(self, images: usize) -> Result<usize, InceptionScoreError> {
        match self {
            Splits::Even(splits) | Splits::Equal(splits) if splits == 0 || images < splits => {
                Err(InceptionScoreError::Splits { images, splits })
            }
            Splits::OfSize(size) if size == 0 || images == 0 => Err(InceptionScoreError::SplitSize { images, size }),
            Splits::Even(splits) | Splits::Equal(splits) => Ok(splits),
            Splits::OfSize(size) => Ok(images.div_ceil(size)),
        }
    }

    /// The range of images of each split.
    fn ranges(self, images: usize) -> Result<Vec<Range<usize>>, InceptionScoreError> {
        self.count(images)?;
        let ranges = match self {
            Splits::Even(splits) => (0..splits).map(|i| i * images / splits..(i + 1) * images / splits).collect(),
            Splits::Equal(splits) => {
                let size = images / splits;
                (0..splits).map(|i| i * size..(i + 1) * size).collect()
            }
            Splits::OfSize(size) => (0..images).step_by(size).map(|i| i..(i + size).min(images)).collect(),
        };
        Ok(ranges)
    }
}

/// Definition of an Inception Score. The default is torch-fidelity's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InceptionScoreOptions {
    /// How the images are cut; the literature uses 10 splits.
    pub splits: Splits,
    /// Order in which the images are cut.
    pub order: SplitOrder,
    /// Divisor of the variance over splits.
    pub ddof: DegreesOfFreedom,
}

builders!(InceptionScoreOptions {
    with_splits splits: Splits,
    with_order order: SplitOrder,
    with_ddof ddof: DegreesOfFreedom,
});

impl InceptionScoreOptions {
    /// The evaluator of ADM (guided-diffusion): splits of 5000 images as they come. It prints the mean alone.
    pub const ADM: Self =
        Self { splits: Splits::OfSize(5000), order: SplitOrder::AsGiven, ddof: DegreesOfFreedom::Population };

    /// dgm-eval: as torch-fidelity, but with splits of equal size.
    pub const DGM_EVAL: Self = Self {
        splits: Splits::Equal(10),
        order: SplitOrder::Shuffled { seed: 2020 },
        ddof: DegreesOfFreedom::Population,
    };
}

impl InceptionScoreOptions {
    /// All images as one split: what has no randomness.
    pub(super) const WHOLE: Self =
        Self { splits: Splits::Even(1), order: SplitOrder::AsGiven, ddof: DegreesOfFreedom::Population };

    /// The number of splits of so many images.
    fn check(&self, images: usize) -> Result<usize, InceptionScoreError> {
        match self.splits.count(images)? {
            splits if self.ddof == DegreesOfFreedom::Sample && splits < 2 => {
                Err(InceptionScoreError::Deviation { splits })
            }
            splits => Ok(splits),
        }
    }
}

impl Default for InceptionScoreOptions {
    fn default() -> Self {
        Self {
            splits: Splits::Even(10),
            order: SplitOrder::Shuffled { seed: 2020 },
            ddof: DegreesOfFreedom::Population,
        }
    }
}

/// An Inception Score: mean and standard deviation over splits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InceptionScore {
    /// Mean over splits, between 1 and the number of classes.
    pub mean: f64,
    /// Standard deviation over splits.
    pub std: f64,
    /// Number of splits.
    pub splits: usize,
}

/// The Inception Score of a set of logits (n×classes):
///
/// ```text
/// IS = exp E_x KL(p(y|x) ‖ p(y))        p(y|x) = softmax(logits(x)),   p(y) = E_x p(y|x) within the split
/// ```
///
/// mean and deviation over [splits](Splits).
///
/// Source: Salimans et al. 2016 (arXiv:1606.03498), as computed by torch-fidelity: f64, log-softmax, no epsilon inside
/// the logarithm. For the FID Inception-v3 the logits are `logits_unbiased`, without the bias of the last layer, as
/// in the original TensorFlow graph.
///
/// # Errors
/// [`InceptionScoreError`] when there are fewer images than splits, or a deviation that does not exist, or the logits are
/// [probabilities](InceptionScoreError::Probabilities).
pub fn inception_score(logits: &Logits, options: InceptionScoreOptions) -> Result<InceptionScore, InceptionScoreError> {
    let InceptionScoreOptions { splits, order, ddof } = options;
    let images = logits.len();
    options.check(images)?;
    let ranges = splits.ranges(images)?;
    if are_probabilities(logits.view()) {
        return Err(InceptionScoreError::Probabilities);
    }
    let splits = ranges.len();
    let order = match order {
        SplitOrder::AsGiven => (0..images).collect(),
        SplitOrder::Shuffled { seed } => RandomState::new(seed).permutation(images),
    };
    let scores: Vec<f64> = ranges.into_iter().map(|split| score_of_split(logits.view(), &order[split])).collect();
    let mean = scores.iter().sum::<f64>() / splits as f64;
    let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
    let divisor = match ddof {
        DegreesOfFreedom::Population => splits,
        DegreesOfFreedom::Sample => splits - 1,
    };
    Ok(InceptionScore { mean, std: (squares / divisor as f64).sqrt(), splits })
}

/// How far from 1 probabilities may sum: in half precision, those of a thousand classes are off by some 5e-4.
const SUM_TOLERANCE: f64 = 1e-3;

/// Whether every row has no negative number and sums to 1, which logits do by no chance.
fn are_probabilities(logits: ArrayView2<'_, f32>) -> bool {
    let sums_to_1 = |row: ArrayView1<'_, f32>| {
        row.iter().all(|&value| value >= 0.0)
            && (row.iter().map(|&value| f64::from(value)).sum::<f64>() - 1.0).abs() <= SUM_TOLERANCE
    };
    logits.ncols() > 1 && logits.rows().into_iter().all(sums_to_1)
}

/// `exp` of the mean KL divergence of one split. With `Σ_x p·log p` gathered row by row, only the marginal is kept.
fn score_of_split(logits: ArrayView2<'_, f32>, rows: &[usize]) -> f64 {
    let n = rows.len() as f64;
    let mut marginal = vec![0.0; logits.ncols()];
    let mut negative_entropy = 0.0;
    for &row in rows {
        let row = logits.index_axis(Axis(0), row);
        let normaliser = log_sum_exp(row);
        for (sum, &logit) in marginal.iter_mut().zip(row) {
            let log_p = f64::from(logit) - normaliser;
            let p = log_p.exp();
            *sum += p;
            negative_entropy += p * log_p;
        }
    }
    // E_x Σ_y p(y|x)·log p(y) = Σ_y p(y)·log p(y), and a class that never occurs adds nothing.
    let marginals = marginal.iter().map(|sum| sum / n).filter(|&p| p > 0.0);
    let cross: f64 = marginals.map(|p| p * p.ln()).sum();
    (negative_entropy / n - cross).exp()
}

fn log_sum_exp(row: ArrayView1<'_, f32>) -> f64 {
    let largest = row.fold(f64::NEG_INFINITY, |a, &b| a.max(f64::from(b)));
    largest + row.iter().map(|&logit| (f64::from(logit) - largest).exp()).sum::<f64>().ln()
}

impl Definition for InceptionScoreOptions {
    fn of(preset: Preset) -> Self {
        match preset {
            Preset::Adm => Self::ADM,
            Preset::DgmEval => Self::DGM_EVAL,
            _ => Self::default(),
        }
    }
}

/// What reports hold of a score.
#[derive(Serialize)]
struct Reported {
    mean: f64,
    std: f64,
    splits: usize,
    split_rule: &'static str,
    shuffle_seed: Option<u32>,
    ddof: u8,
}

impl Reported {
    fn new(score: InceptionScore, options: InceptionScoreOptions) -> Self {
        let shuffle_seed = match options.order {
            SplitOrder::AsGiven => None,
            SplitOrder::Shuffled { seed } => Some(seed),
        };
        let ddof = match options.ddof {
            DegreesOfFreedom::Population => 0,
            DegreesOfFreedom::Sample => 1,
        };
        let split_rule = match options.splits {
            Splits::Even(_) => "even",
            Splits::Equal(_) => "equal",
            Splits::OfSize(_) => "of-size",
        };
        Self { mean: score.mean, std: score.std, splits: score.splits, split_rule, shuffle_seed, ddof }
    }
}

/// Inception Score.
pub(super) struct Row;

static ABOUT: About = About {
    name: "is",
    key: "inception_score",
    title: "Inception Score",
    summary: "how certain and how diverse the classes of the images are",
    wants: "5,000 and more per split",
    real: &[],
    fake: &[Need::Logits],
    quantities: &[Quantity {
        name: "is",
        title: "Inception Score",
        field: "mean",
        better: Better::Higher,
        range: [1.0, f64::INFINITY],
    }],
    defined_by: &["splits", "split_rule", "shuffle_seed", "ddof"],
    parameters: &[
        Parameter {
            name: "splits",
            placeholder: "N",
            help: "Number of splits",
            default: None,
            kind: Kind::Count { least: 1, most: 1_000_000 },
            only_with: None,
        },
        Parameter {
            name: "order",
            placeholder: "ORDER",
            help: "Order of the images before splitting",
            default: None,
            kind: Kind::Choice(&[
                Choice { name: "shuffled", help: "shuffled by numpy's RandomState" },
                Choice { name: "as-given", help: "in the order given" },
            ]),
            only_with: None,
        },
        Parameter {
            name: "seed",
            placeholder: "SEED",
            help: "Seed of numpy's RandomState that shuffles the images",
            default: Some("2020"),
            kind: Kind::Seed,
            only_with: Some(("order", "shuffled")),
        },
        Parameter {
            name: "ddof",
            placeholder: "0|1",
            help: "Divisor of the variance over splits",
            default: Some("0"),
            kind: Kind::Choice(&[
                Choice { name: "0", help: "their number, as in torch-fidelity" },
                Choice { name: "1", help: "one less, as in torchmetrics" },
            ]),
            only_with: None,
        },
    ],
    presets: &[Preset::TorchFidelity, Preset::Adm, Preset::DgmEval],
    ..About::OF_FEATURES
};

impl Score for Row {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, arguments: &Arguments, definitions: &mut Definitions) -> Result<(), MetricError> {
        definitions.change(|options: &mut InceptionScoreOptions| {
            if let Some(splits) = arguments.count("splits") {
                options.splits = match options.splits {
                    Splits::Equal(_) => Splits::Equal(splits),
                    Splits::Even(_) | Splits::OfSize(_) => Splits::Even(splits),
                };
            }
            let seed_of_preset = match options.order {
                SplitOrder::Shuffled { seed } => seed,
                SplitOrder::AsGiven => 2020,
            };
            let seed = arguments.seed("seed");
            let shuffled = SplitOrder::Shuffled { seed: seed.unwrap_or(seed_of_preset) };
            options.order = match arguments.choice("order") {
                Some("as-given") => SplitOrder::AsGiven,
                Some(_) => shuffled,
                // A seed asks for shuffling.
                None if seed.is_some() => shuffled,
                None => options.order,
            };
            options.ddof = match arguments.choice("ddof") {
                Some("0") => DegreesOfFreedom::Population,
                Some(_) => DegreesOfFreedom::Sample,
                None => options.ddof,
            };
        });
        Ok(())
    }

    fn check(&self, counts: Counts, definitions: &Definitions) -> Result<(), MetricError> {
        if let Some(images) = counts.fake {
            definitions.get::<InceptionScoreOptions>().check(images)?;
        }
        Ok(())
    }

    fn compute(&self, sets: &Sets<'_>, definitions: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        interrupt.check()?;
        let options: InceptionScoreOptions = definitions.get();
        let logits = sets.fake_logits()?;
        let score = inception_score(logits, options)?;
        let note = format!("{} splits", score.splits);
        let value = Value::new(&ABOUT, &Reported::new(score, options)).spread(score.std).note(0, note);
        let value = value.range([1.0, logits.dim() as f64]);
        let in_order = options.order == SplitOrder::AsGiven && score.splits > 1;
        Ok(if in_order && is_sorted_by_class(logits) { value.caution(Caution::SortedByClass) } else { value })
    }

    /// Of the score of one split, which has no randomness.
    fn intervals(
        &self,
        sets: &Sets<'_>,
        _: &Definitions,
        options: JackknifeOptions,
        interrupt: &Interrupt,
    ) -> Result<Vec<ScoreInterval>, MetricError> {
        let interval = jackknife_logits(sets.fake_logits()?, options, |logits| -> Result<_, MetricError> {
            interrupt.check()?;
            Ok(inception_score(logits, InceptionScoreOptions::WHOLE)?.mean)
        })?;
        Ok(vec![ScoreInterval { interval, of: Some("Inception Score of one split") }])
    }
}

/// How much more often neighbours are of the same class than any two images, where the images are taken to be sorted by class.
const SORTED_EXCESS: f64 = 0.25;

/// Whether neighbours are of the same class, by the largest logit, far more often than any two images.
fn is_sorted_by_class(logits: &Logits) -> bool {
    let largest = |row: ArrayView1<'_, f32>| {
        row.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(class, _)| class)
    };
    let classes: Vec<usize> = logits.view().outer_iter().map(largest).collect();
    let mut counts = vec![0.0_f64; logits.dim()];
    classes.iter().for_each(|&class| counts[class] += 1.0);
    let images = classes.len() as f64;
    let of_any_two: f64 = counts.iter().map(|count| (count / images).powi(2)).sum();
    let of_neighbours = classes.windows(2).filter(|pair| pair[0] == pair[1]).count() as f64 / (images - 1.0).max(1.0);
    of_neighbours > of_any_two + SORTED_EXCESS
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use proptest::prelude::*;

    fn plain(splits: usize) -> InceptionScoreOptions {
        InceptionScoreOptions {
            splits: Splits::Even(splits),
            order: SplitOrder::AsGiven,
            ddof: DegreesOfFreedom::Population,
        }
    }

    fn logits(values: Array2<f32>) -> Logits {
        Logits::new(values).unwrap()
    }

    #[test]
    fn certain_and_diverse_images_score_the_number_of_classes() {
        let sure = logits(Array2::from_shape_fn((40, 8), |(row, column)| if row % 8 == column { 200.0 } else { 0.0 }));
        let score = inception_score(&sure, plain(5)).unwrap();
        assert!((score.mean - 8.0).abs() < 1e-12 && score.std < 1e-12, "{score:?}");
    }

    #[test]
    fn images_sorted_by_class_are_noticed_and_others_are_not() {
        let of = |class: &dyn Fn(usize) -> usize| {
            let values =
                Array2::from_shape_fn((200, 10), |(row, column)| if class(row) == column { 50.0 } else { 0.0 });
            is_sorted_by_class(&logits(values))
        };
        assert!(of(&|row| row / 20), "ten classes in order");
        assert!(of(&|row| row / 100), "two");
        assert!(!of(&|row| row % 10));
        assert!(!of(&|_| 3), "a generator of one class has no order");
        let mut random = RandomState::new(1);
        let drawn: Vec<usize> = random.permutation(200);
        assert!(!of(&|row| drawn[row] % 10));
        assert!(!is_sorted_by_class(&logits(Array2::zeros((1, 10)))));
    }

    #[test]
    fn equal_images_score_one() {
        let same = logits(Array2::from_shape_fn((30, 6), |(_, column)| column as f32 * 1.7 - 3.0));
        let score = inception_score(&same, InceptionScoreOptions::default()).unwrap();
        assert!((score.mean - 1.0).abs() < 1e-12 && score.std < 1e-12, "{score:?}");
    }

    #[test]
    fn splits_are_cut_as_the_peers_cut_them() {
        // Two classes; 7 images in 2 splits of 3 and 4. The first split has one class only, the second both equally.
        let sure = |class: usize| [if class == 0 { 500.0 } else { 0.0 }, if class == 1 { 500.0 } else { 0.0 }];
        let rows: Vec<f32> = [0, 0, 0, 0, 1, 1, 0].into_iter().flat_map(sure).collect();
        let score = inception_score(&logits(Array2::from_shape_vec((7, 2), rows).unwrap()), plain(2)).unwrap();
        assert!((score.mean - 1.5).abs() < 1e-12 && (score.std - 0.5).abs() < 1e-12, "{score:?}");
    }

    #[test]
    fn each_tool_cuts_in_its_own_way() {
        let ranges = |splits: Splits| splits.ranges(11).unwrap();
        assert_eq!(ranges(Splits::Even(3)), [0..3, 3..7, 7..11]);
        assert_eq!(ranges(Splits::Equal(3)), [0..3, 3..6, 6..9]);
        assert_eq!(ranges(Splits::OfSize(5)), [0..5, 5..10, 10..11]);
        assert_eq!(ranges(Splits::OfSize(20)), std::slice::from_ref(&(0..11)));
        let none = InceptionScoreError::SplitSize { images: 11, size: 0 };
        assert_eq!(Splits::OfSize(0).ranges(11).unwrap_err(), none);
    }

    #[test]
    fn the_deviation_follows_its_definition() {
        let some = logits(Array2::from_shape_fn((20, 3), |(row, column)| ((row * 7 + column * 3) % 11) as f32));
        let population = inception_score(&some, plain(4)).unwrap();
        let sample = InceptionScoreOptions { ddof: DegreesOfFreedom::Sample, ..plain(4) };
        let sample = inception_score(&some, sample).unwrap();
        assert!((sample.std - population.std * (4.0_f64 / 3.0).sqrt()).abs() < 1e-14);
    }

    #[test]
    fn impossible_splits_are_errors() {
        let three = logits(Array2::zeros((3, 2)));
        for splits in [0, 4] {
            let error = inception_score(&three, plain(splits)).unwrap_err();
            assert_eq!(error, InceptionScoreError::Splits { images: 3, splits });
        }
        let single = InceptionScoreOptions { ddof: DegreesOfFreedom::Sample, ..plain(1) };
        assert_eq!(inception_score(&three, single).unwrap_err(), InceptionScoreError::Deviation { splits: 1 });
    }

    #[test]
    fn probabilities_are_no_logits() {
        let refused = |rows: Vec<f32>| {
            let logits = logits(Array2::from_shape_vec((rows.len() / 2, 2), rows).unwrap());
            inception_score(&logits, plain(1)) == Err(InceptionScoreError::Probabilities)
        };
        assert!(refused(vec![0.25, 0.75, 1.0, 0.0]));
        assert!(refused(vec![0.25, 0.7505, 0.9995, 0.0]));
        // One row is enough to tell.
        for row in [[0.25, 0.76], [-0.25, 1.25], [3.0, 0.0]] {
            assert!(!refused([&[0.25, 0.75][..], &row].concat()), "{row:?}");
        }
    }

    proptest! {
        /// 1 ≤ IS ≤ classes, and adding a constant to all logits of an image changes nothing.
        #[test]
        fn bounds_and_invariance(values in proptest::collection::vec(-30.0_f32..30.0, 60), shift in -8_i32..8) {
            let values = Array2::from_shape_vec((12, 5), values).unwrap();
            // Whole multiples of 2⁻⁸ survive the shift exactly.
            let values = values.mapv(|value| (value * 256.0).round() / 256.0);
            let score = inception_score(&logits(values.clone()), plain(3)).unwrap();
            prop_assert!(score.mean >= 1.0 - 1e-12 && score.mean <= 5.0 + 1e-12);
            let shifted = inception_score(&logits(values + shift as f32), plain(3)).unwrap();
            prop_assert!((shifted.mean - score.mean).abs() < 1e-12);
        }
    }
}
