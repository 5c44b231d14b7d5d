//! Points of the line, where the monotone coupling is optimal: sorted against sorted.

use super::TransportError;
use super::points::{WassersteinOrder, check_points};
use crate::divergence::discrete::Distribution;
use crate::divergence::masses::{compensated_sum, lane_sum};

/// W_r between the empirical distributions of two samples of the line, which may differ in size. Exact to rounding.
///
/// ```
/// use gan_metrics::divergence::transport::{WassersteinOrder, wasserstein_line_samples};
///
/// assert_eq!(wasserstein_line_samples(&[0.0, 1.0], &[5.0, 6.0], WassersteinOrder::ONE)?, 5.0);
/// # Ok::<(), gan_metrics::divergence::TransportError>(())
/// ```
///
/// # Errors
/// [`TransportError`] when a sample is empty or not finite.
pub fn wasserstein_line_samples(p: &[f64], q: &[f64], order: WassersteinOrder) -> Result<f64, TransportError> {
    let ascending = |which, samples: &[f64]| {
        check_points(which, ndarray::aview1(samples).insert_axis(ndarray::Axis(1)))?;
        Ok::<_, TransportError>(sorted(samples))
    };
    if p.len() == q.len() {
        let (p, q) = (ascending('P', p)?, ascending('Q', q)?);
        let costs: Vec<f64> = p.iter().zip(&q).map(|(x, y)| order.power((x - y).abs())).collect();
        return Ok(order.root(lane_sum(&costs) / p.len() as f64));
    }
    // In units of 1/(n·m) every sample carries a whole number of units, so that nothing is lost in the merge.
    let (units_p, units_q) = (q.len() as f64, p.len() as f64);
    let p = ascending('P', p)?.into_iter().map(|x| (x, units_p));
    let q = ascending('Q', q)?.into_iter().map(|y| (y, units_q));
    Ok(order.root(monotone_cost(p, q, order) / (units_p * units_q)))
}

/// W_r between two distributions on points of the line. Exact to rounding.
///
/// # Errors
/// [`TransportError`] when points and probabilities do not match or a point is not finite.
pub fn wasserstein_line(
    points_p: &[f64],
    p: &Distribution,
    points_q: &[f64],
    q: &Distribution,
    order: WassersteinOrder,
) -> Result<f64, TransportError> {
    let atoms = |which, points: &[f64], weights: &Distribution| {
        if points.len() != weights.len() {
            let (rows, columns) = (points.len(), 1);
            return Err(TransportError::Shape { what: "a list of points", rows, columns, p: p.len(), q: q.len() });
        }
        check_points(which, ndarray::aview1(points).insert_axis(ndarray::Axis(1)))?;
        let mut atoms: Vec<_> = points.iter().copied().zip(weights.probabilities().iter().copied()).collect();
        atoms.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(atoms.into_iter().filter(|(_, weight)| *weight > 0.0))
    };
    Ok(order.root(monotone_cost(atoms('P', points_p, p)?, atoms('Q', points_q, q)?, order)))
}

/// The numbers in ascending order. Integers that compare as they do are sorted in half the time.
fn sorted(values: &[f64]) -> Vec<f64> {
    let flipped = |bits: u64| bits ^ (((bits as i64) >> 63) as u64 >> 1);
    let mut keys: Vec<i64> = values.iter().map(|value| flipped(value.to_bits()) as i64).collect();
    keys.sort_unstable();
    keys.into_iter().map(|key| f64::from_bits(flipped(key as u64))).collect()
}

/// Σ mass·|x−y|^r of the coupling that fills y's in order from x's in order.
fn monotone_cost(
    mut p: impl Iterator<Item = (f64, f64)>,
    mut q: impl Iterator<Item = (f64, f64)>,
    order: WassersteinOrder,
) -> f64 {
    let (mut from, mut to) = (p.next(), q.next());
    compensated_sum(std::iter::from_fn(|| {
        // Masses that sum to 1 up to rounding leave a rest on one side, which has nowhere to go.
        let ((x, available), (y, wanted)) = (from?, to?);
        let moved = available.min(wanted);
        from = if available > moved { Some((x, available - moved)) } else { p.next() };
        to = if wanted > moved { Some((y, wanted - moved)) } else { q.next() };
        Some(moved * order.power((x - y).abs()))
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn uniform(n: usize) -> Distribution {
        Distribution::normalized(vec![1.0; n]).unwrap()
    }

    #[test]
    fn a_shift_costs_its_length_for_every_order() {
        let x = [0.5, -1.0, 3.0, 2.0];
        let shifted = x.map(|value| value - 1.75);
        for order in [1.0, 1.5, 2.0, 7.0] {
            let order = WassersteinOrder::new(order).unwrap();
            assert!((wasserstein_line_samples(&x, &shifted, order).unwrap() - 1.75).abs() < 1e-14);
        }
    }

    #[test]
    fn sorting_is_that_of_the_numbers() {
        let values = [3.5, -0.0, 1e-310, -2.0, f64::MAX, -1e300, 0.0, -2.5, 7.0];
        let mut expected = values.to_vec();
        expected.sort_by(f64::total_cmp);
        assert_eq!(
            sorted(&values).iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
            expected.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        );
    }

    #[test]
    fn two_point_masses_are_as_far_apart_as_their_points() {
        let point = uniform(1);
        assert_eq!(wasserstein_line(&[0.0], &point, &[-0.3], &point, WassersteinOrder::ONE).unwrap(), 0.3);
    }

    #[test]
    fn unequal_sizes_split_the_samples() {
        // Each of three samples meets two thirds of one and one third of another.
        let cost = wasserstein_line_samples(&[0.0, 6.0], &[0.0, 3.0, 6.0], WassersteinOrder::ONE).unwrap();
        assert_eq!(cost, 1.0);
    }

    #[test]
    fn bad_input_is_named() {
        assert_eq!(
            wasserstein_line_samples(&[], &[1.0], WassersteinOrder::ONE),
            Err(TransportError::NoSamples { which: 'P' })
        );
        let error = wasserstein_line_samples(&[1.0], &[0.0, f64::NAN], WassersteinOrder::ONE).unwrap_err();
        assert!(error.to_string().contains("row 1, column 0 of Q holds NaN"), "{error}");
        assert!(matches!(WassersteinOrder::new(0.5), Err(TransportError::Order { order: 0.5 })));
        let error = wasserstein_line(&[0.0], &uniform(2), &[0.0], &uniform(1), WassersteinOrder::ONE);
        assert!(matches!(error, Err(TransportError::Shape { .. })));
    }

    proptest! {
        #[test]
        fn weights_and_repeated_samples_are_the_same(
            counts in prop::collection::vec(1..4_usize, 2..6), shift in -2.0..2.0_f64,
        ) {
            let points: Vec<f64> = (0..counts.len()).map(|k| (k * k) as f64).collect();
            let repeated: Vec<f64> =
                points.iter().zip(&counts).flat_map(|(x, count)| std::iter::repeat_n(*x, *count)).collect();
            let weights = Distribution::normalized(counts.iter().map(|count| *count as f64).collect()).unwrap();
            let target = [shift, 1.0, 4.5];
            for order in [WassersteinOrder::ONE, WassersteinOrder::TWO] {
                let weighted = wasserstein_line(&points, &weights, &target, &uniform(3), order).unwrap();
                let plain = wasserstein_line_samples(&repeated, &target, order).unwrap();
                prop_assert!((weighted - plain).abs() < 1e-12);
            }
        }

        #[test]
        fn it_is_a_metric(
            x in prop::collection::vec(-5.0..5.0_f64, 1..8), y in prop::collection::vec(-5.0..5.0_f64, 1..8),
            z in prop::collection::vec(-5.0..5.0_f64, 1..8), order in 1.0..4.0_f64,
        ) {
            let order = WassersteinOrder::new(order).unwrap();
            let distance = |a: &[f64], b: &[f64]| wasserstein_line_samples(a, b, order).unwrap();
            prop_assert_eq!(distance(&x, &x), 0.0);
            prop_assert!((distance(&x, &y) - distance(&y, &x)).abs() < 1e-12);
            prop_assert!(distance(&x, &z) <= distance(&x, &y) + distance(&y, &z) + 1e-12);
            // Orders increase the distance.
            prop_assert!(wasserstein_line_samples(&x, &y, WassersteinOrder::ONE).unwrap() <= distance(&x, &y) + 1e-12);
        }
    }
}
