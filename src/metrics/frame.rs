//! Pairs of rows by matrix products in f32, in a frame of reference where f32 is good enough.
//!
//! Products in f32 run twice as fast as in f64, and lose nothing that matters when the rows are first moved to their
//! common mean and scaled to unit size: an offset of 1e6, which would swallow every difference, is gone before
//! anything is rounded, and neither tiny nor huge features leave the range of f32. Everything else is f64.

use faer::linalg::matmul::{matmul, triangular};
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{Array1, Array2, ArrayView2, Axis, Zip, s};
use rayon::prelude::*;

use crate::interrupt::{Interrupt, Interrupted};
use crate::registers;

/// Rows of a panel. A tile of 512×512 products takes 1 MiB and its operands stay in the cache of a core: on 1,000 rows
/// faer's product ran at half the speed. Converting the operands of each tile anew was 8 to 16 % of a KID or P/R.
pub(super) const PANEL: usize = 512;

/// A frame of reference: the common mean of some sets, and a power of two above their largest deviation from it. It also
/// knows what stops the work on its rows.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    centre: Array1<f64>,
    scale: f64,
    interrupt: Interrupt,
}

/// Rows in a [`Frame`].
#[derive(Debug, Clone)]
pub(super) struct Rows {
    /// `v = (x − c)/s`, rounded to f32.
    values: Array2<f32>,
    /// `‖v‖²` of the rounded rows.
    pub squares: Vec<f64>,
    /// `(x·c − c·c/2)/s²`, so that `x·y/s² = v·w + alignment(x) + alignment(y)`.
    pub alignments: Vec<f64>,
}

impl Frame {
    /// The frame of all rows of `sets`, which have the same dimension.
    pub fn of(sets: &[ArrayView2<'_, f32>], interrupt: &Interrupt) -> Self {
        let dim = sets.first().map_or(0, |set| set.ncols());
        let rows: usize = sets.iter().map(|set| set.nrows()).sum();
        let mut centre = Array1::<f64>::zeros(dim);
        for row in sets.iter().flat_map(|set| set.rows()) {
            centre.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        centre /= rows.max(1) as f64;
        let largest = sets.iter().flat_map(|set| set.rows()).fold(0.0_f64, |largest, row| {
            row.iter().zip(&centre).fold(largest, |largest, (&x, &c)| largest.max((f64::from(x) - c).abs()))
        });
        // Rounding features of 1e38 to their mean is far inside f64, and so is the power of two above.
        let scale = if largest > 0.0 { largest.log2().ceil().exp2() } else { 1.0 };
        Self { centre, scale, interrupt: interrupt.clone() }
    }

    /// Square of the scale: what products and squared distances in the frame are measured in. A power of two.
    pub fn unit(&self) -> f64 {
        self.scale * self.scale
    }

    /// What stops the work on its rows.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Places the given rows in the frame.
    pub fn place<'a>(&self, rows: impl ExactSizeIterator<Item = ndarray::ArrayView1<'a, f32>>) -> Rows {
        let count = rows.len();
        let offset = self.centre.dot(&self.centre) / 2.0;
        let mut values = Array2::zeros((count, self.centre.len()));
        let (mut squares, mut alignments) = (Vec::with_capacity(count), Vec::with_capacity(count));
        // Exact, as the scale is a power of two.
        let inverse = 1.0 / self.scale;
        let mut exact = Array1::<f64>::zeros(self.centre.len());
        for (row, placed) in rows.zip(values.rows_mut()) {
            Zip::from(&mut exact)
                .and(row)
                .and(&self.centre)
                .for_each(|exact, &x, &c| *exact = (f64::from(x) - c) * inverse);
            alignments.push((self.scale * exact.dot(&self.centre) + offset) / self.unit());
            Zip::from(&mut exact).and(placed).for_each(|exact, v| {
                *v = *exact as f32;
                *exact = f64::from(*v);
            });
            squares.push(exact.dot(&exact));
        }
        Rows { values, squares, alignments }
    }
}

impl Rows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.squares.len()
    }

    /// The rows themselves.
    pub fn values(&self) -> ArrayView2<'_, f32> {
        self.values.view()
    }
}

fn as_mat<'a>(a: &'a ArrayView2<'_, f32>) -> MatRef<'a, f32> {
    MatRef::from_row_major_slice(a.as_slice().expect("rows are stored row-major"), a.nrows(), a.ncols())
}

/// `A·Bᵀ` on the calling thread.
pub(super) fn products(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut products = Array2::zeros((a.nrows(), b.nrows()));
    let (rows, columns) = products.dim();
    let target = products.as_slice_mut().expect("freshly made");
    let target = MatMut::from_row_major_slice_mut(target, rows, columns);
    matmul(target, Accum::Replace, as_mat(&a), as_mat(&b).transpose(), 1.0, Par::Seq);
    registers::release();
    products
}

/// The lower triangle of `A·Aᵀ` on the calling thread; what lies above is zero.
fn lower_products(a: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut products = Array2::zeros((a.nrows(), a.nrows()));
    let target = products.as_slice_mut().expect("freshly made");
    let target = MatMut::from_row_major_slice_mut(target, a.nrows(), a.nrows());
    let a = as_mat(&a);
    triangular::matmul(
        target,
        triangular::BlockStructure::TriangularLower,
        Accum::Replace,
        a,
        triangular::BlockStructure::Rectangular,
        a.transpose(),
        triangular::BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
    registers::release();
    products
}

/// Which pairs of rows a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pairs {
    /// Every row of the one with every row of the other.
    All,
    /// Each row with the rows before it, within one set: the products below the diagonal.
    Below,
}

/// The products of some rows with some others.
pub(super) struct Tile<'a> {
    /// Index of the first row in its set.
    pub first_row: usize,
    /// Index of the first column in its set.
    pub first_column: usize,
    /// The rows.
    pub rows: &'a Rows,
    /// What they are multiplied with.
    pub columns: &'a Rows,
    /// Which products are there.
    pub pairs: Pairs,
    products: Array2<f32>,
}

impl<'a> Tile<'a> {
    /// Multiplies.
    pub fn new(rows: &'a Rows, columns: &'a Rows, pairs: Pairs) -> Self {
        let products = match pairs {
            Pairs::All => products(rows.values(), columns.values()),
            Pairs::Below => lower_products(rows.values()),
        };
        Self { first_row: 0, first_column: 0, rows, columns, pairs, products }
    }

    /// The rows of products: index of the row in the tile, and its products in the order of the columns.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.products.rows().into_iter().enumerate().map(move |(row, products)| {
            let products = products.to_slice().expect("products are stored row-major");
            match self.pairs {
                Pairs::All => (row, products),
                Pairs::Below => (row, &products[..row]),
            }
        })
    }
}

/// Calls `visit` once for every tile of `a×b`, on all cores, and returns what it returned, by rows of tiles. Between two
/// tiles, some ten milliseconds, it looks at the interrupt.
pub(super) fn map_between<R: Send>(
    frame: &Frame,
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    visit: impl Fn(&Tile<'_>) -> R + Sync,
) -> Result<Vec<R>, Interrupted> {
    let starts = |set: ArrayView2<'_, f32>| (0..set.nrows()).step_by(PANEL).collect::<Vec<_>>();
    let columns = starts(b);
    let panels = starts(a).into_par_iter().flat_map_iter(|first_row| {
        let rows = panel(frame, a, first_row);
        let visit = &visit;
        let tiles = columns.iter().map(move |&first_column| {
            frame.interrupt.check()?;
            let columns = panel(frame, b, first_column);
            Ok(visit(&Tile { first_row, first_column, ..Tile::new(&rows, &columns, Pairs::All) }))
        });
        tiles.collect::<Vec<_>>()
    });
    panels.collect()
}

/// Calls `visit` once for every tile of pairs within `set`, on all cores: tiles below the diagonal, with
/// `first_column < first_row`, whole, and those on the diagonal without what lies on or above it.
pub(super) fn map_within<R: Send>(
    frame: &Frame,
    set: ArrayView2<'_, f32>,
    visit: impl Fn(&Tile<'_>) -> R + Sync,
) -> Result<Vec<R>, Interrupted> {
    let starts: Vec<usize> = (0..set.nrows()).step_by(PANEL).collect();
    let panels = starts.into_par_iter().flat_map_iter(|first_row| {
        let rows = panel(frame, set, first_row);
        let visit = &visit;
        let tiles = (0..=first_row).step_by(PANEL).map(move |first_column| {
            frame.interrupt.check()?;
            if first_column == first_row {
                return Ok(visit(&Tile { first_row, first_column, ..Tile::new(&rows, &rows, Pairs::Below) }));
            }
            let columns = panel(frame, set, first_column);
            Ok(visit(&Tile { first_row, first_column, ..Tile::new(&rows, &columns, Pairs::All) }))
        });
        tiles.collect::<Vec<_>>()
    });
    panels.collect()
}

/// Rows `first..first + PANEL` of a set, or what there is of them.
fn panel(frame: &Frame, set: ArrayView2<'_, f32>, first: usize) -> Rows {
    let end = set.nrows().min(first + PANEL);
    frame.place(set.slice(s![first..end, ..]).axis_iter(Axis(0)))
}

/// Number of rows of each panel of a set of `rows` rows.
pub(super) fn panel_sizes(rows: usize) -> impl Iterator<Item = usize> {
    (0..rows).step_by(PANEL).map(move |first| PANEL.min(rows - first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::RandomState;

    /// Products of vectors of 64 numbers below one, in f32.
    const TOLERANCE: f64 = 64.0 * f32::EPSILON as f64;

    fn random(rows: usize, dim: usize, seed: u32, offset: f64, size: f64) -> Array2<f32> {
        let mut random = RandomState::new(seed);
        Array2::from_shape_simple_fn((rows, dim), || (random.standard_normal() * size + offset) as f32)
    }

    #[test]
    fn every_pair_is_visited_once() {
        let (a, b) = (random(1100, 3, 1, 0.0, 1.0), random(600, 3, 2, 0.0, 1.0));
        let frame = Frame::of(&[a.view(), b.view()], &Interrupt::new());
        let mut seen = vec![0; 1100 * 600];
        let pairs = |tile: &Tile<'_>| {
            let rows = tile.iter().flat_map(|(row, products)| (0..products.len()).map(move |column| (row, column)));
            rows.map(|(row, column)| (row + tile.first_row, column + tile.first_column)).collect::<Vec<_>>()
        };
        map_between(&frame, a.view(), b.view(), pairs)
            .unwrap()
            .concat()
            .iter()
            .for_each(|(i, j)| seen[i * 600 + j] += 1);
        assert!(seen.iter().all(|&count| count == 1));
        let mut seen = vec![0; 1100 * 1100];
        map_within(&frame, a.view(), pairs).unwrap().concat().iter().for_each(|(i, j)| seen[i * 1100 + j] += 1);
        assert!(seen.iter().enumerate().all(|(at, &count)| count == i32::from(at % 1100 < at / 1100)));
        assert_eq!(panel_sizes(1100).collect::<Vec<_>>(), [512, 512, 76]);
    }

    #[test]
    fn products_and_distances_come_back_at_any_offset_and_scale() {
        for (offset, size) in [(0.0, 1.0), (1e6, 1.0), (0.0, 1e-30), (-3e30, 1e30), (5.0, 0.0)] {
            let (a, b) = (random(5, 64, 3, offset, size), random(7, 64, 4, offset, size));
            let frame = Frame::of(&[a.view(), b.view()], &Interrupt::new());
            let (x, y) = (frame.place(a.axis_iter(Axis(0))), frame.place(b.axis_iter(Axis(0))));
            let tile = Tile::new(&x, &y, Pairs::All);
            for (i, products) in tile.iter() {
                for (j, &product) in products.iter().enumerate() {
                    let pairs = || a.row(i).into_iter().zip(b.row(j)).map(|(&x, &y)| (f64::from(x), f64::from(y)));
                    let distance: f64 = pairs().map(|(x, y)| (x - y) * (x - y)).sum();
                    let seen = x.squares[i] + y.squares[j] - 2.0 * f64::from(product);
                    let bound = TOLERANCE * (x.squares[i] + y.squares[j]);
                    assert!((seen - distance / frame.unit()).abs() <= bound, "{seen} at {offset} ± {size}");
                    let inner: f64 = pairs().map(|(x, y)| x * y).sum();
                    let seen = (f64::from(product) + x.alignments[i] + y.alignments[j]) * frame.unit();
                    // Besides, the sum itself rounds in f64.
                    assert!((seen - inner).abs() <= bound * frame.unit() + 1e-13 * inner.abs(), "{seen} for {inner}");
                }
            }
        }
    }
}
