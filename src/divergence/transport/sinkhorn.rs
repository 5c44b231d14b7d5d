//! Entropic transport by Sinkhorn's iteration, on logarithms.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::TransportError;
use crate::divergence::discrete::Distribution;
use crate::divergence::masses::compensated_sum;

/// Settings of the iteration: minimise ⟨M, C⟩ − regularization·H(M) over plans M.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sinkhorn {
    regularization: f64,
    tolerance: f64,
    max_iterations: usize,
}

/// The entropic plan's cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SinkhornPlan {
    /// ⟨M, C⟩ of the entropic plan M: at least the exact cost, and larger the stronger the regularization.
    pub cost: f64,
    /// Iterations done.
    pub iterations: usize,
    /// Sum of the absolute differences between M's first marginal and P; the second is exact.
    pub marginal_error: f64,
}

impl Sinkhorn {
    /// Takes the regularization, in the units of the cost; tolerance 1e-9 and 10,000 iterations.
    ///
    /// # Errors
    /// [`TransportError::Setting`] unless it is positive and finite.
    pub fn new(regularization: f64) -> Result<Self, TransportError> {
        positive("regularization", regularization)?;
        Ok(Sinkhorn { regularization, tolerance: 1e-9, max_iterations: 10_000 })
    }

    /// Stops when the marginals are off by less than this in total.
    ///
    /// # Errors
    /// [`TransportError::Setting`] unless it is positive and finite.
    pub fn with_tolerance(self, tolerance: f64) -> Result<Self, TransportError> {
        positive("tolerance", tolerance)?;
        Ok(Sinkhorn { tolerance, ..self })
    }

    /// Gives up after so many iterations.
    pub fn with_max_iterations(self, max_iterations: usize) -> Self {
        Sinkhorn { max_iterations, ..self }
    }

    /// Runs the iteration (Cuturi 2013) in the logarithmic domain, so that no regularization underflows.
    ///
    /// # Errors
    /// [`TransportError`] when the costs do not fit or are not finite, or the iteration does not converge.
    pub fn plan(
        &self,
        p: &Distribution,
        q: &Distribution,
        cost: ArrayView2<'_, f64>,
    ) -> Result<SinkhornPlan, TransportError> {
        if cost.dim() != (p.len(), q.len()) {
            let (rows, columns) = cost.dim();
            return Err(TransportError::Shape { what: "the cost matrix", rows, columns, p: p.len(), q: q.len() });
        }
        if let Some(((from, to), &value)) = cost.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(TransportError::Cost { from, to, value });
        }
        let kernel = cost.mapv(|cost| -cost / self.regularization);
        let transposed = kernel.t().as_standard_layout().into_owned();
        let logs = |distribution: &Distribution| -> Vec<f64> {
            distribution.probabilities().iter().map(|probability| probability.ln()).collect()
        };
        let (log_p, log_q) = (logs(p), logs(q));
        // Points without mass stay out from the start.
        let mut scale_p: Vec<f64> = log_p.iter().map(|log| if log.is_finite() { 0.0 } else { *log }).collect();
        let mut marginal_error = f64::INFINITY;
        for iteration in 1..=self.max_iterations {
            let scale_q = scaling(&transposed, &scale_p, &log_q);
            // Before the first marginal is made exact, it tells how far off the plan was with the second one exact.
            let next = scaling(&kernel, &scale_q, &log_p);
            marginal_error = compensated_sum(p.probabilities().iter().zip(next.iter().zip(&scale_p)).map(
                |(probability, (new, old))| {
                    if *probability == 0.0 { 0.0 } else { probability * (old - new).exp_m1().abs() }
                },
            ));
            if marginal_error <= self.tolerance {
                let cost = compensated_sum(kernel.indexed_iter().map(|((i, j), log)| {
                    let mass = (scale_p[i] + log + scale_q[j]).exp();
                    if mass == 0.0 { 0.0 } else { mass * cost[(i, j)] }
                }));
                return Ok(SinkhornPlan { cost, iterations: iteration, marginal_error });
            }
            scale_p = next;
        }
        Err(TransportError::NotConverged { iterations: self.max_iterations, marginal_error })
    }
}

fn positive(setting: &'static str, value: f64) -> Result<(), TransportError> {
    if value > 0.0 && value.is_finite() { Ok(()) } else { Err(TransportError::Setting { setting, value }) }
}

/// For each row the log factor that gives it its mass: log mass − ln Σⱼ exp(kernelᵢⱼ + otherⱼ).
fn scaling(kernel: &Array2<f64>, other: &[f64], log_mass: &[f64]) -> Vec<f64> {
    let width = other.len();
    let rows = kernel.as_slice().expect("kernels are made row-major");
    rows.par_chunks(width)
        .zip(log_mass)
        .map(|(row, log_mass)| {
            let largest = row.iter().zip(other).map(|(a, b)| a + b).fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = row.iter().zip(other).map(|(a, b)| (a + b - largest).exp()).sum();
            log_mass - largest - sum.ln()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::divergence::random::Random;
    use crate::divergence::transport::optimal_transport;

    #[test]
    fn it_approaches_the_exact_cost_from_above() {
        let mut random = Random::new(4);
        let weights = |random: &mut Random| {
            Distribution::normalized((0..12).map(|_| random.uniform().max(0.1)).collect()).unwrap()
        };
        let (p, q) = (weights(&mut random), weights(&mut random));
        let cost = Array2::from_shape_fn((12, 12), |_| random.uniform());
        let exact = optimal_transport(&p, &q, cost.view()).unwrap().cost;
        let mut last = f64::INFINITY;
        for regularization in [1.0, 0.1, 0.01] {
            let plan = Sinkhorn::new(regularization).unwrap().plan(&p, &q, cost.view()).unwrap();
            assert!(plan.cost >= exact - 1e-9 && plan.cost < last, "{regularization}: {plan:?}");
            last = plan.cost;
        }
        assert!(last - exact < 0.01);
    }

    #[test]
    fn points_without_mass_take_no_part() {
        let p = Distribution::new(vec![0.5, 0.0, 0.5]).unwrap();
        let q = Distribution::new(vec![0.5, 0.5]).unwrap();
        let cost = ndarray::array![[0.0, 1.0], [5.0, 5.0], [1.0, 0.0]];
        let smaller = Distribution::new(vec![0.5, 0.5]).unwrap();
        let sinkhorn = Sinkhorn::new(0.2).unwrap();
        let with = sinkhorn.plan(&p, &q, cost.view()).unwrap();
        let without = sinkhorn.plan(&smaller, &q, ndarray::array![[0.0, 1.0], [1.0, 0.0]].view()).unwrap();
        assert!((with.cost - without.cost).abs() < 1e-9);
    }

    #[test]
    fn failures_say_what_to_change() {
        let p = Distribution::new(vec![0.3, 0.7]).unwrap();
        let q = Distribution::new(vec![0.6, 0.4]).unwrap();
        let cost = ndarray::array![[0.0, 1.0], [1.0, 0.0]];
        let hasty = Sinkhorn::new(0.001).unwrap().with_max_iterations(2);
        assert!(matches!(hasty.plan(&p, &q, cost.view()), Err(TransportError::NotConverged { iterations: 2, .. })));
        assert!(Sinkhorn::new(0.0).is_err());
        assert!(Sinkhorn::new(1.0).unwrap().with_tolerance(f64::NAN).is_err());
    }
}
