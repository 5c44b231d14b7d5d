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

/// Scales below a Gumbel density's location beyond which it is zero.
const FAR_BELOW: f64 = 700.0;
/// Deviations of a logarithm beyond which a scale would overflow.
const WIDEST: f64 = 300.0;

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
    Cauchy { location: f64, scale: f64 },
    StudentT { freedom: f64, location: f64, scale: f64 },
    LogNormal { mu: f64, sigma: f64 },
    Weibull { shape: f64, scale: f64 },
    Gumbel { location: f64, scale: f64 },
    Triangular { lower: f64, mode: f64, upper: f64 },
}

impl Component {
    /// Ends of the support.
    pub fn support(self) -> (f64, f64) {
        match self {
            Component::Normal { .. }
            | Component::Laplace { .. }
            | Component::Logistic { .. }
            | Component::Cauchy { .. }
            | Component::StudentT { .. }
            | Component::Gumbel { .. } => (f64::NEG_INFINITY, f64::INFINITY),
            Component::Uniform { lower, upper } | Component::Triangular { lower, upper, .. } => (lower, upper),
            Component::Gamma { .. } | Component::LogNormal { .. } | Component::Weibull { .. } => (0.0, f64::INFINITY),
            Component::Beta { .. } => (0.0, 1.0),
        }
    }

    /// A point in the bulk and a length of the order of the standard deviation.
    pub fn centre_and_scale(self) -> (f64, f64) {
        match self {
            Component::Normal { mean: centre, deviation: scale }
            | Component::Laplace { location: centre, scale }
            | Component::Logistic { location: centre, scale }
            | Component::Cauchy { location: centre, scale }
            | Component::StudentT { location: centre, scale, .. }
            | Component::Gumbel { location: centre, scale } => (centre, scale),
            // The median, and its distance to the quantile a deviation above.
            Component::LogNormal { mu, sigma } => (mu.exp(), mu.exp() * sigma.min(WIDEST).exp_m1()),
            Component::Weibull { scale, .. } => (scale, scale),
            Component::Triangular { lower, mode, upper } => (mode, upper - lower),
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
            | Component::Logistic { scale, .. }
            | Component::Cauchy { scale, .. } => 2.0 + scale.ln().abs(),
            Component::StudentT { freedom, scale, .. } => {
                let norms = [0.5 * freedom, 0.5 * freedom + 0.5].map(|x| lgamma(x).abs()).iter().sum::<f64>();
                2.0 + freedom + freedom.ln().abs() + scale.ln().abs() + norms
            }
            Component::LogNormal { mu, sigma } => 1.0 + (mu / sigma).powi(2) + mu.abs() + sigma.ln().abs(),
            Component::Weibull { shape, scale } => (1.0 + shape) * (1.0 + scale.ln().abs()) + shape.ln().abs(),
            Component::Gumbel { location, scale } => 1.0 + (location / scale).abs() + scale.ln().abs(),
            Component::Triangular { lower, upper, .. } => 1.0 + (upper - lower).ln().abs(),
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
            Component::Cauchy { location, scale } => -ln_1p_square(place.minus(location) / scale) - (PI * scale).ln(),
            Component::StudentT { freedom, location, scale } => {
                let half = 0.5 * freedom;
                let norm = lgamma(half + 0.5) - lgamma(half) - 0.5 * (freedom * PI).ln() - scale.ln();
                norm - (half + 0.5) * ln_1p_square(place.minus(location) / scale / freedom.sqrt())
            }
            Component::LogNormal { mu, sigma } => {
                let log = place.minus(0.0).ln();
                let z = (log - mu) / sigma;
                // At 0 the square wins over the logarithm.
                if log == f64::NEG_INFINITY { log } else { -0.5 * z * z - log - sigma.ln() - 0.5 * (2.0 * PI).ln() }
            }
            Component::Weibull { shape, scale } => {
                let z = place.minus(0.0) / scale;
                (shape / scale).ln() + scaled_ln(shape - 1.0, z) - z.powf(shape)
            }
            Component::Gumbel { location, scale } => {
                let z = place.minus(location) / scale;
                // Far below, the exponential overflows and wins.
                if z < -FAR_BELOW { f64::NEG_INFINITY } else { -z - (-z).exp() - scale.ln() }
            }
            Component::Triangular { lower, mode, upper } => {
                let side = if place.minus(mode) < 0.0 {
                    place.minus(lower) / (mode - lower)
                } else if upper > mode {
                    -place.minus(upper) / (upper - mode)
                } else {
                    1.0
                };
                (2.0 * side / (upper - lower)).ln()
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
            // The angle under which the tail is seen from a point above the centre.
            Component::Cauchy { location, scale } => scale.atan2(-inwards(location)) / PI,
            Component::StudentT { freedom, location, scale } => {
                let z = inwards(location) / scale;
                let square = z * z;
                let share = freedom / (freedom + square);
                let outer = match share {
                    0.0 => 0.0,
                    _ => 0.5 * regularized_beta((0.5 * freedom, share), (0.5, square / (freedom + square))),
                };
                if z < 0.0 { outer } else { 1.0 - outer }
            }
            Component::LogNormal { mu, sigma } => {
                let z = (place.minus(0.0).max(0.0).ln() - mu) / sigma;
                0.5 * erfc(if tail == Tail::Lower { -z } else { z } / SQRT_2)
            }
            Component::Weibull { shape, scale } => {
                let power = (place.minus(0.0).max(0.0) / scale).powf(shape);
                if tail == Tail::Lower { -(-power).exp_m1() } else { (-power).exp() }
            }
            Component::Gumbel { location, scale } => {
                let power = (-place.minus(location) / scale).exp();
                if tail == Tail::Lower { (-power).exp() } else { -(-power).exp_m1() }
            }
            Component::Triangular { lower, mode, upper } => {
                let (near, far) = (inwards(if tail == Tail::Lower { lower } else { upper }), upper - lower);
                let peak = if tail == Tail::Lower { mode - lower } else { upper - mode };
                // A triangle up to the mode, and all but one beyond it.
                match near {
                    near if near <= 0.0 => 0.0,
                    near if near >= far => 1.0,
                    near if near <= peak => near / peak * (near / far),
                    near => 1.0 - (far - near) / (far - peak) * ((far - near) / far),
                }
            }
        }
    }

    /// How far off [`Component::probability`] is in relative terms, beyond what the rounding of the argument explains.
    pub fn rounding_of_probability(self) -> f64 {
        match self {
            Component::Gamma { shape, .. } if shape != 1.0 => INCOMPLETE_ROUNDING,
            Component::Beta { .. } | Component::StudentT { .. } => INCOMPLETE_ROUNDING,
            // A logarithm and a power pass their own rounding on, enlarged.
            Component::LogNormal { mu, sigma } => ELEMENTARY_ROUNDING * (1.0 + mu.abs() / sigma),
            Component::Weibull { shape, .. } => ELEMENTARY_ROUNDING * (1.0 + shape),
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

/// ln(1 + z²), also where the square overflows.
fn ln_1p_square(z: f64) -> f64 {
    let square = z * z;
    if square.is_finite() { square.ln_1p() } else { 2.0 * z.abs().ln() }
}

fn laplace_cdf(z: f64) -> f64 {
    if z < 0.0 { 0.5 * z.exp() } else { 1.0 - 0.5 * (-z).exp() }
}
