//! Which divergences follow from three integrals that have closed forms for many families: KL in both directions and
//! the affinities ∫ p^α q^{1−α}.

use crate::divergence::generator::Structure;
use crate::divergence::kind::Divergence;

/// A pair (P, Q) whose basic integrals are known.
pub(crate) trait ClosedForm {
    /// KL(P‖Q).
    fn kullback_leibler(&self) -> f64;

    /// KL(Q‖P).
    fn reverse_kullback_leibler(&self) -> f64;

    /// ln ∫ p^order q^{1−order}, ∞ where the integral diverges, near zero without cancellation where P is near Q.
    fn log_affinity(&self, order: f64) -> f64;
}

/// D(P‖Q), if it is a function of the three integrals.
pub(crate) fn evaluate(divergence: Divergence, pair: &impl ClosedForm) -> Option<f64> {
    match divergence {
        Divergence::F(generator) => match generator.structure() {
            Structure::KullbackLeibler { forward, reverse } => {
                // A weight of zero must also silence an infinity.
                let weighted = |weight: f64, value: f64| if weight == 0.0 { 0.0 } else { weight * value };
                let value = weighted(forward, pair.kullback_leibler());
                Some(value + weighted(reverse, pair.reverse_kullback_leibler()))
            }
            Structure::Affinity { order, scale } => Some((scale * pair.log_affinity(order).exp_m1()).max(0.0)),
            Structure::Other => None,
        },
        Divergence::Renyi(order) => Some(Divergence::of_log_affinity(order.get(), pair.log_affinity(order.get()))),
        Divergence::Bhattacharyya => Some(0.5 * Divergence::of_log_affinity(0.5, pair.log_affinity(0.5))),
    }
}
