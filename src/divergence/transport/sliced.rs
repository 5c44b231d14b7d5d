//! The sliced distance: averages of one-dimensional ones.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::points::{WassersteinOrder, check_both};
use super::{TransportError, wasserstein_line_samples};
use crate::divergence::estimate::{Estimate, RunningMean};
use crate::divergence::random::Random;

/// Coordinates that the directions may have in all: half a gigabyte.
const MOST_COORDINATES: usize = 1 << 26;

/// (E over directions θ of W_r^r(θᵀP, θᵀQ))^{1/r} (Rabin et al. 2011) over random directions, with the Monte Carlo
/// error of the finite number of directions.
///
/// # Errors
/// [`TransportError`] when a sample is empty or not finite, the dimensions differ, or there are fewer than two
/// directions, or more than fit into memory.
pub fn sliced_wasserstein(
    p: ArrayView2<'_, f64>,
    q: ArrayView2<'_, f64>,
    order: WassersteinOrder,
    directions: usize,
    seed: u64,
) -> Result<Estimate, TransportError> {
    check_both(p, q)?;
    check_directions(directions, p.ncols())?;
    let mut random = Random::new(seed);
    let mut along = Array2::from_shape_simple_fn((directions, p.ncols()), || random.normal());
    for mut direction in along.rows_mut() {
        let norm = direction.dot(&direction).sqrt();
        direction /= norm;
    }
    sliced_wasserstein_along(p, q, order, along.view())
}

/// [`sliced_wasserstein`] along given directions, one a row, of unit length.
///
/// # Errors
/// As [`sliced_wasserstein`].
pub fn sliced_wasserstein_along(
    p: ArrayView2<'_, f64>,
    q: ArrayView2<'_, f64>,
    order: WassersteinOrder,
    directions: ArrayView2<'_, f64>,
) -> Result<Estimate, TransportError> {
    check_both(p, q)?;
    check_directions(directions.nrows(), p.ncols())?;
    if directions.ncols() != p.ncols() {
        return Err(TransportError::DimensionMismatch { p: p.ncols(), q: directions.ncols() });
    }
    let costs: Vec<f64> = (0..directions.nrows())
        .into_par_iter()
        .map(|index| {
            let direction = directions.index_axis(Axis(0), index);
            let distance = wasserstein_line_samples(&p.dot(&direction).to_vec(), &q.dot(&direction).to_vec(), order)?;
            Ok(order.power(distance))
        })
        .collect::<Result<_, TransportError>>()?;
    let mean: RunningMean = costs.into_iter().collect();
    let value = order.root(mean.mean());
    // The root's slope carries the standard error over.
    let slope = if mean.mean() > 0.0 { value / (order.get() * mean.mean()) } else { 0.0 };
    let count = directions.nrows();
    Ok(Estimate::new(value, slope * mean.variance_of_mean().sqrt(), count, count - 1))
}

fn check_directions(count: usize, coordinates: usize) -> Result<(), TransportError> {
    let most = MOST_COORDINATES / coordinates;
    if (2..=most).contains(&count) { Ok(()) } else { Err(TransportError::Projections { count, most }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_is_seen_by_its_mean_projection() {
        let mut random = Random::new(9);
        let x = Array2::from_shape_simple_fn((50, 3), || random.normal());
        let y = &x + &ndarray::array![3.0, 0.0, 4.0];
        // E⟨θ, s⟩² = ‖s‖²/d.
        let sliced = sliced_wasserstein(x.view(), y.view(), WassersteinOrder::TWO, 4000, 1).unwrap();
        let expected = (25.0_f64 / 3.0).sqrt();
        assert!((sliced.value - expected).abs() < 4.0 * sliced.standard_error, "{sliced:?}");
        assert!(sliced.standard_error < 0.03);
        assert_eq!(sliced, sliced_wasserstein(x.view(), y.view(), WassersteinOrder::TWO, 4000, 1).unwrap());
    }

    #[test]
    fn one_dimension_needs_no_slicing() {
        let (x, y) = (ndarray::array![[0.0], [2.0]], ndarray::array![[1.0], [5.0]]);
        let sliced = sliced_wasserstein(x.view(), y.view(), WassersteinOrder::ONE, 8, 0).unwrap();
        assert_eq!((sliced.value, sliced.standard_error), (2.0, 0.0));
        for count in [1, MOST_COORDINATES + 1, usize::MAX] {
            assert_eq!(
                sliced_wasserstein(x.view(), y.view(), WassersteinOrder::ONE, count, 0),
                Err(TransportError::Projections { count, most: MOST_COORDINATES })
            );
        }
    }
}
