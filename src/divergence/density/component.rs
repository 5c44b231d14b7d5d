//! The members of the families, one at a time.

use std::f64::consts::{PI, SQRT_2};

use libm::{erfc, lgamma};
use statrs::function::{beta, gamma};

use super::quantile::Tail;
use crate::divergence::quadrature::Place;

/// Relative error of distribution functions made of exponentials and error functions.
const ELEMENTARY_ROUNDING: f64 = 16.0 * f64::EPSILON;
/// Relative error of the incomplete gamma and beta functions of statrs, twice the worst of 600 each that were compared
/// with mpmath (parameters from 0.1 to 300).
const INCOMPLETE_ROUNDING: f64 = 8e-13;

/// ln B(a, b).
pub(super) fn ln_beta(a: f64, b: f64) -> f64 {
    lgamma(a) + lgamma(b) - lgamma(a + b)
}

/// A family with its parameters, validated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Component {
    Normal { mean: f64, deviation: f64 },
    Laplace { location: f64, scale: f64 },
    Uniform { lower: f64, upper: f64 },
    Logistic { location: f64, scale: f64 },
    Gamma { shape: f64, rate: f64 },
    Beta { a: f64, b: f64 },
}

impl Component {
    /// Ends of the support.
    pub fn support(self) -> (f64, f64) {
        match self {
            Component::Normal { .. } | Component::Laplace { .. } | Component::Logistic { .. } => {
                (f64::NEG_INFINITY, f64::INFINITY)
            }
            Component::Uniform { lower, upper } => (lower, upper),
            Component::Gamma { .. } => (0.0, f64::INFINITY),
            Component::Beta { .. } => (0.0, 1.0),
        }
    }

    /// A point in the bulk and a length of the order of the standard deviation.
    pub fn centre_and_scale(self) -> (f64, f64) {
        match self {
            Component::Normal { mean: centre, deviation: scale }
            | Component::Laplace { location: centre, scale }
            | Component::Logistic { location: centre, scale } => (centre, scale),
            Component::Uniform { lower, upper } => (0.5 * (lower + upper), upper - lower),
            Component::Gamma { shape, rate } => (shape / rate, shape.sqrt().max(1.0) / rate),
            Component::Beta { a, b } => {
                let total = a + b;
                (a / total, (a / total * (b / total) / (total + 1.0)).sqrt())
            }
        }
    }

    /// Size of the terms of [`Component::ln_density`] in the bulk, where they may cancel.
    pub fn log_terms(self) -> f64 {
        match self {
            Component::Normal { deviation: scale, .. }
            | Component::Laplace { scale, .. }
            | Component::Logistic { scale, .. } => 1.0 + scale.ln().abs(),
            Component::Uniform { lower, upper } => (upper - lower).ln().abs(),
            Component::Gamma { shape, rate } => {
                shape * (1.0 + shape.ln().abs()) + lgamma(shape).abs() + rate.ln().abs()
            }
            Component::Beta { a, b } => a + b + [a, b, a + b].map(|x| lgamma(x).abs()).iter().sum::<f64>(),
        }
    }

    pub fn ln_density(self, place: Place) -> f64 {
        let (lower, upper) = self.support();
        // Distances to the support's ends decide, so that a place next to a landmark is on the right side of it.
        if place.minus(lower) < 0.0 || place.minus(upper) > 0.0 {
            return f64::NEG_INFINITY;
        }
        match self {
            Component::Normal { mean, deviation } => {
                let z = place.minus(mean) / deviation;
                -0.5 * z * z - deviation.ln() - 0.5 * (2.0 * PI).ln()
            }
            Component::Laplace { location, scale } => -(place.minus(location) / scale).abs() - (2.0 * scale).ln(),
            Component::Uniform { lower, upper } => -(upper - lower).ln(),
            Component::Logistic { location, scale } => {
                let z = (place.minus(location) / scale).abs();
                -z - 2.0 * (-z).exp().ln_1p() - scale.ln()
            }
            Component::Gamma { shape, rate } => {
                let z = rate * place.minus(0.0);
                rate.ln() + scaled_ln(shape - 1.0, z) - z - lgamma(shape)
            }
            Component::Beta { a, b } => {
                scaled_ln(a - 1.0, place.minus(0.0)) + scaled_ln(b - 1.0, -place.minus(1.0)) - ln_beta(a, b)
            }
        }
    }

    /// The probability of a tail that ends at a place, accurate in relative terms.
    pub fn probability(self, place: Place, tail: Tail) -> f64 {
        // Symmetric families see the distance from their centre, counted into the tail.
        let inwards = |centre: f64| match tail {
            Tail::Lower => place.minus(centre),
            Tail::Upper => -place.minus(centre),
        };
        match self {
            Component::Normal { mean, deviation } => 0.5 * erfc(-inwards(mean) / (deviation * SQRT_2)),
            Component::Laplace { location, scale } => laplace_cdf(inwards(location) / scale),
            Component::Uniform { lower, upper } => {
                let end = if tail == Tail::Lower { lower } else { upper };
                (inwards(end) / (upper - lower)).clamp(0.0, 1.0)
            }
            Component::Logistic { location, scale } => 1.0 / (1.0 + (-inwards(location) / scale).exp()),
            Component::Gamma { shape, rate } => match (rate * place.minus(0.0), tail) {
                (z, Tail::Lower) if z <= 0.0 => 0.0,
                (z, Tail::Upper) if z <= 0.0 => 1.0,
                (z, Tail::Lower) if shape == 1.0 => -(-z).exp_m1(),
                (z, Tail::Upper) if shape == 1.0 => (-z).exp(),
                (z, Tail::Lower) if z.is_infinite() => 1.0,
                (z, Tail::Upper) if z.is_infinite() => 0.0,
                (z, Tail::Lower) => gamma::gamma_lr(shape, z),
                (z, Tail::Upper) => gamma::gamma_ur(shape, z),
            },
            // The distances to both ends keep their digits, so that neither tail is computed from the other.
            Component::Beta { a, b } => match (place.minus(0.0), -place.minus(1.0), tail) {
                (x, _, Tail::Lower) if x <= 0.0 => 0.0,
                (x, _, Tail::Upper) if x <= 0.0 => 1.0,
                (_, rest, Tail::Lower) if rest <= 0.0 => 1.0,
                (_, rest, Tail::Upper) if rest <= 0.0 => 0.0,
                (x, rest, Tail::Lower) => regularized_beta((a, x), (b, rest)),
                (x, rest, Tail::Upper) => regularized_beta((b, rest), (a, x)),
            },
        }
    }

    /// How far off [`Component::probability`] is in relative terms, beyond what the rounding of the argument explains.
    pub fn rounding_of_probability(self) -> f64 {
        match self {
            Component::Gamma { shape, .. } if shape != 1.0 => INCOMPLETE_ROUNDING,
            Component::Beta { .. } => INCOMPLETE_ROUNDING,
            _ => ELEMENTARY_ROUNDING,
        }
    }
}

/// I_x(a, b), given x and 1 − x with all their digits.
fn regularized_beta((a, x): (f64, f64), (b, rest): (f64, f64)) -> f64 {
    if x <= 0.5 {
        return beta::beta_reg(a, b, x);
    }
    match beta::beta_reg(b, a, rest) {
        upper if upper < 0.5 => 1.0 - upper,
        _ => beta::beta_reg(a, b, x),
    }
}

/// exponent·ln(x), 0 for a zero exponent also at x = 0.
fn scaled_ln(exponent: f64, x: f64) -> f64 {
    if exponent == 0.0 { 0.0 } else { exponent * x.ln() }
}

fn laplace_cdf(z: f64) -> f64 {
    if z < 0.0 { 0.5 * z.exp() } else { 1.0 - 0.5 * (-z).exp() }
}
