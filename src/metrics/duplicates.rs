//! Near-duplicates, within a set and between two.

use serde::Serialize;

use super::definitions::{Definition, Definitions, Preset};
use super::error::{MetricError, Set, known_to_have, same_dimension};
use super::neighbours::{Distances, Neighbour};
use super::parameter::{Arguments, Kind, Parameter, Range};
use super::score::{About, Counts, Score, Sets};
use super::value::{Table, Value, readable};
use crate::interrupt::{Interrupt, Interrupted};
use crate::options::builders;
use crate::stats::Features;

/// What counts as a near-duplicate, and how many are listed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DuplicateOptions {
    /// Largest distance, relative to the typical one: see [`NearDuplicates::typical`].
    pub threshold: f64,
    /// Pairs listed at most.
    pub limit: usize,
}

builders!(DuplicateOptions {
    with_threshold threshold: f64,
    with_limit limit: usize,
});

impl Default for DuplicateOptions {
    /// A quarter of the typical distance; 50 pairs.
    fn default() -> Self {
        Self { threshold: 0.25, limit: 50 }
    }
}

/// Two images that look alike to the network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DuplicatePair {
    /// Index in the set, or in the reference.
    pub first: usize,
    /// Index in the set, or in the set under test.
    pub second: usize,
    /// Euclidean distance of their features.
    pub distance: f64,
}

/// Images with a near-duplicate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NearDuplicates {
    /// The median, over the images of the set or of the reference, of the distance to the nearest other image of it: what
    /// is normal.
    pub typical: f64,
    /// Images of the set under test whose nearest image is within the threshold.
    pub images: usize,
    /// Those at distance zero: the same features to the last bit.
    pub identical: usize,
    /// The nearest pairs, nearest first, each image with its nearest one; a pair within a set is listed once.
    pub pairs: Vec<DuplicatePair>,
}

impl DuplicateOptions {
    fn check(&self) -> Result<(), MetricError> {
        if self.threshold.is_finite() && self.threshold >= 0.0 {
            return Ok(());
        }
        let (value, range) = (self.threshold.to_string(), "zero or more, and finite");
        Err(MetricError::Parameter { parameter: "the threshold of near-duplicates", value, range })
    }

    fn collect(&self, typical: f64, nearest: impl Iterator<Item = DuplicatePair>) -> NearDuplicates {
        let mut pairs: Vec<_> = nearest.filter(|pair| pair.distance <= self.threshold * typical).collect();
        let images = pairs.len();
        let identical = pairs.iter().filter(|pair| pair.distance == 0.0).count();
        pairs.sort_unstable_by(|a, b| {
            a.distance.total_cmp(&b.distance).then((a.first, a.second).cmp(&(b.first, b.second)))
        });
        pairs.dedup_by_key(|pair| (pair.first, pair.second));
        pairs.truncate(self.limit);
        NearDuplicates { typical, images, identical, pairs }
    }
}

fn at_least(needed: usize, which: Set, images: Option<usize>) -> Result<(), MetricError> {
    let counts = Counts { real: images, fake: images };
    known_to_have(needed, counts, &[which], "a search for near-duplicates", ("give more images", None))
}

/// The nearest other image of each image of a set.
fn nearest_within(set: &Features, interrupt: &Interrupt) -> Result<Vec<Neighbour>, Interrupted> {
    Ok(Distances::within(set, interrupt).nearest_within(1)?.into_iter().flatten().collect())
}

fn median_distance(nearest: &[Neighbour]) -> f64 {
    let mut squares: Vec<f64> = nearest.iter().map(|neighbour| neighbour.square).collect();
    squares.sort_unstable_by(f64::total_cmp);
    let middle = squares.len() / 2;
    // The mean of both middle ones, of an even number.
    (squares[(squares.len() - 1) / 2].sqrt() + squares[middle].sqrt()) / 2.0
}

/// Near-duplicates within a set: images whose nearest other image is far nearer than is normal in the set.
///
/// A training set with repeated images, or a generator that makes few different ones. Distances are exact, as those of
/// [`prdc`](super::prdc); nothing is n×n in memory.
///
/// # Errors
/// [`MetricError`] when there are fewer than two images or the threshold is out of range.
pub fn duplicates_within(set: &Features, options: DuplicateOptions) -> Result<NearDuplicates, MetricError> {
    within_until(set, options, &Interrupt::new())
}

fn within_until(
    set: &Features,
    options: DuplicateOptions,
    interrupt: &Interrupt,
) -> Result<NearDuplicates, MetricError> {
    options.check()?;
    at_least(2, Set::Fake, Some(set.len()))?;
    let nearest = nearest_within(set, interrupt)?;
    let pair = |(row, neighbour): (usize, &Neighbour)| {
        let (first, second) = (row.min(neighbour.index), row.max(neighbour.index));
        DuplicatePair { first, second, distance: neighbour.square.sqrt() }
    };
    Ok(options.collect(median_distance(&nearest), nearest.iter().enumerate().map(pair)))
}

/// Near-duplicates of the images of `reference` among those of `set`: images of `set` that are far nearer to one of the
/// reference than is normal between images of the reference.
///
/// Training images in a test set (leakage), or among generated ones (memorisation).
///
/// # Errors
/// [`MetricError`] when the dimensions differ, the reference has fewer than two images or the set none, or the threshold
/// is out of range.
pub fn duplicates_between(
    reference: &Features,
    set: &Features,
    options: DuplicateOptions,
) -> Result<NearDuplicates, MetricError> {
    between_until(reference, set, options, &Interrupt::new())
}

fn between_until(
    reference: &Features,
    set: &Features,
    options: DuplicateOptions,
    interrupt: &Interrupt,
) -> Result<NearDuplicates, MetricError> {
    options.check()?;
    same_dimension(reference, set)?;
    at_least(2, Set::Real, Some(reference.len()))?;
    at_least(1, Set::Fake, Some(set.len()))?;
    let typical = median_distance(&nearest_within(reference, interrupt)?);
    let nearest = Distances::between(set, reference, interrupt).nearest_between(1)?;
    let nearest = nearest.into_iter().flatten().enumerate();
    let pairs = nearest.map(|(second, neighbour)| DuplicatePair {
        first: neighbour.index,
        second,
        distance: neighbour.square.sqrt(),
    });
    Ok(options.collect(typical, pairs))
}

/// Near-duplicates, and what they are called.
#[derive(Serialize)]
struct Named {
    #[serde(flatten)]
    found: NearDuplicates,
    /// Names of both images of each of the pairs, in their order; `None` when a set came without names.
    names: Option<Vec<[String; 2]>>,
}

impl Named {
    /// Calls the images of the pairs by the names of the sets that `first` and `second` count in.
    fn new(found: NearDuplicates, first: Option<&[String]>, second: Option<&[String]>) -> Self {
        let names = first.zip(second).map(|(first, second)| {
            found.pairs.iter().map(|pair| [first[pair.first].clone(), second[pair.second].clone()]).collect()
        });
        Self { found, names }
    }

    /// A row for each of the pairs.
    fn rows(&self, of: &str) -> Vec<Vec<String>> {
        let named = self.names.iter().flatten().zip(&self.found.pairs);
        named
            .map(|([first, second], pair)| vec![of.to_owned(), second.clone(), first.clone(), readable(pair.distance)])
            .collect()
    }
}

/// Near-duplicates within each set, and between both.
#[derive(Serialize)]
struct Reported {
    within_real: Named,
    within_fake: Named,
    between: Named,
}

impl Definition for DuplicateOptions {
    fn of(_: Preset) -> Self {
        Self::default()
    }
}

/// Near-duplicates.
pub(super) struct Row;

/// Pairs of each kind that are told one by one.
const PAIRS_TOLD: usize = 5;

static ABOUT: About = About {
    name: "duplicates",
    key: "duplicates",
    title: "near-duplicates",
    summary: "images that look alike, within each set and between both",
    wants: "all there are",
    // Single images are found, not a number estimated.
    interval: None,
    parameters: &[
        Parameter {
            name: "threshold",
            placeholder: "RATIO",
            help: "Largest distance of near-duplicates, in units of the median distance to the nearest other image",
            default: Some("0.25"),
            kind: Kind::Number(Range::NotNegative),
            only_with: None,
        },
        Parameter {
            name: "limit",
            placeholder: "N",
            help: "Pairs listed at most",
            default: Some("50"),
            kind: Kind::Count { least: 0, most: 1_000_000 },
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
        definitions.change(|options: &mut DuplicateOptions| {
            options.threshold = arguments.number("threshold").unwrap_or(options.threshold);
            options.limit = arguments.count("limit").unwrap_or(options.limit);
        });
        Ok(())
    }

    fn check(&self, counts: Counts, definitions: &Definitions) -> Result<(), MetricError> {
        definitions.get::<DuplicateOptions>().check()?;
        at_least(2, Set::Real, counts.real)?;
        at_least(2, Set::Fake, counts.fake)
    }

    fn compute(&self, sets: &Sets<'_>, definitions: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        let options: DuplicateOptions = definitions.get();
        let [x, y] = sets.features()?;
        let [real, fake] = Set::BOTH.map(|set| sets.names(set));
        let found = Reported {
            within_real: Named::new(within_until(x, options, interrupt)?, real, real),
            within_fake: Named::new(within_until(y, options, interrupt)?, fake, fake),
            between: Named::new(between_until(x, y, options, interrupt)?, real, fake),
        };
        let parts = [
            (&found.within_fake, "generated images look like another one"),
            (&found.between, "generated images look like a real one"),
            (&found.within_real, "real images look like another one"),
        ];
        let table = Table {
            title: "near-duplicates".into(),
            columns: vec!["pairs", "image", "and", "distance"],
            rows: ["generated", "generated and real", "real"]
                .into_iter()
                .zip(parts)
                .flat_map(|(of, (part, _))| part.rows(of))
                .collect(),
        };
        let value = Value::defined(&ABOUT, &found, &options).table(table);
        Ok(parts.into_iter().fold(value, |value, (part, of)| {
            let pairs = part.names.iter().flatten().take(PAIRS_TOLD);
            let value = value.detail(format!("{} {of}", part.found.images));
            pairs.fold(value, |value, [first, second]| value.detail(format!("  {second} and {first}")))
        }))
    }
}
