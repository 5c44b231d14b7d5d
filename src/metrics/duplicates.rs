//! Near-duplicates, within a set and between two.

use serde::Serialize;

use super::error::{MetricError, Set, same_dimension};
use super::neighbours::{Distances, Neighbour};
use crate::stats::Features;

/// What counts as a near-duplicate, and how many are listed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DuplicateOptions {
    /// Largest distance, relative to the typical one: see [`NearDuplicates::typical`].
    pub threshold: f64,
    /// Pairs listed at most.
    pub limit: usize,
}

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

fn at_least(needed: usize, which: Set, set: &Features) -> Result<(), MetricError> {
    if set.len() >= needed {
        return Ok(());
    }
    let (purpose, remedy) = ("a search for near-duplicates", "give more images");
    Err(MetricError::TooFew { set: which, images: set.len(), needed, purpose, remedy })
}

/// The nearest other image of each image of a set.
fn nearest_within(set: &Features) -> Vec<Neighbour> {
    Distances::within(set).nearest_within(1).into_iter().flatten().collect()
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
    options.check()?;
    at_least(2, Set::Fake, set)?;
    let nearest = nearest_within(set);
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
    options.check()?;
    same_dimension(reference, set)?;
    at_least(2, Set::Real, reference)?;
    at_least(1, Set::Fake, set)?;
    let typical = median_distance(&nearest_within(reference));
    let nearest = Distances::between(set, reference).nearest_between(1).into_iter().flatten().enumerate();
    let pairs = nearest.map(|(second, neighbour)| DuplicatePair {
        first: neighbour.index,
        second,
        distance: neighbour.square.sqrt(),
    });
    Ok(options.collect(typical, pairs))
}
