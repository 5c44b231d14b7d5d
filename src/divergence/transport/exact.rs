//! Optimal transport between finitely many points, exact, with the dual potentials that certify it.

use ndarray::{Array2, ArrayView2, CowArray};

use super::TransportError;
use super::points::{WassersteinOrder, cost_matrix};
use super::simplex;
use crate::divergence::discrete::Distribution;
use crate::divergence::masses::compensated_sum;

/// Probabilities are rounded to multiples of 2^−52 to make them integers, which moves the cost by less than
/// (n+m)·2^−52 of the largest.
const UNITS: f64 = 4_503_599_627_370_496.0;

/// Mass that an optimal plan moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// Index of the point of P.
    pub from: usize,
    /// Index of the point of Q.
    pub to: usize,
    /// Probability moved.
    pub mass: f64,
}

/// An optimal plan and its certificate.
#[derive(Debug, Clone, PartialEq)]
pub struct TransportPlan {
    /// Σ mass·cost, the minimum over all plans.
    pub cost: f64,
    /// Where the mass goes; at most n+m−1 entries.
    pub flows: Vec<Flow>,
    /// fᵢ of P's points and gⱼ of Q's with fᵢ − gⱼ ≤ cᵢⱼ: the solution of the dual problem.
    pub potentials: (Vec<f64>, Vec<f64>),
    /// cost − (Σ pᵢfᵢ − Σ qⱼgⱼ): zero at the optimum, here what rounding left.
    pub duality_gap: f64,
}

/// The cheapest plan that takes P to Q, where moving a unit of mass from point i of P to point j of Q costs
/// `cost[(i, j)]`; by the network simplex method.
///
/// ```
/// use gan_metrics::divergence::{Distribution, transport::optimal_transport};
/// use ndarray::array;
///
/// let p = Distribution::new(vec![0.5, 0.5])?;
/// let q = Distribution::new(vec![0.25, 0.75])?;
/// let plan = optimal_transport(&p, &q, array![[0.0, 1.0], [1.0, 0.0]].view())?;
/// assert_eq!(plan.cost, 0.25);
/// # Ok::<(), gan_metrics::Error>(())
/// ```
///
/// # Errors
/// [`TransportError`] when the shape of the costs does not fit or a cost is not finite.
pub fn optimal_transport(
    p: &Distribution,
    q: &Distribution,
    cost: ArrayView2<'_, f64>,
) -> Result<TransportPlan, TransportError> {
    if cost.dim() != (p.len(), q.len()) {
        let (rows, columns) = cost.dim();
        return Err(TransportError::Shape { what: "the cost matrix", rows, columns, p: p.len(), q: q.len() });
    }
    if let Some(((from, to), &value)) = cost.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Err(TransportError::Cost { from, to, value });
    }
    let units = |distribution: &Distribution| -> Vec<u64> {
        distribution.probabilities().iter().map(|probability| (probability * UNITS).round() as u64).collect()
    };
    let (mut supply, mut demand) = (units(p), units(q));
    balance(&mut supply, &mut demand);
    Ok(plan(&supply, &demand, cost))
}

/// W_r between the empirical distributions of two samples, one a row (n×d and m×d), in O(n·m) memory.
///
/// # Errors
/// [`TransportError`] when a sample is empty or not finite or the dimensions differ.
pub fn wasserstein_samples(
    p: ArrayView2<'_, f64>,
    q: ArrayView2<'_, f64>,
    order: WassersteinOrder,
) -> Result<f64, TransportError> {
    let cost = cost_matrix(p, q, order)?;
    // Samples weigh 1/n and 1/m: whole numbers in units of 1/(n·m).
    let (supply, demand) = (vec![q.nrows() as u64; p.nrows()], vec![p.nrows() as u64; q.nrows()]);
    Ok(order.root(plan(&supply, &demand, cost.view()).cost))
}

/// W₁(P, Q) of two distributions on the same points (k×d), and its Kantorovich–Rubinstein potential φ: the 1-Lipschitz
/// function with E_p\[φ\] − E_q\[φ\] = W₁, which a WGAN's critic approximates. One value a point, the smallest is 0.
///
/// # Errors
/// [`TransportError`] when points and probabilities do not match or a coordinate is not finite.
pub fn kantorovich_rubinstein(
    points: ArrayView2<'_, f64>,
    p: &Distribution,
    q: &Distribution,
) -> Result<(f64, Vec<f64>), TransportError> {
    let distances = cost_matrix(points, points, WassersteinOrder::ONE)?;
    let plan = optimal_transport(p, q, distances.view())?;
    // The infimal convolution of the metric with g is 1-Lipschitz, at least f on P's points and at most g on Q's.
    let mut potential: Vec<f64> = distances
        .rows()
        .into_iter()
        .map(|row| row.iter().zip(&plan.potentials.1).map(|(distance, g)| distance + g).fold(f64::INFINITY, f64::min))
        .collect();
    let lowest = potential.iter().copied().fold(f64::INFINITY, f64::min);
    potential.iter_mut().for_each(|value| *value -= lowest);
    Ok((plan.cost, potential))
}

/// Evens out the sums, which rounding may leave a few units apart, on the largest entry.
fn balance(supply: &mut [u64], demand: &mut [u64]) {
    let (total_supply, total_demand) = (supply.iter().sum::<u64>(), demand.iter().sum::<u64>());
    let (short, missing) = if total_supply < total_demand {
        (supply, total_demand - total_supply)
    } else {
        (demand, total_supply - total_demand)
    };
    if let Some(largest) = short.iter_mut().max() {
        *largest += missing;
    }
}

/// Solves on the points that carry mass and extends the potentials to those that do not.
fn plan(supply: &[u64], demand: &[u64], cost: ArrayView2<'_, f64>) -> TransportPlan {
    let carrying = |masses: &[u64]| -> Vec<usize> { (0..masses.len()).filter(|i| masses[*i] > 0).collect() };
    let (rows, columns) = (carrying(supply), carrying(demand));
    let all_carry = rows.len() == supply.len() && columns.len() == demand.len();
    let inner = if all_carry {
        CowArray::from(cost)
    } else {
        Array2::from_shape_fn((rows.len(), columns.len()), |(i, j)| cost[(rows[i], columns[j])]).into()
    };
    let pick = |masses: &[u64], kept: &[usize]| -> Vec<u64> { kept.iter().map(|i| masses[*i]).collect() };
    let solution = simplex::solve(&pick(supply, &rows), &pick(demand, &columns), inner.view());
    let total = supply.iter().sum::<u64>() as f64;
    let flows: Vec<Flow> = solution
        .flows
        .into_iter()
        .map(|(i, j, mass)| Flow { from: rows[i], to: columns[j], mass: mass as f64 / total })
        .collect();
    let inner_g = solution.sink_potentials;
    // fᵢ = minⱼ (cᵢⱼ + gⱼ) and then gⱼ = maxᵢ (fᵢ − cᵢⱼ) are the tightest values that the constraints allow: they extend the
    // potentials to points without mass and can only improve the bound on the others.
    let f: Vec<f64> = (0..supply.len())
        .map(|i| columns.iter().zip(&inner_g).map(|(j, g)| cost[(i, *j)] + g).fold(f64::INFINITY, f64::min))
        .collect();
    let g: Vec<f64> = (0..demand.len())
        .map(|j| f.iter().enumerate().map(|(i, f)| f - cost[(i, j)]).fold(f64::NEG_INFINITY, f64::max))
        .collect();
    let total_cost = compensated_sum(flows.iter().map(|flow| flow.mass * cost[(flow.from, flow.to)]));
    let dual = compensated_sum(
        (supply.iter().zip(&f).map(|(mass, f)| *mass as f64 / total * f))
            .chain(demand.iter().zip(&g).map(|(mass, g)| -(*mass as f64) / total * g)),
    );
    TransportPlan { cost: total_cost, flows, potentials: (f, g), duality_gap: total_cost - dual }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Axis, array};
    use proptest::prelude::*;

    use super::*;
    use crate::divergence::random::Random;
    use crate::divergence::transport::wasserstein_line;

    /// The cheapest assignment of n ≤ 7 points by trying all permutations.
    fn best_permutation(cost: &Array2<f64>) -> f64 {
        fn search(row: usize, free: &mut Vec<usize>, cost: &Array2<f64>) -> f64 {
            if row == cost.nrows() {
                return 0.0;
            }
            let mut best = f64::INFINITY;
            for index in 0..free.len() {
                let column = free.swap_remove(index);
                best = best.min(cost[(row, column)] + search(row + 1, free, cost));
                free.push(column);
                let last = free.len() - 1;
                free.swap(index, last);
            }
            best
        }
        search(0, &mut (0..cost.ncols()).collect(), cost) / cost.nrows() as f64
    }

    fn check_certificate(plan: &TransportPlan, p: &Distribution, q: &Distribution, cost: &Array2<f64>) {
        let size = cost.iter().fold(1.0, |size: f64, value| size.max(value.abs()));
        assert!(plan.duality_gap.abs() <= 1e-13 * size, "gap {}", plan.duality_gap);
        for ((i, j), cost) in cost.indexed_iter() {
            let slack = cost - (plan.potentials.0[i] - plan.potentials.1[j]);
            assert!(slack >= -1e-13 * size, "constraint ({i}, {j}) is violated by {slack}");
        }
        let (mut rows, mut columns) = (vec![0.0; p.len()], vec![0.0; q.len()]);
        for flow in &plan.flows {
            rows[flow.from] += flow.mass;
            columns[flow.to] += flow.mass;
        }
        for (marginal, distribution) in [(rows, p), (columns, q)] {
            for (a, b) in marginal.iter().zip(distribution.probabilities()) {
                assert!((a - b).abs() < 1e-14);
            }
        }
        assert!(plan.flows.len() < p.len() + q.len());
    }

    fn weights(random: &mut Random, n: usize) -> Distribution {
        // Some points without mass, some equal masses.
        let weights = (0..n).map(|_| (random.uniform() * 5.0).floor()).collect();
        Distribution::normalized(weights).unwrap_or_else(|_| Distribution::normalized(vec![1.0; n]).unwrap())
    }

    #[test]
    fn assignments_are_the_best_of_all_permutations() {
        let mut random = Random::new(11);
        for n in 1..=7 {
            for ties in [false, true] {
                let mut entry = || if ties { (random.uniform() * 4.0).floor() } else { random.normal() };
                let cost = Array2::from_shape_fn((n, n), |_| entry());
                let uniform = Distribution::normalized(vec![1.0; n]).unwrap();
                let plan = optimal_transport(&uniform, &uniform, cost.view()).unwrap();
                check_certificate(&plan, &uniform, &uniform, &cost);
                assert!((plan.cost - best_permutation(&cost)).abs() < 1e-13, "n = {n}");
            }
        }
    }

    #[test]
    fn larger_problems_carry_their_certificate() {
        let mut random = Random::new(5);
        for (n, m, ties) in [(1, 9, false), (40, 40, true), (60, 35, false), (100, 120, true)] {
            let (p, q) = (weights(&mut random, n), weights(&mut random, m));
            let mut entry = || if ties { (random.uniform() * 3.0).floor() } else { random.uniform() };
            let cost = Array2::from_shape_fn((n, m), |_| entry());
            check_certificate(&optimal_transport(&p, &q, cost.view()).unwrap(), &p, &q, &cost);
        }
    }

    #[test]
    fn kantorovich_rubinstein_potential_attains_the_distance() {
        let mut random = Random::new(2);
        let points = Array2::from_shape_fn((30, 2), |_| random.normal());
        let (p, q) = (weights(&mut random, 30), weights(&mut random, 30));
        let (distance, potential) = kantorovich_rubinstein(points.view(), &p, &q).unwrap();
        let metric = cost_matrix(points.view(), points.view(), WassersteinOrder::ONE).unwrap();
        for ((i, j), d) in metric.indexed_iter() {
            assert!(potential[i] - potential[j] <= d + 1e-13);
        }
        let expectation = |weights: &Distribution| {
            Array1::from(weights.probabilities().to_vec()).dot(&Array1::from(potential.clone()))
        };
        assert!((expectation(&p) - expectation(&q) - distance).abs() < 1e-13);
    }

    #[test]
    fn samples_of_different_sizes_meet() {
        let (x, y) = (array![[0.0, 0.0], [6.0, 0.0]], array![[0.0, 0.0], [3.0, 0.0], [6.0, 0.0]]);
        assert_eq!(wasserstein_samples(x.view(), y.view(), WassersteinOrder::ONE).unwrap(), 1.0);
        let error = wasserstein_samples(x.view(), array![[1.0]].view(), WassersteinOrder::ONE);
        assert_eq!(error, Err(TransportError::DimensionMismatch { p: 2, q: 1 }));
    }

    #[test]
    fn bad_costs_are_named() {
        let p = Distribution::new(vec![1.0]).unwrap();
        let error = optimal_transport(&p, &p, array![[f64::NAN]].view());
        assert!(matches!(error, Err(TransportError::Cost { from: 0, to: 0, .. })));
        assert!(matches!(optimal_transport(&p, &p, array![[0.0, 1.0]].view()), Err(TransportError::Shape { .. })));
    }

    proptest! {
        #[test]
        fn on_the_line_it_is_the_monotone_coupling(seed in 0..1000_u64, order in 1.0..3.0_f64) {
            let mut random = Random::new(seed);
            let (n, m) = (2 + random.below(12), 2 + random.below(12));
            let (p, q) = (weights(&mut random, n), weights(&mut random, m));
            let x: Vec<f64> = (0..n).map(|_| random.normal()).collect();
            let y: Vec<f64> = (0..m).map(|_| random.normal()).collect();
            let order = WassersteinOrder::new(order).unwrap();
            let column = |values: &[f64]| Array1::from(values.to_vec()).insert_axis(Axis(1));
            let cost = cost_matrix(column(&x).view(), column(&y).view(), order).unwrap();
            let plan = optimal_transport(&p, &q, cost.view()).unwrap();
            let line = wasserstein_line(&x, &p, &y, &q, order).unwrap();
            prop_assert!((order.root(plan.cost.max(0.0)) - line).abs() < 1e-12 * (1.0 + line));
        }
    }
}
