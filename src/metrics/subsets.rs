//! The squared discrepancies of many subsets of two sets, as the Kernel Inception Distance asks for.

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::frame::{Frame, PANEL, Pairs, Rows, Tile, map_between, map_within};
use super::kernel::{Kernel, Sums};
use crate::interrupt::{Interrupt, Interrupted};

/// Rows of a set that belong to one subset, each once.
type Draw = Vec<usize>;

/// How the kernel gets to the pairs within the subsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Products {
    /// Each subset multiplies its own rows: `2·m²` products of pairs a subset.
    OfEachSubset,
    /// Every row is multiplied with every other once, and the subsets share the values: `(n₁ + n₂)²/2` products.
    OfWholeSets,
}

impl Products {
    /// Whichever multiplies less; whole sets on a tie, which have fewer half-empty tiles.
    fn of(rows: usize, subsets: usize, size: usize) -> Self {
        let (rows, subsets, size) = (rows as f64, subsets as f64, size as f64);
        if rows * rows / 2.0 <= subsets * 2.0 * size * size { Products::OfWholeSets } else { Products::OfEachSubset }
    }
}

/// The unbiased squared discrepancy of each pair of subsets, in their order. All subsets have the same size.
pub(super) fn discrepancies(
    kernel: Kernel,
    [first, second]: [ArrayView2<'_, f32>; 2],
    draws: &[(Draw, Draw)],
    interrupt: &Interrupt,
) -> Result<Vec<f64>, Interrupted> {
    let frame = Frame::of(&[first, second], interrupt);
    let size = draws.first().map_or(0, |(x, _)| x.len());
    match Products::of(first.nrows() + second.nrows(), draws.len(), size) {
        Products::OfEachSubset => of_each_subset(kernel, &frame, [first, second], draws),
        Products::OfWholeSets => of_whole_sets(kernel, &frame, [first, second], draws),
    }
}

/// Subsets side by side, each on one thread.
fn of_each_subset(
    kernel: Kernel,
    frame: &Frame,
    [first, second]: [ArrayView2<'_, f32>; 2],
    draws: &[(Draw, Draw)],
) -> Result<Vec<f64>, Interrupted> {
    let gather = |set: ArrayView2<'_, f32>, draw: &Draw| -> Vec<Rows> {
        let row = |&index: &usize| set.index_axis_move(Axis(0), index);
        draw.chunks(PANEL).map(|panel| frame.place(panel.iter().map(row))).collect()
    };
    let sum = |rows: &Rows, columns: &Rows, pairs| kernel.sum(frame.unit(), &Tile::new(rows, columns, pairs));
    let against =
        |rows: &Rows, panels: &[Rows]| -> f64 { panels.iter().map(|columns| sum(rows, columns, Pairs::All)).sum() };
    let within = |panels: &[Rows]| -> f64 {
        let numbered = panels.iter().enumerate();
        numbered.map(|(at, rows)| against(rows, &panels[..at]) + sum(rows, rows, Pairs::Below)).sum()
    };
    let discrepancy = |(x, y): &(Draw, Draw)| {
        frame.interrupt().check()?;
        let sizes = [x.len(), y.len()];
        let (x, y) = (gather(first, x), gather(second, y));
        let between = x.iter().map(|rows| against(rows, &y)).sum();
        Ok(Sums { within: [within(&x), within(&y)], between, sizes }.unbiased())
    };
    draws.par_iter().map(discrepancy).collect()
}

/// Tiles side by side: of each, every subset takes the pairs that it drew.
fn of_whole_sets(
    kernel: Kernel,
    frame: &Frame,
    [first, second]: [ArrayView2<'_, f32>; 2],
    draws: &[(Draw, Draw)],
) -> Result<Vec<f64>, Interrupted> {
    let x = Membership::new(first.nrows(), draws.iter().map(|(x, _)| x));
    let y = Membership::new(second.nrows(), draws.iter().map(|(_, y)| y));
    let sums = |tile: &Tile<'_>, rows: &Membership, columns: &Membership| {
        let columns = &columns.places[tile.first_column / PANEL];
        let mut sums = vec![0.0; draws.len()];
        kernel.for_each_row(frame.unit(), tile, |row, values| {
            for &subset in &rows.subsets[tile.first_row + row] {
                let present = columns[subset].iter().map_while(|&place| values.get(place));
                sums[subset] += present.sum::<f64>();
            }
        });
        sums
    };
    let total = |tiles: Vec<Vec<f64>>| {
        tiles.into_iter().fold(vec![0.0; draws.len()], |mut total, tile| {
            total.iter_mut().zip(tile).for_each(|(total, sum)| *total += sum);
            total
        })
    };
    let within_x = total(map_within(frame, first, |tile| sums(tile, &x, &x))?);
    let within_y = total(map_within(frame, second, |tile| sums(tile, &y, &y))?);
    let between = total(map_between(frame, first, second, |tile| sums(tile, &x, &y))?);
    let discrepancy = |(at, (x, y)): (usize, &(Draw, Draw))| {
        let within = [within_x[at], within_y[at]];
        Sums { within, between: between[at], sizes: [x.len(), y.len()] }.unbiased()
    };
    Ok(draws.iter().enumerate().map(discrepancy).collect())
}

/// Which rows of a set which subsets have.
struct Membership {
    /// The subsets that have a row, by row.
    subsets: Vec<Vec<usize>>,
    /// The places in a panel of the rows that a subset has, ascending, by panel and subset.
    places: Vec<Vec<Vec<usize>>>,
}

impl Membership {
    fn new<'a>(rows: usize, draws: impl ExactSizeIterator<Item = &'a Draw>) -> Self {
        let mut places = vec![vec![Vec::new(); draws.len()]; rows.div_ceil(PANEL)];
        let mut subsets = vec![Vec::new(); rows];
        for (subset, draw) in draws.enumerate() {
            draw.iter().for_each(|&row| subsets[row].push(subset));
        }
        for (row, subsets) in subsets.iter().enumerate() {
            subsets.iter().for_each(|&subset| places[row / PANEL][subset].push(row % PANEL));
        }
        Self { subsets, places }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::metrics::RandomState;

    /// Both ways take f32 products of the same rows, in sums of another order.
    const TOLERANCE: f64 = 1e-9;

    #[test]
    fn less_is_multiplied() {
        // 2 × 10,000 images are as many pairs as those of 100 subsets of 1,000.
        assert_eq!(Products::of(2 * 10_000, 100, 1_000), Products::OfWholeSets);
        assert_eq!(Products::of(2 * 10_001, 100, 1_000), Products::OfEachSubset);
    }

    #[test]
    fn both_ways_agree() {
        let mut random = RandomState::new(5);
        // Several panels of either set, the last of them not full, and subsets of more than a panel.
        let mut set =
            |rows, offset| Array2::from_shape_simple_fn((rows, 8), || (random.standard_normal() + offset) as f32);
        let (a, b) = (set(1300, 0.0), set(1100, 0.3));
        let draws: Vec<_> = (0..6).map(|_| (random.choice(1300, 600), random.choice(1100, 600))).collect();
        let frame = Frame::of(&[a.view(), b.view()], &Interrupt::new());
        for kernel in [Kernel::KID, Kernel::Polynomial { degree: 2, gamma: Some(0.1), coef0: 0.5 }, Kernel::SIGMA_10] {
            let each = of_each_subset(kernel, &frame, [a.view(), b.view()], &draws).unwrap();
            let whole = of_whole_sets(kernel, &frame, [a.view(), b.view()], &draws).unwrap();
            for (each, whole) in each.iter().zip(&whole) {
                assert!((each - whole).abs() < TOLERANCE && *each != 0.0, "{kernel:?}: {each} and {whole}");
            }
        }
    }
}
