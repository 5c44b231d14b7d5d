//! A k-d tree (Bentley 1975): the nearest of many points without looking at all of them.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

use ndarray::ArrayView2;

/// Points in a leaf: to look at so many in a row costs less than to decide among them.
const LEAF: usize = 16;
/// How much nearer than computed a cell may be, of the sums and differences that its distance is made of.
const ROUNDING: f64 = 1e-12;

/// How far apart two points are.
pub(super) trait Norm {
    /// A growing function of the distance between two points.
    fn distance(a: &[f64], b: &[f64]) -> f64;

    /// The distance to a cell whose offset along one axis grows from `before` to `after`.
    fn moved(distance: f64, before: f64, after: f64) -> f64;
}

/// The square of the Euclidean distance.
pub(super) struct SquaredEuclidean;

impl Norm for SquaredEuclidean {
    fn distance(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
    }

    fn moved(distance: f64, before: f64, after: f64) -> f64 {
        distance - before * before + after * after
    }
}

/// The largest difference of coordinates.
pub(super) struct Largest;

impl Norm for Largest {
    fn distance(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).fold(0.0, |largest, (a, b)| largest.max((a - b).abs()))
    }

    fn moved(distance: f64, _: f64, after: f64) -> f64 {
        distance.max(after.abs())
    }
}

/// A part of space.
enum Cell {
    Leaf(Range<usize>),
    /// Points with coordinates up to `at`, and the others; the first child follows its parent.
    Split {
        axis: usize,
        at: f64,
        above: usize,
    },
}

/// Points, sorted into cells.
pub(super) struct Tree {
    dimensions: usize,
    /// The points, those of a leaf beside each other.
    coordinates: Vec<f64>,
    /// Which row each of them was.
    rows: Vec<usize>,
    cells: Vec<Cell>,
}

#[derive(PartialEq)]
struct Distance(f64);

impl Eq for Distance {}

impl Ord for Distance {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Distance {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Tree {
    /// Of finite points, one a row, with at least one coordinate.
    pub fn new(points: ArrayView2<'_, f64>) -> Self {
        let mut tree = Tree {
            dimensions: points.ncols(),
            coordinates: Vec::with_capacity(points.len()),
            rows: (0..points.nrows()).collect(),
            cells: Vec::new(),
        };
        let mut rows = std::mem::take(&mut tree.rows);
        tree.split(points, &mut rows, 0);
        for row in &rows {
            tree.coordinates.extend(points.row(*row));
        }
        tree.rows = rows;
        tree
    }

    fn split(&mut self, points: ArrayView2<'_, f64>, rows: &mut [usize], first: usize) {
        let spread = |axis: usize| {
            let ends = rows.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), row| {
                let value = points[(*row, axis)];
                (low.min(value), high.max(value))
            });
            ends.1 - ends.0
        };
        let leaf = Cell::Leaf(first..first + rows.len());
        if rows.len() <= LEAF {
            return self.cells.push(leaf);
        }
        let spreads = (0..self.dimensions).map(|axis| (axis, spread(axis)));
        let (axis, widest) = spreads.max_by(|a, b| a.1.total_cmp(&b.1)).expect("points have a coordinate");
        if widest == 0.0 {
            // Copies of one point.
            return self.cells.push(leaf);
        }
        let middle = rows.len() / 2;
        rows.select_nth_unstable_by(middle, |a, b| points[(*a, axis)].total_cmp(&points[(*b, axis)]));
        let (cell, at) = (self.cells.len(), points[(rows[middle], axis)]);
        self.cells.push(Cell::Split { axis, at, above: 0 });
        let (below, above) = rows.split_at_mut(middle);
        self.split(points, below, first);
        let above_cell = self.cells.len();
        self.cells[cell] = Cell::Split { axis, at, above: above_cell };
        self.split(points, above, first + middle);
    }

    /// The rows in an order in which neighbours are near each other.
    pub fn order(&self) -> &[usize] {
        &self.rows
    }

    fn points(&self, range: Range<usize>) -> impl Iterator<Item = (usize, &[f64])> {
        let coordinates = &self.coordinates[range.start * self.dimensions..range.end * self.dimensions];
        self.rows[range].iter().copied().zip(coordinates.chunks_exact(self.dimensions))
    }

    /// The distance from a point to its k-th nearest, of all but one row; there must be so many.
    pub fn kth_distance<N: Norm>(&self, from: &[f64], except: Option<usize>, k: usize) -> f64 {
        let mut nearest = BinaryHeap::with_capacity(k.min(self.rows.len()) + 1);
        let mut limit = f64::INFINITY;
        let mut look = |points: Range<usize>, limit: &mut f64| {
            for (row, point) in self.points(points) {
                let distance = N::distance(from, point);
                if distance > *limit || Some(row) == except {
                    continue;
                }
                nearest.push(Distance(distance));
                if nearest.len() > k {
                    nearest.pop();
                }
                if nearest.len() == k {
                    *limit = nearest.peek().map_or(*limit, |farthest| farthest.0);
                }
            }
        };
        self.visit::<N>(0, from, 0.0, &mut vec![0.0; self.dimensions], &mut limit, &mut look);
        limit
    }

    /// How many points are closer than a distance, of all but one row.
    pub fn count_closer<N: Norm>(&self, from: &[f64], except: usize, mut distance: f64) -> usize {
        let mut count = 0;
        let mut look = |points: Range<usize>, distance: &mut f64| {
            let closer = |(row, point): &(usize, &[f64])| *row != except && N::distance(from, point) < *distance;
            count += self.points(points).filter(closer).count();
        };
        self.visit::<N>(0, from, 0.0, &mut vec![0.0; self.dimensions], &mut distance, &mut look);
        count
    }

    /// Looks at the leaves that may hold points within the limit, the nearest first; a look may lower the limit.
    fn visit<N: Norm>(
        &self,
        cell: usize,
        from: &[f64],
        distance: f64,
        offsets: &mut [f64],
        limit: &mut f64,
        look: &mut impl FnMut(Range<usize>, &mut f64),
    ) {
        match &self.cells[cell] {
            Cell::Leaf(points) => look(points.clone(), limit),
            &Cell::Split { axis, at, above } => {
                let offset = from[axis] - at;
                let (near, far) = if offset < 0.0 { (cell + 1, above) } else { (above, cell + 1) };
                self.visit::<N>(near, from, distance, offsets, limit, look);
                let before = offsets[axis];
                let beyond = N::moved(distance, before, offset);
                if beyond * (1.0 - ROUNDING) <= *limit {
                    offsets[axis] = offset;
                    self.visit::<N>(far, from, beyond, offsets, limit, look);
                    offsets[axis] = before;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::divergence::random::Random;

    fn all_distances<N: Norm>(points: &Array2<f64>, row: usize, from: &[f64]) -> Vec<f64> {
        let others = points.rows().into_iter().enumerate().filter(|(other, _)| *other != row);
        let mut distances: Vec<f64> = others.map(|(_, point)| N::distance(from, &point.to_vec())).collect();
        distances.sort_by(f64::total_cmp);
        distances
    }

    fn check<N: Norm>(points: &Array2<f64>) {
        let tree = Tree::new(points.view());
        assert_eq!(tree.order().len(), points.nrows());
        for row in 0..points.nrows() {
            let from = points.row(row).to_vec();
            let distances = all_distances::<N>(points, row, &from);
            for k in [1, 3, distances.len()] {
                let kth = tree.kth_distance::<N>(&from, Some(row), k);
                assert_eq!(kth, distances[k - 1], "row {row}, neighbour {k}");
                let closer = distances.iter().filter(|distance| **distance < kth).count();
                assert_eq!(tree.count_closer::<N>(&from, row, kth), closer);
            }
        }
    }

    #[test]
    fn it_finds_what_looking_at_all_finds() {
        let mut random = Random::new(6);
        for (n, dimensions) in [(4, 1), (300, 1), (200, 2), (150, 7)] {
            let points = Array2::from_shape_simple_fn((n, dimensions), || random.normal());
            check::<SquaredEuclidean>(&points);
            check::<Largest>(&points);
            // On a grid many points are at the same place, and many distances are equal.
            check::<SquaredEuclidean>(&points.mapv(f64::round));
            check::<Largest>(&points.mapv(f64::round));
        }
    }
}
