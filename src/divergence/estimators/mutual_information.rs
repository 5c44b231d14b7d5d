//! Mutual information of two variables that were observed together: KL(P_XY‖P_X × P_Y).

use ndarray::{ArrayView2, Axis, concatenate};
use rayon::prelude::*;
use statrs::function::gamma::digamma;

use super::histogram::Scale;
use super::tree::{Largest, Tree};
use super::{Bins, EstimatorError, NeighbourEstimate, check_sample};
use crate::divergence::Generator;
use crate::divergence::masses::compensated_sum;

/// Cells of a table of bins × bins that can be asked for.
const MOST_CELLS: usize = 1 << 24;
/// Samples a cell holds on average where the number of bins is not given.
const SAMPLES_A_CELL: f64 = 5.0;

/// I(X; Y) from pairs of samples, one a row of each (n×d and n×e), by k-th nearest neighbours:
///
/// ψ(k) + ψ(n) − ⟨ψ(n_x + 1) + ψ(n_y + 1)⟩,
///
/// where n_x and n_y count the samples whose x, or y, is closer than the k-th neighbour of the pair, all by the largest
/// difference of coordinates (Kraskov, Stögbauer and Grassberger 2004, equation 8). In nats; it may be slightly negative. By
/// k-d trees, on all threads.
///
/// # Errors
/// [`EstimatorError`] when the numbers of samples differ or are not above k, or a value is not finite.
pub fn knn_mutual_information(
    x: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
    neighbours: usize,
) -> Result<NeighbourEstimate, EstimatorError> {
    if neighbours == 0 {
        return Err(EstimatorError::setting("neighbours", neighbours, "at least 1"));
    }
    check_pairs(x, y, neighbours.saturating_add(1))?;
    let n = x.nrows();
    let both = concatenate(Axis(1), &[x, y]).expect("there are as many of both");
    let (joint, of_x, of_y) = (Tree::new(both.view()), Tree::new(x), Tree::new(y));
    let mut terms: Vec<(usize, f64)> = (joint.order().par_iter())
        .map(|&row| {
            let from = both.row(row).to_vec();
            let distance = joint.kth_distance::<Largest>(&from, Some(row), neighbours);
            let (from_x, from_y) = from.split_at(x.ncols());
            let closer_x = of_x.count_closer::<Largest>(from_x, row, distance);
            let closer_y = of_y.count_closer::<Largest>(from_y, row, distance);
            (row, digamma((closer_x + 1) as f64) + digamma((closer_y + 1) as f64))
        })
        .collect();
    terms.sort_unstable_by_key(|(row, _)| *row);
    let mean = compensated_sum(terms.into_iter().map(|(_, term)| term)) / n as f64;
    let value = digamma(neighbours as f64) + digamma(n as f64) - mean;
    Ok(NeighbourEstimate { value, neighbours, samples_p: n, samples_q: n })
}

/// I(X; Y) from pairs of samples of two variables of the line, from counts in a table of bins × bins of equal widths: the plug-in
/// estimate, which is too large by about (bins − 1)²/(2n). In nats. By default there are so many bins that a cell holds five
/// samples on average.
///
/// # Errors
/// [`EstimatorError`] when the numbers of samples differ, there are none, a value is not finite, or the bins are too many.
pub fn histogram_mutual_information(x: &[f64], y: &[f64], bins: Option<usize>) -> Result<f64, EstimatorError> {
    let column = |values| ndarray::aview1(values).insert_axis(Axis(1));
    check_pairs(column(x), column(y), 1)?;
    let n = x.len() as f64;
    let most = MOST_CELLS.isqrt();
    let bins = bins.unwrap_or_else(|| ((n / SAMPLES_A_CELL).sqrt().ceil() as usize).clamp(2, most));
    if !(1..=most).contains(&bins) {
        return Err(EstimatorError::setting("bins", bins, format!("from 1 to {most}")));
    }
    let [scale_x, scale_y] = [x, y].map(|values| Scale::of(values.iter().copied(), Bins::Count(bins)));
    let mut table = vec![0_usize; bins * bins];
    for (x, y) in x.iter().zip(y) {
        table[scale_x.bin(*x) * bins + scale_y.bin(*y)] += 1;
    }
    let share = |count: usize| count as f64 / n;
    let rows: Vec<f64> = table.chunks(bins).map(|row| share(row.iter().sum())).collect();
    let columns: Vec<f64> = (0..bins).map(|column| share(table.iter().skip(column).step_by(bins).sum())).collect();
    let joint: Vec<f64> = table.into_iter().map(share).collect();
    let product: Vec<f64> = rows.iter().flat_map(|row| columns.iter().map(move |column| row * column)).collect();
    Ok(Generator::KULLBACK_LEIBLER.total_excess(&joint, &product))
}

fn check_pairs(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>, needed: usize) -> Result<(), EstimatorError> {
    check_sample('P', x, needed)?;
    check_sample('Q', y, needed)?;
    if x.nrows() == y.nrows() { Ok(()) } else { Err(EstimatorError::Unpaired { p: x.nrows(), q: y.nrows() }) }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::divergence::random::Random;

    #[test]
    fn both_come_near_the_truth() {
        // Two normal variables of correlation 0.8: −½ ln(1 − 0.64).
        let mut random = Random::new(2);
        let x = Array2::from_shape_simple_fn((4000, 1), || random.normal());
        let y = x.mapv(|x| 0.8 * x + 0.6 * random.normal());
        let truth = -0.5 * 0.36_f64.ln();
        let knn = knn_mutual_information(x.view(), y.view(), 3).unwrap().value;
        // Its standard error at this size is near 0.02, and the bias of 28 bins 0.09.
        assert!((knn - truth).abs() < 0.08, "{knn} {truth}");
        let (x, y) = (x.into_raw_vec_and_offset().0, y.into_raw_vec_and_offset().0);
        let counted = histogram_mutual_information(&x, &y, None).unwrap();
        assert!((counted - truth).abs() < 0.12, "{counted} {truth}");
        let bins = histogram_mutual_information(&x, &y, Some(1)).unwrap();
        assert_eq!(bins, 0.0);
    }

    #[test]
    fn a_table_of_counts_is_its_formula() {
        // Counts 2 1 / 0 1 of four: ½ ln(4/3) + ¼ ln(2/3) + ¼ ln 2.
        let value = histogram_mutual_information(&[0.0, 0.1, 0.2, 1.0], &[0.0, 0.2, 1.0, 0.9], Some(2)).unwrap();
        let expected = 0.5 * (4.0_f64 / 3.0).ln() + 0.25 * (2.0_f64 / 3.0).ln() + 0.25 * 2.0_f64.ln();
        assert!((value - expected).abs() < 1e-15, "{value} {expected}");
    }

    #[test]
    fn pairs_must_be_pairs() {
        let (x, y) = (Array2::zeros((3, 1)), Array2::zeros((4, 1)));
        assert_eq!(knn_mutual_information(x.view(), y.view(), 1), Err(EstimatorError::Unpaired { p: 3, q: 4 }));
        assert!(knn_mutual_information(x.view(), x.view(), 3).is_err());
        assert!(histogram_mutual_information(&[1.0], &[1.0], Some(5000)).is_err());
    }
}
