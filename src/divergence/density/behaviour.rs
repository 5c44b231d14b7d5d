//! How densities behave at the ends of intervals, which decides whether an integral over powers of them is finite, and
//! where quadrature has to look.

use super::{Component, Density};
use crate::divergence::quadrature::Domain;

/// An end of an interval, seen from inside it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum End {
    MinusInfinity,
    PlusInfinity,
    /// A finite point approached from above.
    Above(f64),
    /// A finite point approached from below.
    Below(f64),
}

/// ln p ≈ −quadratic·z² − linear·z + power·ln z + constant, where z is |x| → ∞ at an infinite end and the distance → 0
/// at a finite one (where only the power matters).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Behaviour {
    pub quadratic: f64,
    pub linear: f64,
    pub power: f64,
}

impl Behaviour {
    /// Of p^exponent·q^{1−exponent}.
    pub fn of_product(p: Behaviour, q: Behaviour, exponent: f64) -> Self {
        let combine = |p: f64, q: f64| {
            let combined = exponent * p + (1.0 - exponent) * q;
            // What should cancel exactly may leave a rounding error.
            let rounding = 4.0 * f64::EPSILON * ((exponent * p).abs() + ((1.0 - exponent) * q).abs());
            if combined.abs() <= rounding { 0.0 } else { combined }
        };
        Behaviour {
            quadratic: combine(p.quadratic, q.quadratic),
            linear: combine(p.linear, q.linear),
            power: combine(p.power, q.power),
        }
    }

    /// Whether a function that behaves so has a finite integral up to the end.
    pub fn is_integrable(self, end: End) -> bool {
        match end {
            End::Above(_) | End::Below(_) => self.power > -1.0,
            End::MinusInfinity | End::PlusInfinity => {
                self.quadratic > 0.0
                    || (self.quadratic == 0.0 && (self.linear > 0.0 || (self.linear == 0.0 && self.power < -1.0)))
            }
        }
    }

    /// Whether this density is eventually the larger one at an infinite end or a finite one.
    fn dominates(self, other: Behaviour, end: End) -> bool {
        match end {
            End::Above(_) | End::Below(_) => self.power < other.power,
            End::MinusInfinity | End::PlusInfinity => {
                (self.quadratic, self.linear, -self.power) < (other.quadratic, other.linear, -other.power)
            }
        }
    }
}

impl Component {
    /// Behaviour at an end; `None` where the density is zero next to it.
    fn behaviour(self, end: End) -> Option<Behaviour> {
        let smooth = Behaviour { quadratic: 0.0, linear: 0.0, power: 0.0 };
        let (lower, upper) = self.support();
        match end {
            End::MinusInfinity if lower.is_finite() => return None,
            End::PlusInfinity if upper.is_finite() => return None,
            End::Above(x) if x < lower || x >= upper => return None,
            End::Below(x) if x <= lower || x > upper => return None,
            _ => {}
        }
        let sign = match end {
            End::MinusInfinity => -1.0,
            End::PlusInfinity => 1.0,
            End::Above(x) | End::Below(x) => {
                return Some(match self {
                    Component::Gamma { shape, .. } if x == 0.0 => Behaviour { power: shape - 1.0, ..smooth },
                    Component::Beta { a, .. } if x == 0.0 => Behaviour { power: a - 1.0, ..smooth },
                    Component::Beta { b, .. } if x == 1.0 => Behaviour { power: b - 1.0, ..smooth },
                    _ => smooth,
                });
            }
        };
        Some(match self {
            Component::Normal { mean, deviation } => {
                let precision = 1.0 / (deviation * deviation);
                Behaviour { quadratic: 0.5 * precision, linear: -sign * mean * precision, power: 0.0 }
            }
            Component::Laplace { scale, .. } | Component::Logistic { scale, .. } => {
                Behaviour { linear: 1.0 / scale, ..smooth }
            }
            Component::Gamma { shape, rate } => Behaviour { linear: rate, power: shape - 1.0, ..smooth },
            Component::Uniform { .. } | Component::Beta { .. } => smooth,
        })
    }

    /// Points where the density is rough, and points that bracket its bulk.
    fn landmarks(self) -> Vec<f64> {
        let (centre, scale) = self.centre_and_scale();
        let (lower, upper) = self.support();
        let bulk = [-8.0, -2.0, 0.0, 2.0, 8.0].map(|step| centre + step * scale);
        let inside = bulk.into_iter().filter(|x| *x > lower && *x < upper);
        inside.chain([lower, upper].into_iter().filter(|x| x.is_finite())).collect()
    }
}

impl Density {
    /// Behaviour at an end; `None` where the density is zero next to it.
    pub(crate) fn behaviour(&self, end: End) -> Option<Behaviour> {
        let all = self.parts.iter().filter_map(|(_, component)| component.behaviour(end));
        all.reduce(|best, next| if next.dominates(best, end) { next } else { best })
    }

    /// The union of the supports of both densities, with landmarks wherever one of them is rough.
    pub(crate) fn domain(&self, other: &Density) -> Domain {
        let components = || self.parts.iter().chain(&other.parts).map(|(_, component)| *component);
        let largest = components().map(|component| component.centre_and_scale().1).fold(0.0, f64::max);
        let reaches = |end: End| components().any(|component| component.behaviour(end).is_some());
        let mut domain = Domain {
            landmarks: Vec::new(),
            lower_scale: reaches(End::MinusInfinity).then_some(largest),
            upper_scale: reaches(End::PlusInfinity).then_some(largest),
        };
        domain.add_landmarks(components().flat_map(Component::landmarks));
        domain
    }
}
