//! Which divergences follow from three integrals that have closed forms for many families: KL in both directions and
//! the affinities ∫ p^α q^{1−α}.

use crate::divergence::generator::Structure;
use crate::divergence::kind::Divergence;

/// Integrals that are smaller than this share of the terms they are the difference of have lost too many digits.
const CANCELLATION: f64 = 1e-4;

/// A pair (P, Q) whose basic integrals are known.
pub(crate) trait ClosedForm {
    /// KL(P‖Q).
    fn kullback_leibler(&self) -> f64;

    /// KL(Q‖P).
    fn reverse_kullback_leibler(&self) -> f64;

    /// ln ∫ p^order q^{1−order}, ∞ where the integral diverges.
    fn log_affinity(&self, order: f64) -> f64;

    /// Size of the terms that cancel in the formulas where P is near Q; 0 where the formulas are arranged so that none
    /// do.
    fn cancelling_terms(&self) -> f64;
}

/// Whether a divergence is a function of the three integrals.
pub(crate) fn is_known(divergence: Divergence) -> bool {
    match divergence {
        Divergence::F(generator) => generator.structure() != Structure::Other,
        Divergence::Renyi(_) | Divergence::Bhattacharyya => true,
    }
}

/// ln D(P‖Q) by a formula, where D is a growing affinity: also where D itself is beyond all floating-point numbers.
pub(crate) fn evaluate_log(divergence: Divergence, pair: &impl ClosedForm) -> Option<f64> {
    let Divergence::F(generator) = divergence else { return None };
    match generator.structure() {
        Structure::Affinity { order, scale } if scale > 0.0 => {
            let log = pair.log_affinity(order);
            // ln(e^log − 1), which is −∞ for equal distributions.
            Some(scale.ln() + log + (-(-log).exp()).ln_1p())
        }
        _ => None,
    }
}

/// D(P‖Q), if it is a function of the three integrals and these are not lost in rounding.
pub(crate) fn evaluate(divergence: Divergence, pair: &impl ClosedForm) -> Option<f64> {
    let floor = CANCELLATION * pair.cancelling_terms();
    let resolved = |integral: f64| (integral.abs() >= floor).then_some(integral);
    let log_affinity = |order| resolved(pair.log_affinity(order));
    match divergence {
        Divergence::F(generator) => match generator.structure() {
            Structure::KullbackLeibler { forward, reverse } => {
                // A weight of zero must also silence an infinity.
                let weighted = |weight: f64, value: f64| if weight == 0.0 { 0.0 } else { weight * value };
                let value = weighted(forward, pair.kullback_leibler());
                resolved(value + weighted(reverse, pair.reverse_kullback_leibler()))
            }
            Structure::Affinity { order, scale } => Some((scale * log_affinity(order)?.exp_m1()).max(0.0)),
            Structure::Other => None,
        },
        Divergence::Renyi(order) => Some(Divergence::of_log_affinity(order.get(), log_affinity(order.get())?)),
        Divergence::Bhattacharyya => Some(0.5 * Divergence::of_log_affinity(0.5, log_affinity(0.5)?)),
    }
}
