//! Pairs of densities of one family, for which KL and the affinities have closed forms.

use libm::lgamma as ln_gamma;
use statrs::function::gamma::digamma;

use super::Component;
use super::component::ln_beta;
use crate::divergence::closed_form::{self, ClosedForm};
use crate::divergence::discrete::{self, Distribution};
use crate::divergence::gaussian::GaussianPair;
use crate::divergence::kind::Divergence;

/// A pair of one family.
enum SameFamily {
    Normal(GaussianPair),
    Gamma(Gamma),
    Beta(Beta),
    Laplace(Laplace),
    Uniform { p: (f64, f64), q: (f64, f64) },
}

impl SameFamily {
    fn of(p: Component, q: Component) -> Option<Self> {
        // beta(1, 1) is uniform(0, 1).
        let (p, q) = match (p, q) {
            (Component::Beta { a: 1.0, b: 1.0 }, Component::Uniform { .. }) => (UNIT, q),
            (Component::Uniform { .. }, Component::Beta { a: 1.0, b: 1.0 }) => (p, UNIT),
            (UNIT, Component::Beta { .. }) => (Component::Beta { a: 1.0, b: 1.0 }, q),
            (Component::Beta { .. }, UNIT) => (p, Component::Beta { a: 1.0, b: 1.0 }),
            pair => pair,
        };
        Some(match (p, q) {
            (Component::Normal { mean, deviation }, Component::Normal { mean: mean_q, deviation: deviation_q }) => {
                SameFamily::Normal(GaussianPair::univariate(mean, deviation, mean_q, deviation_q))
            }
            // No f-divergence changes under the exponential.
            (Component::LogNormal { mu, sigma }, Component::LogNormal { mu: mu_q, sigma: sigma_q }) => {
                SameFamily::Normal(GaussianPair::univariate(mu, sigma, mu_q, sigma_q))
            }
            (Component::Gamma { shape, rate }, Component::Gamma { shape: shape_q, rate: rate_q }) => {
                SameFamily::Gamma(Gamma { p: (shape, rate), q: (shape_q, rate_q) })
            }
            (Component::Beta { a, b }, Component::Beta { a: a_q, b: b_q }) => {
                SameFamily::Beta(Beta { p: (a, b), q: (a_q, b_q) })
            }
            (Component::Laplace { location, scale }, Component::Laplace { location: location_q, scale: scale_q }) => {
                SameFamily::Laplace(Laplace { distance: (location - location_q).abs(), p: scale, q: scale_q })
            }
            (Component::Uniform { lower, upper }, Component::Uniform { lower: lower_q, upper: upper_q }) => {
                SameFamily::Uniform { p: (lower, upper), q: (lower_q, upper_q) }
            }
            _ => return None,
        })
    }
}

const UNIT: Component = Component::Uniform { lower: 0.0, upper: 1.0 };

/// D(P‖Q) by a formula, if this pair and this divergence have one.
pub(crate) fn closed_form(divergence: Divergence, p: Component, q: Component) -> Option<f64> {
    match SameFamily::of(p, q)? {
        SameFamily::Normal(pair) => pair.closed_form(divergence),
        SameFamily::Gamma(pair) => closed_form::evaluate(divergence, &pair),
        SameFamily::Beta(pair) => closed_form::evaluate(divergence, &pair),
        SameFamily::Laplace(pair) => closed_form::evaluate(divergence, &pair),
        SameFamily::Uniform { p, q } => uniform(divergence, p, q),
    }
}

/// ln D(P‖Q) by a formula, also where D overflows.
pub(crate) fn log_of_closed_form(divergence: Divergence, p: Component, q: Component) -> Option<f64> {
    match SameFamily::of(p, q)? {
        SameFamily::Normal(pair) => closed_form::evaluate_log(divergence, &pair),
        SameFamily::Gamma(pair) => closed_form::evaluate_log(divergence, &pair),
        SameFamily::Beta(pair) => closed_form::evaluate_log(divergence, &pair),
        SameFamily::Laplace(pair) => closed_form::evaluate_log(divergence, &pair),
        // Ratios of uniform densities are at most the ratio of their lengths.
        SameFamily::Uniform { .. } => None,
    }
}

/// Two uniform densities are constant on three cells, so that every divergence is a discrete one.
fn uniform(divergence: Divergence, p: (f64, f64), q: (f64, f64)) -> Option<f64> {
    let common = (p.1.min(q.1) - p.0.max(q.0)).max(0.0);
    let share = |(lower, upper): (f64, f64)| common / (upper - lower);
    let cells_p = Distribution::new(vec![share(p), 1.0 - share(p), 0.0]).ok()?;
    let cells_q = Distribution::new(vec![share(q), 0.0, 1.0 - share(q)]).ok()?;
    discrete::divergence(divergence, &cells_p, &cells_q).ok()
}

/// Gamma densities, (shape, rate) each.
struct Gamma {
    p: (f64, f64),
    q: (f64, f64),
}

fn gamma_kl((shape_p, rate_p): (f64, f64), (shape_q, rate_q): (f64, f64)) -> f64 {
    let ratio = rate_q / rate_p;
    (shape_p - shape_q) * digamma(shape_p) - ln_gamma(shape_p) + ln_gamma(shape_q) - shape_q * ratio.ln()
        + shape_p * (ratio - 1.0)
}

impl ClosedForm for Gamma {
    fn kullback_leibler(&self) -> f64 {
        gamma_kl(self.p, self.q).max(0.0)
    }

    fn reverse_kullback_leibler(&self) -> f64 {
        gamma_kl(self.q, self.p).max(0.0)
    }

    fn log_affinity(&self, order: f64) -> f64 {
        let mix = |p: f64, q: f64| order * p + (1.0 - order) * q;
        let (shape, rate) = (mix(self.p.0, self.q.0), mix(self.p.1, self.q.1));
        if shape <= 0.0 || rate <= 0.0 {
            return f64::INFINITY;
        }
        let norm = |(shape, rate): (f64, f64)| shape * rate.ln() - ln_gamma(shape);
        mix(norm(self.p), norm(self.q)) - norm((shape, rate))
    }

    fn cancelling_terms(&self) -> f64 {
        let terms = |(shape, rate): (f64, f64)| (shape * rate.ln()).abs() + ln_gamma(shape).abs();
        1.0 + terms(self.p) + terms(self.q)
    }
}

/// Beta densities, (a, b) each.
struct Beta {
    p: (f64, f64),
    q: (f64, f64),
}

fn beta_kl((a_p, b_p): (f64, f64), (a_q, b_q): (f64, f64)) -> f64 {
    ln_beta(a_q, b_q) - ln_beta(a_p, b_p)
        + (a_p - a_q) * digamma(a_p)
        + (b_p - b_q) * digamma(b_p)
        + (a_q - a_p + b_q - b_p) * digamma(a_p + b_p)
}

impl ClosedForm for Beta {
    fn kullback_leibler(&self) -> f64 {
        beta_kl(self.p, self.q).max(0.0)
    }

    fn reverse_kullback_leibler(&self) -> f64 {
        beta_kl(self.q, self.p).max(0.0)
    }

    fn log_affinity(&self, order: f64) -> f64 {
        let mix = |p: f64, q: f64| order * p + (1.0 - order) * q;
        let (a, b) = (mix(self.p.0, self.q.0), mix(self.p.1, self.q.1));
        if a <= 0.0 || b <= 0.0 {
            return f64::INFINITY;
        }
        ln_beta(a, b) - mix(ln_beta(self.p.0, self.p.1), ln_beta(self.q.0, self.q.1))
    }

    fn cancelling_terms(&self) -> f64 {
        1.0 + ln_beta(self.p.0, self.p.1).abs() + ln_beta(self.q.0, self.q.1).abs()
    }
}

/// Laplace densities, by their scales and the distance of their locations.
struct Laplace {
    distance: f64,
    p: f64,
    q: f64,
}

fn laplace_kl(distance: f64, p: f64, q: f64) -> f64 {
    (q / p).ln() + (p * (-distance / p).exp() + distance) / q - 1.0
}

impl ClosedForm for Laplace {
    fn kullback_leibler(&self) -> f64 {
        laplace_kl(self.distance, self.p, self.q).max(0.0)
    }

    fn reverse_kullback_leibler(&self) -> f64 {
        laplace_kl(self.distance, self.q, self.p).max(0.0)
    }

    /// The integrand is e^{−a|x| − c|x−distance|}, with a power of two exponentials on each of three pieces.
    fn log_affinity(&self, order: f64) -> f64 {
        let (a, c) = (order / self.p, (1.0 - order) / self.q);
        if a + c <= 0.0 {
            return f64::INFINITY;
        }
        // Both pieces in units of the larger exponential, e^{−min(a,c)·distance}, which alone could overflow:
        // the two outer ones together, and (1 − e^{−|a−c|·distance})/|a − c| between the peaks.
        let gap = (a - c).abs() * self.distance;
        let slope = if gap == 0.0 { 1.0 } else { -(-gap).exp_m1() / gap };
        let pieces = (1.0 + (-gap).exp()) / (a + c) + self.distance * slope;
        let norms = order * (2.0 * self.p).ln() + (1.0 - order) * (2.0 * self.q).ln();
        pieces.ln() - a.min(c) * self.distance - norms
    }

    fn cancelling_terms(&self) -> f64 {
        1.0 + (2.0 * self.p).ln().abs() + (2.0 * self.q).ln().abs()
    }
}
