//! Exact nearest neighbours and comparisons of distances, at the price of f32 products.
//!
//! Squared distances come from products in f32 with a rigorous bound on their error; whatever the bound cannot decide
//! is decided by the exact distance `Σ(x−y)²`, in f64 from the features as they are. So the results are those of the
//! slow obvious way — equal rows are at distance zero, ties are ties — while almost all work is matrix products.

use std::sync::{Mutex, MutexGuard};

use ndarray::Axis;
use rayon::prelude::*;

use super::frame::{Frame, PANEL, Tile, map_between, map_within, panel_sizes};
use crate::interrupt::{Interrupt, Interrupted};
use crate::stats::Features;

/// Candidates that a search gathers, besides a few per neighbour, before it looks at their exact distances. Bounds are
/// a ten-thousandth of a distance wide, so that few searches ever gather as many.
const CANDIDATES: usize = 32;

/// A neighbour of some row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Neighbour {
    /// Its index in its set.
    pub index: usize,
    /// Squared distance in the units of the features, exact to a few roundings of f64.
    pub square: f64,
}

/// `‖x−y‖²` of two rows, in f64.
fn squared_distance(x: &[f32], y: &[f32]) -> f64 {
    // Eight sums, so that no addition has to wait for the one before.
    let mut sums = [0.0_f64; 8];
    let ((x_blocks, x_rest), (y_blocks, y_rest)) = (x.as_chunks::<8>(), y.as_chunks::<8>());
    for (x, y) in x_blocks.iter().zip(y_blocks) {
        for ((sum, &x), &y) in sums.iter_mut().zip(x).zip(y) {
            let difference = f64::from(x) - f64::from(y);
            *sum += difference * difference;
        }
    }
    let rest = x_rest.iter().zip(y_rest).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2));
    sums.iter().sum::<f64>() + rest.sum::<f64>()
}

fn row(set: &Features, index: usize) -> &[f32] {
    set.view().index_axis_move(Axis(0), index).to_slice().expect("features are stored row-major")
}

/// What the product tells of a squared distance, in the units of the features.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    lower: f64,
    upper: f64,
}

/// Whether a ball contains its boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Boundary {
    /// It does: distances are compared by `≤`.
    Closed,
    /// It does not: distances are compared by `<`.
    Open,
}

impl Bounds {
    /// The least that the squared distance can be.
    pub fn at_least(self) -> f64 {
        self.lower.max(0.0)
    }

    /// Whether the distance is within a radius; `exact` gives the squared distance where the bounds do not tell.
    pub fn within(self, squared_radius: f64, boundary: Boundary, exact: impl FnOnce() -> f64) -> bool {
        if self.upper < squared_radius {
            true
        } else if self.lower > squared_radius {
            false
        } else {
            match boundary {
                Boundary::Closed => exact() <= squared_radius,
                Boundary::Open => exact() < squared_radius,
            }
        }
    }
}

/// Two sets, or one, between whose rows distances are compared.
pub(super) struct Distances<'a> {
    first: &'a Features,
    second: &'a Features,
    frame: Frame,
    /// Bound on the error of a squared distance in the frame, relative to the squares of both rows.
    relative: f64,
    /// What comes on top.
    absolute: f64,
}

impl<'a> Distances<'a> {
    /// Prepares two sets of the same dimension.
    pub fn between(first: &'a Features, second: &'a Features, interrupt: &Interrupt) -> Self {
        Self::new(first, second, Frame::of(&[first.view(), second.view()], interrupt))
    }

    /// Prepares the pairs of one set.
    pub fn within(set: &'a Features, interrupt: &Interrupt) -> Self {
        Self::new(set, set, Frame::of(&[set.view()], interrupt))
    }

    fn new(first: &'a Features, second: &'a Features, frame: Frame) -> Self {
        // A product of d terms, in any order: d roundings. Rounding both rows: four more. The rest is for the sums and
        // for terms of second order.
        let roundings = (first.dim() + 8) as f64 * f64::from(f32::EPSILON) / 2.0;
        // Products below the smallest normal number may vanish, each by at most that number.
        let absolute = 4.0 * first.dim() as f64 * f64::from(f32::MIN_POSITIVE);
        Self { first, second, frame, relative: roundings / (1.0 - roundings), absolute }
    }

    /// The exact squared distance between row `i` of the first set and row `j` of the second.
    pub fn exact(&self, i: usize, j: usize) -> f64 {
        squared_distance(row(self.first, i), row(self.second, j))
    }

    /// Calls `visit` for every pair of a tile, with the places in the tile and what its product tells.
    pub fn for_each_pair(&self, tile: &Tile<'_>, mut visit: impl FnMut(usize, usize, Bounds)) {
        let unit = self.frame.unit();
        for (i, products) in tile.iter() {
            for ((j, &product), &other) in products.iter().enumerate().zip(&tile.columns.squares) {
                let squares = tile.rows.squares[i] + other;
                let approximate = squares - 2.0 * f64::from(product);
                let slack = self.relative * squares + self.absolute;
                let bounds = Bounds { lower: unit * (approximate - slack), upper: unit * (approximate + slack) };
                visit(i, j, bounds);
            }
        }
    }

    /// Calls `visit` for every tile of distances between the two sets, on all cores.
    pub fn map_between<R: Send>(&self, visit: impl Fn(&Tile<'_>) -> R + Sync) -> Result<Vec<R>, Interrupted> {
        map_between(&self.frame, self.first.view(), self.second.view(), visit)
    }

    /// The `k` nearest rows of the second set for each row of the first: nearest first, the lower index first among
    /// equals.
    pub fn nearest_between(&self, k: usize) -> Result<Vec<Vec<Neighbour>>, Interrupted> {
        let searches = Searches::new(self.first.len(), k);
        self.map_between(|tile| {
            let mut panel = searches.panel(tile.first_row);
            self.for_each_pair(tile, |i, j, bounds| {
                let (row, column) = (tile.first_row + i, tile.first_column + j);
                panel[i].offer(column, bounds, |column| self.exact(row, column));
            });
        })?;
        Ok(searches.finish(|i, j| self.exact(i, j)))
    }

    /// As [`Self::nearest_between`], for the rows of one set among the others of it.
    pub fn nearest_within(&self, k: usize) -> Result<Vec<Vec<Neighbour>>, Interrupted> {
        let searches = Searches::new(self.first.len(), k);
        map_within(&self.frame, self.first.view(), |tile| {
            // Panels are locked in the order of their rows, so that nobody waits in a circle.
            let mut before = (tile.first_column < tile.first_row).then(|| searches.panel(tile.first_column));
            let mut panel = searches.panel(tile.first_row);
            self.for_each_pair(tile, |i, j, bounds| {
                let (row, column) = (tile.first_row + i, tile.first_column + j);
                panel[i].offer(column, bounds, |column| self.exact(row, column));
                let before = before.as_mut().unwrap_or(&mut panel);
                before[j].offer(row, bounds, |row| self.exact(column, row));
            });
        })?;
        Ok(searches.finish(|i, j| self.exact(i, j)))
    }
}

/// The searches of all rows of a set, by panels.
struct Searches(Vec<Mutex<Vec<Search>>>);

impl Searches {
    fn new(rows: usize, k: usize) -> Self {
        Self(panel_sizes(rows).map(|rows| Mutex::new(vec![Search::new(k); rows])).collect())
    }

    fn panel(&self, first_row: usize) -> MutexGuard<'_, Vec<Search>> {
        self.0[first_row / PANEL].lock().expect("a search does not panic")
    }

    fn finish(self, exact: impl Fn(usize, usize) -> f64 + Sync) -> Vec<Vec<Neighbour>> {
        let panels = self.0.into_par_iter().enumerate().flat_map_iter(|(number, panel)| {
            let exact = &exact;
            let searches = panel.into_inner().expect("a search does not panic").into_iter().enumerate();
            searches.map(move |(place, mut search)| {
                search.resolve(&|column| exact(number * PANEL + place, column));
                let candidates = search.candidates.into_iter();
                candidates.map(|Candidate { index, lower, .. }| Neighbour { index, square: lower }).collect()
            })
        });
        panels.collect()
    }
}

/// A row that may be among the nearest.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    index: usize,
    /// Lower bound of the squared distance, or the squared distance itself.
    lower: f64,
    exact: bool,
}

/// The search for the `k` nearest rows of one row.
#[derive(Debug, Clone)]
struct Search {
    k: usize,
    /// The `k` smallest upper bounds so far, ascending.
    uppers: Vec<f64>,
    candidates: Vec<Candidate>,
}

impl Search {
    fn new(k: usize) -> Self {
        Self { k, uppers: Vec::with_capacity(k + 1), candidates: Vec::new() }
    }

    /// No neighbour is farther than this.
    fn threshold(&self) -> f64 {
        if self.uppers.len() < self.k { f64::INFINITY } else { self.uppers.last().copied().unwrap_or(f64::INFINITY) }
    }

    fn offer(&mut self, index: usize, bounds: Bounds, exact: impl Fn(usize) -> f64) {
        let threshold = self.threshold();
        if bounds.lower > threshold {
            return;
        }
        if threshold == 0.0 && self.candidates.iter().all(|kept| kept.index < index) {
            // Enough equal rows are known, and the lower index comes first. Bounds alone never reach zero, so that all
            // candidates are exact.
            return;
        }
        if bounds.upper < threshold {
            let at = self.uppers.partition_point(|&upper| upper <= bounds.upper);
            self.uppers.insert(at, bounds.upper);
            self.uppers.truncate(self.k);
        }
        self.candidates.push(Candidate { index, lower: bounds.lower, exact: false });
        if self.candidates.len() >= 2 * self.k + CANDIDATES {
            let threshold = self.threshold();
            self.candidates.retain(|candidate| candidate.lower <= threshold);
            if self.candidates.len() >= self.k + CANDIDATES / 2 {
                self.resolve(&exact);
            }
        }
    }

    /// Takes the exact distances of all candidates and keeps the `k` nearest, in order.
    fn resolve(&mut self, exact: &impl Fn(usize) -> f64) {
        let threshold = self.threshold();
        self.candidates.retain(|candidate| candidate.lower <= threshold);
        for candidate in self.candidates.iter_mut().filter(|candidate| !candidate.exact) {
            *candidate = Candidate { lower: exact(candidate.index), exact: true, ..*candidate };
        }
        self.candidates.sort_unstable_by(|a, b| a.lower.total_cmp(&b.lower).then(a.index.cmp(&b.index)));
        self.candidates.truncate(self.k);
        self.uppers = self.candidates.iter().map(|candidate| candidate.lower).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::RandomState;
    use ndarray::{Array2, concatenate};

    fn random(rows: usize, dim: usize, seed: u32) -> Array2<f32> {
        let mut random = RandomState::new(seed);
        Array2::from_shape_simple_fn((rows, dim), || random.standard_normal() as f32)
    }

    fn features(values: Array2<f32>) -> Features {
        Features::new(values).unwrap()
    }

    /// The slow obvious way.
    fn oracle(first: &Features, second: &Features, k: usize, same: bool) -> Vec<Vec<Neighbour>> {
        let neighbours = |i: usize| {
            let others = (0..second.len()).filter(|&j| !(same && i == j));
            let square = |j| squared_distance(row(first, i), row(second, j));
            let mut all: Vec<_> = others.map(|index| Neighbour { index, square: square(index) }).collect();
            all.sort_by(|a, b| a.square.total_cmp(&b.square).then(a.index.cmp(&b.index)));
            all.truncate(k);
            all
        };
        (0..first.len()).map(neighbours).collect()
    }

    #[test]
    fn equal_those_of_the_slow_obvious_way() {
        // Across the borders of panels, with few and many dimensions.
        for (n1, n2, dim, k) in [(700, 530, 3, 5), (40, 1100, 64, 1), (513, 30, 7, 3), (20, 25, 2048, 4), (9, 9, 1, 8)]
        {
            let (a, b) = (features(random(n1, dim, 1)), features(random(n2, dim, 2)));
            assert_eq!(
                Distances::between(&a, &b, &Interrupt::new()).nearest_between(k).unwrap(),
                oracle(&a, &b, k, false)
            );
            assert_eq!(Distances::within(&a, &Interrupt::new()).nearest_within(k).unwrap(), oracle(&a, &a, k, true));
        }
    }

    #[test]
    fn ties_and_copies_are_exact() {
        // Whole numbers: many distances are equal. Copies of rows, of everything, and constant features.
        let grid = random(600, 2, 3).mapv(f32::round);
        let twice = concatenate![Axis(0), random(300, 16, 4), random(300, 16, 4)];
        for set in [grid, twice, Array2::from_elem((600, 5), 0.1)] {
            let set = features(set);
            assert_eq!(
                Distances::within(&set, &Interrupt::new()).nearest_within(3).unwrap(),
                oracle(&set, &set, 3, true)
            );
            assert_eq!(
                Distances::between(&set, &set, &Interrupt::new()).nearest_between(2).unwrap(),
                oracle(&set, &set, 2, false)
            );
        }
    }

    #[test]
    fn hostile_scales_do_not_matter() {
        // A common offset, two tight clusters far apart (bounds decide nothing within them), one row far from the
        // rest (the rest is below the range of f32 in the frame), and the ends of that range.
        let base = random(300, 8, 5);
        let mut clusters = base.mapv(|value| value * 1e-3);
        clusters.slice_mut(ndarray::s![150.., ..]).mapv_inplace(|value| value + 1e4);
        let mut outlier = base.mapv(|value| value * 1e-12);
        outlier.row_mut(7).fill(3e30);
        let hostile = [base.mapv(|v| v + 1e6), clusters, outlier, base.mapv(|v| v * 1e-38), base.mapv(|v| v * 1e37)];
        for (case, set) in hostile.into_iter().enumerate() {
            let set = features(set);
            assert_eq!(
                Distances::within(&set, &Interrupt::new()).nearest_within(3).unwrap(),
                oracle(&set, &set, 3, true),
                "case {case}"
            );
        }
    }

    #[test]
    fn bounds_contain_the_exact_distance() {
        for (dim, offset) in [(3, 0.0), (64, 1e3), (2048, 0.0)] {
            let (a, b) = (random(40, dim, 6), random(30, dim, 7).mapv(|value| value + offset));
            let (a, b) = (features(a), features(b));
            let distances = Distances::between(&a, &b, &Interrupt::new());
            let checked = distances.map_between(|tile| {
                distances.for_each_pair(tile, |i, j, Bounds { lower, upper }| {
                    let exact = distances.exact(tile.first_row + i, tile.first_column + j);
                    assert!(lower <= exact && exact <= upper, "{exact} not in {lower}..{upper}");
                });
            });
            checked.unwrap();
        }
    }
}
